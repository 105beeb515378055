#include "models/chat_template/format_spec.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "models/chat_template/interpreter.h"
#include "models/chat_template/text.h"

namespace hearth::jinja {

namespace {

constexpr int64_t kMostDigits = 1000;  // of a precision

int64_t takeNumber(std::string_view text, size_t& i) {
  int64_t value = 0;
  while (i < text.size() && text[i] >= '0' && text[i] <= '9') {
    value = std::min<int64_t>(value * 10 + (text[i++] - '0'), 1'000'000'000);
  }
  return value;
}

bool isAlign(char c) { return c == '<' || c == '>' || c == '^' || c == '='; }

std::string grouped(const std::string& digits, char mark) {
  const size_t whole = std::min(digits.find_first_not_of("0123456789"), digits.size());
  std::string text;
  for (size_t i = 0; i < whole; ++i) {
    if (i > 0 && (whole - i) % 3 == 0) text += mark;
    text += digits[i];
  }
  return text + digits.substr(whole);
}

std::string signText(bool negative, char sign) {
  if (negative) return "-";
  return sign == '-' ? "" : std::string(1, sign);
}

std::string formatReal(double value, const FormatSpec& spec) {
  const bool percent = spec.type == '%';
  char type = percent ? 'f' : spec.type;
  if (percent) value *= 100;
  std::string digits;
  if (type == '\0') {
    digits = spec.precision ? realDigits(value, 'g', *spec.precision, spec.alternate)
                            : floatText(std::fabs(value));
    if (spec.precision && digits.find_first_not_of("0123456789") == std::string::npos) digits += ".0";
  } else {
    if (type == 'n') type = 'g';
    digits = realDigits(value, type, spec.precision.value_or(6), spec.alternate);
  }
  if (spec.grouped) digits = grouped(digits, spec.group);
  return signText(std::signbit(value) && !std::isnan(value), spec.sign) + digits + (percent ? "%" : "");
}

std::string formatWhole(int64_t value, const FormatSpec& spec) {
  if (spec.precision) raise("Precision not allowed in integer format specifier");
  if (spec.type == 'c') {
    if (value < 0 || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) raise("%c arg not in range(0x110000)");
    std::string text;
    appendCodePoint(text, static_cast<char32_t>(value));
    return text;
  }
  std::string digits = wholeDigits(value, spec.type == '\0' || spec.type == 'n' ? 'd' : spec.type);
  if (spec.grouped) digits = grouped(digits, spec.group);
  const bool prefixed = spec.alternate && spec.type != '\0' && spec.type != 'd' && spec.type != 'n';
  return signText(value < 0, spec.sign) + (prefixed ? "0" + std::string(1, spec.type) : "") + digits;
}

}  // namespace

std::string wholeDigits(int64_t value, char type) {
  const auto magnitude = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  switch (type) {
    case 'x': return fmt::format("{:x}", magnitude);
    case 'X': return fmt::format("{:X}", magnitude);
    case 'o': return fmt::format("{:o}", magnitude);
    case 'b': return fmt::format("{:b}", magnitude);
    default: return fmt::format("{}", magnitude);
  }
}

std::string realDigits(double value, char type, int64_t precision, bool alternate) {
  const bool upper = type >= 'A' && type <= 'Z';
  value = std::fabs(value);
  if (std::isnan(value)) return upper ? "NAN" : "nan";
  if (std::isinf(value)) return upper ? "INF" : "inf";
  if (precision > kMostDigits) raise("precision too big");
  if ((type == 'g' || type == 'G') && precision == 0) precision = 1;
  switch (type) {
    case 'e': return alternate ? fmt::format("{:#.{}e}", value, precision) : fmt::format("{:.{}e}", value, precision);
    case 'E': return alternate ? fmt::format("{:#.{}E}", value, precision) : fmt::format("{:.{}E}", value, precision);
    case 'g': return alternate ? fmt::format("{:#.{}g}", value, precision) : fmt::format("{:.{}g}", value, precision);
    case 'G': return alternate ? fmt::format("{:#.{}G}", value, precision) : fmt::format("{:.{}G}", value, precision);
    default: return alternate ? fmt::format("{:#.{}f}", value, precision) : fmt::format("{:.{}f}", value, precision);
  }
}

FormatSpec parseFormatSpec(std::string_view text) {
  FormatSpec spec;
  size_t i = 0;
  if (!text.empty()) {
    size_t next = 0;
    takeCodePoint(text, next);
    if (next < text.size() && isAlign(text[next])) {
      spec.fill = std::string(text.substr(0, next));
      spec.align = text[next];
      i = next + 1;
    } else if (isAlign(text[0])) {
      spec.align = text[0];
      i = 1;
    }
  }
  const auto at = [&](char c) { return i < text.size() && text[i] == c; };
  if (at('+') || at('-') || at(' ')) spec.sign = text[i++];
  if (at('#')) spec.alternate = true, ++i;
  if (at('0')) {
    if (spec.align == '\0') spec.align = '=', spec.fill = "0";
    ++i;
  }
  spec.width = takeNumber(text, i);
  if (at(',') || at('_')) spec.grouped = true, spec.group = text[i++];
  if (at('.')) {
    const size_t digits = ++i;
    spec.precision = takeNumber(text, i);
    if (i == digits) raise("Format specifier missing precision");
  }
  if (i < text.size()) spec.type = text[i++];
  if (i < text.size()) raise("Invalid format specifier");
  return spec;
}

std::string padded(Interpreter& interpreter, std::string text, const FormatSpec& spec,
                   char default_align) {
  const int64_t lacking = std::max<int64_t>(spec.width, 0) - countCodePoints(text);
  if (lacking <= 0) return text;
  interpreter.runtime().expectRoom(static_cast<size_t>(lacking), spec.fill.size());
  const auto fill = [&](int64_t n) {
    std::string run;
    for (int64_t i = 0; i < n; ++i) run += spec.fill;
    return run;
  };
  switch (spec.align != '\0' ? spec.align : default_align) {
    case '<': return text + fill(lacking);
    case '^': return fill(lacking / 2) + text + fill(lacking - lacking / 2);
    case '=': {
      const size_t n_sign = text.find_first_not_of("+- ");
      const size_t at = n_sign == std::string::npos ? 0 : n_sign;
      return text.substr(0, at) + fill(lacking) + text.substr(at);
    }
    default: return fill(lacking) + text;
  }
}

std::string formatValue(Interpreter& interpreter, const Value& value, const FormatSpec& spec) {
  static constexpr std::string_view kRealTypes = "eEfFgG%";
  static constexpr std::string_view kWholeTypes = "bcdoxXn";
  const bool real_type = spec.type != '\0' && kRealTypes.find(spec.type) != std::string_view::npos;
  const bool whole_type = spec.type != '\0' && kWholeTypes.find(spec.type) != std::string_view::npos;
  if (value.is(Kind::boolean) && spec.type == '\0' && spec.width == 0) return textOf(interpreter, value);
  if (value.isWhole() && (whole_type || spec.type == '\0')) {
    return padded(interpreter, formatWhole(value.whole(), spec), spec, '>');
  }
  if (value.isNumber() && (real_type || spec.type == '\0' || spec.type == 'n')) {
    return padded(interpreter, formatReal(value.number(), spec), spec, '>');
  }
  if (!value.isString() || (spec.type != '\0' && spec.type != 's')) {
    raise("Unknown format code '{}' for object of type '{}'", spec.type, typeName(value));
  }
  std::string text(value.text());
  if (spec.precision) text.resize(byteOffset(text, *spec.precision));
  return padded(interpreter, std::move(text), spec, '<');
}

}  // namespace hearth::jinja
