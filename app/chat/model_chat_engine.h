// The chat's engine on a real model: turns to ids, ids to text, one session for each conversation.
#pragma once

#include <map>
#include <memory>

#include "app/chat/chat_engine.h"
#include "inference/engine.h"
#include "models/tokenizer/tokenizer.h"

namespace hearth {

/// Destroying it while it answers cancels the answers and waits for their ends.
class ModelChatEngine final : public ChatEngine {
 public:
  struct Parts {
    std::unique_ptr<Engine> engine;
    std::unique_ptr<Tokenizer> tokenizer;
    ModelDescription description;
    std::string content_key;  // of the model file; stored with each answer
  };

  explicit ModelChatEngine(Parts parts);
  ~ModelChatEngine() override;

  ModelDescription describe() const override { return parts_.description; }
  Status start(AnswerRequest request, AnswerListener listener) override;
  void cancel(ConversationId conversation) override;
  void forget(ConversationId conversation) override;

 private:
  class Ledger;
  struct Answering;

  Parts parts_;
  std::vector<int32_t> end_ids_;
  std::shared_ptr<Ledger> ledger_;
  std::map<ConversationId, MessageId> first_kept_;  // where prompts begin since the context was full
  std::map<ConversationId, std::unique_ptr<Session>> sessions_;  // goes before the engine
};

}  // namespace hearth
