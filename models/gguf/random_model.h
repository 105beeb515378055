// Model files with random weights, of any shape: for measuring speed without a download and for
// tests. They answer with noise.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>

#include "kernels/base/dtype.h"
#include "kernels/base/error.h"
#include "models/model_config.h"

namespace hearth {

/// "tinyllama-1.1b", "llama-8b", or "dim=64,layers=2,heads=4,ffn=192" with, optionally, kv_heads
/// (default: heads), head_dim (dim / heads), vocab (32000), ctx (2048), theta (10000), tied (0).
/// Codes: invalid_argument, names the part.
Result<ModelConfig> parseModelShape(std::string_view shape);

/// "F32", "F16", "BF16", "Q8_0", "Q4_0", in any case. Codes: invalid_argument.
Result<Dtype> parseWeightType(std::string_view name);

struct RandomModelOptions {
  Dtype weight_type = Dtype::f16;  // of every matrix; norms are F32 ones
  float sigma = 0.02f;             // standard deviation of the weights
  uint64_t seed = 0;               // the same seed gives the same bytes
  std::function<bool(uint64_t done_bytes, uint64_t total_bytes)> progress;  // false: give up
};

/// Writes row by row under a temporary name, then renames. The vocabulary has byte tokens, printable
/// ASCII and made-up words up to n_vocab pieces.
/// Codes: invalid_argument (widths that do not fit the type, fewer than 259 tokens), disk_full,
/// read_only, not_found (the folder), io, cancelled.
Status writeRandomModel(const ModelConfig& config, const RandomModelOptions& options,
                        const std::filesystem::path& out);

}  // namespace hearth
