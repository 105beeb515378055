// A plan compiled for a GPU: one workspace, one step block, one CUDA graph.
#pragma once

#include <memory>

#include "kernels/cuda/context.h"
#include "kernels/cuda/kernels.h"
#include "kernels/device.h"

namespace hearth::cuda {

/// The graph is captured once, for the plan's maxima. A run writes the step block with one
/// asynchronous copy, launches the graph and waits: nothing is allocated or rebuilt.
class CudaPlan final : public CompiledPlan {
 public:
  /// Codes: unsupported (a shape or type), out_of_memory, device.
  static Result<std::unique_ptr<CompiledPlan>> compile(std::shared_ptr<Context> context, Plan plan);
  ~CudaPlan() override;

  /// The whole step is one launch, so `cancel` is read before it and not again.
  Status run(const StepInputs& step) override;
  Status download(const Value& value, std::span<std::byte> bytes) const override;
  Status upload(const Value& value, std::span<const std::byte> bytes) override;

 private:
  CudaPlan(std::shared_ptr<Context> context, Plan plan);

  Status allocate();
  Status capture();
  Status enqueueOps(const Launch& launch) const;
  void fillStagedStep(const StepInputs& step);

  // Operands as raw device pointers. enqueue: one overload for each op.
  std::byte* place(const Value& value) const;
  const int32_t* stepValues(StepSlot slot) const;
  float* floats(const Value& value) const;
  static Rows rowsOf(const Value& value) { return {value.extent, value.max_rows}; }
  cudaError_t enqueue(const EmbedOp& op, const Launch& launch) const;
  cudaError_t enqueue(const NormQuantiseOp& op, const Launch& launch) const;
  cudaError_t enqueue(const LinearOp& op, const Launch& launch) const;
  cudaError_t enqueue(const RopeTableOp& op, const Launch& launch) const;
  cudaError_t enqueue(const RopeAndStoreOp& op, const Launch& launch) const;
  cudaError_t enqueue(const AttentionOp& op, const Launch& launch) const;
  cudaError_t enqueue(const GatedActivationOp& op, const Launch& launch) const;
  cudaError_t enqueue(const SelectRowsOp& op, const Launch& launch) const;

  std::shared_ptr<Context> context_;
  Plan plan_;
  StepLayout layout_;
  std::unique_ptr<DeviceMemory> workspace_;
  std::unique_ptr<DeviceMemory> step_;
  std::byte* staged_step_ = nullptr;  // page-locked host memory, layout_.bytes
  cudaGraphExec_t graph_ = nullptr;
};

}  // namespace hearth::cuda
