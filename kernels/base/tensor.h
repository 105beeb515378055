// A tensor in host memory, seen as rows of contiguous elements. It owns nothing.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/base/dtype.h"

namespace hearth {

struct TensorView {
  const void* data = nullptr;
  Dtype dtype = Dtype::f32;
  int64_t rows = 0;
  int64_t cols = 0;  // contiguous; a multiple of the type's block length

  size_t bytes() const { return static_cast<size_t>(rows) * rowBytes(dtype, cols); }
  const std::byte* row(int64_t r) const {
    return static_cast<const std::byte*>(data) + static_cast<size_t>(r) * rowBytes(dtype, cols);
  }
};

}  // namespace hearth
