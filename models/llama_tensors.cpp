#include <fmt/ranges.h>

#include <algorithm>

#include "models/model_reader.h"
#include "models/utf8.h"

namespace hearth {

namespace {

struct Expected {
  int64_t rows, cols;
  bool gain = false;  // a norm: one row, never quantised
};
using Table = std::map<std::string, Expected, std::less<>>;

/// Every tensor of the graph (Llama: arXiv 2302.13971, section 2.2; names: GGUF).
Table llamaTensors(const ModelConfig& c) {
  const int64_t q_dim = int64_t{c.n_heads} * c.head_dim;
  const int64_t kv_dim = int64_t{c.n_kv_heads} * c.head_dim;
  Table table;
  table["token_embd.weight"] = {c.n_vocab, c.dim};
  table["output_norm.weight"] = {1, c.dim, true};
  if (!c.tied_embeddings) table["output.weight"] = {c.n_vocab, c.dim};
  for (int32_t layer = 0; layer < c.n_layers; ++layer) {
    const auto name = [layer](const char* part) { return fmt::format("blk.{}.{}.weight", layer, part); };
    table[name("attn_norm")] = {1, c.dim, true};
    table[name("attn_q")] = {q_dim, c.dim};
    table[name("attn_k")] = {kv_dim, c.dim};
    table[name("attn_v")] = {kv_dim, c.dim};
    table[name("attn_output")] = {c.dim, q_dim};
    table[name("ffn_norm")] = {1, c.dim, true};
    table[name("ffn_gate")] = {c.ffn_dim, c.dim};
    table[name("ffn_up")] = {c.ffn_dim, c.dim};
    table[name("ffn_down")] = {c.dim, c.ffn_dim};
  }
  return table;
}

/// Tables that some converters leave in a file and that no decoder reads as weights: rotary
/// frequencies (recomputed, or taken into the configuration) and the output matrix of a tied model.
bool isIgnorable(const FoundTensor& tensor, const ModelConfig& config) {
  const std::string& name = tensor.canonical_name;
  return name == "rope_freqs.weight" || name.ends_with(".attn_rot_embd.weight") ||
         name.ends_with("rotary_emb.inv_freq") ||
         (config.tied_embeddings && name == "output.weight");
}

size_t alignmentOf(Dtype dtype) { return dtype == Dtype::f32 ? 4 : 2; }

Result<TensorView> viewOf(const FoundTensor& tensor, const Expected& expected,
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
  if (reinterpret_cast<uintptr_t>(view.data) % alignmentOf(view.dtype) != 0) {
    return fail(ErrorCode::unsupported, "{}: tensor {} does not start at a multiple of {} bytes", path,
                name, alignmentOf(view.dtype));
  }
  return view;
}

}  // namespace

Status adoptLlamaTensors(std::vector<FoundTensor> found, ModelFile& model) {
  const std::string path = model.path.string();
  const Table table = llamaTensors(model.config);
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
