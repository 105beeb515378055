#include "app/cli/whole_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "models/output_file.h"

namespace hearth::cli {

Outcome<void> writeWhole(const std::filesystem::path& target,
                         std::span<const std::span<const std::byte>> parts) {
  uint64_t total = 0;
  for (const auto part : parts) total += part.size();
  const auto file = OutputFile::create(target, total);
  if (!file) return workFailure(file.error());
  for (const auto part : parts) {
    if (const Status written = (*file)->write(part); !written) return workFailure(written.error());
  }
  if (const Status committed = (*file)->commit(); !committed) return workFailure(committed.error());
  return {};
}

Outcome<std::string> readWhole(const std::filesystem::path& path) {
  const bool standard_input = path == "-";
  const std::string name = standard_input ? "standard input" : path.string();
  const int file = standard_input ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return inputFailure(name, errno);
  std::string text;
  std::array<char, 65536> piece;
  ssize_t got;
  while ((got = ::read(file, piece.data(), piece.size())) != 0) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) break;
    text.append(piece.data(), static_cast<size_t>(got));
  }
  const int error_number = got < 0 ? errno : 0;
  if (!standard_input) ::close(file);
  if (error_number != 0) return inputFailure(name, error_number);
  return text;
}

}  // namespace hearth::cli
