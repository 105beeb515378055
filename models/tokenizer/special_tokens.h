// Finds control tokens that are spelt out in a text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hearth {

/// Immutable after construction.
class SpecialTokens {
 public:
  struct Token {
    std::string text;  // not empty
    int32_t id;
  };
  /// A stretch of plain text (id -1) or one special token (empty text).
  struct Fragment {
    std::string_view text;
    int32_t id = -1;
  };

  explicit SpecialTokens(std::vector<Token> tokens);

  /// Longer tokens take their places first, everywhere in the text, as in llama.cpp, so that a
  /// short token can never break up a long one. Views point into `text`.
  std::vector<Fragment> split(std::string_view text) const;

 private:
  std::vector<Token> tokens_;  // longest first
};

}  // namespace hearth
