// A plan made ready for the CPU: a list of ops, and the memory they work in.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "kernels/cpu/cpu_op.h"
#include "kernels/cpu/thread_pool.h"
#include "kernels/device.h"

namespace hearth::cpu {

class CpuPlan final : public CompiledPlan {
 public:
  /// `pool` and `kernels` must outlive the plan. Codes: out_of_memory.
  static Result<std::unique_ptr<CpuPlan>> create(Plan plan, const KernelTable& kernels,
                                                 ThreadPool& pool);

  Status run(const StepInputs& step) override;
  Status download(const Value& value, std::span<std::byte> bytes) const override;
  Status upload(const Value& value, std::span<const std::byte> bytes) override;

 private:
  CpuPlan(Plan plan, ThreadPool& pool) : plan_(std::move(plan)), pool_(pool), barrier_(pool.size()) {}

  /// What the plan's ops demand of a step, gathered once.
  struct Needs {
    int32_t n_vocab = INT32_MAX;  // rows of the smallest embedding table
    bool kv = false;
    int32_t n_layers = 0;         // layers of KV memory that ops name
    int32_t n_kv_heads = 0;
    int32_t head_dim = 0;
  };
  Status gatherNeeds();
  Status checkStep(const StepInputs& step) const;
  Status checkKv(const StepInputs& step) const;
  Status checkRange(const Value& value, size_t bytes) const;
  Status growShared(const KvBinding& kv);
  void work(const Frame& frame, const std::atomic<bool>* cancel, int thread);

  Plan plan_;
  ThreadPool& pool_;
  Barrier barrier_;
  Needs needs_;
  CpuOps ops_;
  std::unique_ptr<Buffer> workspace_;
  std::unique_ptr<Buffer> scratch_;  // [threads, scratch_floats_] f32
  std::unique_ptr<Buffer> shared_;
  int64_t scratch_floats_ = 0;
  std::vector<std::atomic<int32_t>> next_task_;  // [ops] of the present step
  bool cancelled_ = false;  // written by the last thread at a barrier, read by all after it
};

}  // namespace hearth::cpu
