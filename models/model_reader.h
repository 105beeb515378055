// What the two format readers share while they fill a ModelFile. Not for other rooms.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/model_file.h"

namespace hearth {

/// A tensor as its file describes it, before anything about the model is known.
struct FoundTensor {
  std::string file_name;        // as the file spells it, for messages
  std::string canonical_name;   // GGUF spelling
  std::string type_name;        // "Q4_K"
  std::optional<Dtype> dtype;   // nothing: this version cannot compute with it
  std::vector<uint64_t> shape;  // outermost first: [rows, cols] or [cols]
  std::span<const std::byte> data;
};

/// Keeps the tensors of a Llama graph in `model.tensors` and checks that all are there, in shapes
/// that fit `model.config` and types that the engine reads. A tensor that would change the result
/// and that the graph does not know is refused; what no decoder reads is left out.
/// Codes: not_found, bad_file, unsupported; each names the tensor.
Status adoptLlamaTensors(std::vector<FoundTensor> found, ModelFile& model);

/// FNV-1a, 64 bits: tells files apart, protects against nothing.
uint64_t hashBytes(std::span<const std::byte> bytes, uint64_t seed = 0xcbf29ce484222325ull);

/// Size, modification time and header hash of the files of a model, in hexadecimal.
Result<std::string> contentKey(const std::vector<std::filesystem::path>& files, uint64_t header_hash);

Result<ModelFile> openGgufModel(const std::filesystem::path& path,
                                std::shared_ptr<const MappedFile> mapping);
Result<ModelFile> openHuggingFaceModel(const std::filesystem::path& folder);

}  // namespace hearth
