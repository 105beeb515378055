// Threads that run one piece of work together and can meet at barriers inside it.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace hearth::cpu {

/// Waiting for a change that another thread makes to an atomic: look for a moment, then sleep. The
/// core may be needed by the one that is waited for.
class Bell {
 public:
  /// `n_threads` take part. More than there are processors do not look for long.
  explicit Bell(int n_threads);

  /// Returns once `changed()` is true.
  template <class Changed>
  void waitUntil(Changed changed) {
    const auto end = std::chrono::steady_clock::now() + look_for_;
    do {
      for (int i = 0; i < kLooksPerClock; ++i) {
        if (changed()) return;
        pauseCore();
      }
      // Where another program's work has put both threads on one core: 2 µs for a barrier, not 50.
      std::this_thread::yield();
    } while (std::chrono::steady_clock::now() < end);
    std::unique_lock lock(mutex_);
    rung_.wait(lock, changed);
  }

  /// To be called after the change. Passing through the mutex leaves no gap between a sleeper's last
  /// look and its sleep.
  void ring() {
    { const std::lock_guard lock(mutex_); }
    rung_.notify_all();
  }

 private:
  // A clock costs as much as several looks, which take 10 to 50 ns each.
  static constexpr int kLooksPerClock = 32;
  static void pauseCore();

  const std::chrono::microseconds look_for_;
  std::mutex mutex_;
  std::condition_variable rung_;
};

/// All of `n_threads` have to arrive before any goes on.
class Barrier {
 public:
  explicit Barrier(int n_threads) : n_threads_(n_threads), bell_(n_threads) {}

  /// The last to arrive runs `last` while the others still wait.
  template <class Last>
  void arrive(Last last) {
    const uint32_t round = round_.load(std::memory_order_relaxed);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == n_threads_) {
      last();
      arrived_.store(0, std::memory_order_relaxed);
      round_.store(round + 1, std::memory_order_release);
      if (n_threads_ > 1) bell_.ring();
    } else {
      bell_.waitUntil([&] { return round_.load(std::memory_order_acquire) != round; });
    }
  }

 private:
  const int n_threads_;
  std::atomic<int> arrived_{0};
  std::atomic<uint32_t> round_{0};
  Bell bell_;
};

/// The calling thread is thread 0; the others sleep between runs. Used from one thread at a time.
class ThreadPool {
 public:
  /// Starts fewer than `n_threads` (at least 1) when the system has no more: see size().
  explicit ThreadPool(int n_threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return static_cast<int>(threads_.size()) + 1; }

  /// Calls `work(thread)` once on every thread, 0 … size()-1, and returns when all have returned.
  /// `work` must not throw.
  void run(const std::function<void(int)>& work);

 private:
  void serve(int thread);

  const std::function<void(int)>* work_ = nullptr;
  std::atomic<uint32_t> started_{0};  // runs begun, and the end
  std::atomic<int> running_{0};       // threads that have not finished the present run
  std::atomic<bool> ending_{false};
  Bell start_bell_;
  Bell done_bell_;
  std::vector<std::thread> threads_;
};

}  // namespace hearth::cpu
