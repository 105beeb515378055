#include "app/cli/chat_file.h"

#include <nlohmann/json.hpp>

#include "app/chat/prompt_builder.h"
#include "app/cli/model_access.h"
#include "app/cli/whole_files.h"

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

}  // namespace

Outcome<std::vector<int32_t>> chatIds(const std::string& path, const ModelFile& file,
                                      const Result<std::unique_ptr<Tokenizer>>& tokenizer,
                                      int32_t n_ctx, int32_t max_tokens) {
  const auto conversation = readConversation(path);
  if (!conversation) return passOn(conversation);
  if (!tokenizer) return inputFailure(tokenizer.error());
  PromptRequest request;
  request.system_prompt = conversation->system_prompt;
  request.turns = conversation->turns;
  request.n_ctx = n_ctx > 0 ? n_ctx : defaultContext(file.config);
  request.max_tokens = max_tokens;
  auto prompt =
      buildPrompt(**tokenizer, request, [](MessageId) { return std::span<const int32_t>(); });
  if (!prompt) return workFailure(prompt.error());
  return std::move(prompt->ids);
}

}  // namespace hearth::cli
