#include "models/model_config.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>

namespace hearth {

namespace {

constexpr int64_t kMostLayers = 1024;
constexpr int64_t kLargestWidth = 1 << 24;  // of any one dimension, the vocabulary included

/// Divisor of one frequency under Llama 3.1's rule: long waves are stretched by `factor`, short ones
/// kept, those between blended. (config.json "rope_scaling", rope_type "llama3"; the same formula
/// makes the rope_freqs tensor of GGUF files.)
double llama3Divisor(const RopeConfig& rope, double frequency) {
  const double wavelength = 2.0 * std::numbers::pi / frequency;
  const double original = rope.original_max_position_embeddings;
  if (wavelength < original / rope.high_freq_factor) return 1.0;
  if (wavelength > original / rope.low_freq_factor) return rope.factor;
  const double smooth = (original / wavelength - rope.low_freq_factor) /
                        (double{rope.high_freq_factor} - rope.low_freq_factor);
  return 1.0 / ((1.0 - smooth) / rope.factor + smooth);
}

bool positive(double value) { return std::isfinite(value) && value > 0; }

Status validateRope(const RopeConfig& rope, int32_t head_dim, const std::string& path) {
  if (rope.rotary_dim <= 0 || rope.rotary_dim % 2 != 0 || rope.rotary_dim > head_dim) {
    return fail(ErrorCode::bad_file, "{}: rotary dimension {} does not fit heads of {}", path,
                rope.rotary_dim, head_dim);
  }
  if (!positive(rope.theta)) {
    return fail(ErrorCode::bad_file, "{}: rope theta is {}", path, rope.theta);
  }
  if (!positive(rope.factor)) {
    return fail(ErrorCode::bad_file, "{}: rope scaling factor is {}", path, rope.factor);
  }
  if (rope.scaling == RopeScaling::llama3 &&
      (!positive(rope.low_freq_factor) || !positive(rope.high_freq_factor) ||
       rope.low_freq_factor >= rope.high_freq_factor ||
       rope.original_max_position_embeddings <= 0)) {
    return fail(ErrorCode::bad_file,
                "{}: llama3 rope scaling with low {}, high {} and original length {}", path,
                rope.low_freq_factor, rope.high_freq_factor, rope.original_max_position_embeddings);
  }
  const size_t n_pairs = static_cast<size_t>(rope.rotary_dim) / 2;
  if (!rope.frequency_divisors.empty() && rope.frequency_divisors.size() != n_pairs) {
    return fail(ErrorCode::bad_file, "{}: rope_freqs.weight has {} values for {} rotating pairs",
                path, rope.frequency_divisors.size(), n_pairs);
  }
  for (size_t i = 0; i < rope.frequency_divisors.size(); ++i) {
    if (positive(rope.frequency_divisors[i])) continue;
    return fail(ErrorCode::bad_file, "{}: rope_freqs.weight[{}] is {}", path, i,
                rope.frequency_divisors[i]);
  }
  return {};
}

}  // namespace

std::vector<double> ropeFrequencies(const RopeConfig& rope) {
  std::vector<double> frequencies(static_cast<size_t>(rope.rotary_dim) / 2);
  for (size_t i = 0; i < frequencies.size(); ++i) {
    double frequency = std::pow(double{rope.theta}, -2.0 * static_cast<double>(i) / rope.rotary_dim);
    if (!rope.frequency_divisors.empty()) frequency /= rope.frequency_divisors[i];
    if (rope.scaling == RopeScaling::linear) frequency /= rope.factor;
    if (rope.scaling == RopeScaling::llama3) frequency /= llama3Divisor(rope, frequency);
    frequencies[i] = frequency;
  }
  return frequencies;
}

Status validateConfig(const ModelConfig& config, const std::string& path) {
  const struct { const char* name; int64_t value, most; } sizes[] = {
      {"vocabulary size", config.n_vocab, kLargestWidth},
      {"context length", config.n_ctx_train, std::numeric_limits<int32_t>::max()},
      {"embedding length", config.dim, kLargestWidth},
      {"number of layers", config.n_layers, kMostLayers},
      {"number of attention heads", config.n_heads, kLargestWidth},
      {"number of key/value heads", config.n_kv_heads, kLargestWidth},
      {"head dimension", config.head_dim, kLargestWidth},
      {"feed-forward length", config.ffn_dim, kLargestWidth},
      {"width of all attention heads", int64_t{config.n_heads} * config.head_dim, kLargestWidth},
  };
  for (const auto& size : sizes) {
    if (size.value > 0 && size.value <= size.most) continue;
    return fail(ErrorCode::bad_file, "{}: {} is {}", path, size.name, size.value);
  }
  if (config.n_heads % config.n_kv_heads != 0) {
    return fail(ErrorCode::bad_file, "{}: {} attention heads do not divide among {} key/value heads",
                path, config.n_heads, config.n_kv_heads);
  }
  if (config.head_dim % 2 != 0) {
    return fail(ErrorCode::bad_file, "{}: head dimension {} is odd", path, config.head_dim);
  }
  if (!std::isfinite(config.rms_norm_eps) || config.rms_norm_eps < 0 || config.rms_norm_eps >= 1) {
    return fail(ErrorCode::bad_file, "{}: RMS norm epsilon is {}", path, config.rms_norm_eps);
  }
  return validateRope(config.rope, config.head_dim, path);
}

}  // namespace hearth
