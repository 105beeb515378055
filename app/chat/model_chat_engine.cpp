#include "app/chat/model_chat_engine.h"

#include <mutex>
#include <random>
#include <utility>

#include "app/chat/answer_stream.h"
#include "app/chat/prompt_builder.h"

namespace hearth {

namespace {

uint64_t randomSeed() {
  std::random_device device;
  return (static_cast<uint64_t>(device()) << 32) | device();
}

SamplingOptions toSampling(const GenerationSettings& settings) {
  SamplingOptions sampling;
  sampling.temperature = settings.temperature;
  sampling.top_k = settings.top_k;
  sampling.top_p = settings.top_p;
  sampling.min_p = settings.min_p;
  sampling.repetition_penalty = settings.repetition_penalty;
  sampling.presence_penalty = settings.presence_penalty;
  sampling.frequency_penalty = settings.frequency_penalty;
  sampling.seed = settings.seed.value_or(0);
  return sampling;
}

void mapStats(const GenerationStats& from, AnswerStats& to) {
  to.prompt_tokens = from.prompt_tokens;
  to.cached_tokens = from.cached_tokens;
  to.generated_tokens = from.generated_tokens;
  to.time_to_first_token_ms = from.time_to_first_token_ms;
  to.prompt_tokens_per_s = from.promptTokensPerSecond();
  to.generated_tokens_per_s = from.generatedTokensPerSecond();
  to.stop_reason = stopReasonName(from.stop_reason);
}

}  // namespace

/// The ids every answer was generated as. Written on the engine's thread, read on the service's.
class ModelChatEngine::Ledger {
 public:
  void add(ConversationId conversation, MessageId answer, std::vector<int32_t> ids) {
    const std::lock_guard lock(mutex_);
    ids_[conversation][answer] = std::move(ids);
  }

  std::map<MessageId, std::vector<int32_t>> copy(ConversationId conversation) {
    const std::lock_guard lock(mutex_);
    const auto found = ids_.find(conversation);
    return found == ids_.end() ? std::map<MessageId, std::vector<int32_t>>() : found->second;
  }

  void forget(ConversationId conversation) {
    const std::lock_guard lock(mutex_);
    ids_.erase(conversation);
  }

 private:
  std::mutex mutex_;
  std::map<ConversationId, std::map<MessageId, std::vector<int32_t>>> ids_;
};

/// One answer on its way. After submit only the engine's thread touches it.
struct ModelChatEngine::Answering {
  ConversationId conversation;
  MessageId answer;
  AnswerListener listener;
  std::shared_ptr<AnswerStream> stream;
  std::shared_ptr<Ledger> ledger;
  AnswerStats stats;            // what is known before the answer
  std::vector<int32_t> ids;

  void onEvent(const Event& event) {
    if (const auto* progress = std::get_if<PromptProgress>(&event)) {
      listener(AnswerReading{progress->done_tokens, progress->total_tokens});
    } else if (const auto* tokens = std::get_if<TokensGenerated>(&event)) {
      ids.insert(ids.end(), tokens->ids.begin(), tokens->ids.end());
      sendText(false);
    } else {
      sendText(true);
      ledger->add(conversation, answer, std::move(ids));
      if (const auto* finished = std::get_if<GenerationFinished>(&event)) {
        mapStats(finished->stats, stats);
        listener(AnswerFinished{stats});
      } else {
        listener(AnswerFailed{std::get<GenerationFailed>(event).error});
      }
    }
  }

  void sendText(bool final) {
    std::string text = stream->takeText(final);
    if (!text.empty()) listener(AnswerText{std::move(text)});
  }
};

ModelChatEngine::ModelChatEngine(Parts parts)
    : parts_(std::move(parts)), ledger_(std::make_shared<Ledger>()) {
  for (int32_t id = 0; id < parts_.tokenizer->nVocab(); ++id)
    if (parts_.tokenizer->isEndOfGeneration(id)) end_ids_.push_back(id);
}

ModelChatEngine::~ModelChatEngine() {
  for (const auto& [id, session] : sessions_) session->cancel();  // all at once, then wait for each
  sessions_.clear();
}

Status ModelChatEngine::start(AnswerRequest request, AnswerListener listener) {
  const auto known = ledger_->copy(request.conversation_id);
  const auto generated_ids = [&](MessageId id) {
    const auto found = known.find(id);
    return found == known.end() ? std::span<const int32_t>() : std::span<const int32_t>(found->second);
  };
  auto prompt = buildPrompt(*parts_.tokenizer,
                            {.system_prompt = request.settings.system_prompt,
                             .turns = request.turns,
                             .n_ctx = parts_.engine->contextLength(),
                             .max_tokens = request.settings.max_tokens,
                             .first_kept = first_kept_[request.conversation_id]},
                            generated_ids);
  if (!prompt) return passOn(prompt);
  first_kept_[request.conversation_id] = prompt->dropped_messages > 0 ? prompt->first_kept : 0;
  if (!request.settings.seed) request.settings.seed = randomSeed();

  auto answering = std::make_shared<Answering>();
  answering->conversation = request.conversation_id;
  answering->answer = request.answer_id;
  answering->listener = std::move(listener);
  answering->stream = std::make_shared<AnswerStream>(*parts_.tokenizer, request.settings.stop,
                                                     /*continues_text=*/true);
  answering->ledger = ledger_;
  answering->stats.dropped_messages = prompt->dropped_messages;
  answering->stats.model = parts_.description.name + "@" + parts_.content_key;
  answering->stats.device = parts_.description.device;
  answering->stats.settings_json = settingsToJson(request.settings);

  GenerationRequest generation;
  generation.prompt_ids = std::move(prompt->ids);
  generation.sampling = toSampling(request.settings);
  generation.max_tokens = request.settings.max_tokens;
  generation.end_ids = end_ids_;
  generation.stop_rule = answering->stream;
  auto& session = sessions_[request.conversation_id];
  if (!session) session = parts_.engine->newSession();
  return session->submit(std::move(generation),
                         [answering](const Event& event) { answering->onEvent(event); });
}

void ModelChatEngine::cancel(ConversationId conversation) {
  if (const auto session = sessions_.find(conversation); session != sessions_.end())
    session->second->cancel();
}

void ModelChatEngine::forget(ConversationId conversation) {
  sessions_.erase(conversation);
  first_kept_.erase(conversation);
  ledger_->forget(conversation);
}

}  // namespace hearth
