// A file mapped read-only into memory.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

#include "kernels/base/error.h"

namespace hearth {

/// Immutable after opening; any thread may read. A file truncated by someone else while mapped
/// raises SIGBUS on access, as with every mapping: Hearth's own files are replaced, never cut.
class MappedFile {
 public:
  /// Codes: not_found, io, bad_file (empty, or not a regular file).
  static Result<std::shared_ptr<const MappedFile>> open(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  explicit MappedFile(std::span<const std::byte> bytes) : bytes_(bytes) {}
  std::span<const std::byte> bytes_;
};

}  // namespace hearth
