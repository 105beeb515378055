// The graph of a model, recorded into a plan as short steps that read like the paper.
#pragma once

#include "inference/weights.h"
#include "kernels/plan.h"
#include "models/model_config.h"

namespace hearth {

struct GraphOptions {
  Precision precision = Precision::exact;
  Dtype kv_type = Dtype::f32;  // of the sequences that the plan will run on
  int32_t max_tokens = 1;      // of a step
  int32_t max_outputs = 1;     // of these with logits; at least 1
};

/// The Llama family (Touvron et al. 2023): pre-norm blocks of rotary grouped-query attention and a
/// SwiGLU feed-forward. The constants of `weights` must outlive every use of the plan.
Plan recordLlama(const ModelConfig& config, const Weights& weights, const GraphOptions& options);

}  // namespace hearth
