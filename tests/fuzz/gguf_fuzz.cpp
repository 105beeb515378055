// Any bytes as a GGUF file: no crash, and every span that comes out can be read.
#include "models/gguf/gguf_file.h"
#include "models/gguf/gguf_vocabulary.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hearth;
  const auto file = GgufFile::parse({reinterpret_cast<const std::byte*>(data), size}, "fuzz");
  if (!file) return 0;
  uint64_t sum = 0;
  for (const auto& [key, value] : file->metadata()) {
    (void)file->integer(key);
    (void)file->number(key);
    (void)file->numbers(key, 1 << 20);
    if (const auto texts = file->strings(key, 1 << 20)) {
      for (const std::string_view text : *texts) {
        for (const char c : text) sum += static_cast<uint8_t>(c);
      }
    }
  }
  for (const GgufTensor& tensor : file->tensors()) {
    for (const std::byte b : tensor.data) sum += static_cast<uint64_t>(b);
  }
  (void)readGgufVocabulary(*file, "fuzz");
  volatile uint64_t used = sum;  // keeps the reads
  (void)used;
  return 0;
}
