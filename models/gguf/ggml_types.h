// Element types of GGUF tensors: all that the format knows, so that those which Hearth cannot read
// yet are refused by name and still have their place in the file checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kernels/base/dtype.h"

namespace hearth {

struct GgmlType {
  uint32_t id;            // as written in the file (enum ggml_type, ggml.h of ggml, MIT)
  const char* name;       // "Q4_K"
  uint32_t block_length;  // elements in a block
  uint32_t block_bytes;
};

/// nullptr: an id that the format does not define, or has withdrawn.
const GgmlType* findGgmlType(uint32_t id);

/// "Q4_K", or "number 77" for an unknown id.
std::string ggmlTypeName(uint32_t id);

/// The type Hearth computes with, if it can read this one.
std::optional<Dtype> dtypeOfGgmlType(uint32_t id);
uint32_t ggmlTypeOfDtype(Dtype dtype);  // for f32, f16, bf16, q8_0, q4_0

}  // namespace hearth
