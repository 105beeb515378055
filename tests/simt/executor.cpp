// longjmp between stacks is what this file is about; glibc's fortified one refuses it.
#undef _FORTIFY_SOURCE
#include "executor.h"

#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <ucontext.h>
#include <vector>

dim3 threadIdx;
dim3 blockIdx;

namespace simt {
namespace {

constexpr int kWarpSize = 32;
constexpr size_t kStackBytes = 64 << 10;

/// Everyone who arrives waits until the last one does.
struct Barrier {
  int expected = 0;
  int arrived = 0;
  uint64_t generation = 0;
};

struct Warp {
  Barrier barrier;
  uint64_t slots[2][kWarpSize];  // by generation parity: a lane is at most one exchange ahead
};

struct Fibre {
  std::unique_ptr<std::byte[]> stack;
  ucontext_t start;
  jmp_buf resume;
  bool started = false;
  bool finished = false;
  const Barrier* waits_for = nullptr;  // set: until its generation moves on
  uint64_t waits_at = 0;

  bool ready() const {
    return !finished && (waits_for == nullptr || waits_for->generation != waits_at);
  }
};

ThreadOrder thread_order = ThreadOrder::forward;
std::vector<Fibre> fibres;  // of a block; kept from block to block
std::vector<Warp> warps;
Barrier block_barrier;
Fibre* running = nullptr;
jmp_buf scheduler;
const std::function<void()>* kernel_body = nullptr;

void backToScheduler() {
  if (_setjmp(running->resume) == 0) _longjmp(scheduler, 1);
}

/// A fibre lives on after its kernel and is given the next block's.
void fibreMain() {
  for (;;) {
    (*kernel_body)();
    running->finished = true;
    backToScheduler();
  }
}

void start(Fibre& fibre) {
  fibre.started = true;
  fibre.stack = std::make_unique<std::byte[]>(kStackBytes);
  getcontext(&fibre.start);
  fibre.start.uc_stack.ss_sp = fibre.stack.get();
  fibre.start.uc_stack.ss_size = kStackBytes;
  fibre.start.uc_link = nullptr;
  makecontext(&fibre.start, fibreMain, 0);
  setcontext(&fibre.start);
}

void resume(size_t thread) {
  running = &fibres[thread];
  running->waits_for = nullptr;
  threadIdx = dim3(static_cast<unsigned>(thread), 0, 0);
  if (_setjmp(scheduler) != 0) return;
  if (running->started) _longjmp(running->resume, 1);
  start(*running);
}

void waitAt(Barrier& barrier) {
  if (++barrier.arrived == barrier.expected) {
    barrier.arrived = 0;
    ++barrier.generation;
    return;
  }
  running->waits_for = &barrier;
  running->waits_at = barrier.generation;
  backToScheduler();
}

[[noreturn]] void reportStuck(int threads) {
  for (int t = 0; t < threads; ++t) {
    const Fibre& fibre = fibres[static_cast<size_t>(t)];
    if (fibre.finished) continue;
    std::fprintf(stderr, "simt: block (%u, %u): thread %d waits at a %s that other threads left\n",
                 blockIdx.x, blockIdx.y, t,
                 fibre.waits_for == &block_barrier ? "__syncthreads" : "warp shuffle");
    break;
  }
  std::abort();
}

void prepareBlock(int threads) {
  if (fibres.size() < static_cast<size_t>(threads)) fibres.resize(static_cast<size_t>(threads));
  warps.resize(static_cast<size_t>((threads + kWarpSize - 1) / kWarpSize));
  for (size_t w = 0; w < warps.size(); ++w) {
    warps[w].barrier = {std::min(kWarpSize, threads - static_cast<int>(w) * kWarpSize), 0, 0};
  }
  block_barrier = {threads, 0, 0};
  for (int t = 0; t < threads; ++t) {
    fibres[static_cast<size_t>(t)].finished = false;
    fibres[static_cast<size_t>(t)].waits_for = nullptr;
  }
}

void runBlock(int threads) {
  prepareBlock(threads);
  int left = threads;
  while (left > 0) {
    bool progressed = false;
    for (int i = 0; i < threads; ++i) {
      const int turn = thread_order == ThreadOrder::forward ? i : threads - 1 - i;
      const auto thread = static_cast<size_t>(turn);
      if (!fibres[thread].ready()) continue;
      progressed = true;
      resume(thread);
      if (fibres[thread].finished) --left;
    }
    if (!progressed) reportStuck(threads);
  }
}

}  // namespace

void setThreadOrder(ThreadOrder order) { thread_order = order; }

void blockBarrier() { waitAt(block_barrier); }

uint64_t exchange(uint64_t bits, unsigned source_lane) {
  const unsigned thread = threadIdx.x;
  Warp& warp = warps[thread / kWarpSize];
  const uint64_t parity = warp.barrier.generation % 2;
  warp.slots[parity][thread % kWarpSize] = bits;
  waitAt(warp.barrier);
  return warp.slots[parity][source_lane];
}

void runGrid(dim3 grid, int threads, const std::function<void()>& body) {
  kernel_body = &body;
  for (unsigned y = 0; y < grid.y; ++y) {
    for (unsigned x = 0; x < grid.x; ++x) {
      blockIdx = dim3(x, y, 0);
      runBlock(threads);
    }
  }
}

}  // namespace simt
