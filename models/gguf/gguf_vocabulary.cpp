#include "models/gguf/gguf_vocabulary.h"

#include <cmath>

namespace hearth {

namespace {

constexpr uint64_t kMostTokens = 1 << 24;
constexpr size_t kMostTextBytes = 1 << 28;  // of all tokens together

Status readArrays(const GgufFile& gguf, const std::string& path, GgufVocabulary& out) {
  const auto texts = gguf.strings("tokenizer.ggml.tokens", kMostTokens);
  if (!texts) return passOn(texts);
  size_t text_bytes = 0;
  for (const std::string_view text : *texts) text_bytes += text.size();
  if (texts->empty() || text_bytes > kMostTextBytes) {
    return fail(ErrorCode::bad_file, "{}: tokenizer.ggml.tokens has {} tokens of {} bytes in all", path,
                texts->size(), text_bytes);
  }
  out.texts.assign(texts->begin(), texts->end());
  for (const char* key : {"tokenizer.ggml.scores", "tokenizer.ggml.token_type"}) {
    if (!gguf.find(key)) continue;
    const auto numbers = gguf.numbers(key, texts->size());
    if (!numbers) return passOn(numbers);
    if (numbers->size() != texts->size()) {
      return fail(ErrorCode::bad_file, "{}: {} has {} elements for {} tokens", path, key,
                  numbers->size(), texts->size());
    }
    const bool types = std::string_view(key).ends_with("token_type");
    for (size_t i = 0; i < numbers->size(); ++i) {
      const double value = (*numbers)[i];
      const bool known = types ? value >= 0 && value <= 6 : !std::isnan(value);
      if (!known) return fail(ErrorCode::bad_file, "{}: {}[{}] is {}", path, key, i, value);
      if (types) out.types.push_back(static_cast<int32_t>(value));
      else out.scores.push_back(static_cast<float>(value));
    }
  }
  return {};
}

/// An id that names a token of this vocabulary. 2^32-1 is how some converters write "none".
Status readId(const GgufFile& gguf, const std::string& path, const char* key, size_t n_tokens,
              std::optional<int32_t>& out) {
  if (!gguf.find(key)) return {};
  const Result<int64_t> value = gguf.integer(key);
  if (!value) return passOn(value);
  if (*value == -1 || *value == 0xFFFFFFFFll) return {};
  if (*value < 0 || static_cast<uint64_t>(*value) >= n_tokens) {
    return fail(ErrorCode::bad_file, "{}: key {} is {}, but there are {} tokens", path, key, *value,
                n_tokens);
  }
  out = static_cast<int32_t>(*value);
  return {};
}

}  // namespace

Result<std::optional<GgufVocabulary>> readGgufVocabulary(const GgufFile& gguf,
                                                         const std::string& path) {
  if (!gguf.find("tokenizer.ggml.model")) return std::optional<GgufVocabulary>();
  GgufVocabulary out;
  const Result<std::string_view> model = gguf.string("tokenizer.ggml.model");
  if (!model) return passOn(model);
  out.model = *model;
  if (out.model == "no_vocab" || out.model == "none") return std::optional<GgufVocabulary>();
  if (const auto pre = gguf.string("tokenizer.ggml.pre"); pre) out.pre = *pre;
  if (Status s = readArrays(gguf, path, out); !s) return passOn(s);
  const struct { const char* key; std::optional<int32_t>* id; } ids[] = {
      {"tokenizer.ggml.bos_token_id", &out.bos_id},
      {"tokenizer.ggml.eos_token_id", &out.eos_id},
      {"tokenizer.ggml.unknown_token_id", &out.unknown_id},
      {"tokenizer.ggml.eot_token_id", &out.eot_id},
  };
  for (const auto& entry : ids) {
    if (Status s = readId(gguf, path, entry.key, out.texts.size(), *entry.id); !s) return passOn(s);
  }
  out.add_bos = gguf.boolean("tokenizer.ggml.add_bos_token");
  out.add_eos = gguf.boolean("tokenizer.ggml.add_eos_token");
  out.add_space_prefix = gguf.boolean("tokenizer.ggml.add_space_prefix");
  return std::optional<GgufVocabulary>(std::move(out));
}

}  // namespace hearth
