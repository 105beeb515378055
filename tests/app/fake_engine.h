// A ChatEngine that says what a test tells it to.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "app/chat/chat_engine.h"

namespace hearth::test {

class FakeEngine final : public ChatEngine {
 public:
  ~FakeEngine() override {
    if (on_destroy) on_destroy();
  }

  ModelDescription describe() const override { return {}; }

  Status start(AnswerRequest request, AnswerListener listener) override {
    if (on_start) on_start(request);
    if (refusal) return tl::unexpected<Error>(*refusal);
    const std::lock_guard lock(mutex_);
    listeners_[request.conversation_id] = std::move(listener);
    requests.push_back(std::move(request));
    return {};
  }

  void cancel(ConversationId conversation) override {
    cancelled.push_back(conversation);
    if (!obeys_cancel) return;
    AnswerStats stats;
    stats.stop_reason = "cancelled";
    stats.generated_tokens = 5;
    end(conversation, AnswerFinished{stats});
  }

  void forget(ConversationId conversation) override { forgotten.push_back(conversation); }

  // What the model does, from a thread that is not the service's.

  void say(ConversationId conversation, const std::string& text) {
    const AnswerListener listener = listenerOf(conversation);
    std::thread([&] { listener(AnswerText{text}); }).join();
  }
  void read(ConversationId conversation, int done, int total) {
    listenerOf(conversation)(AnswerReading{done, total});
  }
  void finish(ConversationId conversation, AnswerStats stats = {}) {
    if (stats.stop_reason.empty()) stats.stop_reason = "end_of_text";
    end(conversation, AnswerFinished{std::move(stats)});
  }
  void fail(ConversationId conversation, Error error) {
    end(conversation, AnswerFailed{std::move(error)});
  }

  std::vector<AnswerRequest> requests;
  std::vector<ConversationId> cancelled, forgotten;
  std::optional<Error> refusal;
  bool obeys_cancel = true;
  std::function<void(const AnswerRequest&)> on_start;
  std::function<void()> on_destroy;

 private:
  AnswerListener listenerOf(ConversationId conversation) {
    const std::lock_guard lock(mutex_);
    const auto found = listeners_.find(conversation);
    return found == listeners_.end() ? [](AnswerEvent) {} : found->second;
  }
  void end(ConversationId conversation, AnswerEvent event) {
    const AnswerListener listener = listenerOf(conversation);
    {
      const std::lock_guard lock(mutex_);
      listeners_.erase(conversation);
    }
    std::thread([&] { listener(event); }).join();
  }

  std::mutex mutex_;
  std::map<ConversationId, AnswerListener> listeners_;
};

}  // namespace hearth::test
