// What can be said about a model on disk, whether this version can run it or not.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "app/cli/failure.h"
#include "models/model_config.h"

namespace hearth::cli {

struct TypeCount {
  int64_t tensors = 0;
  uint64_t parameters = 0;
  uint64_t bytes = 0;
};

struct ModelFacts {
  std::string format;                      // "GGUF v3", "Hugging Face folder"
  ModelConfig config;                      // numbers that the file does not tell are 0
  std::string tokenizer;                   // "llama", "SentencePiece (tokenizer.model)"; "none"
  std::map<std::string, TypeCount> types;  // by the format's own names: "Q4_K", "BF16"
  uint64_t file_bytes = 0;
  std::string why_not;  // empty: this version can run it

  uint64_t parameters() const;
  uint64_t tensorBytes() const;
  /// Keys and values of one token; 0 when the shape is not known.
  uint64_t kvBytesPerToken(int bytes_per_element) const;
};

/// Codes: Exit::bad_input (no such file, or damaged beyond a look at it).
Outcome<ModelFacts> readModelFacts(const std::filesystem::path& path);

}  // namespace hearth::cli
