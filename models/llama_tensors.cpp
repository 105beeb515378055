#include "models/llama_tensors.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "models/model_reader.h"
#include "models/utf8.h"

namespace hearth {

namespace {

/// Tables that some converters leave in a file and that no decoder reads as weights: rotary
/// frequencies (recomputed, or taken into the configuration) and the output matrix of a tied model.
bool isIgnorable(const FoundTensor& tensor, const ModelConfig& config) {
  const std::string& name = tensor.canonical_name;
  return name == "rope_freqs.weight" || name.ends_with(".attn_rot_embd.weight") ||
         name.ends_with("rotary_emb.inv_freq") ||
         (config.tied_embeddings && name == "output.weight");
}

Result<TensorView> viewOf(const FoundTensor& tensor, const LlamaTensor& expected,
                          const std::string& path) {
  const std::string name = printable(tensor.file_name);
  std::vector<int64_t> wanted = {expected.rows, expected.cols};
  if (expected.gain) wanted.erase(wanted.begin());
  if (!std::equal(wanted.begin(), wanted.end(), tensor.shape.begin(), tensor.shape.end(),
                  [](int64_t a, uint64_t b) { return static_cast<uint64_t>(a) == b; })) {
    return fail(ErrorCode::bad_file, "{}: tensor {} has shape [{}], not [{}]", path, name,
                fmt::join(tensor.shape, ", "), fmt::join(wanted, ", "));
  }
  if (!tensor.dtype) {
    return fail(ErrorCode::unsupported, "{}: tensor {} has type {}, which this version cannot read",
                path, name, tensor.type_name);
  }
  if (expected.gain && isQuantised(*tensor.dtype)) {
    return fail(ErrorCode::unsupported, "{}: tensor {} is a norm of type {}; F32, F16 or BF16 can be read",
                path, name, tensor.type_name);
  }
  const TensorView view{tensor.data.data(), *tensor.dtype, expected.rows, expected.cols};
  if (expected.cols % traitsOf(view.dtype).block_length != 0 || view.bytes() != tensor.data.size()) {
    return fail(ErrorCode::bad_file, "{}: tensor {} takes {} bytes, which is not [{}] {}", path, name,
                tensor.data.size(), fmt::join(wanted, ", "), tensor.type_name);
  }
  return view;
}

}  // namespace

std::vector<LlamaTensor> llamaTensors(const ModelConfig& c) {
  const int64_t q_dim = int64_t{c.n_heads} * c.head_dim;
  const int64_t kv_dim = int64_t{c.n_kv_heads} * c.head_dim;
  std::vector<LlamaTensor> tensors = {{"token_embd.weight", c.n_vocab, c.dim}};
  for (int32_t layer = 0; layer < c.n_layers; ++layer) {
    const auto name = [layer](const char* part) { return fmt::format("blk.{}.{}.weight", layer, part); };
    tensors.insert(tensors.end(), {{name("attn_norm"), 1, c.dim, true},
                                   {name("attn_q"), q_dim, c.dim},
                                   {name("attn_k"), kv_dim, c.dim},
                                   {name("attn_v"), kv_dim, c.dim},
                                   {name("attn_output"), c.dim, q_dim},
                                   {name("ffn_norm"), 1, c.dim, true},
                                   {name("ffn_gate"), c.ffn_dim, c.dim},
                                   {name("ffn_up"), c.ffn_dim, c.dim},
                                   {name("ffn_down"), c.dim, c.ffn_dim}});
  }
  tensors.push_back({"output_norm.weight", 1, c.dim, true});
  if (!c.tied_embeddings) tensors.push_back({"output.weight", c.n_vocab, c.dim});
  return tensors;
}

Status adoptLlamaTensors(std::vector<FoundTensor> found, ModelFile& model) {
  const std::string path = model.path.string();
  std::map<std::string, LlamaTensor, std::less<>> table;
  for (LlamaTensor& tensor : llamaTensors(model.config)) table.emplace(tensor.name, std::move(tensor));
  for (const FoundTensor& tensor : found) {
    const auto expected = table.find(tensor.canonical_name);
    if (expected == table.end()) {
      if (isIgnorable(tensor, model.config)) continue;
      return fail(ErrorCode::unsupported,
                  "{}: tensor {} is not part of the {} models that this version computes", path,
                  printable(tensor.file_name), model.config.architecture);
    }
    const Result<TensorView> view = viewOf(tensor, expected->second, path);
    if (!view) return passOn(view);
    if (!model.tensors.emplace(tensor.canonical_name, *view).second) {
      return fail(ErrorCode::bad_file, "{}: tensor {} appears twice", path,
                  printable(tensor.file_name));
    }
    model.tensor_bytes += view->bytes();
  }
  for (const auto& [name, expected] : table) {
    if (model.tensors.contains(name)) continue;
    return fail(ErrorCode::not_found, "{}: tensor {} is missing", path, name);
  }
  return {};
}

}  // namespace hearth
