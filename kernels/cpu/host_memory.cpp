#include "kernels/cpu/host_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <string>

namespace hearth::cpu {
namespace {

class Pages final : public Buffer {
 public:
  Pages(void* data, size_t size) : data_(data), size_(size) {}
  ~Pages() override { munmap(data_, std::max<size_t>(size_, 1)); }

  void* data() override { return data_; }
  size_t size() const override { return size_; }

  Status write(size_t offset, std::span<const std::byte> bytes) override {
    if (auto fits = checkRange(offset, bytes.size()); !fits) return fits;
    if (!bytes.empty()) std::memcpy(static_cast<std::byte*>(data_) + offset, bytes.data(), bytes.size());
    return {};
  }
  Status read(size_t offset, std::span<std::byte> bytes) const override {
    if (auto fits = checkRange(offset, bytes.size()); !fits) return fits;
    if (!bytes.empty()) std::memcpy(bytes.data(), static_cast<const std::byte*>(data_) + offset, bytes.size());
    return {};
  }

 private:
  Status checkRange(size_t offset, size_t count) const {
    if (offset <= size_ && count <= size_ - offset) return {};
    return fail(ErrorCode::invalid_argument, "{} bytes at {} do not fit a buffer of {}", count, offset,
                size_);
  }

  void* data_;
  size_t size_;
};

}  // namespace

Result<std::unique_ptr<Buffer>> allocatePages(size_t bytes) {
  void* data = mmap(nullptr, std::max<size_t>(bytes, 1), PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED) {
    return fail(ErrorCode::out_of_memory, "the system has no {} bytes of memory left", bytes);
  }
  return std::make_unique<Pages>(data, bytes);
}

SystemMemory systemMemory() {
  SystemMemory memory;
  std::ifstream info("/proc/meminfo");
  std::string name, unit;
  for (uint64_t kib = 0; info >> name >> kib; std::getline(info, unit)) {
    if (name == "MemTotal:") memory.total = kib * 1024;
    if (name == "MemAvailable:") memory.free = kib * 1024;
  }
  return memory;
}

}  // namespace hearth::cpu
