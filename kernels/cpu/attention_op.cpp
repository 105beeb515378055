// Attention: keys are always taken in segments, each softmaxed by itself and merged in order, so that
// the arithmetic of a token is the same whether one thread walks all of its segments or many share
// them. A task is some tokens of one KV head; when there are fewer of those than the threads want,
// a task is one segment, and a second op merges.
#include <algorithm>

#include "kernels/cpu/cpu_op.h"

namespace hearth::cpu {
namespace {

constexpr int32_t kSegment = 256;      // keys; a multiple of kKeyTile
constexpr int32_t kTokensOfTask = 8;   // share one conversion of each tile of keys and values
constexpr int32_t kSplitTokens = 4;    // at most so many tokens are worth splitting

static_assert(kSegment % kKeyTile == 0);

/// What Attend and Merge have to agree on.
class AttentionShape {
 public:
  explicit AttentionShape(const AttentionOp& op) : op_(op) {}

  int32_t group() const { return op_.n_heads / op_.kv.n_kv_heads; }
  int64_t stateFloats() const { return HEARTH_STATE_FLOATS(op_.kv.head_dim); }
  static int32_t segments(int32_t keys) { return (keys + kSegment - 1) / kSegment; }
  static int32_t keysOfLast(const Frame& f) { return f.first_row + f.rows(Extent::tokens); }

  bool isSplit(const Frame& f) const {
    const int32_t n = f.rows(Extent::tokens);
    return f.n_threads > 1 && n <= kSplitTokens && keysOfLast(f) > kSegment &&
           n * op_.kv.n_kv_heads < 4 * f.n_threads;
  }

  /// States of a segment in the split form, which lie in Frame::shared:
  /// [n_tokens ≤ kSplitTokens, n_kv_heads, segments, group, state] f32
  float* partial(const Frame& f, int32_t t, int32_t head, int32_t segment) const {
    const int64_t row = int64_t{t} * op_.kv.n_kv_heads + head;
    const int64_t at = row * segments(f.kv.capacity_rows) + segment;
    return f.shared + at * group() * stateFloats();
  }
  int64_t sharedFloats(const KvBinding& kv) const {
    return int64_t{kSplitTokens} * op_.kv.n_kv_heads * segments(kv.capacity_rows) * group() *
           stateFloats();
  }

  float* out(const Frame& f, int32_t t, int32_t head, int32_t g) const {
    return f.floats(op_.out, t) + (static_cast<int64_t>(head) * group() + g) * op_.kv.head_dim;
  }

 protected:
  AttentionOp op_;
};

class Attend final : public CpuOp, private AttentionShape {
 public:
  Attend(const AttentionOp& op, const KernelTable& kernels) : AttentionShape(op), kernels_(kernels) {}

  int32_t tasks(const Frame& f) const override {
    const int32_t n = f.rows(Extent::tokens);
    if (isSplit(f)) return n * op_.kv.n_kv_heads * segments(keysOfLast(f));
    return (n + kTokensOfTask - 1) / kTokensOfTask * op_.kv.n_kv_heads;
  }

  int64_t sharedFloats(const KvBinding& kv) const override {
    return AttentionShape::sharedFloats(kv);
  }

  /// Two sets of states after what the kernel itself needs.
  int64_t scratchFloats() const override {
    return kernelScratch() + 2 * kTokensOfTask * group() * stateFloats();
  }

  void run(const Frame& f, int32_t task, float* scratch) const override {
    const int32_t heads = op_.kv.n_kv_heads;
    if (!isSplit(f)) return runTokens(f, task / heads * kTokensOfTask, task % heads, scratch);
    const int32_t n_segments = segments(keysOfLast(f));
    const int32_t t = task / (heads * n_segments), head = task / n_segments % heads;
    const int32_t segment = task % n_segments;
    runSegment(f, t, 1, head, segment, partial(f, t, head, segment), scratch);
  }

 private:
  int64_t kernelScratch() const {
    return (HEARTH_ATTEND_SCRATCH_FLOATS(op_.kv.head_dim) + 15) / 16 * 16;
  }

  void runSegment(const Frame& f, int32_t t, int32_t n, int32_t head, int32_t segment, float* states,
                  float* scratch) const {
    AttendArgs args{};
    args.q = f.floats(op_.q, t) + static_cast<int64_t>(head) * group() * op_.kv.head_dim;
    args.q_stride = op_.q.cols;
    args.n_tokens = n;
    args.group = group();
    args.head_dim = op_.kv.head_dim;
    args.scale = op_.scale;
    args.kv_type = f.kv.dtype;
    args.k = f.kvHead(op_.kv, 0, head);
    args.v = f.kvHead(op_.kv, 1, head);
    args.kv_row_bytes = static_cast<int64_t>(rowBytes(f.kv.dtype, op_.kv.head_dim));
    args.visible = f.first_row + t + 1;
    args.key_begin = segment * kSegment;
    args.key_end = args.key_begin + kSegment;
    args.states = states;
    args.scratch = scratch;
    kernels_.attend(args);
  }

  void runTokens(const Frame& f, int32_t first, int32_t head, float* scratch) const {
    const int32_t n = std::min(kTokensOfTask, f.rows(Extent::tokens) - first);
    float* total = scratch + kernelScratch();
    float* part = total + int64_t{n} * group() * stateFloats();
    runSegment(f, first, n, head, 0, total, scratch);
    for (int32_t s = 1; s < segments(f.first_row + first + n); ++s) {
      runSegment(f, first, n, head, s, part, scratch);
      for (int32_t i = 0; i < n * group(); ++i) {
        // A token that sees nothing of the segment must not notice that others do.
        if (s * kSegment >= f.first_row + first + i / group() + 1) continue;
        kernels_.merge_states(total + i * stateFloats(), part + i * stateFloats(), op_.kv.head_dim);
      }
    }
    for (int32_t i = 0; i < n * group(); ++i) {
      kernels_.finish_state(total + i * stateFloats(), op_.kv.head_dim,
                            out(f, first + i / group(), head, i % group()));
    }
  }

  const KernelTable& kernels_;
};

/// The second half of the split form: a task is one query head of one token.
class Merge final : public CpuOp, private AttentionShape {
 public:
  Merge(const AttentionOp& op, const KernelTable& kernels) : AttentionShape(op), kernels_(kernels) {}

  int32_t tasks(const Frame& f) const override {
    return isSplit(f) ? f.rows(Extent::tokens) * op_.n_heads : 0;
  }

  void run(const Frame& f, int32_t task, float*) const override {
    const int32_t t = task / op_.n_heads, h = task % op_.n_heads;
    const int32_t head = h / group(), g = h % group();
    const auto state = [&](int32_t segment) {
      return partial(f, t, head, segment) + g * stateFloats();
    };
    for (int32_t s = 1; s < segments(f.first_row + t + 1); ++s) {
      kernels_.merge_states(state(0), state(s), op_.kv.head_dim);
    }
    kernels_.finish_state(state(0), op_.kv.head_dim, out(f, t, head, g));
  }

 private:
  const KernelTable& kernels_;
};

}  // namespace

void appendAttention(const AttentionOp& op, const KernelTable& kernels, CpuOps& out) {
  out.push_back(std::make_unique<Attend>(op, kernels));
  out.push_back(std::make_unique<Merge>(op, kernels));
}

}  // namespace hearth::cpu
