// A file that appears under its name only when it is whole.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kernels/base/error.h"

namespace hearth {

/// Written under a temporary name in the same folder. Unless `commit` succeeds, the destructor
/// removes what was written and the target stays as it was. A device or pipe is written directly.
/// Used from one thread.
class OutputFile {
 public:
  /// `expected_bytes`: refused at once when the disk has less room; 0: not checked.
  /// Codes: not_found (no such folder), read_only, disk_full, io.
  static Result<std::unique_ptr<OutputFile>> create(const std::filesystem::path& target,
                                                    uint64_t expected_bytes = 0);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  /// Codes: disk_full, io.
  Status write(std::span<const std::byte> bytes);

  /// Brings the bytes to the disk and gives the file its name. Codes: disk_full, read_only, io.
  Status commit();

 private:
  OutputFile(std::filesystem::path target, std::filesystem::path temporary, int descriptor);
  Status flush();
  tl::unexpected<Error> failed(const char* what, int reason) const;

  std::filesystem::path target_, temporary_;
  int descriptor_;
  std::vector<std::byte> buffer_;
};

}  // namespace hearth
