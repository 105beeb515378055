#include "models/safetensors/safetensors_file.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>

#include "models/safetensors/header_parser.h"
#include "models/utf8.h"

namespace hearth {

namespace {

constexpr uint64_t kLargestHeader = 100'000'000;  // FORMAT.md, "limits"

struct ElementType {
  std::string_view name;
  uint32_t bits;
};
constexpr ElementType kTypes[] = {
    {"F64", 64}, {"I64", 64}, {"U64", 64}, {"C64", 64}, {"F32", 32}, {"I32", 32}, {"U32", 32},
    {"F16", 16}, {"BF16", 16}, {"I16", 16}, {"U16", 16}, {"I8", 8}, {"U8", 8}, {"BOOL", 8},
    {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"F4", 4}};

/// Bytes that the shape takes, or nothing when that is more than `limit` or no whole number.
std::optional<uint64_t> shapeBytes(const SafetensorsTensor& tensor, uint32_t bits, uint64_t limit) {
  // Zero first, so that the order of the dimensions does not matter.
  if (std::find(tensor.shape.begin(), tensor.shape.end(), 0u) != tensor.shape.end()) return 0;
  const uint64_t most = limit * 8 / bits;  // limit is a file's size: far below 2^60
  uint64_t elements = 1;
  for (const uint64_t dim : tensor.shape) {
    if (dim > most / elements) return std::nullopt;
    elements *= dim;
  }
  if (elements * bits % 8 != 0) return std::nullopt;
  return elements * bits / 8;
}

Status checkTensor(const SafetensorsTensor& tensor, uint64_t data_bytes, const std::string& path) {
  const std::string name = printable(tensor.name);
  const auto type = std::find_if(std::begin(kTypes), std::end(kTypes),
                                 [&](const ElementType& t) { return t.name == tensor.dtype; });
  if (type == std::end(kTypes)) {
    return fail(ErrorCode::bad_file, "{}: tensor {} has unknown type \"{}\"", path, name,
                printable(tensor.dtype));
  }
  if (tensor.begin > tensor.end || tensor.end > data_bytes) {
    return fail(ErrorCode::bad_file, "{}: tensor {} lies at data bytes {} to {}, but there are {}", path,
                name, tensor.begin, tensor.end, data_bytes);
  }
  const auto bytes = shapeBytes(tensor, type->bits, data_bytes);
  if (!bytes || *bytes != tensor.end - tensor.begin) {
    return fail(ErrorCode::bad_file, "{}: tensor {} [{}] {} does not take the {} bytes from {} to {}",
                path, name, fmt::join(tensor.shape, ", "), tensor.dtype, tensor.end - tensor.begin,
                tensor.begin, tensor.end);
  }
  return {};
}

/// Tensors must follow one another without holes or overlaps and fill the data (FORMAT.md).
Status checkCover(const std::vector<SafetensorsTensor>& tensors, uint64_t data_bytes,
                  const std::string& path) {
  uint64_t at = 0;
  for (const SafetensorsTensor& tensor : tensors) {
    if (tensor.begin != at) {
      return fail(ErrorCode::bad_file, "{}: tensor {} begins at data byte {}, {} byte {}", path,
                  printable(tensor.name), tensor.begin,
                  tensor.begin < at ? "inside the one before, which ends at" : "leaving a hole from", at);
    }
    at = tensor.end;
  }
  if (at != data_bytes) {
    return fail(ErrorCode::bad_file, "{}: the tensors end at data byte {}, but there are {}", path, at,
                data_bytes);
  }
  return {};
}

}  // namespace

std::optional<Dtype> dtypeOfSafetensors(std::string_view dtype) {
  if (dtype == "F32") return Dtype::f32;
  if (dtype == "F16") return Dtype::f16;
  if (dtype == "BF16") return Dtype::bf16;
  return std::nullopt;
}

Result<SafetensorsFile> SafetensorsFile::parse(std::span<const std::byte> bytes,
                                               const std::string& path) {
  uint64_t header_bytes = 0;
  if (bytes.size() < sizeof(header_bytes)) {
    return fail(ErrorCode::bad_file, "{}: the file ends inside the header length (byte {})", path,
                bytes.size());
  }
  std::memcpy(&header_bytes, bytes.data(), sizeof(header_bytes));
  if (header_bytes > bytes.size() - 8 || header_bytes > kLargestHeader) {
    return fail(ErrorCode::bad_file, "{}: the header claims {} bytes, but {} follow", path,
                header_bytes, bytes.size() - 8);
  }
  SafetensorsFile file;
  file.header_ = bytes.first(8 + static_cast<size_t>(header_bytes));
  const std::span<const std::byte> data = bytes.subspan(file.header_.size());
  const std::string_view json(reinterpret_cast<const char*>(bytes.data()) + 8,
                              static_cast<size_t>(header_bytes));
  auto tensors = parseSafetensorsHeader(json, path);
  if (!tensors) return passOn(tensors);
  file.tensors_ = std::move(*tensors);
  for (const SafetensorsTensor& tensor : file.tensors_) {
    if (Status s = checkTensor(tensor, data.size(), path); !s) return passOn(s);
  }
  std::stable_sort(file.tensors_.begin(), file.tensors_.end(),
                   [](const auto& a, const auto& b) {
                     return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
                   });
  if (Status s = checkCover(file.tensors_, data.size(), path); !s) return passOn(s);
  for (SafetensorsTensor& tensor : file.tensors_) {
    tensor.data = data.subspan(tensor.begin, tensor.end - tensor.begin);
  }
  return file;
}

}  // namespace hearth
