#include "models/chat_template/template_source.h"

#include <nlohmann/json.hpp>

#include <utility>
#include <vector>

#include "models/gguf/gguf_file.h"
#include "models/gguf/gguf_vocabulary.h"
#include "models/json_file.h"
#include "models/mapped_file.h"
#include "models/utf8.h"

namespace hearth {

namespace {

using Json = nlohmann::json;

constexpr const char* kTokenNames[] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                       "pad_token", "cls_token", "mask_token"};

Status readText(const std::filesystem::path& file, std::string& text) {
  std::error_code error;
  if (std::filesystem::is_regular_file(file, error) && std::filesystem::file_size(file, error) == 0) {
    text.clear();
    return {};
  }
  const auto mapped = MappedFile::open(file);
  if (!mapped) return passOn(mapped);
  const auto bytes = (*mapped)->bytes();
  text.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return {};
}

/// A token is its text, or an object with "content".
std::optional<std::string> tokenText(const Json& token) {
  if (token.is_string()) return token.get<std::string>();
  if (!token.is_object()) return std::nullopt;
  const auto content = token.find("content");
  if (content == token.end() || !content->is_string()) return std::nullopt;
  return content->get<std::string>();
}

void readTokens(const Json& settings, Json& tokens) {
  for (const char* name : kTokenNames) {
    const auto found = settings.find(name);
    if (found == settings.end() || tokens.contains(name)) continue;
    if (auto text = tokenText(*found)) tokens[name] = std::move(*text);
  }
  const auto more = settings.find("additional_special_tokens");
  if (more == settings.end() || !more->is_array() || tokens.contains("additional_special_tokens")) return;
  Json list = Json::array();
  for (const Json& token : *more) {
    if (auto text = tokenText(token)) list.push_back(std::move(*text));
  }
  if (!list.empty()) tokens["additional_special_tokens"] = std::move(list);
}

void keepTokens(const Json& tokens, ChatTemplateSource& source) {
  if (tokens.contains("bos_token")) source.bos_token = tokens["bos_token"].get<std::string>();
  if (tokens.contains("eos_token")) source.eos_token = tokens["eos_token"].get<std::string>();
  if (!tokens.empty()) source.special_tokens = tokens.dump();
}

/// Text, or a list of {"name", "template"}. Codes: bad_file.
Status readTemplates(const Json& value, const std::string& file, ChatTemplateSource& source) {
  if (value.is_string()) {
    source.templates.emplace("default", value.get<std::string>());
    return {};
  }
  if (value.is_null()) return {};
  const auto malformed = [&] {
    return fail(ErrorCode::bad_file, "{}: \"chat_template\" is neither text nor a list of named texts", file);
  };
  if (!value.is_array()) return malformed();
  for (const Json& entry : value) {
    if (!entry.is_object()) return malformed();
    const auto name = entry.find("name");
    const auto text = entry.find("template");
    if (name == entry.end() || text == entry.end() || !name->is_string() || !text->is_string()) {
      return malformed();
    }
    source.templates.emplace(name->get<std::string>(), text->get<std::string>());
  }
  return {};
}

Status readJinjaFiles(const std::filesystem::path& folder, ChatTemplateSource& source) {
  const std::filesystem::path main = folder / "chat_template.jinja";
  if (isPresent(main)) {
    if (Status s = readText(main, source.templates["default"]); !s) return s;
  }
  std::error_code error;
  std::filesystem::directory_iterator files(folder / "additional_chat_templates", error);
  for (; !error && files != std::filesystem::directory_iterator(); files.increment(error)) {
    const std::filesystem::path& file = files->path();
    if (file.extension() != ".jinja") continue;
    if (Status s = readText(file, source.templates[file.stem().string()]); !s) return s;
  }
  return {};
}

Result<ChatTemplateSource> readFolder(const std::filesystem::path& folder) {
  ChatTemplateSource source;
  if (Status s = readJinjaFiles(folder, source); !s) return passOn(s);
  Json tokens = Json::object();
  for (const char* name : {"chat_template.json", "tokenizer_config.json", "special_tokens_map.json"}) {
    const std::filesystem::path file = folder / name;
    if (!isPresent(file)) continue;
    const Result<Json> settings = readJsonFile(file);
    if (!settings) return passOn(settings);
    readTokens(*settings, tokens);
    const auto value = settings->find("chat_template");
    if (value == settings->end() || !source.templates.empty()) continue;
    if (Status s = readTemplates(*value, file.string(), source); !s) return passOn(s);
  }
  keepTokens(tokens, source);
  return source;
}

/// Codes: bad_file.
Status readGgufTokens(const GgufFile& gguf, const std::string& path, ChatTemplateSource& source) {
  const auto vocabulary = readGgufVocabulary(gguf, path);
  if (!vocabulary) return passOn(vocabulary);
  if (!*vocabulary) return {};
  const std::vector<std::string>& texts = (*vocabulary)->texts;
  const std::pair<const char*, std::optional<int32_t>> ids[] = {
      {"bos_token", (*vocabulary)->bos_id},
      {"eos_token", (*vocabulary)->eos_id},
      {"unk_token", (*vocabulary)->unknown_id}};
  Json tokens = Json::object();
  for (const auto& [name, id] : ids) {
    if (!id) continue;
    if (*id < 0 || static_cast<size_t>(*id) >= texts.size()) {
      return fail(ErrorCode::bad_file, "{}: the {} has id {}, outside the vocabulary of {}", path, name,
                  *id, texts.size());
    }
    tokens[name] = replaceInvalidUtf8(texts[static_cast<size_t>(*id)]);
  }
  keepTokens(tokens, source);
  return {};
}

Result<ChatTemplateSource> readGguf(const std::filesystem::path& path) {
  const auto mapped = MappedFile::open(path);
  if (!mapped) return passOn(mapped);
  const Result<GgufFile> gguf = GgufFile::parse((*mapped)->bytes(), path.string());
  if (!gguf) return passOn(gguf);
  ChatTemplateSource source;
  constexpr std::string_view kKey = "tokenizer.chat_template";
  for (const auto& [key, value] : gguf->metadata()) {
    const bool is_named = key.starts_with(kKey) && key.size() > kKey.size() + 1 && key[kKey.size()] == '.';
    if (key != kKey && !is_named) continue;
    const Result<std::string_view> text = gguf->string(key);
    if (!text) return passOn(text);
    source.templates.emplace(is_named ? key.substr(kKey.size() + 1) : "default", *text);
  }
  if (Status s = readGgufTokens(*gguf, path.string(), source); !s) return passOn(s);
  return source;
}

}  // namespace

Result<std::string_view> ChatTemplateSource::choose(std::string_view name, bool has_tools) const {
  std::string_view wanted = name;
  if (wanted.empty()) wanted = has_tools && templates.contains("tool_use") ? "tool_use" : "default";
  if (const auto found = templates.find(wanted); found != templates.end()) return found->second;
  if (templates.empty()) return fail(ErrorCode::not_found, "this model has no chat template");
  std::string names;
  for (const auto& [known, text] : templates) names += (names.empty() ? "" : ", ") + known;
  return fail(ErrorCode::not_found, "this model has no chat template '{}'; it has {}", wanted, names);
}

Result<ChatTemplateSource> readChatTemplates(const std::filesystem::path& model) {
  std::error_code error;
  if (std::filesystem::is_directory(model, error)) return readFolder(model);
  return readGguf(model);
}

}  // namespace hearth
