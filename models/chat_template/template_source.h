// Where a model keeps its chat templates, and the special tokens that they print: GGUF metadata, or
// the files of a Hugging Face folder. Reads no tensors, so it works for models that cannot be run.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "kernels/base/error.h"

namespace hearth {

struct ChatTemplateSource {
  std::map<std::string, std::string, std::less<>> templates;  // by name; the main one is "default"
  std::optional<std::string> bos_token, eos_token;
  std::string special_tokens;  // JSON object: "pad_token": "<pad>" …, or empty

  /// The template called `name`. Without a name: "tool_use" if there is one and `has_tools`, else
  /// "default". Codes: not_found (names those there are).
  Result<std::string_view> choose(std::string_view name, bool has_tools) const;
};

/// A folder: chat_template.jinja and additional_chat_templates/NAME.jinja, else
/// chat_template.json, else tokenizer_config.json ("chat_template" as text or as a list of names
/// and texts); tokens from tokenizer_config.json and special_tokens_map.json.
/// A GGUF file: tokenizer.chat_template, tokenizer.chat_template.NAME, and bos, eos and unknown token of its vocabulary.
/// A model without templates is no failure. Codes: not_found, io, bad_file (names file and key).
Result<ChatTemplateSource> readChatTemplates(const std::filesystem::path& model);

}  // namespace hearth
