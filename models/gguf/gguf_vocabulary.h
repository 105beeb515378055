// The tokenizer that a GGUF file carries: keys `tokenizer.ggml.*`.
#pragma once

#include <optional>
#include <string>

#include "models/gguf/gguf_file.h"
#include "models/model_file.h"

namespace hearth {

/// Nothing when the file has no `tokenizer.ggml.model`. `path` is for messages.
/// Codes: bad_file, names the key.
Result<std::optional<GgufVocabulary>> readGgufVocabulary(const GgufFile& gguf,
                                                         const std::string& path);

}  // namespace hearth
