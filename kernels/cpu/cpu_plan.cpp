#include "kernels/cpu/cpu_plan.h"

#include <algorithm>
#include <cstring>

#include "kernels/cpu/host_memory.h"

namespace hearth::cpu {

Result<std::unique_ptr<CpuPlan>> CpuPlan::create(Plan plan, const KernelTable& kernels,
                                                 ThreadPool& pool) {
  std::unique_ptr<CpuPlan> out(new CpuPlan(std::move(plan), pool));
  if (auto consistent = out->gatherNeeds(); !consistent) return passOn(consistent);
  for (const Op& op : out->plan_.ops) appendOp(op, kernels, out->ops_);
  for (const auto& op : out->ops_) {
    out->scratch_floats_ = std::max(out->scratch_floats_, op->scratchFloats());
  }
  out->scratch_floats_ = (out->scratch_floats_ + 15) / 16 * 16;
  out->next_task_ = std::vector<std::atomic<int32_t>>(out->ops_.size());
  auto workspace = allocatePages(out->plan_.workspace_bytes);
  if (!workspace) return passOn(workspace);
  out->workspace_ = *std::move(workspace);
  auto scratch = allocatePages(static_cast<size_t>(out->scratch_floats_) * sizeof(float) *
                               static_cast<size_t>(pool.size()));
  if (!scratch) return passOn(scratch);
  out->scratch_ = *std::move(scratch);
  return out;
}

Status CpuPlan::gatherNeeds() {
  const auto useKv = [this](const KvLayer& layer) {
    const bool same = !needs_.kv || (needs_.n_kv_heads == layer.n_kv_heads && needs_.head_dim == layer.head_dim);
    needs_.kv = true;
    needs_.n_layers = std::max(needs_.n_layers, layer.layer + 1);
    needs_.n_kv_heads = layer.n_kv_heads;
    needs_.head_dim = layer.head_dim;
    return same;
  };
  for (const Op& op : plan_.ops) {
    bool same = true;
    if (const auto* embed = std::get_if<EmbedOp>(&op)) {
      needs_.n_vocab = std::min(needs_.n_vocab, embed->table.rows);
    } else if (const auto* rope = std::get_if<RopeAndStoreOp>(&op)) {
      same = useKv(rope->kv);
    } else if (const auto* attention = std::get_if<AttentionOp>(&op)) {
      same = useKv(attention->kv);
    }
    if (!same) {
      return fail(ErrorCode::unsupported, "a plan whose layers have different KV shapes");
    }
  }
  return {};
}

Status CpuPlan::checkStep(const StepInputs& step) const {
  const auto n = static_cast<int64_t>(step.token_ids.size());
  const auto m = static_cast<int64_t>(step.out_rows.size());
  if (n < 1 || n > plan_.max_tokens) {
    return fail(ErrorCode::invalid_argument, "a step of {} tokens, where 1 to {} are possible", n,
                plan_.max_tokens);
  }
  if (step.positions.size() != step.token_ids.size()) {
    return fail(ErrorCode::invalid_argument, "{} tokens but {} positions", n, step.positions.size());
  }
  if (m > plan_.max_outputs) {
    return fail(ErrorCode::invalid_argument, "{} output rows, where {} are possible", m,
                plan_.max_outputs);
  }
  for (const int32_t id : step.token_ids) {
    if (id < 0 || id >= needs_.n_vocab) {
      return fail(ErrorCode::invalid_argument, "token id {} is outside a vocabulary of {}", id,
                  needs_.n_vocab);
    }
  }
  for (const int32_t position : step.positions) {
    if (position < 0) return fail(ErrorCode::invalid_argument, "position {} is negative", position);
  }
  for (const int32_t row : step.out_rows) {
    if (row < 0 || row >= n) {
      return fail(ErrorCode::invalid_argument, "output row {} of a step of {} tokens", row, n);
    }
  }
  return needs_.kv ? checkKv(step) : Status{};
}

Status CpuPlan::checkKv(const StepInputs& step) const {
  const KvBinding& kv = step.kv;
  const bool type_ok = kv.dtype == Dtype::f32 || kv.dtype == Dtype::f16 ||
                       (kv.dtype == Dtype::q8_0 && kv.head_dim % 32 == 0);
  if (kv.data == nullptr || !type_ok) {
    return fail(ErrorCode::invalid_argument, "no KV memory of a usable type ({})", dtypeName(kv.dtype));
  }
  if (plan_.precision == Precision::exact && kv.dtype != Dtype::f32) {
    return fail(ErrorCode::invalid_argument, "exact plans need KV of F32, not {}", dtypeName(kv.dtype));
  }
  if (kv.n_layers < needs_.n_layers || kv.n_kv_heads != needs_.n_kv_heads ||
      kv.head_dim != needs_.head_dim) {
    return fail(ErrorCode::invalid_argument,
                "KV memory of {} layers × {} heads × {} for a plan of {} × {} × {}", kv.n_layers,
                kv.n_kv_heads, kv.head_dim, needs_.n_layers, needs_.n_kv_heads, needs_.head_dim);
  }
  const auto n = static_cast<int64_t>(step.token_ids.size());
  if (step.first_row < 0 || step.first_row + n > kv.capacity_rows) {
    return fail(ErrorCode::invalid_argument, "KV rows {} to {} of {}", step.first_row,
                step.first_row + n, kv.capacity_rows);
  }
  return {};
}

Status CpuPlan::growShared(const KvBinding& kv) {
  if (pool_.size() == 1 || !needs_.kv) return {};
  int64_t floats = 0;
  for (const auto& op : ops_) floats = std::max(floats, op->sharedFloats(kv));
  const auto bytes = static_cast<size_t>(floats) * sizeof(float);
  if (shared_ && shared_->size() >= bytes) return {};
  auto grown = allocatePages(bytes);  // a longer context than before: between steps, not inside one
  if (!grown) return passOn(grown);
  shared_ = *std::move(grown);
  return {};
}

Status CpuPlan::run(const StepInputs& step) {
  if (auto valid = checkStep(step); !valid) return valid;
  if (auto grown = growShared(step.kv); !grown) return grown;
  Frame frame;
  frame.workspace = static_cast<std::byte*>(workspace_->data());
  frame.token_ids = step.token_ids;
  frame.positions = step.positions;
  frame.out_rows = step.out_rows;
  frame.first_row = step.first_row;
  frame.kv = step.kv;
  frame.n_threads = pool_.size();
  frame.shared = shared_ ? static_cast<float*>(shared_->data()) : nullptr;
  for (auto& next : next_task_) next.store(0, std::memory_order_relaxed);
  cancelled_ = false;
  pool_.run([&](int thread) { work(frame, step.cancel, thread); });
  if (cancelled_) return fail(ErrorCode::cancelled, "the step was cancelled");
  return {};
}

void CpuPlan::work(const Frame& frame, const std::atomic<bool>* cancel, int thread) {
  float* scratch = static_cast<float*>(scratch_->data()) + thread * scratch_floats_;
  const auto look = [&] {
    cancelled_ = cancel != nullptr && cancel->load(std::memory_order_relaxed);
  };
  for (size_t i = 0; i < ops_.size(); ++i) {
    const int32_t n_tasks = ops_[i]->tasks(frame);
    if (n_tasks == 0) continue;  // the same on every thread
    for (int32_t task; (task = next_task_[i].fetch_add(1, std::memory_order_relaxed)) < n_tasks;) {
      ops_[i]->run(frame, task, scratch);
    }
    barrier_.arrive(look);
    if (cancelled_) return;
  }
}

Status CpuPlan::checkRange(const Value& value, size_t bytes) const {
  const uint64_t size = static_cast<uint64_t>(value.max_rows) * rowBytes(value.dtype, value.cols);
  if (value.space == Space::workspace && bytes <= size && value.offset <= workspace_->size() &&
      size <= workspace_->size() - value.offset) {
    return {};
  }
  return fail(ErrorCode::invalid_argument, "{} bytes of a value that has {}", bytes, size);
}

Status CpuPlan::download(const Value& value, std::span<std::byte> bytes) const {
  if (auto fits = checkRange(value, bytes.size()); !fits) return fits;
  return workspace_->read(value.offset, bytes);
}

Status CpuPlan::upload(const Value& value, std::span<const std::byte> bytes) {
  if (auto fits = checkRange(value, bytes.size()); !fits) return fits;
  return workspace_->write(value.offset, bytes);
}

}  // namespace hearth::cpu
