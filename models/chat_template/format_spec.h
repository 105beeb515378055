// Numbers and padding as str % and str.format write them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "models/chat_template/value.h"

namespace hearth::jinja {

struct FormatSpec {
  std::string fill = " ";      // one code point
  char align = '\0';           // < > ^ =, or none
  char sign = '-';             // '+', '-' or ' '
  bool alternate = false;      // #
  bool grouped = false;        // thousands by comma
  char group = ',';
  int64_t width = 0;
  std::optional<int64_t> precision;
  char type = '\0';
};

/// The mini-language behind the colon of "{:>8.2f}". Faults: what it does not know.
FormatSpec parseFormatSpec(std::string_view text);
std::string formatValue(Interpreter& interpreter, const Value& value, const FormatSpec& spec);
std::string padded(Interpreter& interpreter, std::string text, const FormatSpec& spec, char default_align);
/// The digits of |value| as type d, x, X, o or b.
std::string wholeDigits(int64_t value, char type);
/// |value| as type e, f, g (either case) with `precision` digits.
std::string realDigits(double value, char type, int64_t precision, bool alternate);

}  // namespace hearth::jinja
