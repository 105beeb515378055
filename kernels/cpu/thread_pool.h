// Threads that run one piece of work together and can meet at barriers inside it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

namespace hearth::cpu {

/// All of `n_threads` have to arrive before any goes on. A waiting thread looks for a moment, then
/// sleeps: the core may be needed by the one it waits for.
class Barrier {
 public:
  explicit Barrier(int n_threads) : n_threads_(n_threads) {}

  /// The last to arrive runs `last` while the others still wait.
  template <class Last>
  void arrive(Last last) {
    const uint32_t round = round_.load(std::memory_order_relaxed);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == n_threads_) {
      last();
      arrived_.store(0, std::memory_order_relaxed);
      // Sequentially consistent: a waiter that announced itself before this store must be seen by
      // notify_all after it, or it would sleep on.
      round_.store(round + 1, std::memory_order_seq_cst);
      round_.notify_all();
    } else {
      waitWhile(round);
    }
  }

 private:
  void waitWhile(uint32_t round) const;

  const int n_threads_;
  std::atomic<int> arrived_{0};
  std::atomic<uint32_t> round_{0};
};

/// The calling thread is thread 0; the others sleep between runs. Used from one thread at a time.
class ThreadPool {
 public:
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
  std::atomic<uint32_t> started_{0};  // runs begun; the threads sleep on it
  std::atomic<int> running_{0};       // threads that have not finished the present run
  std::atomic<bool> ending_{false};
  std::vector<std::thread> threads_;
};

}  // namespace hearth::cpu
