// From template source to tokens, with Jinja's rules for white space around tags (jinja2/lexer.py).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "models/chat_template/value.h"

namespace hearth::jinja {

enum class TokenKind : uint8_t {
  data,            // text between tags, never empty
  variable_begin, variable_end, block_begin, block_end,
  name, string, integer, real,
  symbol,          // an operator: `text` says which
  end,
};

struct Token {
  TokenKind kind = TokenKind::end;
  int line = 1;
  std::string text;  // data, name, string (unescaped), symbol
  Value number;      // integer, real
};

/// The last token is `end`. Faults: text that is no UTF-8, tags that are not closed, characters and
/// escapes that do not belong.
std::vector<Token> tokenize(std::string_view source);

}  // namespace hearth::jinja
