// Text to token ids and back. Immutable after loading; any thread may call it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/base/error.h"
#include "models/model_file.h"

namespace hearth {

struct EncodeOptions {
  bool add_special = true;     // beginning-of-sequence (and end, where the model's settings say so)
  bool parse_special = false;  // "</s>" in the text is the control token, not five characters
};

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  virtual int32_t nVocab() const = 0;

  /// Any bytes are accepted; invalid UTF-8 is carried by byte tokens where the vocabulary has them.
  virtual std::vector<int32_t> encode(std::string_view text, const EncodeOptions& options) const = 0;

  /// The bytes that a token stands for inside a text (a leading "▁" is a space). Control tokens
  /// give "" unless `show_special`. Out-of-range ids give "".
  virtual std::string piece(int32_t id, bool show_special = false) const = 0;

  /// The token as the vocabulary spells it: "▁the", "<0x0A>", "<s>".
  virtual std::string vocabularyText(int32_t id) const = 0;

  /// The whole text of `ids`, without the space that the tokenizer put before the first word.
  virtual std::string decode(std::span<const int32_t> ids) const = 0;

  /// True when decode drops one leading space of a text that starts at its beginning.
  virtual bool addsSpacePrefix() const = 0;

  virtual int32_t bosId() const = 0;  // -1: none
  virtual bool isEndOfGeneration(int32_t id) const = 0;
};

/// Codes: not_found (a model without a tokenizer), unsupported (a kind this version cannot read,
/// named), bad_file (also a tokenizer.model with more pieces than the model has rows).
Result<std::unique_ptr<Tokenizer>> loadTokenizer(const TokenizerSource& source);

/// A tokenizer file by itself: SentencePiece `.model` or a GGUF with a vocabulary.
Result<std::unique_ptr<Tokenizer>> loadTokenizerFile(const std::filesystem::path& path);

}  // namespace hearth
