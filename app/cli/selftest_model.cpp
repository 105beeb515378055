#include "app/cli/selftest_model.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

#include "inference/graph.h"
#include "inference/language_model.h"
#include "inference/sampler.h"
#include "kernels/base/quantise.h"
#include "kernels/reference/reference.h"

namespace hearth::cli {

namespace {

constexpr int32_t kTokens = 40;
constexpr int32_t kChunk = 23;            // the device reads the prompt in two uneven pieces
constexpr double kExactTolerance = 1e-3;  // logits (DESIGN: precision)
constexpr double kFastDivergence = 1e-3;  // nats, mean; for 4-bit weights five times that
constexpr uint64_t kSeed = 20240229;

/// A model file that was never on disk: the tensors' bytes live beside it.
struct SmallModel {
  ModelFile file;
  std::vector<std::vector<std::byte>> storage;
};

class SmallModelBuilder {
 public:
  explicit SmallModelBuilder(Dtype dtype) : dtype_(dtype), model_(std::make_shared<SmallModel>()) {}

  std::shared_ptr<const ModelFile> build() {
    ModelConfig& c = model_->file.config;
    c = {.architecture = "llama",
         .name = "selftest",
         .n_vocab = 160,
         .n_ctx_train = 64,
         .dim = 64,
         .n_layers = 2,
         .n_heads = 4,
         .n_kv_heads = 2,
         .head_dim = 32,
         .ffn_dim = 96,
         .rms_norm_eps = 1e-5f,
         .tied_embeddings = false,
         .rope = {.rotary_dim = 32, .interleaved = true, .frequency_divisors = {}}};
    matrix("token_embd.weight", c.n_vocab, c.dim, 1.0);
    for (int32_t layer = 0; layer < c.n_layers; ++layer) addLayer(fmt::format("blk.{}.", layer));
    gain("output_norm.weight", c.dim);
    matrix("output.weight", c.n_vocab, c.dim, 3.0);
    // The file and its bytes live and die together.
    return {model_, &model_->file};
  }

 private:
  void addLayer(const std::string& block) {
    const ModelConfig& c = model_->file.config;
    gain(block + "attn_norm.weight", c.dim);
    matrix(block + "attn_q.weight", c.n_heads * c.head_dim, c.dim, 1.5);
    matrix(block + "attn_k.weight", c.n_kv_heads * c.head_dim, c.dim, 1.5);
    matrix(block + "attn_v.weight", c.n_kv_heads * c.head_dim, c.dim, 1.0);
    matrix(block + "attn_output.weight", c.dim, c.n_heads * c.head_dim, 1.0);
    gain(block + "ffn_norm.weight", c.dim);
    matrix(block + "ffn_gate.weight", c.ffn_dim, c.dim, 1.0);
    matrix(block + "ffn_up.weight", c.ffn_dim, c.dim, 1.0);
    matrix(block + "ffn_down.weight", c.dim, c.ffn_dim, 1.0);
  }

  /// Uniform numbers of standard deviation `spread` / sqrt(cols): activations keep their size.
  void matrix(const std::string& name, int32_t rows, int32_t cols, double spread) {
    std::vector<std::byte> bytes(static_cast<size_t>(rows) * rowBytes(dtype_, cols));
    std::vector<float> row(static_cast<size_t>(cols));
    const double width = spread * std::sqrt(12.0 / cols);
    for (int32_t r = 0; r < rows; ++r) {
      for (float& value : row) value = static_cast<float>((draw() - 0.5) * width);
      quantiseRow(dtype_, row.data(), cols,
                  bytes.data() + static_cast<size_t>(r) * rowBytes(dtype_, cols));
    }
    keep(name, std::move(bytes), dtype_, rows, cols);
  }

  void gain(const std::string& name, int32_t cols) {
    std::vector<std::byte> bytes(static_cast<size_t>(cols) * sizeof(float));
    std::vector<float> row(static_cast<size_t>(cols));
    for (float& value : row) value = static_cast<float>(0.75 + 0.5 * draw());
    quantiseRow(Dtype::f32, row.data(), cols, bytes.data());
    keep(name, std::move(bytes), Dtype::f32, 1, cols);
  }

  void keep(const std::string& name, std::vector<std::byte> bytes, Dtype dtype, int64_t rows,
            int64_t cols) {
    model_->storage.push_back(std::move(bytes));
    model_->file.tensors[name] = {model_->storage.back().data(), dtype, rows, cols};
  }

  double draw() { return uniformDraw(kSeed, draws_++); }

  Dtype dtype_;
  std::shared_ptr<SmallModel> model_;
  uint64_t draws_ = 0;
};

std::vector<int32_t> promptOf(int32_t n_vocab) {
  std::vector<int32_t> ids(kTokens);
  for (size_t i = 0; i < ids.size(); ++i) {
    ids[i] = static_cast<int32_t>(uniformDraw(kSeed + 1, i) * n_vocab);
  }
  return ids;
}

/// [kTokens, n_vocab], by the same graph on the host in double precision.
Result<std::vector<double>> referenceLogits(const ModelFile& file,
                                            const std::vector<int32_t>& ids) {
  auto host = openCpuDevice({.n_threads = 1, .isa = Isa::scalar});
  if (!host) return passOn(host);
  auto weights = loadWeights(**host, file);
  if (!weights) return passOn(weights);
  ReferencePlan plan(
      recordLlama(file.config, *weights, {.max_tokens = kTokens, .max_outputs = kTokens}));
  const KvBinding shape{.n_layers = file.config.n_layers,
                        .n_kv_heads = file.config.n_kv_heads,
                        .head_dim = file.config.head_dim,
                        .capacity_rows = kTokens};
  ReferenceKv kv = ReferenceKv::like(shape);
  std::vector<int32_t> positions(ids.size());
  std::iota(positions.begin(), positions.end(), 0);
  plan.run({.token_ids = ids,
            .positions = positions,
            .out_rows = positions,
            .first_row = 0,
            .kv = shape},
           kv);
  const auto logits = plan.at(plan.plan().logits);
  return std::vector<double>(logits.begin(), logits.end());
}

Result<std::vector<float>> deviceLogits(Device& device, std::shared_ptr<const ModelFile> file,
                                        const std::vector<int32_t>& ids, Precision precision) {
  const auto n_vocab = static_cast<size_t>(file->config.n_vocab);
  auto model = LanguageModel::load(device, std::move(file), {.precision = precision});
  if (!model) return passOn(model);
  auto sequence = (*model)->newSequence();
  if (!sequence) return passOn(sequence);
  std::vector<float> logits(ids.size() * n_vocab);  // [kTokens, n_vocab]
  const std::span<const int32_t> all(ids);
  for (const auto& [begin, count] : {std::pair<size_t, size_t>{0, kChunk},
                                     std::pair<size_t, size_t>{kChunk, ids.size() - kChunk}}) {
    const auto rows = std::span(logits).subspan(begin * n_vocab, count * n_vocab);
    if (auto run = (*model)->forward(**sequence, all.subspan(begin, count), rows); !run) {
      return passOn(run);
    }
  }
  return logits;
}

std::string compareExact(const std::vector<double>& expected, const std::vector<float>& found) {
  size_t worst = 0;
  double largest = -1;
  size_t outside = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double difference = std::abs(expected[i] - static_cast<double>(found[i]));
    if (!(difference <= kExactTolerance)) ++outside;
    if (!(difference <= largest)) {
      largest = difference;
      worst = i;
    }
  }
  if (outside == 0) return "";
  return fmt::format("{} of {} logits differ by more than {}; worst at {}: {} instead of {}",
                     outside, expected.size(), kExactTolerance, worst, found[worst],
                     expected[worst]);
}

template <class T>
double logSumExp(std::span<const T> logits) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const T logit : logits) sum += std::exp(static_cast<double>(logit) - largest);
  return largest + std::log(sum);
}

/// Mean over rows of KL(expected || found), in nats.
double meanDivergence(std::span<const double> expected, std::span<const float> found,
                      size_t n_vocab) {
  double total = 0;
  for (size_t begin = 0; begin < expected.size(); begin += n_vocab) {
    const auto p = expected.subspan(begin, n_vocab);
    const auto q = found.subspan(begin, n_vocab);
    const double p_norm = logSumExp(p);
    const double q_norm = logSumExp(q);
    for (size_t i = 0; i < n_vocab; ++i) {
      const double log_p = p[i] - p_norm;
      total += std::exp(log_p) * (log_p - (static_cast<double>(q[i]) - q_norm));
    }
  }
  return total / (static_cast<double>(expected.size()) / static_cast<double>(n_vocab));
}

std::string check(Device& device, Dtype dtype, Precision precision) {
  const std::shared_ptr<const ModelFile> file = SmallModelBuilder(dtype).build();
  const std::vector<int32_t> ids = promptOf(file->config.n_vocab);
  const auto expected = referenceLogits(*file, ids);
  if (!expected) return expected.error().message;
  const auto found = deviceLogits(device, file, ids, precision);
  if (!found) return found.error().message;
  if (precision == Precision::exact) return compareExact(*expected, *found);
  const double allowed = dtype == Dtype::q4_0 ? 5 * kFastDivergence : kFastDivergence;
  const double divergence =
      meanDivergence(*expected, *found, static_cast<size_t>(file->config.n_vocab));
  if (divergence <= allowed) return "";
  return fmt::format("mean KL divergence {} nat, allowed {}", divergence, allowed);
}

}  // namespace

std::vector<ModelCheck> modelChecks() {
  std::vector<ModelCheck> checks;
  for (const Dtype dtype : {Dtype::f32, Dtype::f16, Dtype::bf16, Dtype::q8_0, Dtype::q4_0}) {
    for (const Precision precision : {Precision::exact, Precision::fast}) {
      const char* mode = precision == Precision::exact ? "exact" : "fast";
      checks.push_back({fmt::format("model/{}/{}", dtypeName(dtype), mode),
                        [=](Device& device) { return check(device, dtype, precision); }});
    }
  }
  return checks;
}

}  // namespace hearth::cli
