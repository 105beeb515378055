#include "models/tokenizer/special_tokens.h"

#include <algorithm>

namespace hearth {

namespace {

using Fragment = SpecialTokens::Fragment;

void splitBy(const SpecialTokens::Token& token, std::string_view text, std::vector<Fragment>& out) {
  for (size_t at = text.find(token.text); at != std::string_view::npos; at = text.find(token.text)) {
    if (at > 0) out.push_back({text.substr(0, at)});
    out.push_back({{}, token.id});
    text.remove_prefix(at + token.text.size());
  }
  if (!text.empty()) out.push_back({text});
}

}  // namespace

SpecialTokens::SpecialTokens(std::vector<Token> tokens) : tokens_(std::move(tokens)) {
  std::stable_sort(tokens_.begin(), tokens_.end(), [](const Token& a, const Token& b) {
    return a.text.size() > b.text.size();
  });
}

std::vector<Fragment> SpecialTokens::split(std::string_view text) const {
  std::vector<Fragment> fragments;
  if (!text.empty()) fragments.push_back({text});
  for (const Token& token : tokens_) {
    if (text.find(token.text) == std::string_view::npos) continue;
    std::vector<Fragment> finer;
    for (const Fragment& fragment : fragments) {
      if (fragment.id >= 0) finer.push_back(fragment);
      else splitBy(token, fragment.text, finer);
    }
    fragments = std::move(finer);
  }
  return fragments;
}

}  // namespace hearth
