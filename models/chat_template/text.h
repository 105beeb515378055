// Python's view of text for the template interpreter: UTF-8 bytes counted in code points, with
// Python's ideas of white space, case and quoting (CPython, Objects/unicodeobject.c).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::jinja {

/// The code point at `position`, which moves behind it. Precondition: valid UTF-8, not at the end.
char32_t takeCodePoint(std::string_view text, size_t& position);
void appendCodePoint(std::string& text, char32_t c);

int64_t countCodePoints(std::string_view text);
/// Where `wanted` begins first, or npos. Takes linear time, whatever the two are made of.
size_t findText(std::string_view text, std::string_view wanted, size_t from = 0);
/// Byte offset of code point `index`, or the size for an index behind the last one.
size_t byteOffset(std::string_view text, int64_t index);

bool isSpace(char32_t c);      // str.isspace
bool isPrintable(char32_t c);  // what repr() leaves as it is
bool isAlpha(char32_t c);
bool isDecimal(char32_t c);
bool isDigit(char32_t c);
bool isNumeric(char32_t c);
bool isLower(char32_t c);
bool isUpper(char32_t c);
bool isTitle(char32_t c);
bool isIdentifierStart(char32_t c);
bool isIdentifierPart(char32_t c);
inline bool isWordPart(char32_t c) { return c == '_' || isAlpha(c) || isNumeric(c); }  // \w of re

std::string toUpper(std::string_view text);
std::string toLower(std::string_view text);
std::string toTitle(std::string_view text);       // str.title
std::string toCapitalized(std::string_view text); // str.capitalize
std::string toSwappedCase(std::string_view text);
std::string toFolded(std::string_view text);      // str.casefold

enum class Side : uint8_t { left, right, both };
std::string_view stripSpace(std::string_view text, Side side = Side::both);
/// Strips the code points of `characters`.
std::string_view stripCharacters(std::string_view text, std::string_view characters, Side side);

/// str.splitlines: \n, \r\n, \r, \v, \f, \x1c-\x1e, \x85, U+2028, U+2029.
std::vector<std::string_view> splitLines(std::string_view text, bool keep_ends = false);

/// "BULLET" and the like; 0 when Unicode has no such character.
char32_t characterOfName(std::string_view name);

/// repr() of a str.
std::string quoted(std::string_view text);
/// & < > ' " as HTML entities, as markupsafe writes them.
std::string escapedForHtml(std::string_view text);
/// repr() of a float: the shortest digits that read back as the same number.
std::string floatText(double value);

}  // namespace hearth::jinja
