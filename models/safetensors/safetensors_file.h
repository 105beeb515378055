// safetensors, read: the header and where each tensor lies, validated before a pointer is formed.
// The format as this reader takes it is written down in FORMAT.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kernels/base/dtype.h"
#include "kernels/base/error.h"

namespace hearth {

struct SafetensorsTensor {
  std::string name;
  std::string dtype;            // "BF16"
  std::vector<uint64_t> shape;  // outermost first
  uint64_t begin = 0, end = 0;  // bytes from the start of the data
  std::span<const std::byte> data;
};

/// The type Hearth computes with, if it can read this one.
std::optional<Dtype> dtypeOfSafetensors(std::string_view dtype);

/// Views into bytes that the caller keeps alive.
class SafetensorsFile {
 public:
  /// `path` is only for messages. Codes: bad_file, names the tensor and the byte.
  static Result<SafetensorsFile> parse(std::span<const std::byte> bytes, const std::string& path);

  const std::vector<SafetensorsTensor>& tensors() const { return tensors_; }  // by offset
  std::span<const std::byte> header() const { return header_; }  // length field included

 private:
  std::vector<SafetensorsTensor> tensors_;
  std::span<const std::byte> header_;
};

}  // namespace hearth
