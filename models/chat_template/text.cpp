#include "models/chat_template/text.h"

#include <fmt/format.h>
#include <unicode/locid.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <string.h>  // memmem

#include <charconv>
#include <cmath>

namespace hearth::jinja {

namespace {

UChar32 icu(char32_t c) { return static_cast<UChar32>(c); }

icu::UnicodeString toIcu(std::string_view text) {
  return icu::UnicodeString::fromUTF8({text.data(), static_cast<int32_t>(text.size())});
}

std::string fromIcu(const icu::UnicodeString& text) {
  std::string utf8;
  text.toUTF8String(utf8);
  return utf8;
}

bool isAscii(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) return false;
  }
  return true;
}

char asciiUpper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
char asciiLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool isCased(char32_t c) { return isLower(c) || isUpper(c) || isTitle(c); }

/// The first code point of a word in title case (digraphs have their own), the rest untouched.
std::string titleOf(char32_t c) {
  std::string one;
  appendCodePoint(one, c);
  if (c == 0xDF) return "Ss";
  const UChar32 title = u_totitle(icu(c));
  if (title != icu(c)) {
    one.clear();
    appendCodePoint(one, static_cast<char32_t>(title));
    return one;
  }
  return toUpper(one);
}

bool isLineEnd(char32_t c) {
  return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 ||
         c == 0x2029;
}

}  // namespace

char32_t takeCodePoint(std::string_view text, size_t& position) {
  const auto byte = [&](size_t k) { return static_cast<unsigned char>(text[position + k]); };
  const unsigned char lead = byte(0);
  char32_t c = lead;
  size_t length = 1;
  if (lead >= 0xF0) c = lead & 0x07, length = 4;
  else if (lead >= 0xE0) c = lead & 0x0F, length = 3;
  else if (lead >= 0xC0) c = lead & 0x1F, length = 2;
  for (size_t k = 1; k < length; ++k) c = (c << 6) | (byte(k) & 0x3F);
  position += length;
  return c;
}

void appendCodePoint(std::string& text, char32_t c) {
  const auto push = [&](char32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    push(c);
  } else if (c < 0x800) {
    push(0xC0 | (c >> 6)), push(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    push(0xE0 | (c >> 12)), push(0x80 | ((c >> 6) & 0x3F)), push(0x80 | (c & 0x3F));
  } else {
    push(0xF0 | (c >> 18)), push(0x80 | ((c >> 12) & 0x3F)), push(0x80 | ((c >> 6) & 0x3F)),
        push(0x80 | (c & 0x3F));
  }
}

int64_t countCodePoints(std::string_view text) {
  int64_t n = 0;
  for (const char c : text) n += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return n;
}

size_t findText(std::string_view text, std::string_view wanted, size_t from) {
  if (from > text.size()) return std::string_view::npos;
  const void* found = memmem(text.data() + from, text.size() - from, wanted.data(), wanted.size());
  if (found == nullptr) return std::string_view::npos;
  return static_cast<size_t>(static_cast<const char*>(found) - text.data());
}

size_t byteOffset(std::string_view text, int64_t index) {
  size_t i = 0;
  for (; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) == 0x80) continue;
    if (index-- == 0) return i;
  }
  return i;
}

bool isSpace(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 ||
         c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
         c == 0x202F || c == 0x205F || c == 0x3000;
}

bool isPrintable(char32_t c) {
  if (c < 0x7F) return c >= 0x20;
  constexpr uint32_t kHidden = U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CS_MASK | U_GC_CO_MASK |
                               U_GC_CN_MASK | U_GC_Z_MASK;
  return (U_MASK(u_charType(icu(c))) & kHidden) == 0;
}

bool isAlpha(char32_t c) { return (U_MASK(u_charType(icu(c))) & U_GC_L_MASK) != 0; }
bool isDecimal(char32_t c) { return u_charType(icu(c)) == U_DECIMAL_DIGIT_NUMBER; }

bool isDigit(char32_t c) {
  const int32_t type = u_getIntPropertyValue(icu(c), UCHAR_NUMERIC_TYPE);
  return type == U_NT_DECIMAL || type == U_NT_DIGIT;
}

bool isNumeric(char32_t c) {
  return u_getIntPropertyValue(icu(c), UCHAR_NUMERIC_TYPE) != U_NT_NONE;
}

bool isLower(char32_t c) { return u_hasBinaryProperty(icu(c), UCHAR_LOWERCASE); }
bool isUpper(char32_t c) { return u_hasBinaryProperty(icu(c), UCHAR_UPPERCASE); }
bool isTitle(char32_t c) { return u_charType(icu(c)) == U_TITLECASE_LETTER; }

bool isIdentifierStart(char32_t c) {
  return c == '_' || u_hasBinaryProperty(icu(c), UCHAR_XID_START);
}
bool isIdentifierPart(char32_t c) { return u_hasBinaryProperty(icu(c), UCHAR_XID_CONTINUE); }

std::string toUpper(std::string_view text) {
  if (!isAscii(text)) return fromIcu(toIcu(text).toUpper(icu::Locale::getRoot()));
  std::string upper(text);
  for (char& c : upper) c = asciiUpper(c);
  return upper;
}

std::string toLower(std::string_view text) {
  if (!isAscii(text)) return fromIcu(toIcu(text).toLower(icu::Locale::getRoot()));
  std::string lower(text);
  for (char& c : lower) c = asciiLower(c);
  return lower;
}

std::string toFolded(std::string_view text) { return fromIcu(toIcu(text).foldCase()); }

namespace {

/// A word with a capital first letter. The rest is made lower together with the first one: whether a
/// sigma is the last letter of a word depends on what is before it.
std::string capitalisedWord(std::string_view word) {
  if (word.empty()) return {};
  size_t first = 0;
  const char32_t c = takeCodePoint(word, first);
  return titleOf(c) + toLower(word).substr(toLower(word.substr(0, first)).size());
}

}  // namespace

std::string toTitle(std::string_view text) {
  std::string titled;
  size_t word = 0;  // where the current run of letters began
  for (size_t i = 0; i < text.size();) {
    const size_t start = i;
    if (isCased(takeCodePoint(text, i))) continue;
    titled += capitalisedWord(text.substr(word, start - word));
    titled += text.substr(start, i - start);
    word = i;
  }
  return titled + capitalisedWord(text.substr(word));
}

std::string toCapitalized(std::string_view text) { return capitalisedWord(text); }

std::string toSwappedCase(std::string_view text) {
  std::string swapped;
  for (size_t i = 0; i < text.size();) {
    const size_t start = i;
    const char32_t c = takeCodePoint(text, i);
    const std::string_view one = text.substr(start, i - start);
    swapped += isUpper(c) ? toLower(one) : isLower(c) ? toUpper(one) : std::string(one);
  }
  return swapped;
}

namespace {

template <class Belongs>
std::string_view stripWhere(std::string_view text, Side side, Belongs belongs) {
  size_t begin = 0;
  while (side != Side::right && begin < text.size()) {
    size_t next = begin;
    if (!belongs(takeCodePoint(text, next))) break;
    begin = next;
  }
  size_t end = text.size();
  while (side != Side::left && end > begin) {
    size_t last = end - 1;
    while (last > begin && (static_cast<unsigned char>(text[last]) & 0xC0) == 0x80) --last;
    size_t behind = last;
    if (!belongs(takeCodePoint(text, behind))) break;
    end = last;
  }
  return text.substr(begin, end - begin);
}

}  // namespace

std::string_view stripSpace(std::string_view text, Side side) {
  return stripWhere(text, side, isSpace);
}

std::string_view stripCharacters(std::string_view text, std::string_view characters, Side side) {
  return stripWhere(text, side, [&](char32_t c) {
    for (size_t i = 0; i < characters.size();) {
      if (takeCodePoint(characters, i) == c) return true;
    }
    return false;
  });
}

std::vector<std::string_view> splitLines(std::string_view text, bool keep_ends) {
  std::vector<std::string_view> lines;
  size_t line = 0;
  for (size_t i = 0; i < text.size();) {
    const size_t end = i;
    const char32_t c = takeCodePoint(text, i);
    if (!isLineEnd(c)) continue;
    if (c == '\r' && i < text.size() && text[i] == '\n') ++i;
    lines.push_back(text.substr(line, (keep_ends ? i : end) - line));
    line = i;
  }
  if (line < text.size()) lines.push_back(text.substr(line));
  return lines;
}

char32_t characterOfName(std::string_view name) {
  UErrorCode status = U_ZERO_ERROR;
  const std::string terminated(name);
  const UChar32 c = u_charFromName(U_UNICODE_CHAR_NAME, terminated.c_str(), &status);
  return U_SUCCESS(status) ? static_cast<char32_t>(c) : 0;
}

std::string quoted(std::string_view text) {
  const bool has_single = text.find('\'') != std::string_view::npos;
  const char mark = has_single && text.find('"') == std::string_view::npos ? '"' : '\'';
  std::string repr(1, mark);
  for (size_t i = 0; i < text.size();) {
    const size_t start = i;
    const char32_t c = takeCodePoint(text, i);
    if (c == static_cast<char32_t>(mark) || c == '\\') repr += '\\', repr += static_cast<char>(c);
    else if (c == '\n') repr += "\\n";
    else if (c == '\r') repr += "\\r";
    else if (c == '\t') repr += "\\t";
    else if (isPrintable(c)) repr += text.substr(start, i - start);
    else if (c < 0x100) repr += fmt::format("\\x{:02x}", static_cast<uint32_t>(c));
    else if (c < 0x10000) repr += fmt::format("\\u{:04x}", static_cast<uint32_t>(c));
    else repr += fmt::format("\\U{:08x}", static_cast<uint32_t>(c));
  }
  return repr + mark;
}

std::string escapedForHtml(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '\'': escaped += "&#39;"; break;
      case '"': escaped += "&#34;"; break;
      default: escaped += c;
    }
  }
  return escaped;
}

std::string floatText(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific);
  const std::string_view text(buffer, static_cast<size_t>(end.ptr - buffer));
  const size_t mark = text.find('e');
  int exponent = 0;
  const char* digits_of_exponent = text.data() + mark + (text[mark + 1] == '+' ? 2 : 1);
  std::from_chars(digits_of_exponent, end.ptr, exponent);
  std::string digits;
  for (const char c : text.substr(0, mark)) {
    if (c >= '0' && c <= '9') digits += c;
  }
  const std::string sign = text[0] == '-' ? "-" : "";
  const auto n = static_cast<int>(digits.size());
  if (exponent < -4 || exponent >= 16) {  // repr() switches to exponents here
    const std::string fraction = n > 1 ? "." + digits.substr(1) : "";
    return fmt::format("{}{}{}e{}{:02d}", sign, digits[0], fraction, exponent < 0 ? '-' : '+',
                       std::abs(exponent));
  }
  if (exponent < 0) return sign + "0." + std::string(static_cast<size_t>(-exponent - 1), '0') + digits;
  if (exponent + 1 >= n) return sign + digits + std::string(static_cast<size_t>(exponent + 1 - n), '0') + ".0";
  const auto point = static_cast<size_t>(exponent + 1);
  return sign + digits.substr(0, point) + "." + digits.substr(point);
}

}  // namespace hearth::jinja
