// Ops that treat each row by itself: a task is one row of the step.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "kernels/cpu/cpu_op.h"

namespace hearth::cpu {
namespace {

const uint8_t* constantRow(const Constant& c, int32_t row) {
  return static_cast<const uint8_t*>(c.data) + static_cast<size_t>(row) * rowBytes(c.dtype, c.cols);
}

class Embed final : public CpuOp {
 public:
  Embed(const EmbedOp& op, const KernelTable& kernels) : op_(op), kernels_(kernels) {}
  int32_t tasks(const Frame& f) const override { return f.rows(Extent::tokens); }
  void run(const Frame& f, int32_t t, float*) const override {
    float* out = f.floats(op_.out, t);
    const int32_t id = f.token_ids[static_cast<size_t>(t)];
    kernels_.load_row(op_.table.dtype, constantRow(op_.table, id), op_.table.cols, out);
    if (op_.scale != 1.0f) kernels_.scale_row(out, op_.table.cols, op_.scale);
  }

 private:
  EmbedOp op_;
  const KernelTable& kernels_;
};

class NormQuantise final : public CpuOp {
 public:
  NormQuantise(const NormQuantiseOp& op, const KernelTable& kernels) : op_(op), kernels_(kernels) {}
  int32_t tasks(const Frame& f) const override { return f.rows(op_.x.extent); }
  int64_t scratchFloats() const override { return op_.x.cols; }
  void run(const Frame& f, int32_t t, float* scratch) const override {
    const bool quantised = op_.out.dtype == Dtype::a8;
    const float* x = f.floats(op_.x, t);
    if (op_.normalise) {
      float* out = quantised ? scratch : f.floats(op_.out, t);
      kernels_.rms_norm(x, static_cast<const float*>(op_.gain.data), op_.x.cols, op_.eps, out);
      x = out;
    }
    if (quantised) {
      kernels_.quantise_a8(x, op_.x.cols, reinterpret_cast<BlockA8*>(f.row(op_.out, t)));
    } else if (!op_.normalise) {
      std::memmove(f.floats(op_.out, t), x, rowBytes(Dtype::f32, op_.x.cols));
    }
  }

 private:
  NormQuantiseOp op_;
  const KernelTable& kernels_;
};

class RopeTable final : public CpuOp {
 public:
  explicit RopeTable(const RopeTableOp& op) : op_(op) {}
  int32_t tasks(const Frame& f) const override { return f.rows(Extent::tokens); }
  void run(const Frame& f, int32_t t, float*) const override {
    const auto* frequencies = static_cast<const double*>(op_.frequencies.data);
    const int32_t pairs = op_.frequencies.cols;
    const double position = f.positions[static_cast<size_t>(t)];
    float* out = f.floats(op_.out, t);
    for (int32_t i = 0; i < pairs; ++i) {
      const double angle = position * frequencies[i];
      out[i] = static_cast<float>(std::cos(angle) * double{op_.magnitude});
      out[pairs + i] = static_cast<float>(std::sin(angle) * double{op_.magnitude});
    }
  }

 private:
  RopeTableOp op_;
};

class RopeAndStore final : public CpuOp {
 public:
  RopeAndStore(const RopeAndStoreOp& op, const KernelTable& kernels) : op_(op), kernels_(kernels) {}
  int32_t tasks(const Frame& f) const override { return f.rows(Extent::tokens); }
  int64_t scratchFloats() const override { return op_.kv.head_dim; }
  void run(const Frame& f, int32_t t, float* scratch) const override {
    const int32_t dim = op_.kv.head_dim;
    const float* table = f.floats(op_.table, t);
    float* q = f.floats(op_.q, t);
    for (int32_t h = 0; h < op_.n_heads; ++h) rotate(q + h * dim, table);
    for (int32_t h = 0; h < op_.kv.n_kv_heads; ++h) {
      std::copy_n(f.floats(op_.k, t) + h * dim, dim, scratch);
      rotate(scratch, table);
      store(f, 0, h, t, scratch);
      store(f, 1, h, t, f.floats(op_.v, t) + h * dim);
    }
  }

 private:
  // (x, y) -> (x cos - y sin, x sin + y cos), RoFormer (Su et al. 2021), equation 34.
  void rotate(float* head, const float* table) const {
    const int32_t half = op_.rotary_dim / 2;
    const bool interleaved = op_.layout == RopeLayout::interleaved;
    const int32_t step = interleaved ? 2 : 1, partner = interleaved ? 1 : half;
    for (int32_t i = 0; i < half; ++i) {
      float& a = head[i * step];
      float& b = head[i * step + partner];
      const float x = a, y = b, c = table[i], s = table[half + i];
      a = x * c - y * s;
      b = x * s + y * c;
    }
  }
  void store(const Frame& f, int32_t part, int32_t head, int32_t t, const float* row) const {
    const int32_t dim = op_.kv.head_dim;
    uint8_t* rows = f.kvHead(op_.kv, part, head);
    kernels_.store_row(f.kv.dtype, row, dim,
                       rows + static_cast<size_t>(f.first_row + t) * rowBytes(f.kv.dtype, dim));
  }

  RopeAndStoreOp op_;
  const KernelTable& kernels_;
};

class GatedActivation final : public CpuOp {
 public:
  GatedActivation(const GatedActivationOp& op, const KernelTable& kernels)
      : op_(op), kernels_(kernels) {}
  // A long row is cut: one token has one row only, and exp takes its time.
  static constexpr int32_t kPiece = 1024;
  int32_t pieces() const { return (op_.gate.cols + kPiece - 1) / kPiece; }
  int32_t tasks(const Frame& f) const override { return f.rows(op_.gate.extent) * pieces(); }
  int64_t scratchFloats() const override { return kPiece; }
  void run(const Frame& f, int32_t task, float* scratch) const override {
    const int32_t t = task / pieces(), begin = task % pieces() * kPiece;
    const int32_t count = std::min(kPiece, op_.gate.cols - begin);
    const float* gate = f.floats(op_.gate, t) + begin;
    const float* up = f.floats(op_.up, t) + begin;
    if (op_.out.dtype == Dtype::f32) {
      return kernels_.gated_silu(gate, up, count, f.floats(op_.out, t) + begin);
    }
    kernels_.gated_silu(gate, up, count, scratch);
    auto* blocks = reinterpret_cast<BlockA8*>(f.row(op_.out, t));
    kernels_.quantise_a8(scratch, count, blocks + begin / kBlockLength);
  }

 private:
  GatedActivationOp op_;
  const KernelTable& kernels_;
};

class SelectRows final : public CpuOp {
 public:
  explicit SelectRows(const SelectRowsOp& op) : op_(op) {}
  int32_t tasks(const Frame& f) const override { return f.rows(Extent::outputs); }
  void run(const Frame& f, int32_t j, float*) const override {
    const int32_t from = f.out_rows[static_cast<size_t>(j)];
    std::memcpy(f.floats(op_.out, j), f.floats(op_.x, from), rowBytes(Dtype::f32, op_.x.cols));
  }

 private:
  SelectRowsOp op_;
};

}  // namespace

void appendOp(const Op& op, const KernelTable& kernels, CpuOps& out) {
  std::visit(
      [&](const auto& concrete) {
        using T = std::decay_t<decltype(concrete)>;
        if constexpr (std::is_same_v<T, EmbedOp>) {
          out.push_back(std::make_unique<Embed>(concrete, kernels));
        } else if constexpr (std::is_same_v<T, NormQuantiseOp>) {
          out.push_back(std::make_unique<NormQuantise>(concrete, kernels));
        } else if constexpr (std::is_same_v<T, RopeTableOp>) {
          out.push_back(std::make_unique<RopeTable>(concrete));
        } else if constexpr (std::is_same_v<T, RopeAndStoreOp>) {
          out.push_back(std::make_unique<RopeAndStore>(concrete, kernels));
        } else if constexpr (std::is_same_v<T, GatedActivationOp>) {
          out.push_back(std::make_unique<GatedActivation>(concrete, kernels));
        } else if constexpr (std::is_same_v<T, SelectRowsOp>) {
          out.push_back(std::make_unique<SelectRows>(concrete));
        } else if constexpr (std::is_same_v<T, LinearOp>) {
          appendLinear(concrete, kernels, out);
        } else {
          static_assert(std::is_same_v<T, AttentionOp>);
          appendAttention(concrete, kernels, out);
        }
      },
      op);
}

}  // namespace hearth::cpu
