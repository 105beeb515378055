#include "kernels/cases/tolerance.h"

#include <algorithm>
#include <cmath>

#include "kernels/base/blocks.h"
#include "kernels/base/check.h"
#include "kernels/base/quantise.h"

namespace hearth {
namespace {

constexpr double kEpsilon = 0x1p-23;  // float32: distance from 1 to the next number
constexpr double kTiniest = 0x1p-126;  // results below the normal range may become zero

// Rounding errors of a sum behave like a random walk: its length is the root of the number of
// additions. The constant covers the few operations around the sum.
double reductionError(double length) { return kEpsilon * (std::sqrt(length) + 8.0); }

std::vector<double> liveCopy(const ReferenceRun& run, ReferencePlan& plan, const Value& v) {
  const size_t rows =
      v.extent == Extent::tokens ? run.built.token_ids.size() : run.built.out_rows.size();
  const auto live = plan.at(v).first(rows * static_cast<size_t>(v.cols));
  return {live.begin(), live.end()};
}

std::vector<double> relativeTo(std::vector<double> values, double factor) {
  for (double& v : values) v = std::fabs(v) * factor + kTiniest;
  return values;
}

// Half a quantisation step of each block, and a little for values that lie between two steps.
void addBlockStep(const Value& output, const std::vector<double>& values,
                  std::vector<double>& allowed) {
  if (output.dtype != Dtype::a8) return;
  for (size_t at = 0; at < values.size(); at += kBlockLength) {
    double top = 0;
    for (size_t i = at; i < at + kBlockLength; ++i) top = std::max(top, std::fabs(values[i]));
    for (size_t i = at; i < at + kBlockLength; ++i) allowed[i] += 0.501 * top / 127.0;
  }
}

std::vector<double> allowedFor(const EmbedOp&, const ReferenceRun& run, const Value& out) {
  return relativeTo(liveCopy(run, run.after, out), 2 * kEpsilon);
}

std::vector<double> allowedFor(const NormQuantiseOp& op, const ReferenceRun& run, const Value& out) {
  const auto values = liveCopy(run, run.after, out);
  auto allowed = relativeTo(values, reductionError(op.x.cols));
  addBlockStep(out, values, allowed);
  return allowed;
}

std::vector<double> allowedFor(const LinearOp& op, const ReferenceRun& run, const Value& out) {
  size_t index = 0;
  while (op.parts[index].out.offset != out.offset) ++index;
  const LinearPart& part = op.parts[index];
  const auto in = static_cast<size_t>(op.x.cols);
  const auto n_out = static_cast<size_t>(out.cols);
  const auto x = liveCopy(run, run.before, op.x);
  const bool has_residual = index == 0 && op.residual;
  const auto residual = has_residual ? liveCopy(run, run.before, op.residual) : x;
  std::vector<double> bias(n_out, 0.0);
  if (part.bias) dequantiseRow(Dtype::f32, part.bias.data, part.bias.cols, bias.data());
  const size_t n = x.size() / in;
  std::vector<double> allowed(n * n_out), weight(in);
  for (size_t r = 0; r < n_out; ++r) {
    const auto* bytes = static_cast<const std::byte*>(part.weight.data);
    dequantiseRow(part.weight.dtype, bytes + r * rowBytes(part.weight.dtype, op.x.cols), op.x.cols,
                  weight.data());
    for (size_t t = 0; t < n; ++t) {
      double norm = 0;
      for (size_t i = 0; i < in; ++i) norm += std::fabs(x[t * in + i] * weight[i]);
      double& a = allowed[t * n_out + r];
      a = reductionError(op.x.cols) * norm + 4 * kEpsilon * std::fabs(bias[r]) + kTiniest;
      if (has_residual) a += 4 * kEpsilon * std::fabs(residual[t * n_out + r]);
    }
  }
  return allowed;
}

std::vector<double> allowedFor(const RopeTableOp& op, const ReferenceRun& run, const Value& out) {
  return std::vector<double>(liveCopy(run, run.after, out).size(), kEpsilon * op.magnitude);
}

// A rotation mixes two elements: the error is relative to their length, not to the result.
std::vector<double> allowedRotation(const RopeAndStoreOp& op, std::vector<double> head,
                                    double factor) {
  const auto half = static_cast<size_t>(op.rotary_dim / 2);
  for (size_t i = 0; i < half; ++i) {
    const bool interleaved = op.layout == RopeLayout::interleaved;
    const size_t a = interleaved ? 2 * i : i;
    const size_t b = interleaved ? 2 * i + 1 : i + half;
    head[a] = head[b] = std::fabs(head[a]) + std::fabs(head[b]);
  }
  return relativeTo(std::move(head), factor);
}

std::vector<double> allowedFor(const RopeAndStoreOp& op, const ReferenceRun& run, const Value& out) {
  auto allowed = liveCopy(run, run.before, out);
  const auto dim = static_cast<long>(op.kv.head_dim);
  for (auto at = allowed.begin(); at != allowed.end(); at += dim) {
    // The table itself is an input here, exact to half an epsilon.
    const auto head = allowedRotation(op, {at, at + dim}, 4 * kEpsilon);
    std::copy(head.begin(), head.end(), at);
  }
  return allowed;
}

// softmax(s)·V: an error δ in the scores changes each weight by a factor within e^(±2δ).
std::vector<double> allowedFor(const AttentionOp& op, const ReferenceRun& run, const Value& out) {
  const auto dim = static_cast<size_t>(op.kv.head_dim);
  const auto q = liveCopy(run, run.before, op.q);
  std::vector<double> allowed(liveCopy(run, run.after, out).size());
  const auto n_heads = static_cast<size_t>(op.n_heads);
  for (size_t at = 0; at < q.size(); at += dim) {
    const auto token = static_cast<int32_t>(at / (dim * n_heads));
    const auto head = static_cast<int32_t>(at / dim % n_heads) / (op.n_heads / op.kv.n_kv_heads);
    const int32_t n_keys = run.built.first_row + token + 1;
    double largest_norm = 0;
    std::vector<double> scores, sums(dim, 0.0);
    for (int32_t j = 0; j < n_keys; ++j) {
      const auto k = run.kv.row(op.kv.layer, 0, head, j);
      double norm = 0, score = 0;
      for (size_t i = 0; i < dim; ++i) {
        norm += std::fabs(q[at + i] * k[i]);
        score += q[at + i] * k[i];
      }
      largest_norm = std::max(largest_norm, norm * std::fabs(double{op.scale}));
      scores.push_back(score * double{op.scale});
    }
    const double top = *std::max_element(scores.begin(), scores.end());
    double total = 0;
    for (double& s : scores) total += (s = std::exp(s - top));
    for (int32_t j = 0; j < n_keys; ++j) {
      const auto v = run.kv.row(op.kv.layer, 1, head, j);
      for (size_t i = 0; i < dim; ++i) {
        sums[i] += scores[static_cast<size_t>(j)] / total * std::fabs(v[i]);
      }
    }
    const double relative = 2 * reductionError(double(dim)) * largest_norm + reductionError(n_keys);
    for (size_t i = 0; i < dim; ++i) allowed[at + i] = relative * sums[i] + kTiniest;
  }
  return allowed;
}

std::vector<double> allowedFor(const GatedActivationOp& op, const ReferenceRun& run,
                               const Value& out) {
  const auto values = liveCopy(run, run.after, out);
  const auto gate = liveCopy(run, run.before, op.gate);
  const auto up = liveCopy(run, run.before, op.up);
  std::vector<double> allowed(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    // exp of a float argument: the argument's own rounding grows with its size.
    allowed[i] = kEpsilon * (8 + std::fabs(gate[i])) * std::fabs(values[i]) + kTiniest;
    // Where exp(-gate) leaves float32's range the result is 0 instead of gate * up * 2^-128 or less.
    allowed[i] += std::fabs(gate[i] * up[i]) * 0x1p-127;
  }
  addBlockStep(out, values, allowed);
  return allowed;
}

std::vector<double> allowedFor(const SelectRowsOp&, const ReferenceRun& run, const Value& out) {
  return std::vector<double>(liveCopy(run, run.after, out).size(), 0.0);
}

// What storing in the KV type adds to a number of a row whose largest magnitude is `top`.
double storageError(Dtype dtype, double value, double top) {
  switch (dtype) {
    case Dtype::f16: return 0x1.01p-11 * std::fabs(value) + 0x1p-24;
    case Dtype::q8_0: return 0.501 * top / 127.0 + 0x1.01p-11 * top + 127 * 0x1p-24;
    default: return 0;
  }
}

}  // namespace

std::vector<double> allowedDifference(const ReferenceRun& run, const Value& output) {
  return std::visit([&](const auto& op) { return allowedFor(op, run, output); },
                    run.built.plan.ops.at(0));
}

std::vector<double> allowedKeyDifference(const ReferenceRun& run, int32_t kv_head, int32_t token) {
  const auto& op = std::get<RopeAndStoreOp>(run.built.plan.ops.at(0));
  const auto dim = static_cast<size_t>(op.kv.head_dim);
  const auto source = run.before.at(op.k);
  const size_t at = (static_cast<size_t>(token) * static_cast<size_t>(op.kv.n_kv_heads) +
                     static_cast<size_t>(kv_head)) * dim;
  const auto head = source.subspan(at, dim);
  auto allowed = allowedRotation(op, {head.begin(), head.end()}, 4 * kEpsilon);
  const auto stored = run.kv.row(op.kv.layer, 0, kv_head, run.built.first_row + token);
  double top = 0;
  for (size_t i = 0; i < dim; ++i) top = std::max(top, std::fabs(stored[i]) + allowed[i]);
  for (size_t i = 0; i < dim; ++i) allowed[i] += storageError(run.built.kv.dtype, stored[i], top);
  return allowed;
}

}  // namespace hearth
