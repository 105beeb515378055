// The JSON files of a Hugging Face folder: what kind of model it is and how its tokenizer is used.
#pragma once

#include <filesystem>

#include "models/model_file.h"

namespace hearth {

/// Reads config.json. Codes: not_found, bad_file, unsupported (each names the setting).
Result<ModelConfig> readHuggingFaceConfig(const std::filesystem::path& folder);

/// Reads tokenizer_config.json and generation_config.json, where they exist, and the ids that
/// config.json names. Codes: bad_file.
Result<TokenizerSource> readHuggingFaceTokenizer(const std::filesystem::path& folder,
                                                 int32_t n_vocab);

}  // namespace hearth
