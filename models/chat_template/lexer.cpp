#include "models/chat_template/lexer.h"

#include <algorithm>
#include <charconv>

#include "models/chat_template/text.h"
#include "models/utf8.h"

namespace hearth::jinja {

namespace {

[[noreturn]] void syntaxError(int line, std::string message) {
  throw Fault{ErrorCode::bad_file, std::move(message), line};
}

int countLines(std::string_view text) {
  return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

/// Every line end becomes \n; the last one goes.
std::string normalised(std::string_view source) {
  std::string text;
  text.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] != '\r') {
      text += source[i];
    } else {
      text += '\n';
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    }
  }
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : text_(source) {}

  std::vector<Token> run() {
    while (position_ < text_.size()) root();
    add(TokenKind::end);
    return std::move(tokens_);
  }

 private:
  bool at(std::string_view expected) const { return text_.substr(position_).starts_with(expected); }

  void add(TokenKind kind, std::string text = {}) {
    tokens_.push_back({.kind = kind, .line = line_, .text = std::move(text), .number = {}});
  }

  /// Moves on, counting lines.
  void advance(size_t n_bytes) {
    line_ += countLines(text_.substr(position_, n_bytes));
    position_ += n_bytes;
  }

  size_t skipSpace(size_t from) const {
    while (from < text_.size()) {
      size_t next = from;
      if (!isSpace(takeCodePoint(text_, next))) break;
      from = next;
    }
    return from;
  }

  /// Behind "raw -%}" and the like when `from` is at such a tag's inside, else npos.
  size_t endOfKeywordTag(size_t from, std::string_view keyword, bool is_end) const {
    size_t i = skipSpace(from);
    if (!text_.substr(i).starts_with(keyword)) return std::string_view::npos;
    i = skipSpace(i + keyword.size());
    const std::string_view rest = text_.substr(i);
    if (rest.starts_with("-%}")) return skipSpace(i + 3);
    if (is_end && rest.starts_with("+%}")) return i + 3;
    if (!rest.starts_with("%}")) return std::string_view::npos;
    i += 2;
    return is_end && i < text_.size() && text_[i] == '\n' ? i + 1 : i;
  }

  /// Data up to a tag, stripped as the tag's sign and lstrip_blocks say.
  void addData(std::string_view data, char sign, bool is_variable) {
    const std::string_view whole = data;
    if (sign == '-') {
      data = stripSpace(data, Side::right);
    } else if (sign != '+' && !is_variable) {
      const size_t line_start = data.rfind('\n') + 1;  // npos + 1 is 0
      if (line_start > 0 || line_starting_) {
        const std::string_view indent = data.substr(line_start);
        if (!indent.empty() && stripSpace(indent).empty()) data = data.substr(0, line_start);
      }
    }
    if (!data.empty()) add(TokenKind::data, std::string(data));
    line_ += countLines(whole);
    position_ += whole.size();
  }

  char signAt(size_t index) const {
    const char c = index < text_.size() ? text_[index] : '\0';
    return c == '-' || c == '+' ? c : '\0';
  }

  void root() {
    size_t tag = position_;
    while (true) {
      tag = text_.find('{', tag);
      if (tag == std::string_view::npos || tag + 1 >= text_.size()) {
        add(TokenKind::data, std::string(text_.substr(position_)));
        position_ = text_.size();
        return;
      }
      const char second = text_[tag + 1];
      if (second == '{' || second == '%' || second == '#') break;
      ++tag;
    }
    const char second = text_[tag + 1];
    const char sign = signAt(tag + 2);
    addData(text_.substr(position_, tag - position_), sign, second == '{');
    const size_t inside = tag + 2 + (sign != '\0' ? 1 : 0);
    if (second == '#') return comment(inside);
    if (second == '%') {
      const size_t raw_begin = endOfKeywordTag(inside, "raw", false);
      if (raw_begin != std::string_view::npos) return raw(raw_begin);
    }
    const bool is_variable = second == '{';
    add(is_variable ? TokenKind::variable_begin : TokenKind::block_begin);
    position_ = inside;
    expressions(is_variable);
  }

  void comment(size_t inside) {
    if (inside >= text_.size()) return finishTag(text_.size());  // as jinja2: nothing is missing yet
    size_t end = text_.find("#}", inside);
    if (end == std::string_view::npos) syntaxError(line_, "Missing end of comment tag");
    const char before = end > inside ? text_[end - 1] : '\0';
    end += 2;
    if (before == '-') end = skipSpace(end);
    else if (before != '+' && end < text_.size() && text_[end] == '\n') ++end;
    finishTag(end);
  }

  void finishTag(size_t end) {
    advance(end - position_);
    line_starting_ = end > 0 && text_[end - 1] == '\n';
  }

  void raw(size_t inside) {
    finishTag(inside);
    if (inside >= text_.size()) return;
    for (size_t tag = text_.find("{%", inside); tag != std::string_view::npos;
         tag = text_.find("{%", tag + 2)) {
      const char sign = signAt(tag + 2);
      const size_t end = endOfKeywordTag(tag + 2 + (sign != '\0' ? 1 : 0), "endraw", true);
      if (end == std::string_view::npos) continue;
      addData(text_.substr(position_, tag - position_), sign, false);
      return finishTag(end);
    }
    syntaxError(line_, "Missing end of raw directive");
  }

  /// The end of the tag at the current position, 0 if there is none.
  size_t tagEnd(bool is_variable) const {
    const std::string_view close = is_variable ? "}}" : "%}";
    if (at(is_variable ? "-}}" : "-%}")) return skipSpace(position_ + 3);
    if (!is_variable && at("+%}")) return position_ + 3;
    if (!at(close)) return 0;
    const size_t end = position_ + 2;
    return !is_variable && end < text_.size() && text_[end] == '\n' ? end + 1 : end;
  }

  void expressions(bool is_variable) {
    std::string open;  // brackets that are not closed yet
    while (position_ < text_.size()) {
      if (const size_t end = open.empty() ? tagEnd(is_variable) : 0; end != 0) {
        add(is_variable ? TokenKind::variable_end : TokenKind::block_end);
        return finishTag(end);
      }
      const size_t behind_space = skipSpace(position_);
      if (behind_space != position_) {
        advance(behind_space - position_);
      } else if (!number() && !name() && !string()) {
        symbol(open);
      }
    }
    line_starting_ = false;
  }

  static bool digitOf(char c, int base) {
    const char lower = static_cast<char>(c | 0x20);
    const int digit = c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : 99;
    return digit < base;
  }

  /// Behind a run of digits that single underscores may part; `from` when there is none.
  size_t digitsEnd(size_t from, int base) const {
    size_t i = from;
    while (i < text_.size()) {
      if (digitOf(text_[i], base)) ++i;
      else if (text_[i] == '_' && i > from && i + 1 < text_.size() && digitOf(text_[i + 1], base)) ++i;
      else break;
    }
    return i;
  }

  bool number() {
    if (!digitOf(text_[position_], 10)) return false;
    const size_t whole = digitsEnd(position_, 10);
    size_t end = whole;
    if (position_ == 0 || text_[position_ - 1] != '.') {
      if (end < text_.size() && text_[end] == '.') {
        const size_t fraction = digitsEnd(end + 1, 10);
        if (fraction > end + 1) end = fraction;
      }
      if (end < text_.size() && (text_[end] | 0x20) == 'e') {
        size_t exponent = end + 1;
        if (exponent < text_.size() && (text_[exponent] == '+' || text_[exponent] == '-')) ++exponent;
        if (const size_t digits = digitsEnd(exponent, 10); digits > exponent) end = digits;
      }
    }
    if (end > whole) realNumber(end);
    else wholeNumber(whole);
    return true;
  }

  std::string digitsUpTo(size_t end) const {
    std::string digits(text_.substr(position_, end - position_));
    std::erase(digits, '_');
    return digits;
  }

  void realNumber(size_t end) {
    const std::string digits = digitsUpTo(end);
    double value = 0;
    const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (result.ec != std::errc{}) value = strtod(digits.c_str(), nullptr);  // inf or 0
    add(TokenKind::real);
    tokens_.back().number = Value::real(value);
    position_ = end;
  }

  void wholeNumber(size_t end) {
    int base = 10;
    size_t from = position_;
    if (text_[position_] == '0' && position_ + 2 < text_.size()) {
      const char mark = static_cast<char>(text_[position_ + 1] | 0x20);
      const int other = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 10;
      const size_t digits = position_ + 2 + (text_[position_ + 2] == '_' ? 1 : 0);
      if (other != 10 && digitsEnd(digits, other) > digits) {
        base = other;
        from = digits;
        end = digitsEnd(digits, other);
      }
    }
    if (base == 10 && text_[position_] == '0') {  // zeros only: Python has no octal 017
      end = position_;
      while (end < text_.size() && (text_[end] == '0' || (text_[end] == '_' && end + 1 < text_.size() && text_[end + 1] == '0'))) ++end;
    }
    std::string digits(text_.substr(from, end - from));
    std::erase(digits, '_');
    int64_t value = 0;
    const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
    if (result.ec != std::errc{}) syntaxError(line_, fmt::format("the integer {} is too large", digits));
    add(TokenKind::integer);
    tokens_.back().number = Value::integer(value);
    position_ = end;
  }

  bool name() {
    size_t end = position_;
    while (end < text_.size()) {
      size_t next = end;
      const char32_t c = takeCodePoint(text_, next);
      const bool belongs = c < 0x80 ? c == '_' || isAlpha(c) || (c >= '0' && c <= '9')
                                    : isIdentifierPart(c);
      if (!belongs) break;
      end = next;
    }
    if (end == position_) return false;
    const std::string_view text = text_.substr(position_, end - position_);
    size_t first = 0;
    if (!isIdentifierStart(takeCodePoint(text, first))) {
      syntaxError(line_, "Invalid character in identifier");
    }
    add(TokenKind::name, std::string(text));
    position_ = end;
    return true;
  }

  bool string() {
    const char mark = text_[position_];
    if (mark != '\'' && mark != '"') return false;
    size_t end = position_ + 1;
    while (end < text_.size() && text_[end] != mark) end += text_[end] == '\\' ? 2 : 1;
    if (end >= text_.size()) {
      syntaxError(line_, fmt::format("unexpected char {} at {}", quoted(text_.substr(position_, 1)),
                                     countCodePoints(text_.substr(0, position_))));
    }
    add(TokenKind::string, unescaped(text_.substr(position_ + 1, end - position_ - 1)));
    advance(end + 1 - position_);
    return true;
  }

  /// Python's "unicode-escape", with text beyond ASCII kept.
  std::string unescaped(std::string_view text) const {
    std::string result;
    for (size_t i = 0; i < text.size();) {
      if (text[i] != '\\') {
        result += text[i++];
        continue;
      }
      escape(text, ++i, result);
    }
    return result;
  }

  void escape(std::string_view text, size_t& i, std::string& result) const {
    static constexpr std::string_view kMarks = "\\'\"abfnrtv";
    static constexpr std::string_view kMeanings = "\\'\"\a\b\f\n\r\t\v";
    const char32_t c = takeCodePoint(text, i);
    if (c == '\n') return;
    if (c < 0x80) {
      if (const size_t k = kMarks.find(static_cast<char>(c)); k != std::string_view::npos) {
        result += kMeanings[k];
        return;
      }
    }
    if (c == 'x') return hexEscape(text, i, 2, result);
    if (c == 'u') return hexEscape(text, i, 4, result);
    if (c == 'U') return hexEscape(text, i, 8, result);
    if (c == 'N') return nameEscape(text, i, result);
    if (c >= '0' && c <= '7') {
      char32_t value = c - '0';
      for (int k = 1; k < 3 && i < text.size() && text[i] >= '0' && text[i] <= '7'; ++k) {
        value = value * 8 + static_cast<char32_t>(text[i++] - '0');
      }
      return appendCodePoint(result, value);
    }
    result += '\\';
    if (c < 0x80) result += static_cast<char>(c);
    else if (c < 0x100) result += fmt::format("x{:02x}", static_cast<uint32_t>(c));
    else if (c < 0x10000) result += fmt::format("u{:04x}", static_cast<uint32_t>(c));
    else result += fmt::format("U{:08x}", static_cast<uint32_t>(c));
  }

  void nameEscape(std::string_view text, size_t& i, std::string& result) const {
    const size_t close = text.find('}', i);
    const bool braced = i < text.size() && text[i] == '{' && close != std::string_view::npos;
    const char32_t c = braced ? characterOfName(text.substr(i + 1, close - i - 1)) : 0;
    if (c == 0) syntaxError(line_, "unknown Unicode character name");
    appendCodePoint(result, c);
    i = close + 1;
  }

  void hexEscape(std::string_view text, size_t& i, size_t n_digits, std::string& result) const {
    uint32_t value = 0;
    const std::string_view digits = text.substr(i, n_digits);
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() < n_digits || read.ptr != digits.data() + n_digits || read.ec != std::errc{} ||
        value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) {
      syntaxError(line_, "an escape in a string is no character");
    }
    appendCodePoint(result, value);
    i += n_digits;
  }

  void symbol(std::string& open) {
    static constexpr std::string_view kPairs[] = {"**", "//", "==", "!=", ">=", "<="};
    static constexpr std::string_view kSingles = "+-/*%~[](){}><=.:|,;";
    std::string_view found;
    for (const std::string_view pair : kPairs) {
      if (at(pair)) found = pair;
    }
    const char c = text_[position_];
    if (found.empty() && kSingles.find(c) != std::string_view::npos) found = text_.substr(position_, 1);
    if (found.empty()) {
      size_t next = position_;
      takeCodePoint(text_, next);
      syntaxError(line_, fmt::format("unexpected char {} at {}",
                                     quoted(text_.substr(position_, next - position_)),
                                     countCodePoints(text_.substr(0, position_))));
    }
    if (c == '{' || c == '(' || c == '[') open += c == '{' ? '}' : c == '(' ? ')' : ']';
    if (c == '}' || c == ')' || c == ']') {
      if (open.empty()) syntaxError(line_, fmt::format("unexpected '{}'", c));
      if (open.back() != c) {
        syntaxError(line_, fmt::format("unexpected '{}', expected '{}'", c, open.back()));
      }
      open.pop_back();
    }
    add(TokenKind::symbol, std::string(found));
    position_ += found.size();
  }

  std::string_view text_;
  size_t position_ = 0;
  int line_ = 1;
  bool line_starting_ = true;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source) {
  if (!isValidUtf8(source)) syntaxError(1, "the template is no UTF-8 text");
  const std::string text = normalised(source);
  return Lexer(text).run();
}

}  // namespace hearth::jinja
