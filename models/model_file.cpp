#include "models/model_file.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "models/mapped_file.h"
#include "models/model_reader.h"

namespace hearth {

Result<TensorView> ModelFile::tensor(std::string_view name, int64_t rows, int64_t cols) const {
  const auto found = tensors.find(name);
  if (found == tensors.end()) {
    return fail(ErrorCode::not_found, "{}: tensor {} is missing", path.string(), name);
  }
  const TensorView& view = found->second;
  if (view.rows != rows || view.cols != cols) {
    return fail(ErrorCode::bad_file, "{}: tensor {} has shape [{}, {}], not [{}, {}]", path.string(),
                name, view.rows, view.cols, rows, cols);
  }
  return view;
}

uint64_t hashBytes(std::span<const std::byte> bytes, uint64_t seed) {
  uint64_t hash = seed;
  for (const std::byte b : bytes) hash = (hash ^ static_cast<uint64_t>(b)) * 0x100000001b3ull;
  return hash;
}

Result<std::string> contentKey(const std::vector<std::filesystem::path>& files,
                               uint64_t header_hash) {
  uint64_t size = 0;
  int64_t modified_ns = 0;
  for (const std::filesystem::path& file : files) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) {
      return fail(ErrorCode::io, "{}: {}", file.string(), std::strerror(errno));
    }
    size += static_cast<uint64_t>(status.st_size);
    const int64_t ns = int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
    modified_ns = std::max(modified_ns, ns);
  }
  return fmt::format("{:x}-{:x}-{:016x}", size, modified_ns, header_hash);
}

Result<ModelFile> openModelFile(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return openHuggingFaceModel(path);
  auto mapping = MappedFile::open(path);
  if (!mapping) return passOn(mapping);
  if (path.extension() == ".safetensors" || path.filename() == "config.json") {
    return fail(ErrorCode::invalid_argument,
                "{}: this is one file of a Hugging Face folder; open the folder instead",
                path.string());
  }
  return openGgufModel(path, std::move(*mapping));
}

}  // namespace hearth
