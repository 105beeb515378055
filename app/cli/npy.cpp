#include "app/cli/npy.h"

#include <fmt/format.h>

#include <bit>

namespace hearth::cli {

static_assert(std::endian::native == std::endian::little, "'<f4' below is this machine's float32");

std::string npyHeader(const std::vector<int64_t>& shape) {
  std::string extents;
  for (const int64_t extent : shape) extents += fmt::format("{}, ", extent);
  if (!shape.empty()) extents.resize(extents.size() - (shape.size() == 1 ? 1 : 2));  // "3," "2, 3"
  std::string header =
      fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}), }}", extents);
  constexpr size_t kFixedBytes = 10;  // magic, version, header length
  constexpr size_t kAlignment = 64;
  const size_t unpadded = kFixedBytes + header.size() + 1;
  header.append((kAlignment - unpadded % kAlignment) % kAlignment, ' ');
  header += '\n';
  std::string result("\x93NUMPY\x01\x00", 8);
  result += static_cast<char>(header.size() & 0xFF);
  result += static_cast<char>(header.size() >> 8);
  return result + header;
}

}  // namespace hearth::cli
