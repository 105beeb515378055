#include "inference/language_model.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "inference/graph.h"
#include "kernels/base/blocks.h"
#include "kernels/base/check.h"

namespace hearth {
namespace {

constexpr int32_t kDefaultContextLimit = 32768;               // tokens
constexpr std::array<int32_t, 4> kBuckets = {1, 8, 64, 512};  // tokens, or rows of logits
constexpr uint64_t kLogitsLimitBytes = 64ull << 20;           // of one plan's workspace

int32_t bucketFor(int32_t n) { return *std::lower_bound(kBuckets.begin(), kBuckets.end(), n); }

/// Most tokens of a step when every one of them wants logits: the vocabulary may be wide.
int32_t mostOutputs(int32_t n_vocab) {
  const uint64_t rows = kLogitsLimitBytes / (uint64_t{4} * static_cast<uint64_t>(n_vocab));
  int32_t most = kBuckets.front();
  for (const int32_t bucket : kBuckets) {
    if (static_cast<uint64_t>(bucket) <= rows) most = bucket;
  }
  return most;
}

Status checkKvType(Dtype kv_type, int32_t head_dim) {
  if (kv_type == Dtype::f32 || kv_type == Dtype::f16) return {};
  if (kv_type != Dtype::q8_0) {
    return fail(ErrorCode::unsupported, "keys and values cannot be kept as {}", dtypeName(kv_type));
  }
  if (head_dim % kBlockLength == 0) return {};
  return fail(
      ErrorCode::unsupported,
      "keys and values cannot be kept as Q8_0: the model's head_dim {} is no multiple of {}",
      head_dim, kBlockLength);
}

}  // namespace

Result<std::unique_ptr<LanguageModel>> LanguageModel::load(Device& device,
                                                           std::shared_ptr<const ModelFile> file,
                                                           const LanguageModelOptions& options) {
  CHECK(file != nullptr);
  LanguageModelOptions resolved = options;
  if (options.n_ctx < 0) {
    return fail(ErrorCode::invalid_argument, "a context of {} tokens is not possible",
                options.n_ctx);
  }
  if (resolved.n_ctx == 0)
    resolved.n_ctx = std::min(file->config.n_ctx_train, kDefaultContextLimit);
  if (resolved.precision == Precision::exact) resolved.kv_type = Dtype::f32;
  if (Status ok = checkKvType(resolved.kv_type, file->config.head_dim); !ok) return passOn(ok);

  Result<Weights> weights = loadWeights(device, *file);
  if (!weights) return passOn(weights);
  std::unique_ptr<LanguageModel> model(
      new LanguageModel(device, std::move(file), resolved, std::move(*weights)));
  // The plan of every single token, now: what this device cannot do is refused when the model is
  // opened and not in the middle of the first answer.
  if (auto plan = model->planFor(1, 1); !plan) return passOn(plan);
  return model;
}

LanguageModel::LanguageModel(Device& device, std::shared_ptr<const ModelFile> file,
                             LanguageModelOptions options, Weights weights)
    : device_(device), file_(std::move(file)), options_(options), weights_(std::move(weights)) {}

KvBinding LanguageModel::sequenceShape() const {
  return {.dtype = options_.kv_type,
          .n_layers = config().n_layers,
          .n_kv_heads = config().n_kv_heads,
          .head_dim = config().head_dim,
          .capacity_rows = options_.n_ctx};
}

Result<std::unique_ptr<SequenceState>> LanguageModel::newSequence() {
  return SequenceState::create(device_, sequenceShape());
}

uint64_t LanguageModel::sequenceBytesPerToken() const {
  return kvBytes(sequenceShape()) / static_cast<uint64_t>(options_.n_ctx);
}

Result<LanguageModel::Compiled*> LanguageModel::planFor(int32_t n_tokens, int32_t n_outputs) {
  const Bucket bucket{bucketFor(n_tokens), bucketFor(std::max(n_outputs, 1))};
  if (const auto known = plans_.find(bucket); known != plans_.end()) return &known->second;

  Plan plan = recordLlama(config(), weights_,
                          {.precision = options_.precision,
                           .kv_type = options_.kv_type,
                           .max_tokens = bucket.max_tokens,
                           .max_outputs = bucket.max_outputs});
  const Value logits = plan.logits;
  Result<std::unique_ptr<CompiledPlan>> compiled = device_.compile(std::move(plan));
  if (!compiled) return passOn(compiled);
  return &plans_.emplace(bucket, Compiled{logits, std::move(*compiled)}).first->second;
}

Status LanguageModel::checkIds(std::span<const int32_t> ids, int32_t room) const {
  if (ids.empty()) return fail(ErrorCode::invalid_argument, "there are no tokens to run");
  if (ids.size() > static_cast<size_t>(room)) {
    return fail(ErrorCode::invalid_argument, "{} tokens do not fit: the context of {} has room for {}",
                ids.size(), contextLength(), room);
  }
  for (const int32_t id : ids) {
    if (id < 0 || id >= config().n_vocab) {
      return fail(ErrorCode::invalid_argument, "token {} is outside the vocabulary of {}", id,
                  config().n_vocab);
    }
  }
  return {};
}

Status LanguageModel::forward(SequenceState& state, std::span<const int32_t> ids,
                              std::span<float> logits, const std::atomic<bool>* cancel,
                              const std::function<void(int32_t)>& progress) {
  if (Status ok = checkIds(ids, state.capacity() - state.length()); !ok) return ok;
  const auto n_vocab = static_cast<size_t>(config().n_vocab);
  const bool want_all = ids.size() > 1 && logits.size() == ids.size() * n_vocab;
  CHECK(want_all || logits.empty() || logits.size() == n_vocab);

  const size_t chunk_limit =
      static_cast<size_t>(want_all ? mostOutputs(config().n_vocab) : kBuckets.back());
  for (size_t done = 0; done < ids.size();) {
    const auto chunk = ids.subspan(done, std::min(chunk_limit, ids.size() - done));
    const bool is_last = done + chunk.size() == ids.size();
    std::span<float> chunk_logits = is_last ? logits : std::span<float>{};
    if (want_all) chunk_logits = logits.subspan(done * n_vocab, chunk.size() * n_vocab);
    if (Status ok = runChunk(state, chunk, chunk_logits, cancel); !ok) return ok;
    done += chunk.size();
    if (progress) progress(static_cast<int32_t>(done));
  }
  return {};
}

Status LanguageModel::runChunk(SequenceState& state, std::span<const int32_t> ids,
                               std::span<float> logits, const std::atomic<bool>* cancel) {
  if (cancel && cancel->load(std::memory_order_relaxed)) {
    return fail(ErrorCode::cancelled, "cancelled after {} tokens", state.length());
  }
  const auto n_tokens = static_cast<int32_t>(ids.size());
  const auto n_outputs =
      static_cast<int32_t>(logits.size() / static_cast<size_t>(config().n_vocab));
  Result<Compiled*> compiled = planFor(n_tokens, n_outputs);
  if (!compiled) return passOn(compiled);

  std::array<int32_t, kBuckets.back()> positions, out_rows;
  std::iota(positions.begin(), positions.begin() + n_tokens, state.length());
  std::iota(out_rows.begin(), out_rows.begin() + n_outputs, n_tokens - n_outputs);
  const StepInputs step{.token_ids = ids,
                        .positions = std::span(positions).first(ids.size()),
                        .out_rows = std::span(out_rows).first(static_cast<size_t>(n_outputs)),
                        .first_row = state.length(),
                        .kv = state.binding(),
                        .cancel = cancel};
  if (Status ok = (*compiled)->plan->run(step); !ok) return ok;
  state.commit(ids);
  if (logits.empty()) return {};
  return (*compiled)->plan->download((*compiled)->logits, std::as_writable_bytes(logits));
}

}  // namespace hearth
