// From an engine's thread to the command's: what has been said, in order.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

namespace hearth::cli {

/// Any thread may put, one takes. Never blocks the one who puts.
template <class T>
class EventQueue {
 public:
  void put(T event) {
    {
      const std::lock_guard lock(mutex_);
      events_.push_back(std::move(event));
    }
    filled_.notify_one();
  }

  /// Waits for the next event.
  T take() {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [this] { return !events_.empty(); });
    T event = std::move(events_.front());
    events_.pop_front();
    return event;
  }

 private:
  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<T> events_;
};

}  // namespace hearth::cli
