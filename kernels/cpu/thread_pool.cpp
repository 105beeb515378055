#include "kernels/cpu/thread_pool.h"

#include "kernels/base/check.h"

namespace hearth::cpu {

void Bell::pauseCore() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

ThreadPool::ThreadPool(int n_threads) {
  CHECK(n_threads >= 1);
  for (int thread = 1; thread < n_threads; ++thread) {
    threads_.emplace_back([this, thread] { serve(thread); });
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
