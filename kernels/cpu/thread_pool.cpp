#include "kernels/cpu/thread_pool.h"

#include <system_error>

#include "kernels/base/check.h"
#include "kernels/cpu/instruction_sets.h"

namespace hearth::cpu {

void Bell::pauseCore() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

// Being woken takes some 20 µs on a processor that has fallen idle, against 0.3 µs for a look that
// finds the change (two threads on two free cores): sleep only after twice that, unless the one that
// is waited for needs this very core.
Bell::Bell(int n_threads) : look_for_(n_threads <= usableProcessors() ? 50 : 1) {}

ThreadPool::ThreadPool(int n_threads) : start_bell_(n_threads), done_bell_(n_threads) {
  CHECK(n_threads >= 1);
  threads_.reserve(static_cast<size_t>(n_threads) - 1);
  try {
    for (int thread = 1; thread < n_threads; ++thread) {
      threads_.emplace_back([this, thread] { serve(thread); });
    }
  } catch (const std::system_error&) {
    // No more threads to be had (a limit of the user, of the container, of memory): fewer do as well.
  }
}

ThreadPool::~ThreadPool() {
  ending_.store(true, std::memory_order_relaxed);
  started_.fetch_add(1, std::memory_order_release);
  start_bell_.ring();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::run(const std::function<void(int)>& work) {
  if (threads_.empty()) return work(0);
  work_ = &work;
  running_.store(static_cast<int>(threads_.size()), std::memory_order_relaxed);
  started_.fetch_add(1, std::memory_order_release);
  start_bell_.ring();
  work(0);
  done_bell_.waitUntil([this] { return running_.load(std::memory_order_acquire) == 0; });
}

void ThreadPool::serve(int thread) {
  for (uint32_t seen = 0;; ++seen) {
    start_bell_.waitUntil([&] { return started_.load(std::memory_order_acquire) != seen; });
    if (ending_.load(std::memory_order_relaxed)) return;
    (*work_)(thread);
    if (running_.fetch_sub(1, std::memory_order_acq_rel) == 1) done_bell_.ring();
  }
}

}  // namespace hearth::cpu
