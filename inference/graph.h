// The graph of a model, recorded into a plan as short steps that read like the paper.
#pragma once

#include "inference/weights.h"
#include "kernels/plan.h"
#include "models/model_config.h"

namespace hearth {

/// The Llama family (Touvron et al. 2023): pre-norm blocks of rotary grouped-query attention and a
/// SwiGLU feed-forward, for steps of up to `max_tokens` tokens of which up to `max_outputs` (at
/// least 1) get logits. The constants of `weights` must outlive every use of the plan.
Plan recordLlama(const ModelConfig& config, const Weights& weights, Precision precision,
                 int32_t max_tokens, int32_t max_outputs);

}  // namespace hearth
