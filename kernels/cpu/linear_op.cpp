// Matrix products: the rows of all parts, one after another, shared out in contiguous runs.
#include <algorithm>

#include "kernels/cpu/cpu_op.h"

namespace hearth::cpu {
namespace {

class Linear final : public CpuOp {
 public:
  Linear(const LinearOp& op, const KernelTable& kernels) : op_(op), kernels_(kernels) {
    for (int32_t p = 0; p < op.n_parts; ++p) rows_ += op.parts[static_cast<size_t>(p)].weight.rows;
  }

  // Several runs for each thread, so that one that lost its core does not hold up the others.
  int32_t tasks(const Frame& f) const override {
    if (f.rows(op_.x.extent) == 0) return 0;
    if (f.n_threads == 1) return 1;
    return std::min((rows_ + kUnit - 1) / kUnit, 8 * f.n_threads);
  }

  int64_t scratchFloats() const override { return HEARTH_LINEAR_SCRATCH_FLOATS(op_.x.cols); }

  void run(const Frame& f, int32_t task, float* scratch) const override {
    const Share all = shareOf(rows_, kUnit, tasks(f), task);
    int32_t first = 0;  // number of the part's first row
    for (int32_t p = 0; p < op_.n_parts; ++p) {
      const int32_t part_rows = op_.parts[static_cast<size_t>(p)].weight.rows;
      const int32_t begin = std::max(all.begin, first), end = std::min(all.end, first + part_rows);
      if (begin < end) runPart(f, p, {begin - first, end - first}, scratch);
      first += part_rows;
    }
  }

 private:
  static constexpr int32_t kUnit = kTileRowsMax;

  void runPart(const Frame& f, int32_t p, Share rows, float* scratch) const {
    const LinearPart& part = op_.parts[static_cast<size_t>(p)];
    LinearArgs args{};
    args.x = f.row(op_.x, 0);
    args.x_row_bytes = static_cast<int64_t>(rowBytes(op_.x.dtype, op_.x.cols));
    args.n_tokens = f.rows(op_.x.extent);
    args.in = op_.x.cols;
    args.weight_type = part.weight.dtype;
    args.weight_row_bytes = static_cast<int64_t>(rowBytes(part.weight.dtype, op_.x.cols));
    args.weight = static_cast<const uint8_t*>(part.weight.data) + rows.begin * args.weight_row_bytes;
    args.n_rows = rows.end - rows.begin;
    if (part.bias) args.bias = static_cast<const float*>(part.bias.data) + rows.begin;
    if (p == 0 && op_.residual) {
      args.residual = f.floats(op_.residual, 0) + rows.begin;
      args.residual_stride = op_.residual.cols;
    }
    args.out = f.floats(part.out, 0) + rows.begin;
    args.out_stride = part.out.cols;
    args.scratch = scratch;
    (op_.x.dtype == Dtype::a8 ? kernels_.linear_a8 : kernels_.linear_f32)(args);
  }

  LinearOp op_;
  const KernelTable& kernels_;
  int32_t rows_ = 0;
};

}  // namespace

void appendLinear(const LinearOp& op, const KernelTable& kernels, CpuOps& out) {
  out.push_back(std::make_unique<Linear>(op, kernels));
}

}  // namespace hearth::cpu
