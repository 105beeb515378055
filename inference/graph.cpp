#include "inference/graph.h"

#include <cmath>
#include <initializer_list>

#include "kernels/base/check.h"

namespace hearth {
namespace {

/// A matrix input in the forms that its readers take: either may be absent.
struct Activation {
  Value f32;
  Value a8;
};

using Matrices = std::initializer_list<const Constant*>;

/// What a matrix's result goes into.
enum class Feeds : uint8_t {
  scores,  // queries and keys, with the values beside them: softmax turns an absolute error into a
           // relative one
  stream,  // everything else
};

/// Writes the ops of one plan. Temporaries are made once and used again by every layer.
class LlamaGraph {
 public:
  LlamaGraph(const ModelConfig& config, const Weights& weights, const GraphOptions& options)
      : c_(config),
        w_(weights),
        options_(options),
        plan_(options.precision, options.max_tokens, options.max_outputs) {}

  Plan record() {
    makeTemporaries();
    plan_.add(EmbedOp{
        .token_ids = plan_.stepInput(StepSlot::token_ids), .table = w_.token_embd, .out = x_});
    plan_.add(RopeTableOp{.positions = plan_.stepInput(StepSlot::positions),
                          .frequencies = w_.rope_frequencies,
                          .out = rope_table_});
    for (int32_t i = 0; i < c_.n_layers; ++i) {
      attention(i, w_.layers[static_cast<size_t>(i)]);
      feedForward(w_.layers[static_cast<size_t>(i)]);
    }
    return plan_.finish(head());
  }

 private:
  void makeTemporaries() {
    x_ = f32(c_.dim);
    rope_table_ = f32(c_.rope.rotary_dim);
    q_ = f32(c_.n_heads * c_.head_dim);
    k_ = f32(c_.n_kv_heads * c_.head_dim);
    v_ = f32(c_.n_kv_heads * c_.head_dim);
    attended_.f32 = f32(c_.n_heads * c_.head_dim);
    gate_ = f32(c_.ffn_dim);
    up_ = f32(c_.ffn_dim);
  }

  /// x += Wo · attention(rope(Wq·h), rope(Wk·h), Wv·h)   with h = norm(x)
  void attention(int32_t layer, const LayerWeights& w) {
    const KvLayer kv{.layer = layer, .n_kv_heads = c_.n_kv_heads, .head_dim = c_.head_dim};
    normalise(x_, w.attn_norm, normed_, {&w.wq, &w.wk, &w.wv}, Feeds::scores);
    linear(normed_, {to(w.wq, q_), to(w.wk, k_), to(w.wv, v_)}, {}, Feeds::scores);
    plan_.add(RopeAndStoreOp{
        .q = q_,
        .k = k_,
        .v = v_,
        .table = rope_table_,
        .n_heads = c_.n_heads,
        .rotary_dim = c_.rope.rotary_dim,
        .layout = c_.rope.interleaved ? RopeLayout::interleaved : RopeLayout::rotate_half,
        .kv = kv});
    plan_.add(AttentionOp{.q = q_,
                          .out = attended_.f32,
                          .n_heads = c_.n_heads,
                          .scale = static_cast<float>(1.0 / std::sqrt(double{1} * c_.head_dim)),
                          .kv = kv});
    if (readsA8(w.wo)) quantise(attended_);
    linear(attended_, {to(w.wo, x_)}, x_);
  }

  /// x += Wdown · (silu(Wgate·h) ⊙ Wup·h)   with h = norm(x)   (SwiGLU, Shazeer 2020)
  void feedForward(const LayerWeights& w) {
    normalise(x_, w.ffn_norm, normed_, {&w.w_gate, &w.w_up});
    linear(normed_, {to(w.w_gate, gate_), to(w.w_up, up_)});
    Activation hidden{.f32 = gate_, .a8 = {}};
    if (readsA8(w.w_down)) hidden.a8 = hidden_a8_ = orNew(hidden_a8_, Extent::tokens, c_.ffn_dim);
    plan_.add(
        GatedActivationOp{.gate = gate_, .up = up_, .out = hidden.a8 ? hidden.a8 : hidden.f32});
    linear(hidden, {to(w.w_down, x_)}, x_);
  }

  /// logits = Wout · norm(x), for the wanted rows only: the vocabulary is the widest matrix.
  Value head() {
    const Value wanted = plan_.workspace(Extent::outputs, Dtype::f32, c_.dim);
    const Value logits = plan_.workspace(Extent::outputs, Dtype::f32, c_.n_vocab);
    Activation h;
    plan_.add(SelectRowsOp{.x = x_, .rows = plan_.stepInput(StepSlot::out_rows), .out = wanted});
    normalise(wanted, w_.output_norm, h, {&w_.output});
    linear(h, {to(w_.output, logits)});
    return logits;
  }

  Value f32(int32_t cols) { return plan_.workspace(Extent::tokens, Dtype::f32, cols); }

  Value orNew(Value existing, Extent extent, int32_t cols, Dtype dtype = Dtype::a8) {
    return existing ? existing : plan_.workspace(extent, dtype, cols);
  }

  /// Integer dot products are for block-quantised weights in fast mode. At 8 bits the rounding of
  /// activations is most of the distance from exact, whose bound is five times narrower than at 4:
  /// in the input of queries, keys and values it is 60 % of that (mean KL 2.2e-3 to 0.9e-3 on
  /// llama-d256-q8_0, for 3 % of the speed), and Q8_0 keys and values use up the bound alone.
  bool readsA8(const Constant& weight, Feeds feeds = Feeds::stream) const {
    if (options_.precision == Precision::exact || !isQuantised(weight.dtype)) return false;
    if (weight.dtype != Dtype::q8_0) return true;
    return feeds != Feeds::scores && options_.kv_type != Dtype::q8_0;
  }

  /// Norms `x` into the forms that `readers` take; a file may mix types within one group.
  void normalise(Value x, const Constant& gain, Activation& out, Matrices readers,
                 Feeds feeds = Feeds::stream) {
    bool any_a8 = false, any_f32 = false;
    for (const Constant* reader : readers) (readsA8(*reader, feeds) ? any_a8 : any_f32) = true;
    NormQuantiseOp op{.x = x, .gain = gain, .eps = c_.rms_norm_eps, .out = {}};
    if (any_f32) {
      op.out = out.f32 = orNew(out.f32, x.extent, x.cols, Dtype::f32);
      plan_.add(op);
    }
    if (any_a8) {
      op.out = out.a8 = orNew(out.a8, x.extent, x.cols);
      plan_.add(op);
    }
  }

  void quantise(Activation& x) {
    x.a8 = orNew(x.a8, x.f32.extent, x.f32.cols);
    plan_.add(NormQuantiseOp{.x = x.f32, .gain = {}, .normalise = false, .out = x.a8});
  }

  static LinearPart to(const Constant& weight, Value out) {
    return {.weight = weight, .bias = {}, .out = out};
  }

  /// One op for the parts that read a8, one for those that read float32. `residual` is for a
  /// single part.
  void linear(const Activation& x, std::initializer_list<LinearPart> parts, Value residual = {},
              Feeds feeds = Feeds::stream) {
    CHECK(!residual || parts.size() == 1);
    for (const bool a8 : {true, false}) {
      LinearOp op{.x = a8 ? x.a8 : x.f32, .parts = {}, .n_parts = 0, .residual = residual};
      for (const LinearPart& part : parts) {
        if (readsA8(part.weight, feeds) == a8) op.parts[static_cast<size_t>(op.n_parts++)] = part;
      }
      if (op.n_parts > 0) plan_.add(op);
    }
  }

  const ModelConfig& c_;
  const Weights& w_;
  GraphOptions options_;
  PlanRecorder plan_;

  Value x_;              // [n, dim] f32, the residual stream
  Value rope_table_;     // [n, rotary_dim] f32
  Activation normed_;    // [n, dim]
  Value q_;              // [n, n_heads * head_dim] f32
  Value k_, v_;          // [n, n_kv_heads * head_dim] f32
  Activation attended_;  // [n, n_heads * head_dim]
  Value gate_, up_;      // [n, ffn_dim] f32
  Value hidden_a8_;      // [n, ffn_dim] a8
};

}  // namespace

Plan recordLlama(const ModelConfig& config, const Weights& weights, const GraphOptions& options) {
  CHECK(options.max_tokens >= 1 && options.max_outputs >= 1);
  CHECK(weights.layers.size() == static_cast<size_t>(config.n_layers));
  return LlamaGraph(config, weights, options).record();
}

}  // namespace hearth
