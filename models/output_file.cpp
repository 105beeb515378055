#include "models/output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace hearth {

namespace {

constexpr size_t kBufferBytes = 4u << 20;

ErrorCode codeOf(int reason) {
  switch (reason) {
    case ENOSPC: case EDQUOT: case EFBIG: return ErrorCode::disk_full;
    case EROFS: case EACCES: case EPERM: return ErrorCode::read_only;
    case ENOENT: case ENOTDIR: return ErrorCode::not_found;
    default: return ErrorCode::io;
  }
}

bool isDeviceOrPipe(const std::filesystem::path& path) {
  std::error_code ignored;
  const std::filesystem::file_status status = std::filesystem::status(path, ignored);
  return std::filesystem::exists(status) && !std::filesystem::is_regular_file(status) &&
         !std::filesystem::is_directory(status);
}

}  // namespace

OutputFile::OutputFile(std::filesystem::path target, std::filesystem::path temporary, int descriptor)
    : target_(std::move(target)), temporary_(std::move(temporary)), descriptor_(descriptor) {
  buffer_.reserve(kBufferBytes);
}

OutputFile::~OutputFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

tl::unexpected<Error> OutputFile::failed(const char* what, int reason) const {
  return fail(codeOf(reason), "{}: {}: {}", target_.string(), what, std::strerror(reason));
}

Result<std::unique_ptr<OutputFile>> OutputFile::create(const std::filesystem::path& target,
                                                       uint64_t expected_bytes) {
  std::error_code error;
  if (std::filesystem::is_directory(target, error)) {
    return fail(ErrorCode::io, "{}: is a folder", target.string());
  }
  if (isDeviceOrPipe(target)) {  // nothing to protect, and renaming onto it would replace it
    const int direct = ::open(target.c_str(), O_WRONLY | O_CLOEXEC);
    if (direct < 0) {
      return fail(codeOf(errno), "{}: cannot be written: {}", target.string(), std::strerror(errno));
    }
    return std::unique_ptr<OutputFile>(new OutputFile(target, {}, direct));
  }
  std::filesystem::path folder = target.parent_path();
  if (folder.empty()) folder = ".";
  const std::filesystem::space_info space = std::filesystem::space(folder, error);
  if (!error && space.available < expected_bytes) {
    return fail(ErrorCode::disk_full, "{}: needs {} bytes, but the disk has {} free", target.string(),
                expected_bytes, space.available);
  }
  std::filesystem::path temporary = target;
  temporary += fmt::format(".partial-{}", ::getpid());
  const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0) {
    return fail(codeOf(errno), "{}: cannot be written: {}", target.string(), std::strerror(errno));
  }
  return std::unique_ptr<OutputFile>(new OutputFile(target, std::move(temporary), descriptor));
}

Status OutputFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const size_t room = std::min(bytes.size(), kBufferBytes - buffer_.size());
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(room));
    bytes = bytes.subspan(room);
    if (buffer_.size() < kBufferBytes) continue;
    if (Status s = flush(); !s) return s;
  }
  return {};
}

Status OutputFile::flush() {
  std::span<const std::byte> rest = buffer_;
  while (!rest.empty()) {
    const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed("writing failed", errno);
    rest = rest.subspan(static_cast<size_t>(written));
  }
  buffer_.clear();
  return {};
}

Status OutputFile::commit() {
  if (Status s = flush(); !s) return s;
  if (temporary_.empty()) {
    return ::close(std::exchange(descriptor_, -1)) == 0 ? Status() : failed("writing failed", errno);
  }
  // Some file systems find out here, and not earlier, that the disk is full.
  if (::fdatasync(descriptor_) != 0) return failed("writing failed", errno);
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) {
    return failed("cannot be given its name", errno);
  }
  ::close(descriptor_);
  descriptor_ = -1;
  return {};
}

}  // namespace hearth
