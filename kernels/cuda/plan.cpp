#include "kernels/cuda/plan.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "kernels/cuda/limits.h"

namespace hearth::cuda {

CudaPlan::CudaPlan(std::shared_ptr<Context> context, Plan plan)
    : context_(std::move(context)),
      plan_(std::move(plan)),
      layout_(stepLayout(plan_.max_tokens, plan_.max_outputs)) {}

CudaPlan::~CudaPlan() {
  cudaSetDevice(context_->ordinal());
  if (graph_ != nullptr) cudaGraphExecDestroy(graph_);
  if (staged_step_ != nullptr) cudaFreeHost(staged_step_);
}

Result<std::unique_ptr<CompiledPlan>> CudaPlan::compile(std::shared_ptr<Context> context,
                                                        Plan plan) {
  if (Status s = checkPlan(plan); !s) return passOn(s);
  if (Status s = context->select(); !s) return passOn(s);
  std::unique_ptr<CudaPlan> compiled(new CudaPlan(std::move(context), std::move(plan)));
  if (Status s = compiled->allocate(); !s) return passOn(s);
  if (Status s = compiled->capture(); !s) return passOn(s);
  return std::unique_ptr<CompiledPlan>(std::move(compiled));
}

Status CudaPlan::allocate() {
  auto workspace = DeviceMemory::create(context_, plan_.workspace_bytes);
  if (!workspace) return passOn(workspace);
  workspace_ = *std::move(workspace);
  auto step = DeviceMemory::create(context_, layout_.bytes);
  if (!step) return passOn(step);
  step_ = *std::move(step);
  void* staged = nullptr;
  Status s = checkCuda(cudaHostAlloc(&staged, layout_.bytes, cudaHostAllocDefault),
                       "allocating page-locked memory");
  if (s) std::memset(staged, 0, layout_.bytes);
  staged_step_ = static_cast<std::byte*>(staged);
  return s;
}

Status CudaPlan::enqueueOps(const Launch& launch) const {
  for (const Op& op : plan_.ops) {
    const cudaError_t code =
        std::visit([&](const auto& concrete) { return enqueue(concrete, launch); }, op);
    if (Status s = checkCuda(code, "recording a plan"); !s) return s;
  }
  return {};
}

Status CudaPlan::capture() {
  const Launch launch{static_cast<const StepBlock*>(step_->data()), context_->stream()};
  Status s = checkCuda(cudaStreamBeginCapture(launch.stream, cudaStreamCaptureModeThreadLocal),
                       "starting a capture");
  if (!s) return s;
  const Status enqueued = enqueueOps(launch);
  cudaGraph_t graph = nullptr;
  // Ends the capture in any case: a stream left capturing would refuse all further work.
  s = checkCuda(cudaStreamEndCapture(launch.stream, &graph), "ending a capture");
  if (!enqueued) s = enqueued;
  if (s) s = checkCuda(cudaGraphInstantiate(&graph_, graph, 0), "building a CUDA graph");
  if (graph != nullptr) cudaGraphDestroy(graph);
  // Once now instead of in the first step.
  if (s) s = checkCuda(cudaGraphUpload(graph_, launch.stream), "uploading a CUDA graph");
  return s ? context_->finish() : s;
}

void CudaPlan::fillStagedStep(const StepInputs& step) {
  StepBlock block;
  block.n_tokens = static_cast<int32_t>(step.token_ids.size());
  block.n_outputs = static_cast<int32_t>(step.out_rows.size());
  block.first_row = step.first_row;
  block.kv_capacity_rows = step.kv.capacity_rows;
  block.kv_data = static_cast<uint8_t*>(step.kv.data);
  block.kv_dtype = step.kv.dtype;
  if (block.kv_data != nullptr) block.kv_row_bytes = rowBytes(step.kv.dtype, step.kv.head_dim);
  std::memcpy(staged_step_, &block, sizeof block);
  const auto put = [this](uint64_t offset, std::span<const int32_t> values) {
    std::ranges::copy(values, reinterpret_cast<int32_t*>(staged_step_ + offset));
  };
  put(layout_.token_ids, step.token_ids);
  put(layout_.positions, step.positions);
  put(layout_.out_rows, step.out_rows);
}

Status CudaPlan::run(const StepInputs& step) {
  if (Status s = checkStep(plan_, step); !s) return s;
  if (step.cancel != nullptr && step.cancel->load(std::memory_order_relaxed)) {
    return fail(ErrorCode::cancelled, "cancelled");
  }
  if (Status s = context_->select(); !s) return s;
  fillStagedStep(step);  // free to overwrite: the last run waited for its copy
  Status s = checkCuda(cudaMemcpyAsync(step_->data(), staged_step_, layout_.bytes,
                                       cudaMemcpyHostToDevice, context_->stream()),
                       "copying a step's inputs");
  if (s) s = checkCuda(cudaGraphLaunch(graph_, context_->stream()), "starting a step");
  // Waits even after a failed launch: the copy above may still be reading staged_step_.
  const Status finished = context_->finish();
  return s ? finished : s;
}

namespace {

/// Codes: invalid_argument (not a workspace value, or more bytes than it has).
Status checkTransfer(const Value& value, size_t n_bytes) {
  const size_t size = static_cast<size_t>(value.max_rows) * rowBytes(value.dtype, value.cols);
  if (value.space == Space::workspace && n_bytes <= size) return {};
  return fail(ErrorCode::invalid_argument, "{} bytes of a value that has {}", n_bytes, size);
}

}  // namespace

Status CudaPlan::download(const Value& value, std::span<std::byte> bytes) const {
  if (Status s = checkTransfer(value, bytes.size()); !s) return s;
  return workspace_->read(value.offset, bytes);
}

Status CudaPlan::upload(const Value& value, std::span<const std::byte> bytes) {
  if (Status s = checkTransfer(value, bytes.size()); !s) return s;
  return workspace_->write(value.offset, bytes);
}

}  // namespace hearth::cuda
