// A model's tensors as device constants, by the names that the graph uses.
#pragma once

#include <memory>
#include <vector>

#include "kernels/device.h"
#include "models/model_file.h"

namespace hearth {

/// One transformer block of the Llama family.
struct LayerWeights {
  Constant attn_norm;    // [1, dim] f32
  Constant wq;           // [n_heads * head_dim, dim]
  Constant wk;           // [n_kv_heads * head_dim, dim]
  Constant wv;           // [n_kv_heads * head_dim, dim]
  Constant wo;           // [dim, n_heads * head_dim]
  Constant ffn_norm;     // [1, dim] f32
  Constant w_gate;       // [ffn_dim, dim]
  Constant w_up;         // [ffn_dim, dim]
  Constant w_down;       // [dim, ffn_dim]
};

struct Weights {
  Constant token_embd;        // [n_vocab, dim]
  std::vector<LayerWeights> layers;
  Constant output_norm;       // [1, dim] f32
  Constant output;            // [n_vocab, dim]; token_embd itself when tied
  Constant rope_frequencies;  // [1, rotary_dim/2] f64
  std::vector<std::unique_ptr<Buffer>> memory;
  std::vector<std::unique_ptr<std::vector<std::byte>>> host;  // converted norms, frequencies
};

/// Codes: not_found, bad_file (shape), unsupported, out_of_memory.
Result<Weights> loadWeights(Device& device, const ModelFile& file);

}  // namespace hearth
