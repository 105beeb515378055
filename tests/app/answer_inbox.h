// Waits for what an engine says about an answer.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>

#include "app/chat/chat_engine.h"

namespace hearth::test {

/// Thread-safe; must outlive the engine's answer.
class AnswerInbox {
 public:
  AnswerListener listener() {
    return [this](AnswerEvent event) {
      const std::lock_guard lock(mutex_);
      if (const auto* text = std::get_if<AnswerText>(&event)) text_ += text->text;
      if (const auto* finished = std::get_if<AnswerFinished>(&event)) stats_ = finished->stats, ++n_ends_;
      if (const auto* failed = std::get_if<AnswerFailed>(&event)) error_ = failed->error, ++n_ends_;
      changed_.notify_all();
    };
  }

  bool waitForEnd(int seconds = 60) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(seconds), [&] { return n_ends_ > 0; });
  }
  bool waitForText(int seconds = 60) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(seconds), [&] { return !text_.empty(); });
  }

  std::string text() { const std::lock_guard lock(mutex_); return text_; }
  std::optional<AnswerStats> stats() { const std::lock_guard lock(mutex_); return stats_; }
  std::optional<Error> error() { const std::lock_guard lock(mutex_); return error_; }
  int ends() { const std::lock_guard lock(mutex_); return n_ends_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string text_;
  std::optional<AnswerStats> stats_;
  std::optional<Error> error_;
  int n_ends_ = 0;
};

}  // namespace hearth::test
