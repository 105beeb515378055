// str % arguments and str.format.
#include <cmath>

#include "models/chat_template/format_spec.h"
#include "models/chat_template/interpreter.h"
#include "models/chat_template/operators.h"
#include "models/chat_template/text.h"

namespace hearth::jinja {

namespace {

/// Gives out the arguments of a % one after another.
class PercentArguments {
 public:
  PercentArguments(Interpreter& interpreter, const Value& arguments)
      : interpreter_(interpreter), arguments_(arguments) {}

  Value next() {
    if (arguments_.is(Kind::tuple)) {
      const Values& items = arguments_.as<SequenceObject>().items;
      if (position_ < items.size()) return items[position_++];
    } else if (position_ == 0) {
      ++position_;
      return arguments_;
    }
    raise("not enough arguments for format string");
  }

  Value named(std::string_view name) {
    if (!arguments_.is(Kind::dict)) raise("format requires a mapping");
    const Value* found = arguments_.as<DictObject>().find(name);
    if (found == nullptr) raise("{}", quoted(name));
    position_ = SIZE_MAX;
    return *found;
  }

  void expectAllUsed() const {
    const bool is_mapping = arguments_.is(Kind::dict) || arguments_.is(Kind::list);
    const size_t n = arguments_.is(Kind::tuple) ? arguments_.as<SequenceObject>().items.size()
                                                : is_mapping ? 0 : 1;
    if (position_ < n) raise("not all arguments converted during string formatting");
  }

 private:
  Interpreter& interpreter_;
  const Value& arguments_;
  size_t position_ = 0;
};

int64_t percentNumber(std::string_view format, size_t& i, PercentArguments& arguments) {
  if (i < format.size() && format[i] == '*') {
    ++i;
    const Value star = arguments.next();
    if (!star.isWhole()) raise("* wants int");
    return star.whole();
  }
  int64_t value = 0;
  while (i < format.size() && format[i] >= '0' && format[i] <= '9') {
    value = std::min<int64_t>(value * 10 + (format[i++] - '0'), 1'000'000'000);
  }
  return value;
}

std::string percentNumberText(Interpreter& interpreter, const Value& value, FormatSpec spec) {
  const bool whole = spec.type == 'd' || spec.type == 'x' || spec.type == 'X' || spec.type == 'o';
  if (value.isUndefined()) interpreter.raiseUndefined(value);
  if (!value.isNumber()) {
    raise("%{} format: {} is required, not {}", spec.type, whole ? "a real number" : "a real number",
          typeName(value));
  }
  Value number = value;
  if (whole && value.is(Kind::real)) {
    if (spec.type != 'd') raise("%{} format: an integer is required, not float", spec.type);
    if (!(std::fabs(value.number()) < 9.2e18)) raise("cannot convert float to integer");
    number = Value::integer(static_cast<int64_t>(value.number()));
  }
  if (!whole) number = Value::real(value.number());
  if (whole && spec.precision) {
    std::string digits = wholeDigits(number.whole(), spec.type);
    const int64_t lacking = std::min<int64_t>(*spec.precision, 1000) - static_cast<int64_t>(digits.size());
    if (lacking > 0) digits.insert(0, static_cast<size_t>(lacking), '0');
    const char sign = number.whole() < 0 ? '-' : spec.sign == '-' ? '\0' : spec.sign;
    return padded(interpreter, (sign != '\0' ? std::string(1, sign) : "") + digits, spec, '>');
  }
  return formatValue(interpreter, number, spec);
}

std::string percentField(Interpreter& interpreter, const Value& value, FormatSpec spec) {
  switch (spec.type) {
    case 's':
    case 'r':
    case 'a': {
      std::string text = spec.type == 's' ? textOf(interpreter, value) : reprOf(interpreter, value);
      if (spec.precision) text.resize(byteOffset(text, *spec.precision));
      if (spec.align == '=') spec.align = '>', spec.fill = " ";
      return padded(interpreter, std::move(text), spec, '>');
    }
    case 'c': {
      if (value.isString() && value.as<StringObject>().n_points == 1) {
        return padded(interpreter, std::string(value.text()), spec, '>');
      }
      if (!value.isWhole()) raise("%c requires int or char");
      return formatValue(interpreter, value, spec);
    }
    case 'i':
    case 'u': spec.type = 'd'; break;
    default: break;
  }
  static constexpr std::string_view kNumbers = "dxXoeEfFgG";
  if (kNumbers.find(spec.type) == std::string_view::npos) {
    raise("unsupported format character '{}'", spec.type);
  }
  return percentNumberText(interpreter, value, spec);
}

}  // namespace

std::string formatPercent(Interpreter& interpreter, std::string_view format, const Value& given) {
  PercentArguments arguments(interpreter, given);
  std::string text;
  for (size_t i = 0; i < format.size();) {
    interpreter.runtime().step();
    if (format[i] != '%') {
      text += format[i++];
      continue;
    }
    if (++i >= format.size()) raise("incomplete format");
    Value value;
    if (format[i] == '(') {
      const size_t close = format.find(')', i);
      if (close == std::string_view::npos) raise("incomplete format key");
      value = arguments.named(format.substr(i + 1, close - i - 1));
      i = close + 1;
    }
    FormatSpec spec;
    bool zeros = false;
    for (; i < format.size() && std::string_view("-+ #0").find(format[i]) != std::string_view::npos; ++i) {
      if (format[i] == '-') spec.align = '<';
      else if (format[i] == '+') spec.sign = '+';
      else if (format[i] == ' ') spec.sign = spec.sign == '+' ? '+' : ' ';
      else if (format[i] == '#') spec.alternate = true;
      else zeros = true;
    }
    if (zeros && spec.align == '\0') spec.align = '=', spec.fill = "0";
    spec.width = percentNumber(format, i, arguments);
    if (spec.width < 0) spec.align = '<', spec.fill = " ", spec.width = -spec.width;
    if (i < format.size() && format[i] == '.') spec.precision = percentNumber(format, ++i, arguments);
    while (i < format.size() && (format[i] == 'l' || format[i] == 'h' || format[i] == 'L')) ++i;
    if (i >= format.size()) raise("incomplete format");
    spec.type = format[i++];
    if (spec.type == '%') {
      text += '%';
      continue;
    }
    if (value.isMissing()) value = arguments.next();
    text += percentField(interpreter, value, spec);
    interpreter.runtime().expectRoom(text.size());
  }
  arguments.expectAllUsed();
  return text;
}

namespace {

/// One rendering of str.format: fields may hold fields in their specification, one level deep.
class BraceFormatter {
 public:
  BraceFormatter(Interpreter& interpreter, const Arguments& arguments)
      : interpreter_(interpreter), arguments_(arguments) {}

  std::string run(std::string_view format, int depth) {
    if (depth > 1) raise("Max string recursion exceeded");
    std::string text;
    for (size_t i = 0; i < format.size();) {
      interpreter_.runtime().step();
      const char c = format[i];
      const bool doubled = i + 1 < format.size() && format[i + 1] == c;
      if ((c == '{' || c == '}') && doubled) {
        text += c;
        i += 2;
      } else if (c == '{') {
        const size_t close = fieldEnd(format, i + 1);
        text += field(format.substr(i + 1, close - i - 1), depth);
        i = close + 1;
      } else if (c == '}') {
        raise("Single '}}' encountered in format string");
      } else {
        text += c;
        ++i;
      }
      interpreter_.runtime().expectRoom(text.size());
    }
    return text;
  }

 private:
  static size_t fieldEnd(std::string_view format, size_t i) {
    for (int open = 1; i < format.size(); ++i) {
      if (format[i] == '{') ++open;
      if (format[i] == '}' && --open == 0) return i;
    }
    raise("expected '}}' before end of string");
  }

  std::string field(std::string_view text, int depth) {
    const size_t name_end = std::min(text.find_first_of("!:"), text.size());
    const std::string_view name = text.substr(0, name_end);
    std::string_view rest = text.substr(name_end);
    char conversion = '\0';
    if (rest.starts_with('!')) {
      if (rest.size() < 2) raise("end of string while looking for conversion specifier");
      conversion = rest[1];
      rest.remove_prefix(2);
      if (!rest.empty() && rest[0] != ':') raise("expected ':' after conversion specifier");
    }
    Value value = lookUp(name);
    if (conversion == 'r' || conversion == 'a') value = interpreter_.text(reprOf(interpreter_, value));
    else if (conversion == 's') value = interpreter_.text(textOf(interpreter_, value));
    else if (conversion != '\0') raise("Unknown conversion specifier {}", conversion);
    const std::string spec = rest.empty() ? "" : run(rest.substr(1), depth + 1);
    if (spec.empty()) return textOf(interpreter_, value);
    return formatValue(interpreter_, value, parseFormatSpec(spec));
  }

  Value lookUp(std::string_view name) {
    const size_t first_end = std::min(name.find_first_of(".["), name.size());
    Value value = argument(name.substr(0, first_end));
    for (size_t i = first_end; i < name.size();) {
      if (name[i] == '.') {
        const size_t end = std::min(name.find_first_of(".[", i + 1), name.size());
        value = interpreter_.getAttribute(value, name.substr(i + 1, end - i - 1));
        i = end;
      } else {
        const size_t close = name.find(']', i);
        if (close == std::string_view::npos) raise("Missing ']' in format string");
        value = interpreter_.getItem(value, key(name.substr(i + 1, close - i - 1)));
        i = close + 1;
      }
    }
    return value;
  }

  static bool isNumber(std::string_view text) {
    return !text.empty() && text.size() < 10 &&
           text.find_first_not_of("0123456789") == std::string_view::npos;
  }

  Value key(std::string_view text) {
    if (isNumber(text)) return Value::integer(std::stoll(std::string(text)));
    return interpreter_.text(std::string(text));
  }

  Value argument(std::string_view name) {
    if (name.empty() || isNumber(name)) {
      const size_t index = name.empty() ? next_++ : static_cast<size_t>(std::stoll(std::string(name)));
      if (index >= arguments_.positional.size()) {
        raise("Replacement index {} out of range for positional args tuple", index);
      }
      return arguments_.positional[index];
    }
    for (const auto& [known, value] : arguments_.named) {
      if (known == name) return value;
    }
    raise("{}", quoted(name));
  }

  Interpreter& interpreter_;
  const Arguments& arguments_;
  size_t next_ = 0;
};

}  // namespace

std::string formatBraces(Interpreter& interpreter, std::string_view format,
                         const Arguments& arguments) {
  return BraceFormatter(interpreter, arguments).run(format, 0);
}

}  // namespace hearth::jinja
