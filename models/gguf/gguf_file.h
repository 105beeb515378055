// GGUF, read: header, metadata and tensor directory, validated before a pointer is formed.
// The format as this reader takes it is written down in FORMAT.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "kernels/base/error.h"

namespace hearth {

enum class GgufType : uint32_t {
  u8 = 0, i8, u16, i16, u32, i32, f32, boolean, string, array, u64, i64, f64
};

/// An array of metadata: elements are decoded on demand from the mapped bytes.
struct GgufArray {
  GgufType element_type = GgufType::u8;
  uint64_t count = 0;
  std::span<const std::byte> bytes;  // exactly the elements
};

using GgufValue = std::variant<uint64_t, int64_t, double, bool, std::string_view, GgufArray>;

struct GgufTensor {
  std::string_view name;
  std::vector<uint64_t> shape;  // GGUF order: shape[0] is the contiguous dimension
  uint32_t type = 0;            // ggml type id
  std::span<const std::byte> data;  // empty when the type's size is not known to us
};

/// Views into bytes that the caller keeps alive.
class GgufFile {
 public:
  /// `path` is only for messages. Codes: bad_file, unsupported (version, by number).
  static Result<GgufFile> parse(std::span<const std::byte> bytes, std::string path);

  const GgufValue* find(std::string_view key) const;
  /// Codes: not_found, bad_file (wrong kind): both name the key.
  Result<int64_t> integer(std::string_view key) const;
  Result<double> number(std::string_view key) const;
  Result<std::string_view> string(std::string_view key) const;
  std::optional<bool> boolean(std::string_view key) const;
  /// The elements of an array; an element takes more memory than its bytes in the file, so more than
  /// `most` of them are refused before any is unpacked. Codes: those above.
  Result<std::vector<std::string_view>> strings(std::string_view key, uint64_t most) const;
  Result<std::vector<double>> numbers(std::string_view key, uint64_t most) const;

  uint32_t version() const { return version_; }
  const std::vector<GgufTensor>& tensors() const { return tensors_; }
  const std::vector<std::pair<std::string_view, GgufValue>>& metadata() const { return metadata_; }

 private:
  std::string path_;
  uint32_t version_ = 0;
  std::vector<std::pair<std::string_view, GgufValue>> metadata_;
  std::vector<GgufTensor> tensors_;
};

}  // namespace hearth
