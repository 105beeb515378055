// Reads the .npy files of the golden data: version 1, little-endian float32, C order.
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <vector>

namespace hearth::test {

struct NpyArray {
  int64_t rows = 0;  // 1 for a vector
  int64_t cols = 0;
  std::vector<float> values;  // [rows, cols]

  std::span<const float> row(int64_t r) const {
    return std::span(values).subspan(static_cast<size_t>(r * cols), static_cast<size_t>(cols));
  }
};

/// Nothing when the file is absent or not of the kind above.
inline std::optional<NpyArray> readNpy(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  const std::string bytes = text.str();
  if (bytes.size() < 10 || bytes.compare(0, 8, "\x93NUMPY\x01\x00", 8) != 0) return std::nullopt;
  const size_t header_bytes =
      static_cast<uint8_t>(bytes[8]) | static_cast<size_t>(static_cast<uint8_t>(bytes[9])) << 8;
  if (bytes.size() < 10 + header_bytes) return std::nullopt;
  const std::string header = bytes.substr(10, header_bytes);
  if (header.find("'<f4'") == std::string::npos) return std::nullopt;
  if (header.find("'fortran_order': False") == std::string::npos) return std::nullopt;

  std::vector<int64_t> shape;
  for (size_t at = header.find('(') + 1; header[at] != ')';) {
    size_t used = 0;
    shape.push_back(std::stoll(header.substr(at), &used));
    at = header.find_first_not_of(", ", at + used);
  }
  if (shape.empty() || shape.size() > 2) return std::nullopt;
  NpyArray array{.rows = shape.size() == 2 ? shape[0] : 1, .cols = shape.back(), .values = {}};
  array.values.resize(static_cast<size_t>(array.rows * array.cols));
  if (bytes.size() != 10 + header_bytes + array.values.size() * sizeof(float)) return std::nullopt;
  std::memcpy(array.values.data(), bytes.data() + 10 + header_bytes,
              array.values.size() * sizeof(float));
  return array;
}

}  // namespace hearth::test
