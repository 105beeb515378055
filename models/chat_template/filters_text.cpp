// Filters that make text (jinja2/filters.py).
#include <algorithm>
#include <charconv>
#include <cmath>

#include "models/chat_template/arguments.h"
#include "models/chat_template/filters.h"
#include "models/chat_template/format_spec.h"
#include "models/chat_template/interpreter.h"
#include "models/chat_template/operators.h"
#include "models/chat_template/text.h"

namespace hearth::jinja {

namespace {

bool isMarkup(const Value& value) {
  return value.isString() && value.as<StringObject>().markup;
}

/// soft_str: text, still safe if it was.
Value soft(Interpreter& in, const Value& value) {
  return value.isString() ? value : in.text(textOf(in, value));
}

template <std::string (*change)(std::string_view)>
Value changeCase(Interpreter& in, const Value& value, Arguments& arguments) {
  bind("filter", arguments, {});
  const Value text = soft(in, value);
  in.runtime().copied(text.text().size() * 8);
  return in.text(change(text.text()), isMarkup(text));
}

/// Words begin after space and any of -({[<; unlike str.title, not after an apostrophe.
std::string titled(std::string_view text) {
  std::string result;
  bool at_start = true;
  std::string_view word;
  size_t word_start = 0;
  const auto flush = [&](size_t end) {
    word = text.substr(word_start, end - word_start);
    if (word.empty()) return;
    size_t first = 0;
    takeCodePoint(word, first);
    result += toUpper(word.substr(0, first)) + toLower(word.substr(first));
  };
  for (size_t i = 0; i < text.size();) {
    const size_t start = i;
    const char32_t c = takeCodePoint(text, i);
    const bool parts = isSpace(c) || c == '-' || c == '(' || c == '{' || c == '[' || c == '<';
    if (parts) {
      if (!at_start) flush(start);
      result += text.substr(start, i - start);
      at_start = true;
    } else if (at_start) {
      word_start = start;
      at_start = false;
    }
  }
  if (!at_start) flush(text.size());
  return result;
}

Value trim(Interpreter& in, const Value& value, Arguments& arguments) {
  const Values bound = bind("trim", arguments, {"chars"});
  const Value text = soft(in, value);
  in.runtime().copied(text.text().size());
  if (!given(bound[0])) return in.text(std::string(stripSpace(text.text())), isMarkup(text));
  const std::string_view characters = stringOf(bound[0], "strip arg");
  in.runtime().step(characters.size() + text.text().size() * (1 + characters.size() / 16));
  return in.text(std::string(stripCharacters(text.text(), characters, Side::both)), isMarkup(text));
}

Value replace(Interpreter& in, const Value& value, Arguments& arguments) {
  const Values bound = bind("replace", arguments, {"old", "new", "count"}, 2);
  const int64_t most = given(bound[2]) ? wholeOf(bound[2]) : -1;
  return in.text(replaced(in, textOf(in, value), textOf(in, bound[0]), textOf(in, bound[1]), most));
}

Value indentLines(Interpreter& in, const Value& value, Arguments& arguments) {
  const Values bound = bind("indent", arguments, {"width", "first", "blank"});
  if (value.isUndefined()) in.raiseUndefined(value);
  if (!value.isString()) {
    raise("unsupported operand type(s) for +=: '{}' and 'str'", typeName(value));
  }
  std::string indent = "    ";
  if (!bound[0].isMissing()) {
    if (bound[0].isString()) indent = bound[0].text();
    else indent.assign(static_cast<size_t>(std::clamp<int64_t>(wholeOf(bound[0]), 0, 1 << 20)), ' ');
  }
  const bool blank = flagOr(in, bound[2], false);
  const std::string text = std::string(value.text()) + "\n";
  std::string result = flagOr(in, bound[1], false) ? indent : "";
  bool is_first = true;
  for (const std::string_view line : splitLines(text)) {
    if (!is_first) {
      result += '\n';
      if (blank || !line.empty()) result += indent;
    }
    is_first = false;
    result += line;
    in.runtime().expectRoom(result.size());
  }
  return in.text(std::move(result), isMarkup(value));
}

Value truncate(Interpreter& in, const Value& value, Arguments& arguments) {
  const Values bound = bind("truncate", arguments, {"length", "killwords", "end", "leeway"});
  const int64_t length = wholeOr(bound[0], 255);
  const std::string end = bound[2].isMissing() ? "..." : std::string(stringOf(bound[2], "truncate"));
  const int64_t leeway = given(bound[3]) ? wholeOf(bound[3]) : 5;
  const int64_t n_end = countCodePoints(end);
  if (length < n_end) raise("expected length >= {}, got {}", n_end, length);
  if (leeway < 0) raise("expected leeway >= 0, got {}", leeway);
  const auto size = lengthOf(in, value);
  if (!size) raise("object of type '{}' has no len()", typeName(value));
  if (*size - leeway <= length) return value;
  const Value cut = in.getSlice(value, Value::none(), Value::integer(length - n_end), Value::none());
  std::string_view text = stringOf(cut, "truncate");
  if (!flagOr(in, bound[1], false)) text = text.substr(0, text.rfind(' '));
  return in.text(std::string(text) + end);
}

Value center(Interpreter& in, const Value& value, Arguments& arguments) {
  const Values bound = bind("center", arguments, {"width"});
  const Value text = soft(in, value);
  return in.text(centred(in, text.text(), wholeOr(bound[0], 80), " "), isMarkup(text));
}

Value wordCount(Interpreter& in, const Value& value, Arguments& arguments) {
  bind("wordcount", arguments, {});
  const Value text = soft(in, value);
  in.runtime().copied(text.text().size() * 8);
  int64_t n = 0;
  bool in_word = false;
  for (size_t i = 0; i < text.text().size();) {
    const bool part = isWordPart(takeCodePoint(text.text(), i));
    n += part && !in_word;
    in_word = part;
  }
  return Value::integer(n);
}

Value escape(Interpreter& in, const Value& value, Arguments& arguments) {
  bind("escape", arguments, {});
  if (isMarkup(value)) return value;
  return in.text(escapedForHtml(textOf(in, value)), true);
}

Value forceEscape(Interpreter& in, const Value& value, Arguments& arguments) {
  bind("forceescape", arguments, {});
  return in.text(escapedForHtml(textOf(in, value)), true);
}

Value markSafe(Interpreter& in, const Value& value, Arguments& arguments) {
  bind("safe", arguments, {});
  return in.text(textOf(in, value), true);
}

Value string(Interpreter& in, const Value& value, Arguments& arguments) {
  bind("string", arguments, {});
  return soft(in, value);
}

Value formatFilter(Interpreter& in, const Value& value, Arguments& arguments) {
  if (!arguments.positional.empty() && !arguments.named.empty()) {
    raise("can't handle positional and keyword arguments at the same time");
  }
  const Value text = soft(in, value);
  Value given_values;
  if (arguments.named.empty()) {
    given_values = makeTuple(&in.runtime(), arguments.positional);
  } else {
    std::vector<std::pair<Value, Value>> items;
    for (const auto& [name, item] : arguments.named) items.emplace_back(in.text(name), item);
    given_values = makeDict(in.runtime(), std::move(items));
  }
  return in.text(formatPercent(in, text.text(), given_values), isMarkup(text));
}

std::string urlQuoted(std::string_view text, bool in_query) {
  std::string quoted_text;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
                       std::string_view("_.-~").find(c) != std::string_view::npos;
    if (plain || (c == '/' && !in_query)) quoted_text += c;
    else if (c == ' ' && in_query) quoted_text += '+';
    else quoted_text += fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
  }
  return quoted_text;
}

Value urlEncode(Interpreter& in, const Value& value, Arguments& arguments) {
  bind("urlencode", arguments, {});
  Values pairs;
  switch (value.kind()) {
    case Kind::dict: {
      for (const auto& [key, item] : value.as<DictObject>().items) {
        pairs.push_back(makeTuple(&in.runtime(), {key, item}));
      }
      break;
    }
    case Kind::list:
    case Kind::tuple:
    case Kind::iterator:
    case Kind::undefined:
    case Kind::view: pairs = in.items(value); break;
    default: return in.text(urlQuoted(textOf(in, value), false));
  }
  std::string query;
  for (const Value& pair : pairs) {
    const Values both = in.items(pair);
    if (both.size() != 2) raise("urlencode: a query is made of pairs");
    if (!query.empty()) query += '&';
    query += urlQuoted(textOf(in, both[0]), true) + "=" + urlQuoted(textOf(in, both[1]), true);
  }
  return in.text(std::move(query));
}

Value xmlAttributes(Interpreter& in, const Value& value, Arguments& arguments) {
  const Values bound = bind("xmlattr", arguments, {"autospace"});
  if (!value.is(Kind::dict)) raise("'{}' object has no attribute 'items'", typeName(value));
  std::string text;
  for (const auto& [key, item] : value.as<DictObject>().items) {
    if (item.isNone() || item.isUndefined()) continue;
    const std::string_view name = stringOf(key, "xmlattr");
    if (name.find_first_of(" \t\n\r\f\v/>=") != std::string_view::npos) {
      raise("Invalid character in attribute name: {}", quoted(name));
    }
    if (!text.empty()) text += ' ';
    text += (isMarkup(key) ? std::string(name) : escapedForHtml(name)) + "=\"";
    text += (isMarkup(item) ? std::string(item.text()) : escapedForHtml(textOf(in, item))) + "\"";
  }
  if (!text.empty() && flagOr(in, bound[0], true)) text.insert(0, " ");
  return in.text(std::move(text));
}

/// Markup.striptags: comments and tags go, runs of space become one, entities characters.
Value stripTags(Interpreter& in, const Value& value, Arguments& arguments) {
  bind("striptags", arguments, {});
  std::string text = textOf(in, value);
  in.runtime().copied(text.size() * 4);
  const auto cut = [&](std::string_view open, std::string_view close) {
    std::string rest;
    size_t from = 0;
    for (size_t at = findText(text, open); at != std::string::npos; at = findText(text, open, from)) {
      const size_t end = findText(text, close, at + open.size());
      if (end == std::string::npos) break;
      rest += text.substr(from, at - from);
      from = end + close.size();
    }
    text = rest + text.substr(from);
  };
  cut("<!--", "-->");
  cut("<", ">");
  std::string joined;
  Arguments none;
  const Value words = in.call(in.getAttribute(in.text(text), "split"), none);
  for (const Value& word : in.items(words)) {
    if (!joined.empty()) joined += ' ';
    joined += word.text();
  }
  static constexpr std::pair<std::string_view, std::string_view> kEntities[] = {
      {"&lt;", "<"}, {"&gt;", ">"}, {"&#39;", "'"}, {"&#34;", "\""}, {"&quot;", "\""}, {"&amp;", "&"}};
  for (const auto& [entity, character] : kEntities) joined = replaced(in, joined, entity, character, -1);
  return in.text(std::move(joined));
}

/// int(text, base) or nullopt where Python raises ValueError.
std::optional<int64_t> parseWhole(std::string_view text, int64_t base) {
  std::string digits(stripSpace(text));
  bool negative = false;
  if (!digits.empty() && (digits[0] == '-' || digits[0] == '+')) {
    negative = digits[0] == '-';
    digits.erase(0, 1);
  }
  if (digits.size() > 2 && digits[0] == '0') {
    const char mark = static_cast<char>(digits[1] | 0x20);
    const int64_t marked = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 0;
    if (marked != 0 && (base == marked || base == 0)) {
      base = marked;
      digits.erase(0, 2);
    }
  }
  if (base == 0) base = 10;
  if (base < 2 || base > 36 || digits.empty() || digits.front() == '_' || digits.back() == '_' ||
      digits.find("__") != std::string::npos) {
    return std::nullopt;
  }
  std::erase(digits, '_');
  if (digits.find_first_of("+-") != std::string::npos) return std::nullopt;
  int64_t value = 0;
  const std::string signed_digits = (negative ? "-" : "") + digits;
  const char* end = signed_digits.data() + signed_digits.size();
  const auto read = std::from_chars(signed_digits.data(), end, value, static_cast<int>(base));
  if (read.ec == std::errc::result_out_of_range && read.ptr == end) {
    raise("integer overflow: numbers beyond 64 bits");
  }
  if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
  return value;
}

std::optional<double> parseReal(std::string_view text) {
  std::string digits = toLower(stripSpace(text));
  if (digits.empty() || digits.front() == '_' || digits.back() == '_') return std::nullopt;
  std::erase(digits, '_');
  const bool negative = digits[0] == '-';
  if (negative || digits[0] == '+') digits.erase(0, 1);
  if (digits == "inf" || digits == "infinity") return negative ? -INFINITY : INFINITY;
  if (digits == "nan") return NAN;
  if (digits.empty() || digits.find_first_not_of("0123456789.e+-") != std::string::npos) return std::nullopt;
  double value = 0;
  const char* end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, value);
  if (read.ptr != end || digits[0] == '+' || digits[0] == '-') return std::nullopt;
  if (read.ec == std::errc::result_out_of_range) value = digits.find("e-") != std::string::npos ? 0.0 : INFINITY;
  else if (read.ec != std::errc{}) return std::nullopt;
  return negative ? -value : value;
}

std::optional<int64_t> truncated(double value) {
  if (std::isnan(value) || std::isinf(value)) return std::nullopt;
  if (std::fabs(value) >= 9.2e18) raise("integer overflow: numbers beyond 64 bits");
  return static_cast<int64_t>(value);
}

Value toInt(Interpreter& in, const Value& value, Arguments& arguments) {
  const Values bound = bind("int", arguments, {"default", "base"});
  const Value otherwise = bound[0].isMissing() ? Value::integer(0) : bound[0];
  if (value.isUndefined()) in.raiseUndefined(value);
  std::optional<int64_t> result;
  if (value.isWhole()) result = value.whole();
  if (value.is(Kind::real)) {
    if (std::isinf(value.number())) raise("cannot convert float infinity to integer");
    result = truncated(value.number());
  }
  if (value.isString()) {
    result = parseWhole(value.text(), wholeOr(bound[1], 10));
    if (!result) {
      const auto real = parseReal(value.text());
      if (real) result = truncated(*real);
    }
  }
  return result ? Value::integer(*result) : otherwise;
}

Value toFloat(Interpreter& in, const Value& value, Arguments& arguments) {
  const Values bound = bind("float", arguments, {"default"});
  if (value.isUndefined()) in.raiseUndefined(value);
  if (value.isNumber()) return Value::real(value.number());
  if (value.isString()) {
    if (const auto real = parseReal(value.text())) return Value::real(*real);
  }
  return bound[0].isMissing() ? Value::real(0.0) : bound[0];
}

Value absolute(Interpreter& in, const Value& value, Arguments& arguments) {
  bind("abs", arguments, {});
  if (value.is(Kind::real)) return Value::real(std::fabs(value.number()));
  if (!value.isWhole()) raise("bad operand type for abs(): '{}'", typeName(value));
  (void)in;
  return value.whole() < 0 ? negate(value) : Value::integer(value.whole());
}

/// Python's round: halves go to the even neighbour, decided on the exact binary value.
Value roundCommon(const Value& value, int64_t precision, bool has_precision) {
  if (value.isWhole()) {
    if (precision >= 0 || !has_precision) return Value::integer(value.whole());
    if (precision < -18) return Value::integer(0);
    int64_t unit = 1;
    for (int64_t i = precision; i < 0; ++i) unit *= 10;
    const int64_t whole = value.whole();
    int64_t rest = whole % unit;
    if (rest < 0) rest += unit;
    const int64_t low = whole - rest;
    const bool up = rest * 2 > unit || (rest * 2 == unit && (low / unit) % 2 != 0);
    return Value::integer(low + (up ? unit : 0));
  }
  const double number = value.number();
  if (!std::isfinite(number) || precision > 330) return value;
  if (precision < -330) return Value::real(std::copysign(0.0, number));
  if (precision < 0) {
    const double unit = std::pow(10.0, static_cast<double>(-precision));
    return Value::real(std::nearbyint(number / unit) * unit);
  }
  const std::string digits = fmt::format("{:.{}f}", number, precision);
  double rounded = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), rounded);
  return Value::real(rounded);
}

Value roundNumber(Interpreter& in, const Value& value, Arguments& arguments) {
  const Values bound = bind("round", arguments, {"precision", "method"});
  const int64_t precision = wholeOr(bound[0], 0);
  const std::string_view method = bound[1].isMissing() ? "common" : stringOf(bound[1], "round");
  if (method != "common" && method != "ceil" && method != "floor") {
    raise("method must be common, ceil or floor");
  }
  if (value.isUndefined()) in.raiseUndefined(value);
  if (!value.isNumber()) raise("type {} doesn't define __round__ method", typeName(value));
  if (method == "common") return roundCommon(value, precision, !bound[0].isMissing());
  const Value unit = binary(in, Operator::power, Value::integer(10), Value::integer(precision));
  const double scaled = binary(in, Operator::multiply, value, unit).number();
  return Value::real((method == "ceil" ? std::ceil(scaled) : std::floor(scaled)) / unit.number());
}

Value fileSize(Interpreter& in, const Value& value, Arguments& arguments) {
  const Values bound = bind("filesizeformat", arguments, {"binary"});
  const bool is_binary = flagOr(in, bound[0], false);
  Arguments none;
  const double bytes = toFloat(in, value, none).number();
  const double base = is_binary ? 1024 : 1000;
  if (bytes == 1) return in.text("1 Byte");
  if (bytes < base) return in.text(fmt::format("{} Bytes", static_cast<int64_t>(bytes)));
  static constexpr std::string_view kPrefixes = "kMGTPEZY";
  double unit = base * base;
  size_t i = 0;
  while (bytes >= unit && i + 1 < kPrefixes.size()) unit *= base, ++i;
  const char prefix = is_binary && i == 0 ? 'K' : kPrefixes[i];
  return in.text(fmt::format("{:.1f} {}{}B", base * bytes / unit, prefix, is_binary ? "i" : ""));
}

Value notSupported(Interpreter&, const Value&, Arguments&) {
  throw Fault{ErrorCode::unsupported, "this filter is not supported"};
}

constexpr FilterEntry kFilters[] = {
    {"abs", absolute}, {"capitalize", changeCase<toCapitalized>}, {"center", center},
    {"e", escape}, {"escape", escape}, {"filesizeformat", fileSize}, {"float", toFloat},
    {"forceescape", forceEscape}, {"format", formatFilter}, {"indent", indentLines},
    {"int", toInt}, {"lower", changeCase<toLower>}, {"pprint", notSupported},
    {"random", notSupported}, {"replace", replace}, {"round", roundNumber}, {"safe", markSafe},
    {"string", string}, {"striptags", stripTags}, {"title", changeCase<titled>}, {"tojson", toJson},
    {"trim", trim}, {"truncate", truncate}, {"upper", changeCase<toUpper>},
    {"urlencode", urlEncode}, {"urlize", notSupported}, {"wordcount", wordCount},
    {"wordwrap", notSupported}, {"xmlattr", xmlAttributes},
};

}  // namespace

const FilterEntry* findTextFilter(std::string_view name) {
  for (const FilterEntry& entry : kFilters) {
    if (name == entry.name) return &entry;
  }
  return nullptr;
}

const FilterEntry* findFilter(std::string_view name) {
  const FilterEntry* found = findTextFilter(name);
  return found != nullptr ? found : findSequenceFilter(name);
}

}  // namespace hearth::jinja
