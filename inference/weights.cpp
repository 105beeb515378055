#include "inference/weights.h"

#include <cstring>
#include <string>

#include "kernels/base/half.h"

namespace hearth {
namespace {

float elementAsF32(const TensorView& view, int64_t i) {
  const auto* bytes = static_cast<const std::byte*>(view.data);
  if (view.dtype == Dtype::f32) {
    float value;
    std::memcpy(&value, bytes + i * 4, sizeof value);
    return value;
  }
  uint16_t bits;
  std::memcpy(&bits, bytes + i * 2, sizeof bits);
  return view.dtype == Dtype::f16 ? f16ToF32(bits) : bf16ToF32(bits);
}

/// Collects the constants of one model; the first failure is kept and ends the loading.
class Loader {
 public:
  Loader(Device& device, const ModelFile& file) : device_(device), file_(file) {}

  /// A matrix, used as it lies in the file.
  Constant matrix(const std::string& name, int64_t rows, int64_t cols) {
    return failed() ? Constant{} : upload(file_.tensor(name, rows, cols));
  }

  /// A norm's gain, as float32 whatever the file holds: it is tiny, and one type is one kernel.
  Constant gain(const std::string& name) {
    if (failed()) return {};
    Result<TensorView> view = file_.tensor(name, 1, file_.config.dim);
    if (view && isQuantised(view->dtype)) {
      view = fail(ErrorCode::unsupported, "{}: norm {} is stored as {}", file_.path.string(), name,
                  dtypeName(view->dtype));
    }
    if (!view) return upload(view);
    float* gains = hostCopy<float>(view->cols);
    for (int64_t i = 0; i < view->cols; ++i) gains[i] = elementAsF32(*view, i);
    return upload(TensorView{gains, Dtype::f32, 1, view->cols});
  }

  Constant ropeFrequencyTable() {
    if (failed()) return {};
    const std::vector<double> frequencies = ropeFrequencies(file_.config.rope);
    const auto n = static_cast<int64_t>(frequencies.size());
    double* host = hostCopy<double>(n);
    std::memcpy(host, frequencies.data(), frequencies.size() * sizeof(double));
    return upload(TensorView{host, Dtype::f64, 1, n});
  }

  LayerWeights layer(int32_t index) {
    const ModelConfig& c = file_.config;
    const int64_t q_dim = int64_t{c.n_heads} * c.head_dim;
    const int64_t kv_dim = int64_t{c.n_kv_heads} * c.head_dim;
    const std::string block = fmt::format("blk.{}.", index);
    return {
        .attn_norm = gain(block + "attn_norm.weight"),
        .wq = matrix(block + "attn_q.weight", q_dim, c.dim),
        .wk = matrix(block + "attn_k.weight", kv_dim, c.dim),
        .wv = matrix(block + "attn_v.weight", kv_dim, c.dim),
        .wo = matrix(block + "attn_output.weight", c.dim, q_dim),
        .ffn_norm = gain(block + "ffn_norm.weight"),
        .w_gate = matrix(block + "ffn_gate.weight", c.ffn_dim, c.dim),
        .w_up = matrix(block + "ffn_up.weight", c.ffn_dim, c.dim),
        .w_down = matrix(block + "ffn_down.weight", c.dim, c.ffn_dim),
    };
  }

  Result<Weights> load() {
    const ModelConfig& c = file_.config;
    weights_.token_embd = matrix("token_embd.weight", c.n_vocab, c.dim);
    for (int32_t i = 0; i < c.n_layers && !failed(); ++i) weights_.layers.push_back(layer(i));
    weights_.output_norm = gain("output_norm.weight");
    weights_.output =
        c.tied_embeddings ? weights_.token_embd : matrix("output.weight", c.n_vocab, c.dim);
    weights_.rope_frequencies = ropeFrequencyTable();
    if (failed()) return passOn(status_);
    return std::move(weights_);
  }

 private:
  bool failed() const { return !status_.has_value(); }

  template <class T>
  T* hostCopy(int64_t n) {
    weights_.host.push_back(
        std::make_unique<std::vector<std::byte>>(static_cast<size_t>(n) * sizeof(T)));
    return reinterpret_cast<T*>(weights_.host.back()->data());
  }

  Constant upload(const Result<TensorView>& view) {
    if (!view) {
      status_ = passOn(view);
      return {};
    }
    Result<OwnedConstant> uploaded = device_.upload(*view);
    if (!uploaded) {
      status_ = passOn(uploaded);
      return {};
    }
    if (uploaded->memory) weights_.memory.push_back(std::move(uploaded->memory));
    return uploaded->constant;
  }

  Device& device_;
  const ModelFile& file_;
  Weights weights_;
  Status status_;
};

}  // namespace

Result<Weights> loadWeights(Device& device, const ModelFile& file) {
  return Loader(device, file).load();
}

}  // namespace hearth
