// GGUF, written: version 3, little-endian, as FORMAT.md has it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/base/dtype.h"

namespace hearth {

/// Collects metadata and tensor declarations; `header` gives the bytes before the tensor data. The
/// data follows in the order of declaration, each tensor padded to kAlignment.
class GgufWriter {
 public:
  static constexpr uint64_t kAlignment = 32;

  void setInteger(std::string_view key, uint32_t value);
  void setNumber(std::string_view key, float value);
  void setBoolean(std::string_view key, bool value);
  void setString(std::string_view key, std::string_view value);
  void setStrings(std::string_view key, std::span<const std::string> values);
  void setNumbers(std::string_view key, std::span<const float> values);
  void setIntegers(std::string_view key, std::span<const int32_t> values);

  /// `rows` 0: a vector of `cols`. `cols` must be a multiple of the type's block length.
  void declareTensor(std::string_view name, Dtype dtype, int64_t rows, int64_t cols);

  std::string header() const;     // padded to kAlignment when there are tensors
  uint64_t dataBytes() const { return data_bytes_; }  // padding included

  static uint64_t padded(uint64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

 private:
  std::string metadata_, tensors_;
  uint64_t n_keys_ = 0, n_tensors_ = 0, data_bytes_ = 0;
};

}  // namespace hearth
