// A Llama of random weights, small and of odd sizes, recorded with the ops of the real graph.
#pragma once

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "kernels/base/check.h"
#include "kernels/base/quantise.h"
#include "kernels/device.h"

namespace hearth::testing {

struct SmallModelShape {
  Dtype weight = Dtype::f32;
  int32_t n_vocab = 67, dim = 96, ffn = 160, n_layers = 2, n_heads = 6, n_kv_heads = 2, head_dim = 16;
  int32_t capacity_rows = 800;  // more than two attention segments
};

/// Weights in host memory; plans of any bucket.
class SmallModel {
 public:
  explicit SmallModel(const SmallModelShape& shape) : shape_(shape) {
    const int32_t heads = shape.n_heads * shape.head_dim, kv = shape.n_kv_heads * shape.head_dim;
    embedding_ = weight(shape.weight, shape.n_vocab, shape.dim, 1.0f);
    for (int32_t i = 0; i < shape.n_layers; ++i) {
      layers_.push_back({gain(), matrix(heads, shape.dim), matrix(kv, shape.dim), matrix(kv, shape.dim),
                         matrix(shape.dim, heads), gain(), matrix(shape.ffn, shape.dim),
                         matrix(shape.ffn, shape.dim), matrix(shape.dim, shape.ffn)});
    }
    output_norm_ = gain();
    std::vector<double> frequencies;
    for (int32_t i = 0; i < shape.head_dim / 2; ++i) {
      frequencies.push_back(std::pow(10000.0, -2.0 * i / shape.head_dim));
    }
    frequencies_ = keep(Dtype::f64, 1, shape.head_dim / 2, frequencies.data());
  }

  const SmallModelShape& shape() const { return shape_; }

  KvBinding kvShape(Dtype dtype) const {
    return {nullptr, dtype, shape_.n_layers, shape_.n_kv_heads, shape_.head_dim, shape_.capacity_rows};
  }

  Plan plan(Precision precision, int32_t max_tokens, int32_t max_outputs) const {
    const bool a8 = precision == Precision::fast && isQuantised(shape_.weight);
    const Dtype input = a8 ? Dtype::a8 : Dtype::f32;
    PlanRecorder r(precision, max_tokens, max_outputs);
    const auto value = [&](Dtype type, int32_t cols) { return r.workspace(Extent::tokens, type, cols); };
    const int32_t heads = shape_.n_heads * shape_.head_dim, kv = shape_.n_kv_heads * shape_.head_dim;
    const Value x = value(Dtype::f32, shape_.dim), normed = value(input, shape_.dim);
    const Value table = value(Dtype::f32, shape_.head_dim);
    const Value q = value(Dtype::f32, heads), k = value(Dtype::f32, kv), v = value(Dtype::f32, kv);
    const Value mixed = value(Dtype::f32, heads), mixed_in = a8 ? value(input, heads) : mixed;
    const Value gate = value(Dtype::f32, shape_.ffn), up = value(Dtype::f32, shape_.ffn);
    const Value active = value(input, shape_.ffn);
    r.add(EmbedOp{r.stepInput(StepSlot::token_ids), embedding_, 1.0f, x});
    r.add(RopeTableOp{r.stepInput(StepSlot::positions), frequencies_, 1.0f, table});
    for (int32_t i = 0; i < shape_.n_layers; ++i) {
      const Layer& l = layers_[static_cast<size_t>(i)];
      const KvLayer kv_layer{i, shape_.n_kv_heads, shape_.head_dim};
      r.add(NormQuantiseOp{x, l.attn_norm, 1e-5f, true, normed});
      r.add(LinearOp{normed, {{{l.wq, {}, q}, {l.wk, {}, k}, {l.wv, {}, v}}}, 3, {}});
      r.add(RopeAndStoreOp{q, k, v, table, shape_.n_heads, shape_.head_dim, RopeLayout::interleaved, kv_layer});
      r.add(AttentionOp{q, mixed, shape_.n_heads, 1.0f / std::sqrt(float(shape_.head_dim)), kv_layer});
      if (a8) r.add(NormQuantiseOp{mixed, {}, 0, false, mixed_in});
      r.add(LinearOp{mixed_in, {{{l.wo, {}, x}, {}, {}}}, 1, x});
      r.add(NormQuantiseOp{x, l.ffn_norm, 1e-5f, true, normed});
      r.add(LinearOp{normed, {{{l.w_gate, {}, gate}, {l.w_up, {}, up}, {}}}, 2, {}});
      r.add(GatedActivationOp{gate, up, active});
      r.add(LinearOp{active, {{{l.w_down, {}, x}, {}, {}}}, 1, x});
    }
    const Value last = r.workspace(Extent::outputs, Dtype::f32, shape_.dim);
    const Value last_normed = r.workspace(Extent::outputs, input, shape_.dim);
    const Value logits = r.workspace(Extent::outputs, Dtype::f32, shape_.n_vocab);
    r.add(SelectRowsOp{x, r.stepInput(StepSlot::out_rows), last});
    r.add(NormQuantiseOp{last, output_norm_, 1e-5f, true, last_normed});
    r.add(LinearOp{last_normed, {{{embedding_, {}, logits}, {}, {}}}, 1, {}});
    return r.finish(logits);
  }

 private:
  struct Layer { Constant attn_norm, wq, wk, wv, wo, ffn_norm, w_gate, w_up, w_down; };

  Constant keep(Dtype type, int32_t rows, int32_t cols, const void* data) {
    const auto* bytes = static_cast<const std::byte*>(data);
    memory_.emplace_back(bytes, bytes + static_cast<size_t>(rows) * rowBytes(type, cols));
    return {memory_.back().data(), type, rows, cols};
  }
  Constant weight(Dtype type, int32_t rows, int32_t cols, float amplitude) {
    std::normal_distribution<float> normal(0.0f, amplitude);
    std::vector<float> row(static_cast<size_t>(cols));
    std::vector<std::byte> bytes(static_cast<size_t>(rows) * rowBytes(type, cols));
    for (int32_t r = 0; r < rows; ++r) {
      for (float& v : row) v = normal(random_);
      quantiseRow(type, row.data(), cols, bytes.data() + static_cast<size_t>(r) * rowBytes(type, cols));
    }
    return keep(type, rows, cols, bytes.data());
  }
  Constant matrix(int32_t rows, int32_t cols) {
    return weight(shape_.weight, rows, cols, 1.0f / std::sqrt(static_cast<float>(cols)));
  }
  Constant gain() { return weight(Dtype::f32, 1, shape_.dim, 1.0f); }

  SmallModelShape shape_;
  std::mt19937 random_{7};
  std::vector<std::vector<std::byte>> memory_;
  Constant embedding_, output_norm_, frequencies_;
  std::vector<Layer> layers_;
};

inline std::vector<int32_t> someIds(int32_t n, int32_t n_vocab) {
  std::mt19937 random(11);
  std::vector<int32_t> ids;
  for (int32_t i = 0; i < n; ++i) ids.push_back(static_cast<int32_t>(random() % static_cast<uint32_t>(n_vocab)));
  return ids;
}

/// Logits of all positions of `ids`, [ids.size(), n_vocab], with the given sizes of chunks in turn.
inline std::vector<float> allLogits(const SmallModel& model, Device& device, Precision precision,
                                    Dtype kv_type, const std::vector<int32_t>& ids,
                                    const std::vector<int32_t>& chunks) {
  KvBinding kv = model.kvShape(kv_type);
  auto memory = device.allocate(kvBytes(kv));
  CHECK(memory.has_value());
  kv.data = (*memory)->data();
  const auto n_vocab = static_cast<size_t>(model.shape().n_vocab);
  std::vector<float> logits;
  for (size_t done = 0, c = 0; done < ids.size(); ++c) {
    const size_t n = std::min(static_cast<size_t>(chunks[c % chunks.size()]), ids.size() - done);
    auto compiled = device.compile(model.plan(precision, static_cast<int32_t>(n), static_cast<int32_t>(n)));
    CHECK(compiled.has_value());
    std::vector<int32_t> positions, rows;
    for (size_t i = 0; i < n; ++i) {
      positions.push_back(static_cast<int32_t>(done + i));
      rows.push_back(static_cast<int32_t>(i));
    }
    const StepInputs step{std::span(ids).subspan(done, n), positions, rows, static_cast<int32_t>(done), kv, nullptr};
    CHECK((*compiled)->run(step).has_value());
    logits.resize((done + n) * n_vocab);
    const auto out = std::as_writable_bytes(std::span(logits).subspan(done * n_vocab));
    CHECK((*compiled)->download(model.plan(precision, static_cast<int32_t>(n), static_cast<int32_t>(n)).logits, out).has_value());
    done += n;
  }
  return logits;
}

}  // namespace hearth::testing
