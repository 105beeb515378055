// One op, ready to run on the CPU: how many independent tasks it has in this step, and how to do one.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kernels/cpu/kernel_table.h"
#include "kernels/plan.h"

namespace hearth::cpu {

/// What the ops of one step share. Pointers into the compiled plan's memory.
struct Frame {
  std::byte* workspace = nullptr;
  std::span<const int32_t> token_ids;
  std::span<const int32_t> positions;
  std::span<const int32_t> out_rows;
  int32_t first_row = 0;
  KvBinding kv;
  int32_t n_threads = 1;
  float* shared = nullptr;  // as many floats as the op of this plan that wants most

  int32_t rows(Extent extent) const {
    return static_cast<int32_t>(extent == Extent::tokens ? token_ids.size() : out_rows.size());
  }
  std::byte* row(const Value& v, int32_t r) const {
    return workspace + v.offset + static_cast<size_t>(r) * rowBytes(v.dtype, v.cols);
  }
  float* floats(const Value& v, int32_t r) const { return reinterpret_cast<float*>(row(v, r)); }
  uint8_t* kvHead(const KvLayer& layer, int32_t part, int32_t head) const {
    return static_cast<uint8_t*>(kv.data) + kvHeadOffset(kv, layer.layer, part, head);
  }
};

/// Immutable after compilation. Tasks of one op run in any order on any threads; the ops of a plan
/// run one after the other. No task may depend on which thread runs it.
class CpuOp {
 public:
  virtual ~CpuOp() = default;
  virtual int32_t tasks(const Frame& frame) const = 0;
  virtual void run(const Frame& frame, int32_t task, float* scratch) const = 0;
  /// Floats of scratch memory that a thread needs, 64-byte aligned.
  virtual int64_t scratchFloats() const { return 0; }
  /// Floats that an op's tasks share, or leave to the op after it, for a sequence of this shape.
  virtual int64_t sharedFloats(const KvBinding&) const { return 0; }
};

using CpuOps = std::vector<std::unique_ptr<CpuOp>>;

/// Appends what `op` becomes on the CPU.
void appendOp(const Op& op, const KernelTable& kernels, CpuOps& out);
void appendLinear(const LinearOp& op, const KernelTable& kernels, CpuOps& out);
void appendAttention(const AttentionOp& op, const KernelTable& kernels, CpuOps& out);

/// [begin, end): task `task` of `n_tasks` equal shares of `total`, cut at multiples of `unit`.
struct Share { int32_t begin, end; };
inline Share shareOf(int32_t total, int32_t unit, int32_t n_tasks, int32_t task) {
  const int64_t units = (int64_t{total} + unit - 1) / unit;
  const auto cut = [&](int64_t t) {
    const int64_t at = units * t / n_tasks * unit;
    return static_cast<int32_t>(at < total ? at : total);
  };
  return {cut(task), cut(task + 1)};
}

}  // namespace hearth::cpu
