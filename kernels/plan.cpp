#include "kernels/plan.h"

#include <utility>

#include "kernels/base/check.h"

namespace hearth {
namespace {

constexpr uint64_t kAlignment = 64;

bool isStep(const Value& v, StepSlot slot) {
  return v.space == Space::step && v.offset == static_cast<uint64_t>(slot);
}

bool isWorkspace(const Value& v, Dtype dtype, int64_t cols) {
  return v.space == Space::workspace && v.dtype == dtype && v.cols == cols;
}

bool isActivation(const Value& v, int64_t cols) {
  return isWorkspace(v, Dtype::f32, cols) || isWorkspace(v, Dtype::a8, cols);
}

bool isVector(const Constant& c, Dtype dtype, int64_t cols) {
  return c && c.dtype == dtype && c.rows == 1 && c.cols == cols;
}

bool isWeight(const Constant& c) {
  if (!c || c.rows <= 0 || c.cols <= 0) return false;
  switch (c.dtype) {
    case Dtype::f32:
    case Dtype::f16:
    case Dtype::bf16: return true;
    case Dtype::q8_0:
    case Dtype::q4_0: return c.cols % traitsOf(c.dtype).block_length == 0;
    default: return false;
  }
}

bool isKvLayer(const KvLayer& kv, int32_t n_heads) {
  return kv.layer >= 0 && kv.n_kv_heads > 0 && kv.head_dim > 0 && kv.head_dim % 2 == 0 &&
         n_heads > 0 && n_heads % kv.n_kv_heads == 0;
}

void check(const EmbedOp& op) {
  CHECK(isStep(op.token_ids, StepSlot::token_ids));
  CHECK(isWeight(op.table));
  CHECK(isWorkspace(op.out, Dtype::f32, op.table.cols) && op.out.extent == Extent::tokens);
}

void check(const NormQuantiseOp& op) {
  CHECK(isWorkspace(op.x, Dtype::f32, op.x.cols));
  CHECK(!op.gain || isVector(op.gain, Dtype::f32, op.x.cols));
  CHECK(op.normalise || !op.gain);
  CHECK(isActivation(op.out, op.x.cols) && op.out.extent == op.x.extent);
}

void check(const LinearOp& op) {
  CHECK(op.n_parts >= 1 && op.n_parts <= static_cast<int32_t>(op.parts.size()));
  CHECK(isActivation(op.x, op.x.cols));
  for (int32_t i = 0; i < op.n_parts; ++i) {
    const LinearPart& part = op.parts[static_cast<size_t>(i)];
    CHECK(isWeight(part.weight) && part.weight.cols == op.x.cols);
    // Integer dot products exist for quantised weights only.
    CHECK(op.x.dtype == Dtype::f32 || isQuantised(part.weight.dtype));
    CHECK(!part.bias || isVector(part.bias, Dtype::f32, part.weight.rows));
    CHECK(isWorkspace(part.out, Dtype::f32, part.weight.rows) && part.out.extent == op.x.extent);
    CHECK(part.out.offset != op.x.offset);
  }
  const LinearPart& first = op.parts[0];
  CHECK(!op.residual || (isWorkspace(op.residual, Dtype::f32, first.weight.rows) &&
                         op.residual.extent == op.x.extent));
}

void check(const RopeTableOp& op) {
  CHECK(isStep(op.positions, StepSlot::positions));
  CHECK(op.frequencies.cols > 0 && isVector(op.frequencies, Dtype::f64, op.frequencies.cols));
  CHECK(isWorkspace(op.out, Dtype::f32, 2 * int64_t{op.frequencies.cols}));
  CHECK(op.out.extent == Extent::tokens);
}

void check(const RopeAndStoreOp& op) {
  CHECK(isKvLayer(op.kv, op.n_heads));
  CHECK(op.rotary_dim > 0 && op.rotary_dim % 2 == 0 && op.rotary_dim <= op.kv.head_dim);
  const int64_t kv_cols = int64_t{op.kv.n_kv_heads} * op.kv.head_dim;
  CHECK(isWorkspace(op.q, Dtype::f32, int64_t{op.n_heads} * op.kv.head_dim));
  CHECK(isWorkspace(op.k, Dtype::f32, kv_cols) && isWorkspace(op.v, Dtype::f32, kv_cols));
  CHECK(isWorkspace(op.table, Dtype::f32, op.rotary_dim));
  CHECK(op.q.extent == Extent::tokens && op.k.extent == Extent::tokens &&
        op.v.extent == Extent::tokens && op.table.extent == Extent::tokens);
}

void check(const AttentionOp& op) {
  CHECK(isKvLayer(op.kv, op.n_heads));
  const int64_t cols = int64_t{op.n_heads} * op.kv.head_dim;
  CHECK(isWorkspace(op.q, Dtype::f32, cols) && op.q.extent == Extent::tokens);
  CHECK(isWorkspace(op.out, Dtype::f32, cols) && op.out.extent == Extent::tokens);
}

void check(const GatedActivationOp& op) {
  CHECK(isWorkspace(op.gate, Dtype::f32, op.gate.cols));
  CHECK(isWorkspace(op.up, Dtype::f32, op.gate.cols) && op.up.extent == op.gate.extent);
  CHECK(isActivation(op.out, op.gate.cols) && op.out.extent == op.gate.extent);
}

void check(const SelectRowsOp& op) {
  CHECK(isStep(op.rows, StepSlot::out_rows));
  CHECK(isWorkspace(op.x, Dtype::f32, op.x.cols) && op.x.extent == Extent::tokens);
  CHECK(isWorkspace(op.out, Dtype::f32, op.x.cols) && op.out.extent == Extent::outputs);
}

}  // namespace

PlanRecorder::PlanRecorder(Precision precision, int32_t max_tokens, int32_t max_outputs) {
  CHECK(max_tokens > 0 && max_outputs >= 0);
  plan_.precision = precision;
  plan_.max_tokens = max_tokens;
  plan_.max_outputs = max_outputs;
}

Value PlanRecorder::workspace(Extent extent, Dtype dtype, int32_t cols) {
  CHECK(cols > 0 && cols % traitsOf(dtype).block_length == 0);
  const int32_t rows = extent == Extent::tokens ? plan_.max_tokens : plan_.max_outputs;
  const Value value{Space::workspace, extent, dtype, rows, cols, plan_.workspace_bytes};
  const uint64_t bytes = static_cast<uint64_t>(rows) * rowBytes(dtype, cols);
  // An empty value still gets a place of its own: places are what tells values apart.
  const uint64_t lines = bytes == 0 ? 1 : (bytes + kAlignment - 1) / kAlignment;
  plan_.workspace_bytes += lines * kAlignment;
  return value;
}

Value PlanRecorder::stepInput(StepSlot slot) const {
  const bool per_output = slot == StepSlot::out_rows;
  return {Space::step,
          per_output ? Extent::outputs : Extent::tokens,
          Dtype::i32,
          per_output ? plan_.max_outputs : plan_.max_tokens,
          1,
          static_cast<uint64_t>(slot)};
}

void PlanRecorder::add(Op op) {
  std::visit([](const auto& concrete) { check(concrete); }, op);
  plan_.ops.push_back(std::move(op));
}

Plan PlanRecorder::finish(Value logits) {
  plan_.logits = logits;
  return std::move(plan_);
}

}  // namespace hearth
