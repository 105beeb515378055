// Any bytes as a SentencePiece model: no crash, also not inside the library that gets what we made of
// it, and ids that stay inside the vocabulary.
#include "kernels/base/check.h"
#include "models/tokenizer/sentencepiece_tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hearth;
  auto vocabulary =
      parseSentencePieceModel({reinterpret_cast<const std::byte*>(data), size}, "fuzz");
  if (!vocabulary) return 0;
  const auto tokenizer = makeSentencePieceTokenizer(std::move(*vocabulary), "fuzz");
  if (!tokenizer) return 0;
  const auto ids = (*tokenizer)->encode("Once upon <s> a \xFFtime ▁ 你", {.parse_special = true});
  for (const int32_t id : ids) CHECK(id >= 0 && id < (*tokenizer)->nVocab());
  (void)(*tokenizer)->decode(ids);
  return 0;
}
