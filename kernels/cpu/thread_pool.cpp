#include "kernels/cpu/thread_pool.h"

#include "kernels/base/check.h"

namespace hearth::cpu {
namespace {

// About ten microseconds: longer than an op of a small model takes to end on the other threads,
// shorter than going to sleep and being woken. Then the core belongs to whoever needs it.
constexpr int kLooks = 200;

void pauseCore() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

/// Returns when `value` is no longer `old`.
template <class T>
void waitForChange(const std::atomic<T>& value, T old) {
  for (int i = 0; i < kLooks; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
    pauseCore();
  }
  while (value.load(std::memory_order_acquire) == old) value.wait(old, std::memory_order_acquire);
}

}  // namespace

void Barrier::waitWhile(uint32_t round) const { waitForChange(round_, round); }

ThreadPool::ThreadPool(int n_threads) {
  CHECK(n_threads >= 1);
  for (int thread = 1; thread < n_threads; ++thread) {
    threads_.emplace_back([this, thread] { serve(thread); });
  }
}

ThreadPool::~ThreadPool() {
  ending_.store(true, std::memory_order_relaxed);
  started_.fetch_add(1, std::memory_order_release);
  started_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::run(const std::function<void(int)>& work) {
  if (threads_.empty()) return work(0);
  work_ = &work;
  running_.store(static_cast<int>(threads_.size()), std::memory_order_relaxed);
  started_.fetch_add(1, std::memory_order_release);
  started_.notify_all();
  work(0);
  for (int left = running_.load(std::memory_order_acquire); left != 0;
       left = running_.load(std::memory_order_acquire)) {
    waitForChange(running_, left);
  }
}

void ThreadPool::serve(int thread) {
  for (uint32_t seen = 0;; ++seen) {
    waitForChange(started_, seen);
    if (ending_.load(std::memory_order_relaxed)) return;
    (*work_)(thread);
    if (running_.fetch_sub(1, std::memory_order_acq_rel) == 1) running_.notify_all();
  }
}

}  // namespace hearth::cpu
