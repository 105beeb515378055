// What a model is: the numbers of its architecture, the same whichever file format they came from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/base/error.h"

namespace hearth {

enum class RopeScaling : uint8_t { none, linear, llama3 };

/// Rotary position embedding. `rope_freqs` tensors of GGUF are read as ready-made divisors.
struct RopeConfig {
  float theta = 10000.0f;
  int32_t rotary_dim = 0;  // elements of a head that rotate, even, at most head_dim
  bool interleaved = false;  // pairs (2i, 2i+1) (GGUF "llama") instead of (i, i + rotary_dim/2)
  RopeScaling scaling = RopeScaling::none;
  float factor = 1.0f;            // linear, llama3
  float low_freq_factor = 1.0f;   // llama3
  float high_freq_factor = 4.0f;  // llama3
  int32_t original_max_position_embeddings = 0;  // llama3
  std::vector<float> frequency_divisors;  // [rotary_dim/2] or empty: tensor rope_freqs.weight
};

struct ModelConfig {
  std::string architecture;  // "llama"
  std::string name;          // general.name, or the folder's name
  int32_t n_vocab = 0;
  int32_t n_ctx_train = 0;   // longest context it was trained for
  int32_t dim = 0;           // width of the residual stream (hidden_size)
  int32_t n_layers = 0;
  int32_t n_heads = 0;
  int32_t n_kv_heads = 0;    // divides n_heads
  int32_t head_dim = 0;      // even
  int32_t ffn_dim = 0;       // intermediate_size
  float rms_norm_eps = 1e-5f;
  bool tied_embeddings = false;
  RopeConfig rope;
};

/// Rotary frequencies, one for each rotating pair, scaling applied: `theta^(-2i/rotary_dim)` then
/// linear, llama3 (config.json "rope_scaling", Llama 3.1) or the file's own divisors.
/// [rotary_dim/2] float64
std::vector<double> ropeFrequencies(const RopeConfig& rope);

/// Refuses numbers that no model can have, by name: zero widths, heads that do not divide, and
/// sizes beyond what an int32 shape can hold. Codes: bad_file.
Status validateConfig(const ModelConfig& config, const std::string& path);

}  // namespace hearth
