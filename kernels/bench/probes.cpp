#include "kernels/bench/probes.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>

#include "kernels/cpu/host_memory.h"
#include "kernels/cpu/instruction_sets.h"
#include "kernels/cpu/thread_pool.h"

namespace hearth {
namespace {

constexpr int64_t kProbeBytes = int64_t{1} << 30;
constexpr int kPasses = 3;

int threadsOrAll(int n_threads) {
  return n_threads > 0 ? n_threads : cpu::usableProcessors();
}

/// Seconds that one run of `work` on all threads takes, the best of `repeats`.
template <class Work>
double bestSeconds(cpu::ThreadPool& pool, int repeats, Work work) {
  double best = 1e30;
  for (int i = 0; i < repeats; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    pool.run(work);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    best = std::min(best, taken.count());
  }
  return best;
}

/// How the memory is shared out among the threads.
struct Pattern {
  int64_t piece_bytes;  // each thread takes every n-th piece; 0: one contiguous share each
};
constexpr Pattern kPatterns[] = {{0}, {int64_t{4} << 10}, {int64_t{64} << 10}, {int64_t{1} << 20}};

}  // namespace

Result<double> memoryBandwidthGBs(int n_threads) {
  auto kernels = cpu::kernelsFor(Isa::best);
  if (!kernels) return passOn(kernels);
  auto memory = cpu::allocatePages(kProbeBytes);
  if (!memory) return passOn(memory);
  cpu::ThreadPool pool(threadsOrAll(n_threads));
  auto* bytes = static_cast<uint8_t*>((*memory)->data());
  const int64_t share = kProbeBytes / pool.size() / 64 * 64;
  // Written by the thread that reads most of it: untouched pages are all one page of zeros.
  pool.run([&](int thread) { std::memset(bytes + thread * share, 1, static_cast<size_t>(share)); });
  std::atomic<uint64_t> sink{0};
  double best = 0;
  for (const Pattern& pattern : kPatterns) {
    const int64_t piece = pattern.piece_bytes > 0 ? pattern.piece_bytes : share;
    const int64_t n_pieces = share * pool.size() / piece;
    const double seconds = bestSeconds(pool, kPasses, [&](int thread) {
      uint64_t sum = 0;
      for (int64_t p = thread; p < n_pieces; p += pool.size()) {
        sum += (*kernels)->read_memory(bytes + p * piece, piece);
      }
      sink.fetch_add(sum, std::memory_order_relaxed);
    });
    best = std::max(best, static_cast<double>(n_pieces * piece) / seconds * 1e-9);
  }
  return best;
}

Result<double> peakGops(Isa isa, PeakKind kind, int n_threads) {
  constexpr int64_t kRounds = 4'000'000;  // some tens of milliseconds
  constexpr int kRepeats = 5;
  auto kernels = cpu::kernelsFor(isa);
  if (!kernels) return passOn(kernels);
  cpu::ThreadPool pool(threadsOrAll(n_threads));
  std::atomic<int64_t> operations{0};
  std::atomic<int64_t> sink{0};
  const auto work = [&](int thread) {
    float f32 = static_cast<float>(thread) * 1e-3f;
    int32_t int32 = thread;
    const double done = kind == PeakKind::float32 ? (*kernels)->peak_f32(kRounds, &f32)
                                                  : (*kernels)->peak_int8(kRounds, &int32);
    operations.store(static_cast<int64_t>(done), std::memory_order_relaxed);
    sink.fetch_add(int32 + (f32 > 0), std::memory_order_relaxed);
  };
  const double seconds = bestSeconds(pool, kRepeats, work);
  return static_cast<double>(operations.load()) * pool.size() / seconds * 1e-9;
}

}  // namespace hearth
