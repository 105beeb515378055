// A SentencePiece vocabulary: read from the `.model` files of the library or from GGUF metadata, and
// written as the serialised model that the library loads. The library only ever sees bytes written
// here, so a damaged file cannot reach its unchecked parts. Wire format: protobuf; fields:
// sentencepiece_model.proto of the sentencepiece project (Apache-2.0).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kernels/base/error.h"
#include "models/model_file.h"

namespace hearth {

/// Numbered alike in sentencepiece_model.proto and in GGUF's tokenizer.ggml.token_type.
enum class PieceType : uint8_t { normal = 1, unknown, control, user_defined, unused, byte };

struct Piece {
  std::string text;  // "▁the"
  float score = 0;
  PieceType type = PieceType::normal;
};

enum class SegmentationRule : uint8_t { unigram = 1, bpe = 2 };

struct SentencePieceVocabulary {
  std::vector<Piece> pieces;
  SegmentationRule rule = SegmentationRule::bpe;
  bool add_space_prefix = true;
  bool remove_extra_spaces = false;
  bool treat_space_as_suffix = false;
  int32_t unknown_id = -1, bos_id = -1, eos_id = -1;  // -1: none
  std::vector<int32_t> end_ids;  // every token that ends an answer, eos_id among them, ascending
  bool add_bos = true;
  bool add_eos = false;
};

/// The bytes of a `.model` file. `path` is for messages.
/// Codes: bad_file (names the field), unsupported (character normalisation, word or char models).
Result<SentencePieceVocabulary> parseSentencePieceModel(std::span<const std::byte> bytes,
                                                        const std::string& path);

/// Codes: unsupported (a vocabulary of another kind), bad_file.
Result<SentencePieceVocabulary> sentencePieceFromGguf(const GgufVocabulary& vocabulary,
                                                      const std::string& path);

/// A model of the same pieces for the library to load. Pieces it would refuse (empty, repeated, a
/// second unknown piece, an incomplete set of bytes) become control pieces, which never match text.
/// The space prefix and the removal of extra spaces are left to the caller, who sees the whole text.
std::string serialiseForLibrary(const SentencePieceVocabulary& vocabulary);

/// "<0x0A>" gives 10; anything else -1.
int byteOfPiece(std::string_view text);

}  // namespace hearth
