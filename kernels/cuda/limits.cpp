#include "kernels/cuda/limits.h"

#include <algorithm>

#include "kernels/cuda/kernels.h"

namespace hearth::cuda {
namespace {

constexpr int32_t kMaxRows = 65535;  // rows are the second side of a grid

bool isWeightType(Dtype dtype) {
  return dtype == Dtype::f32 || dtype == Dtype::f16 || dtype == Dtype::bf16 ||
         dtype == Dtype::q8_0 || dtype == Dtype::q4_0;
}

Status checkWeight(const Constant& weight, const char* op) {
  if (isWeightType(weight.dtype)) return {};
  return fail(ErrorCode::unsupported, "{}: the CUDA engine has no kernel for {} weights", op,
              dtypeName(weight.dtype));
}

Status checkHead(int32_t head_dim, const char* op) {
  if (head_dim >= 1 && head_dim <= kMaxHeadDim) return {};
  return fail(ErrorCode::unsupported, "{}: heads of {} elements, the CUDA engine takes up to {}", op,
              head_dim, kMaxHeadDim);
}

Status checkOp(const EmbedOp& op) { return checkWeight(op.table, "embed"); }

Status checkOp(const LinearOp& op) {
  for (int32_t i = 0; i < op.n_parts; ++i) {
    const Constant& weight = op.parts[static_cast<size_t>(i)].weight;
    if (Status s = checkWeight(weight, "linear"); !s) return s;
    if (op.x.dtype == Dtype::a8 && !isQuantised(weight.dtype)) {
      return fail(ErrorCode::unsupported, "linear: quantised activations with {} weights",
                  dtypeName(weight.dtype));
    }
  }
  return {};
}

Status checkOp(const RopeAndStoreOp& op) { return checkHead(op.kv.head_dim, "ropeAndStore"); }
Status checkOp(const AttentionOp& op) { return checkHead(op.kv.head_dim, "attention"); }
template <class AnyOther>
Status checkOp(const AnyOther&) { return {}; }

/// Ids outside one of the plan's tables would read foreign memory.
Status checkTokens(const EmbedOp& op, const StepInputs& step) {
  for (const int32_t id : step.token_ids) {
    if (id < 0 || id >= op.table.rows) {
      return fail(ErrorCode::invalid_argument, "token id {} is outside a table of {} rows", id,
                  op.table.rows);
    }
  }
  return {};
}

Status checkKv(const KvLayer& layer, const StepInputs& step) {
  const KvBinding& kv = step.kv;
  if (kv.data == nullptr || reinterpret_cast<uintptr_t>(kv.data) % 64 != 0) {
    return fail(ErrorCode::invalid_argument, "KV memory is absent or not 64-byte aligned");
  }
  if (kv.dtype != Dtype::f32 && kv.dtype != Dtype::f16 && kv.dtype != Dtype::q8_0) {
    return fail(ErrorCode::invalid_argument, "KV memory of type {}", dtypeName(kv.dtype));
  }
  if (layer.layer < 0 || layer.layer >= kv.n_layers || layer.n_kv_heads != kv.n_kv_heads ||
      layer.head_dim != kv.head_dim || kv.head_dim % traitsOf(kv.dtype).block_length != 0) {
    return fail(ErrorCode::invalid_argument,
                "KV memory of {} layers, {} heads of {} does not fit layer {} with {} heads of {}",
                kv.n_layers, kv.n_kv_heads, kv.head_dim, layer.layer, layer.n_kv_heads,
                layer.head_dim);
  }
  const auto n = static_cast<int64_t>(step.token_ids.size());
  if (step.first_row < 0 || step.first_row + n > kv.capacity_rows) {
    return fail(ErrorCode::invalid_argument, "KV rows {} to {} are outside a capacity of {}",
                step.first_row, step.first_row + n, kv.capacity_rows);
  }
  return {};
}

Status checkOpStep(const EmbedOp& op, const StepInputs& step) { return checkTokens(op, step); }
Status checkOpStep(const RopeAndStoreOp& op, const StepInputs& step) { return checkKv(op.kv, step); }
Status checkOpStep(const AttentionOp& op, const StepInputs& step) { return checkKv(op.kv, step); }
template <class AnyOther>
Status checkOpStep(const AnyOther&, const StepInputs&) { return {}; }

}  // namespace

Status checkPlan(const Plan& plan) {
  if (plan.max_tokens > kMaxRows || plan.max_outputs > kMaxRows) {
    return fail(ErrorCode::unsupported, "a plan for {} tokens, the CUDA engine takes up to {}",
                std::max(plan.max_tokens, plan.max_outputs), kMaxRows);
  }
  for (const Op& op : plan.ops) {
    Status s = std::visit([](const auto& concrete) { return checkOp(concrete); }, op);
    if (!s) return s;
  }
  return {};
}

Status checkStep(const Plan& plan, const StepInputs& step) {
  const size_t n = step.token_ids.size();
  if (n < 1 || n > static_cast<size_t>(plan.max_tokens)) {
    return fail(ErrorCode::invalid_argument, "a step of {} tokens in a plan for {}", n,
                plan.max_tokens);
  }
  if (step.positions.size() != n) {
    return fail(ErrorCode::invalid_argument, "{} positions for {} tokens", step.positions.size(), n);
  }
  if (step.out_rows.size() > static_cast<size_t>(plan.max_outputs)) {
    return fail(ErrorCode::invalid_argument, "{} output rows in a plan for {}",
                step.out_rows.size(), plan.max_outputs);
  }
  for (const int32_t position : step.positions) {
    if (position < 0) return fail(ErrorCode::invalid_argument, "position {} is negative", position);
  }
  if (plan.precision == Precision::exact && step.kv.data != nullptr &&
      step.kv.dtype != Dtype::f32) {
    return fail(ErrorCode::invalid_argument, "exact plans need KV memory of F32, not {}",
                dtypeName(step.kv.dtype));
  }
  for (const int32_t row : step.out_rows) {
    if (row < 0 || static_cast<size_t>(row) >= n) {
      return fail(ErrorCode::invalid_argument, "output row {} of a step of {} tokens", row, n);
    }
  }
  for (const Op& op : plan.ops) {
    Status s = std::visit([&](const auto& concrete) { return checkOpStep(concrete, step); }, op);
    if (!s) return s;
  }
  return {};
}

}  // namespace hearth::cuda
