#include "app/cli/chat_file.h"

#include <nlohmann/json.hpp>

#include "app/cli/model_access.h"
#include "app/cli/whole_files.h"
#include "models/chat_template/chat_template.h"
#include "models/chat_template/template_source.h"

namespace hearth::cli {

namespace {

struct Conversation {
  std::string system_prompt;
  std::vector<Turn> turns;
};

/// A string field, or "" with `found` false.
std::string field(const nlohmann::json& message, const char* key, bool& found) {
  const auto entry = message.is_object() ? message.find(key) : message.end();
  found = message.is_object() && entry != message.end() && entry->is_string();
  return found ? entry->get<std::string>() : "";
}

Outcome<Conversation> readConversation(const std::string& path) {
  const auto text = readWhole(path);
  if (!text) return passOn(text);
  const auto json = nlohmann::json::parse(*text, nullptr, false);
  if (!json.is_array()) return stop(Exit::bad_input, "{}: no JSON list of messages", path);
  Conversation conversation;
  for (size_t i = 0; i < json.size(); ++i) {
    bool has_role = false, has_content = false;
    const std::string role = field(json[i], "role", has_role);
    std::string content = field(json[i], "content", has_content);
    if (!has_role || !has_content) {
      return stop(Exit::bad_input, "{}: message {} has no text as \"role\" and \"content\"", path,
                  i + 1);
    }
    if (role == "system") {
      if (!conversation.system_prompt.empty()) conversation.system_prompt += '\n';
      conversation.system_prompt += content;
    } else if (role == "user" || role == "assistant") {
      conversation.turns.push_back({static_cast<MessageId>(i + 1),
                                    role == "user" ? Role::user : Role::assistant,
                                    std::move(content)});
    } else {
      return stop(Exit::bad_input,
                  "{}: message {} has the role '{}'; there are system, user and "
                  "assistant",
                  path, i + 1, role);
    }
  }
  if (conversation.turns.empty() || conversation.turns.back().role != Role::user) {
    return stop(Exit::bad_input, "{}: the last message must be the user's", path);
  }
  return conversation;
}

/// The conversation in the model's own format. Control tokens are those that the template wrote:
/// none is added, also no beginning-of-sequence (as Hugging Face's apply_chat_template).
Outcome<Prompt> templatePrompt(const std::string& path, const ModelFile& file,
                               const ChatTemplateSource& source, const Tokenizer& tokenizer,
                               int32_t n_ctx) {
  auto text = readWhole(path);
  if (!text) return passOn(text);
  if (!nlohmann::json::parse(*text, nullptr, false).is_array()) {
    return stop(Exit::bad_input, "{}: no JSON list of messages", path);
  }
  const auto chosen = source.choose("", false);
  if (!chosen) return inputFailure(chosen.error());
  const auto parsed = ChatTemplate::parse(*chosen);
  if (!parsed) return inputFailure(parsed.error());
  const auto rendered = parsed->render({.messages = std::move(*text),
                                        .add_generation_prompt = true,
                                        .special_tokens = source.special_tokens,
                                        .bos_token = source.bos_token,
                                        .eos_token = source.eos_token});
  if (!rendered) return workFailure(rendered.error());
  auto ids = tokenizer.encode(*rendered, {.add_special = false, .parse_special = true});
  const auto room = static_cast<size_t>(n_ctx > 0 ? n_ctx : defaultContext(file.config));
  if (ids.size() < room) return Prompt{.ids = std::move(ids)};
  return stop(Exit::failed, "{}: the conversation is {} tokens long; the context holds {}", path,
              ids.size(), room);
}

}  // namespace

Outcome<Prompt> chatPrompt(const std::string& path, const ModelFile& file,
                           const Result<std::unique_ptr<Tokenizer>>& tokenizer, int32_t n_ctx,
                           int32_t max_tokens, Console& console) {
  if (!tokenizer) return inputFailure(tokenizer.error());
  const auto source = readChatTemplates(file.path);
  if (!source) return inputFailure(source.error());
  if (!source->templates.empty()) return templatePrompt(path, file, *source, **tokenizer, n_ctx);
  console.note("this model has no chat template: it is given the conversation as plain text");
  const auto conversation = readConversation(path);
  if (!conversation) return passOn(conversation);
  PromptRequest request;
  request.system_prompt = conversation->system_prompt;
  request.turns = conversation->turns;
  request.n_ctx = n_ctx > 0 ? n_ctx : defaultContext(file.config);
  request.max_tokens = max_tokens;
  auto prompt =
      buildPrompt(**tokenizer, request, [](MessageId) { return std::span<const int32_t>(); });
  if (!prompt) return workFailure(prompt.error());
  if (prompt->dropped_messages > 0) {
    console.note(fmt::format("[the context is full; oldest messages left out: {}]",
                             prompt->dropped_messages));
  }
  return std::move(*prompt);
}

}  // namespace hearth::cli
