// Bytes for parser tests: in a heap block of exactly their size, so that the address sanitizer sees
// one byte too many.
#pragma once

#include <QFile>

#include <cstddef>
#include <cstring>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace hearth {

class ExactBytes {
 public:
  explicit ExactBytes(std::string_view text) : size_(text.size()), bytes_(new std::byte[text.size()]) {
    if (size_ > 0) std::memcpy(bytes_.get(), text.data(), size_);
  }
  std::span<const std::byte> span() const { return {bytes_.get(), size_}; }

 private:
  size_t size_;
  std::unique_ptr<std::byte[]> bytes_;
};

inline std::string readBytes(const std::filesystem::path& path) {
  QFile file(QString::fromStdString(path.string()));
  if (!file.open(QIODevice::ReadOnly)) qFatal("%s: cannot be read", path.c_str());
  return file.readAll().toStdString();
}

inline void writeBytes(const std::filesystem::path& path, std::string_view bytes) {
  QFile file(QString::fromStdString(path.string()));
  if (!file.open(QIODevice::WriteOnly) || file.write(bytes.data(), qint64(bytes.size())) != qint64(bytes.size())) {
    qFatal("%s: cannot be written", path.c_str());
  }
}

}  // namespace hearth
