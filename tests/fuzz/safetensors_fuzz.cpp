// Any bytes as a safetensors file: no crash, and every span that comes out can be read.
#include "models/safetensors/safetensors_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hearth;
  const auto file = SafetensorsFile::parse({reinterpret_cast<const std::byte*>(data), size}, "fuzz");
  if (!file) return 0;
  uint64_t sum = 0;
  for (const SafetensorsTensor& tensor : file->tensors()) {
    for (const std::byte b : tensor.data) sum += static_cast<uint64_t>(b);
  }
  volatile uint64_t used = sum;  // keeps the reads
  (void)used;
  return 0;
}
