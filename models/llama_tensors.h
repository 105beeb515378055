// The tensors of a Llama model: one table for the readers, which hold a file against it, and for the
// writer of random models. Not for other rooms.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/model_config.h"

namespace hearth {

struct LlamaTensor {
  std::string name;    // as GGUF spells it
  int64_t rows, cols;  // [out, in]; a gain is [1, dim] here and [dim] in files
  bool gain = false;   // a norm's, never quantised
};

/// Every tensor of the graph, in the order in which a file is written (Llama: arXiv 2302.13971,
/// section 2.2).
std::vector<LlamaTensor> llamaTensors(const ModelConfig& config);

}  // namespace hearth
