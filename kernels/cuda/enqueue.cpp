// Ops of a plan turned into launches: values become device pointers, shapes become launcher arguments.
#include "kernels/base/check.h"
#include "kernels/cuda/plan.h"

namespace hearth::cuda {
namespace {

const uint8_t* bytesOf(const Constant& constant) {
  return static_cast<const uint8_t*>(constant.data);
}

const float* vectorOrNull(const Constant& constant) {
  return static_cast<const float*>(constant.data);
}

}  // namespace

std::byte* CudaPlan::place(const Value& value) const {
  CHECK(value.space == Space::workspace);
  CHECK(value.offset <= plan_.workspace_bytes);
  return static_cast<std::byte*>(workspace_->data()) + value.offset;
}

const int32_t* CudaPlan::stepValues(StepSlot slot) const {
  const auto* base = static_cast<const std::byte*>(step_->data());
  switch (slot) {
    case StepSlot::token_ids: base += layout_.token_ids; break;
    case StepSlot::positions: base += layout_.positions; break;
    case StepSlot::out_rows: base += layout_.out_rows; break;
  }
  return reinterpret_cast<const int32_t*>(base);
}

float* CudaPlan::floats(const Value& value) const {
  CHECK(value.dtype == Dtype::f32);
  return reinterpret_cast<float*>(place(value));
}

cudaError_t CudaPlan::enqueue(const EmbedOp& op, const Launch& launch) const {
  EmbedArguments a{};
  a.token_ids = stepValues(StepSlot::token_ids);
  a.table = bytesOf(op.table);
  a.table_dtype = op.table.dtype;
  a.table_row_bytes = rowBytes(op.table.dtype, op.table.cols);
  a.scale = op.scale;
  a.out = floats(op.out);
  a.cols = op.table.cols;
  a.rows = rowsOf(op.out);
  return launchEmbed(a, launch);
}

cudaError_t CudaPlan::enqueue(const NormQuantiseOp& op, const Launch& launch) const {
  NormQuantiseArguments a{};
  a.x = floats(op.x);
  a.gain = vectorOrNull(op.gain);
  a.eps = op.eps;
  a.normalise = op.normalise;
  a.quantise = op.out.dtype == Dtype::a8;
  a.out = place(op.out);
  a.cols = op.x.cols;
  a.rows = rowsOf(op.out);
  return launchNormQuantise(a, launch);
}

/// One launch for each matrix. Parts may have different types; they share nothing but the input.
cudaError_t CudaPlan::enqueue(const LinearOp& op, const Launch& launch) const {
  for (int32_t i = 0; i < op.n_parts; ++i) {
    const LinearPart& part = op.parts[static_cast<size_t>(i)];
    LinearArguments a{};
    a.x = place(op.x);
    a.x_dtype = op.x.dtype;
    a.weight = bytesOf(part.weight);
    a.weight_dtype = part.weight.dtype;
    a.weight_row_bytes = rowBytes(part.weight.dtype, part.weight.cols);
    a.bias = vectorOrNull(part.bias);
    a.residual = i == 0 && op.residual ? floats(op.residual) : nullptr;
    a.out = floats(part.out);
    a.in_cols = part.weight.cols;
    a.out_cols = part.weight.rows;
    a.rows = rowsOf(part.out);
    if (const cudaError_t code = launchLinear(a, launch); code != cudaSuccess) return code;
  }
  return cudaSuccess;
}

cudaError_t CudaPlan::enqueue(const RopeTableOp& op, const Launch& launch) const {
  CHECK(op.frequencies.dtype == Dtype::f64);
  RopeTableArguments a{};
  a.positions = stepValues(StepSlot::positions);
  a.frequencies = static_cast<const double*>(op.frequencies.data);
  a.magnitude = op.magnitude;
  a.out = floats(op.out);
  a.n_pairs = op.frequencies.cols;
  a.rows = rowsOf(op.out);
  return launchRopeTable(a, launch);
}

cudaError_t CudaPlan::enqueue(const RopeAndStoreOp& op, const Launch& launch) const {
  RopeAndStoreArguments a{};
  a.q = floats(op.q);
  a.k = floats(op.k);
  a.v = floats(op.v);
  a.table = floats(op.table);
  a.n_heads = op.n_heads;
  a.n_kv_heads = op.kv.n_kv_heads;
  a.head_dim = op.kv.head_dim;
  a.rotary_dim = op.rotary_dim;
  a.layer = op.kv.layer;
  a.layout = op.layout;
  a.rows = rowsOf(op.q);
  return launchRopeAndStore(a, launch);
}

cudaError_t CudaPlan::enqueue(const AttentionOp& op, const Launch& launch) const {
  AttentionArguments a{};
  a.q = floats(op.q);
  a.out = floats(op.out);
  a.n_heads = op.n_heads;
  a.n_kv_heads = op.kv.n_kv_heads;
  a.head_dim = op.kv.head_dim;
  a.layer = op.kv.layer;
  a.scale = op.scale;
  a.rows = rowsOf(op.out);
  return launchAttention(a, launch);
}

cudaError_t CudaPlan::enqueue(const GatedActivationOp& op, const Launch& launch) const {
  GatedActivationArguments a{};
  a.gate = floats(op.gate);
  a.up = floats(op.up);
  a.quantise = op.out.dtype == Dtype::a8;
  a.out = place(op.out);
  a.cols = op.gate.cols;
  a.rows = rowsOf(op.out);
  return launchGatedActivation(a, launch);
}

cudaError_t CudaPlan::enqueue(const SelectRowsOp& op, const Launch& launch) const {
  SelectRowsArguments a{};
  a.x = floats(op.x);
  a.selected = stepValues(StepSlot::out_rows);
  a.out = floats(op.out);
  a.cols = op.x.cols;
  a.rows = rowsOf(op.out);
  return launchSelectRows(a, launch);
}

}  // namespace hearth::cuda
