#include "kernels/reference/reference.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "kernels/base/check.h"
#include "kernels/base/quantise.h"

namespace hearth {
namespace {

struct Frame {
  ReferencePlan& plan;
  const StepInputs& step;
  ReferenceKv& kv;

  std::span<const int32_t> ints(const Value& slot) const {
    switch (static_cast<StepSlot>(slot.offset)) {
      case StepSlot::token_ids: return step.token_ids;
      case StepSlot::positions: return step.positions;
      case StepSlot::out_rows: return step.out_rows;
    }
    failCheck("known step slot", __FILE__, __LINE__);
  }
  size_t rows(const Value& v) const {
    return v.extent == Extent::tokens ? step.token_ids.size() : step.out_rows.size();
  }
  std::span<double> row(const Value& v, size_t r) const {
    const auto cols = static_cast<size_t>(v.cols);
    return plan.at(v).subspan(r * cols, cols);
  }
};

std::vector<double> constantRow(const Constant& c, int32_t row) {
  CHECK(row >= 0 && row < c.rows);
  std::vector<double> out(static_cast<size_t>(c.cols));
  const auto* bytes = static_cast<const std::byte*>(c.data);
  dequantiseRow(c.dtype, bytes + static_cast<size_t>(row) * rowBytes(c.dtype, c.cols), c.cols,
                out.data());
  return out;
}

double dot(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

void run(const EmbedOp& op, const Frame& f) {
  const auto ids = f.ints(op.token_ids);
  for (size_t t = 0; t < ids.size(); ++t) {
    const auto row = constantRow(op.table, ids[t]);
    std::transform(row.begin(), row.end(), f.row(op.out, t).begin(),
                   [&](double x) { return x * double{op.scale}; });
  }
}

void run(const NormQuantiseOp& op, const Frame& f) {
  const auto gain = op.gain ? constantRow(op.gain, 0)
                            : std::vector<double>(static_cast<size_t>(op.x.cols), 1.0);
  for (size_t t = 0; t < f.rows(op.x); ++t) {
    const auto x = f.row(op.x, t);
    const auto out = f.row(op.out, t);
    const double mean = dot(x, x) / static_cast<double>(x.size());
    const double scale = op.normalise ? 1.0 / std::sqrt(mean + double{op.eps}) : 1.0;
    for (size_t i = 0; i < x.size(); ++i) out[i] = x[i] * scale * gain[i];
  }
}

void run(const LinearOp& op, const Frame& f) {
  for (int32_t p = 0; p < op.n_parts; ++p) {
    const LinearPart& part = op.parts[static_cast<size_t>(p)];
    const auto bias = part.bias ? constantRow(part.bias, 0) : std::vector<double>();
    for (int32_t r = 0; r < part.weight.rows; ++r) {
      const auto weight = constantRow(part.weight, r);
      const auto i = static_cast<size_t>(r);
      for (size_t t = 0; t < f.rows(op.x); ++t) {
        double y = dot(f.row(op.x, t), weight);
        if (part.bias) y += bias[i];
        if (p == 0 && op.residual) y += f.row(op.residual, t)[i];
        f.row(part.out, t)[i] = y;
      }
    }
  }
}

void run(const RopeTableOp& op, const Frame& f) {
  const auto frequencies = constantRow(op.frequencies, 0);
  const auto positions = f.ints(op.positions);
  for (size_t t = 0; t < positions.size(); ++t) {
    const auto out = f.row(op.out, t);
    for (size_t i = 0; i < frequencies.size(); ++i) {
      const double angle = positions[t] * frequencies[i];
      out[i] = std::cos(angle) * double{op.magnitude};
      out[frequencies.size() + i] = std::sin(angle) * double{op.magnitude};
    }
  }
}

void rotateHead(std::span<double> head, std::span<const double> table, RopeLayout layout) {
  const size_t half = table.size() / 2;
  for (size_t i = 0; i < half; ++i) {
    const size_t a = layout == RopeLayout::interleaved ? 2 * i : i;
    const size_t b = layout == RopeLayout::interleaved ? 2 * i + 1 : i + half;
    const double x = head[a], y = head[b];
    head[a] = x * table[i] - y * table[half + i];
    head[b] = x * table[half + i] + y * table[i];
  }
}

void run(const RopeAndStoreOp& op, const Frame& f) {
  const auto dim = static_cast<size_t>(op.kv.head_dim);
  for (size_t t = 0; t < f.rows(op.q); ++t) {
    const auto table = f.row(op.table, t);
    const int32_t kv_row = f.step.first_row + static_cast<int32_t>(t);
    for (int32_t h = 0; h < op.n_heads; ++h) {
      rotateHead(f.row(op.q, t).subspan(static_cast<size_t>(h) * dim, dim), table, op.layout);
    }
    for (int32_t h = 0; h < op.kv.n_kv_heads; ++h) {
      const auto k = f.row(op.k, t).subspan(static_cast<size_t>(h) * dim, dim);
      const auto v = f.row(op.v, t).subspan(static_cast<size_t>(h) * dim, dim);
      const auto stored_k = f.kv.row(op.kv.layer, 0, h, kv_row);
      std::copy(k.begin(), k.end(), stored_k.begin());
      rotateHead(stored_k, table, op.layout);
      std::copy(v.begin(), v.end(), f.kv.row(op.kv.layer, 1, h, kv_row).begin());
    }
  }
}

void attend(const AttentionOp& op, const Frame& f, std::span<const double> q, int32_t kv_head,
            int32_t n_keys, std::span<double> out) {
  std::vector<double> scores(static_cast<size_t>(n_keys));
  double top = -std::numeric_limits<double>::infinity();
  for (int32_t j = 0; j < n_keys; ++j) {
    const auto k = std::as_const(f.kv).row(op.kv.layer, 0, kv_head, j);
    scores[static_cast<size_t>(j)] = double{op.scale} * dot(q, k);
    top = std::max(top, scores[static_cast<size_t>(j)]);
  }
  double total = 0;
  for (double& s : scores) total += (s = std::exp(s - top));
  std::fill(out.begin(), out.end(), 0.0);
  for (int32_t j = 0; j < n_keys; ++j) {
    const auto v = std::as_const(f.kv).row(op.kv.layer, 1, kv_head, j);
    const double weight = scores[static_cast<size_t>(j)] / total;
    for (size_t i = 0; i < out.size(); ++i) out[i] += weight * v[i];
  }
}

void run(const AttentionOp& op, const Frame& f) {
  const auto dim = static_cast<size_t>(op.kv.head_dim);
  for (size_t t = 0; t < f.rows(op.q); ++t) {
    const int32_t n_keys = f.step.first_row + static_cast<int32_t>(t) + 1;
    for (int32_t h = 0; h < op.n_heads; ++h) {
      const size_t at = static_cast<size_t>(h) * dim;
      attend(op, f, f.row(op.q, t).subspan(at, dim), h / (op.n_heads / op.kv.n_kv_heads), n_keys,
             f.row(op.out, t).subspan(at, dim));
    }
  }
}

void run(const GatedActivationOp& op, const Frame& f) {
  for (size_t t = 0; t < f.rows(op.gate); ++t) {
    const auto gate = f.row(op.gate, t), up = f.row(op.up, t), out = f.row(op.out, t);
    for (size_t i = 0; i < gate.size(); ++i) out[i] = gate[i] / (1.0 + std::exp(-gate[i])) * up[i];
  }
}

void run(const SelectRowsOp& op, const Frame& f) {
  const auto rows = f.ints(op.rows);
  for (size_t j = 0; j < rows.size(); ++j) {
    const auto from = f.row(op.x, static_cast<size_t>(rows[j]));
    std::copy(from.begin(), from.end(), f.row(op.out, j).begin());
  }
}

}  // namespace

ReferenceKv ReferenceKv::like(const KvBinding& kv) {
  ReferenceKv out{kv.n_layers, kv.n_kv_heads, kv.head_dim, kv.capacity_rows, {}};
  out.values.assign(static_cast<size_t>(kv.n_layers) * 2 * static_cast<size_t>(kv.n_kv_heads) *
                        static_cast<size_t>(kv.capacity_rows) * static_cast<size_t>(kv.head_dim),
                    0.0);
  return out;
}

std::span<const double> ReferenceKv::row(int32_t layer, int32_t part, int32_t kv_head,
                                         int32_t index) const {
  CHECK(layer < n_layers && kv_head < n_kv_heads && index >= 0 && index < capacity_rows);
  const size_t slab = (static_cast<size_t>(layer) * 2 + static_cast<size_t>(part)) *
                          static_cast<size_t>(n_kv_heads) +
                      static_cast<size_t>(kv_head);
  const auto dim = static_cast<size_t>(head_dim);
  const size_t at = (slab * static_cast<size_t>(capacity_rows) + static_cast<size_t>(index)) * dim;
  return std::span(values).subspan(at, dim);
}

std::span<double> ReferenceKv::row(int32_t layer, int32_t part, int32_t kv_head, int32_t index) {
  const auto found = std::as_const(*this).row(layer, part, kv_head, index);
  return {const_cast<double*>(found.data()), found.size()};
}

ReferencePlan::ReferencePlan(Plan plan) : plan_(std::move(plan)) {}

std::span<double> ReferencePlan::at(const Value& value) {
  CHECK(value.space == Space::workspace);
  auto& held = values_[value.offset];
  const size_t size = static_cast<size_t>(value.max_rows) * static_cast<size_t>(value.cols);
  if (held.empty()) held.assign(size, std::numeric_limits<double>::quiet_NaN());
  CHECK(held.size() == size);
  return held;
}

void ReferencePlan::run(const StepInputs& step, ReferenceKv& kv) {
  const auto n = static_cast<int32_t>(step.token_ids.size());
  CHECK(n >= 1 && n <= plan_.max_tokens && step.positions.size() == step.token_ids.size());
  CHECK(static_cast<int32_t>(step.out_rows.size()) <= plan_.max_outputs);
  const Frame frame{*this, step, kv};
  for (const Op& op : plan_.ops) {
    std::visit([&](const auto& concrete) { hearth::run(concrete, frame); }, op);
  }
}

}  // namespace hearth
