// A model on disk, opened: its configuration, its tensors where they lie in mapped memory, and what
// its tokenizer is made of. GGUF files and Hugging Face folders look the same from here on.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/base/error.h"
#include "kernels/base/tensor.h"
#include "models/model_config.h"

namespace hearth {

class MappedFile;

enum class ModelFormat : uint8_t { gguf, hugging_face };

/// GGUF `tokenizer.ggml.*`, unpacked. Token i is texts[i].
struct GgufVocabulary {
  std::string model;                 // "llama" (SentencePiece BPE), "gpt2", "bert" …
  std::string pre;                   // pre-tokenizer name, empty if absent
  std::vector<std::string> texts;    // [n_vocab]
  std::vector<float> scores;         // [n_vocab] or empty
  std::vector<int32_t> types;        // [n_vocab] or empty: 1 normal 2 unknown 3 control 4 user 5 unused 6 byte
  std::optional<int32_t> bos_id, eos_id, unknown_id, eot_id;
  std::optional<bool> add_bos, add_eos, add_space_prefix;
};

/// A token that a Hugging Face folder adds to those of its tokenizer.model, or gives a new role.
struct AddedToken {
  int32_t id = 0;
  std::string text;
  bool special = false;  // control; otherwise matched in any text
};

/// Where the tokenizer comes from: exactly one of the two is set, or neither (no tokenizer).
struct TokenizerSource {
  std::filesystem::path origin;  // the model's file or folder, for messages
  std::optional<GgufVocabulary> gguf;
  std::filesystem::path sentencepiece_model;  // tokenizer.model beside config.json
  int32_t n_vocab = 0;  // rows of the model beside sentencepiece_model; 0: not known
  // From tokenizer_config.json / generation_config.json / config.json of a Hugging Face folder:
  std::optional<bool> add_bos, add_eos;
  std::optional<int32_t> bos_id;
  std::vector<int32_t> eos_ids;
  std::vector<AddedToken> added_tokens;
};

/// An opened model. Tensors point into mapped files that live as long as this object.
struct ModelFile {
  std::filesystem::path path;
  ModelFormat format = ModelFormat::gguf;
  ModelConfig config;
  TokenizerSource tokenizer;
  std::string content_key;  // changes when the file does: size, modification time, header hash (hex)
  uint64_t tensor_bytes = 0;

  /// Canonical names are GGUF's: "token_embd.weight", "blk.0.attn_q.weight", "output_norm.weight".
  /// Linear weights are [out, in], norm gains [1, d]. A file may place a tensor at any byte: read
  /// elements with memcpy.
  std::map<std::string, TensorView, std::less<>> tensors;

  /// Codes: not_found (names the tensor), bad_file (wrong shape, both shapes named).
  Result<TensorView> tensor(std::string_view name, int64_t rows, int64_t cols) const;

  std::vector<std::shared_ptr<const MappedFile>> mappings;
};

/// Opens a GGUF file or a Hugging Face folder and checks everything before any pointer is formed.
/// Codes: not_found, bad_file, unsupported (architecture or tensor type, by name), io.
Result<ModelFile> openModelFile(const std::filesystem::path& path);

}  // namespace hearth
