// A model on a device: weights, the plans recorded from its graph, and single forward steps.
// The engine (engine.h) is built on it; `logits` and `perplexity` use it directly.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "inference/kv_cache.h"
#include "inference/weights.h"
#include "kernels/device.h"
#include "models/model_file.h"

namespace hearth {

struct LanguageModelOptions {
  Precision precision = Precision::fast;
  Dtype kv_type = Dtype::f16;  // f32, f16 or q8_0 (head_dim a multiple of 32); exact: always f32
  int32_t n_ctx = 0;           // 0: what the model was trained for, at most 32768
};

/// Used from one thread at a time. The device must outlive it.
class LanguageModel {
 public:
  /// Codes: those of weights and graph: not_found (a tensor), unsupported, out_of_memory;
  /// invalid_argument (a negative n_ctx).
  static Result<std::unique_ptr<LanguageModel>> load(Device& device,
                                                     std::shared_ptr<const ModelFile> file,
                                                     const LanguageModelOptions& options);

  const ModelConfig& config() const { return file_->config; }
  const ModelFile& file() const { return *file_; }
  const LanguageModelOptions& options() const { return options_; }  // n_ctx resolved
  int32_t contextLength() const { return options_.n_ctx; }

  /// Codes: out_of_memory.
  Result<std::unique_ptr<SequenceState>> newSequence();
  uint64_t sequenceBytesPerToken() const;

  /// Whether `ids` can be run where `room` rows are free.
  /// Codes: invalid_argument (no ids, more than `room`, an id outside the vocabulary).
  Status checkIds(std::span<const int32_t> ids, int32_t room) const;

  /// Runs `ids` after what `state` holds, in chunks, and commits each chunk as it ends.
  /// `logits`: empty, or [n_vocab] for the last token, or [ids.size(), n_vocab] for all.
  /// `progress(done)` after each chunk. A cancelled call leaves `state` at the last whole chunk.
  /// Codes: those of checkIds, cancelled, out_of_memory, device.
  Status forward(SequenceState& state, std::span<const int32_t> ids, std::span<float> logits,
                 const std::atomic<bool>* cancel = nullptr,
                 const std::function<void(int32_t)>& progress = {});

 private:
  struct Bucket { int32_t max_tokens, max_outputs; auto operator<=>(const Bucket&) const = default; };
  struct Compiled { Value logits; std::unique_ptr<CompiledPlan> plan; };

  LanguageModel(Device& device, std::shared_ptr<const ModelFile> file, LanguageModelOptions options,
                Weights weights);
  KvBinding sequenceShape() const;
  Status runChunk(SequenceState& state, std::span<const int32_t> ids, std::span<float> logits,
                  const std::atomic<bool>* cancel);
  Result<Compiled*> planFor(int32_t n_tokens, int32_t n_outputs);

  Device& device_;
  std::shared_ptr<const ModelFile> file_;
  LanguageModelOptions options_;
  Weights weights_;
  std::map<Bucket, Compiled> plans_;  // compiled when first needed
};

}  // namespace hearth
