#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>
#include <unordered_map>
#include <utility>

#include "kernels/base/blocks.h"
#include "kernels/base/half.h"
#include "kernels/base/quantise.h"
#include "kernels/cases/cases.h"
#include "kernels/cases/tolerance.h"
#include "kernels/reference/reference.h"

namespace hearth {
namespace {

constexpr std::byte kPoison{0xFF};

/// What the device left behind.
struct DeviceRun {
  std::vector<std::vector<std::byte>> outputs;  // live rows of each output
  std::vector<std::byte> kv;
};

size_t liveRows(const BuiltCase& built, const Value& v) {
  return v.extent == Extent::tokens ? built.token_ids.size() : built.out_rows.size();
}

std::vector<double> toDoubles(const Value& v, std::span<const std::byte> bytes) {
  const size_t row_bytes = rowBytes(v.dtype, v.cols);
  std::vector<double> values(bytes.size() / row_bytes * static_cast<size_t>(v.cols));
  for (size_t r = 0; r * row_bytes < bytes.size(); ++r) {
    dequantiseRow(v.dtype, bytes.data() + r * row_bytes, v.cols,
                  values.data() + r * static_cast<size_t>(v.cols));
  }
  return values;
}

StepInputs stepOf(const BuiltCase& built) {
  StepInputs step;
  step.token_ids = built.token_ids;
  step.positions = built.positions;
  step.out_rows = built.out_rows;
  step.first_row = built.first_row;
  step.kv = built.kv;
  return step;
}

// The rows that a RopeAndStoreOp has to write hold poison before the run.
std::vector<std::byte> kvBefore(const BuiltCase& built) {
  auto bytes = built.kv_bytes;
  const auto* op = std::get_if<RopeAndStoreOp>(&built.plan.ops.at(0));
  if (op == nullptr) return bytes;
  const size_t row_bytes = rowBytes(built.kv.dtype, built.kv.head_dim);
  for (int32_t slab = 0; slab < 2 * built.kv.n_kv_heads; ++slab) {
    const uint64_t head = kvHeadOffset(built.kv, op->kv.layer, slab / built.kv.n_kv_heads,
                                       slab % built.kv.n_kv_heads);
    const auto first = static_cast<size_t>(head) + static_cast<size_t>(built.first_row) * row_bytes;
    std::fill_n(bytes.begin() + static_cast<long>(first), built.token_ids.size() * row_bytes,
                kPoison);
  }
  return bytes;
}

Result<DeviceRun> runOnDevice(const BuiltCase& built, Device& device) {
  std::vector<OwnedConstant> uploaded;
  auto plan = planOnDevice(built.plan, device, uploaded);
  if (!plan) return passOn(plan);
  auto compiled = device.compile(*std::move(plan));
  if (!compiled) return passOn(compiled);
  for (const Value& out : built.outputs) {
    const std::vector<std::byte> poison(liveRows(built, out) * rowBytes(out.dtype, out.cols), kPoison);
    if (auto done = (*compiled)->upload(out, poison); !done) return passOn(done);
  }
  for (const CaseInput& input : built.inputs) {
    if (auto done = (*compiled)->upload(input.value, input.bytes); !done) return passOn(done);
  }
  auto memory = device.allocate(std::max<size_t>(built.kv_bytes.size(), 64));
  if (!memory) return passOn(memory);
  if (auto done = (*memory)->write(0, kvBefore(built)); !done) return passOn(done);
  StepInputs step = stepOf(built);
  step.kv.data = (*memory)->data();
  if (auto done = (*compiled)->run(step); !done) return passOn(done);

  DeviceRun run;
  for (const Value& out : built.outputs) {
    run.outputs.emplace_back(liveRows(built, out) * rowBytes(out.dtype, out.cols));
    if (auto done = (*compiled)->download(out, run.outputs.back()); !done) return passOn(done);
  }
  run.kv.resize(built.kv_bytes.size());
  if (auto done = (*memory)->read(0, run.kv); !done) return passOn(done);
  return run;
}

ReferencePlan referenceWithInputs(const BuiltCase& built) {
  ReferencePlan plan(built.plan);
  for (const CaseInput& input : built.inputs) {
    const auto values = toDoubles(input.value, input.bytes);
    std::copy(values.begin(), values.end(), plan.at(input.value).begin());
  }
  return plan;
}

ReferenceKv referenceKv(const BuiltCase& built) {
  ReferenceKv kv = ReferenceKv::like(built.kv);
  if (kv.values.empty()) return kv;
  dequantiseRow(built.kv.dtype, built.kv_bytes.data(), static_cast<int64_t>(kv.values.size()),
                kv.values.data());
  return kv;
}

/// Collects differences and remembers the worst.
class Comparison {
 public:
  /// `place()` names the element; it is asked only when the element is the worst so far.
  template <class Place>
  void add(double got, double expected, double allowed, Place place) {
    ++compared_;
    const double difference = std::fabs(got - expected);
    const bool ok = difference <= allowed;  // false for NaN
    const double ratio = ok ? (allowed > 0 ? difference / allowed : 0)
                            : (allowed > 0 && !std::isnan(difference) ? difference / allowed : HUGE_VAL);
    if (!ok) ++wrong_;
    if (ratio <= worst_ratio_) return;
    worst_ratio_ = ratio;
    if (ok) return;
    worst_ = fmt::format("{}: got {:.9g}, reference {:.9g}, allowed difference {:.3g}", place(), got,
                         expected, allowed);
  }
  CaseOutcome outcome() const {
    CaseOutcome out{wrong_ == 0, {}, compared_, worst_ratio_};
    if (wrong_ > 0) {
      out.message = fmt::format("{} of {} elements differ; worst {}", wrong_, compared_, worst_);
    }
    return out;
  }

 private:
  size_t compared_ = 0, wrong_ = 0;
  double worst_ratio_ = 0;
  std::string worst_;
};

void compareOutputs(const DeviceRun& device, const ReferenceRun& reference, Comparison& comparison) {
  for (size_t o = 0; o < device.outputs.size(); ++o) {
    const Value& out = reference.built.outputs[o];
    const auto got = toDoubles(out, device.outputs[o]);
    const auto expected = reference.after.at(out);
    const auto allowed = allowedDifference(reference, out);
    const auto cols = static_cast<size_t>(out.cols);
    for (size_t i = 0; i < got.size(); ++i) {
      comparison.add(got[i], expected[i], allowed[i],
                     [&] { return fmt::format("output {} row {} column {}", o, i / cols, i % cols); });
    }
  }
}

/// What storing has to make of a head's values, which do not rotate: RopeAndStoreOp names each byte.
std::vector<double> storedValues(const ReferenceRun& reference, const RopeAndStoreOp& op, int32_t head,
                                 int32_t t) {
  const auto dim = static_cast<size_t>(op.kv.head_dim);
  const auto v = reference.before.at(op.v).subspan(
      (static_cast<size_t>(t) * static_cast<size_t>(op.kv.n_kv_heads) + static_cast<size_t>(head)) * dim, dim);
  const std::vector<float> floats(v.begin(), v.end());
  const Dtype stored = reference.built.kv.dtype, encoded = stored == Dtype::q8_0 ? Dtype::a8 : stored;
  std::vector<std::byte> row(rowBytes(encoded, op.kv.head_dim));
  quantiseRow(encoded, floats.data(), op.kv.head_dim, row.data());
  if (stored == Dtype::q8_0) {
    for (size_t at = 0; at < row.size(); at += sizeof(BlockA8)) {
      BlockA8 block;
      std::memcpy(&block, row.data() + at, sizeof block);
      block.scale = f16ToF32(f32ToF16(block.scale));
      std::memcpy(row.data() + at, &block, sizeof block);
    }
  }
  std::vector<double> values(dim);
  dequantiseRow(encoded, row.data(), op.kv.head_dim, values.data());
  return values;
}

/// Stored rows against the reference, all other bytes against what they were.
void compareKv(const DeviceRun& device, const ReferenceRun& reference, Comparison& comparison) {
  const BuiltCase& built = reference.built;
  auto expected_bytes = built.kv_bytes;
  const auto* op = std::get_if<RopeAndStoreOp>(&built.plan.ops.at(0));
  const size_t row_bytes = built.kv.head_dim > 0 ? rowBytes(built.kv.dtype, built.kv.head_dim) : 0;
  for (int32_t slab = 0; op != nullptr && slab < 2 * built.kv.n_kv_heads; ++slab) {
    const int32_t part = slab / built.kv.n_kv_heads, head = slab % built.kv.n_kv_heads;
    for (int32_t t = 0; t < static_cast<int32_t>(built.token_ids.size()); ++t) {
      const size_t at = static_cast<size_t>(kvHeadOffset(built.kv, op->kv.layer, part, head)) +
                        static_cast<size_t>(built.first_row + t) * row_bytes;
      std::vector<double> got(static_cast<size_t>(built.kv.head_dim));
      dequantiseRow(built.kv.dtype, device.kv.data() + at, built.kv.head_dim, got.data());
      const auto row = reference.kv.row(op->kv.layer, part, head, built.first_row + t);
      const auto expected = part == 0 ? std::vector<double>(row.begin(), row.end())
                                      : storedValues(reference, *op, head, t);
      const auto allowed = part == 0 ? allowedKeyDifference(reference, head, t)
                                     : std::vector<double>(expected.size(), 0.0);
      for (size_t i = 0; i < got.size(); ++i) {
        comparison.add(got[i], expected[i], allowed[i], [&] {
          return fmt::format("{} head {} token {} element {}", part == 0 ? "K" : "V", head, t, i);
        });
      }
      std::memcpy(expected_bytes.data() + at, device.kv.data() + at, row_bytes);
    }
  }
  for (size_t i = 0; i < expected_bytes.size(); ++i) {
    if (device.kv[i] != expected_bytes[i]) {
      comparison.add(std::to_integer<int>(device.kv[i]), std::to_integer<int>(expected_bytes[i]), 0,
                     [&] { return fmt::format("KV byte {} outside the step", i); });
    }
  }
}

template <class Visit>
void forEachConstant(Op& op, Visit visit) {
  if (auto* embed = std::get_if<EmbedOp>(&op)) visit(embed->table);
  if (auto* norm = std::get_if<NormQuantiseOp>(&op)) visit(norm->gain);
  if (auto* rope = std::get_if<RopeTableOp>(&op)) visit(rope->frequencies);
  if (auto* linear = std::get_if<LinearOp>(&op)) {
    for (LinearPart& part : linear->parts) {
      visit(part.weight);
      visit(part.bias);
    }
  }
}

}  // namespace

Result<Plan> planOnDevice(const Plan& plan, Device& device, std::vector<OwnedConstant>& uploaded) {
  Plan out = plan;
  std::unordered_map<const void*, Constant> known;  // a tensor may serve several ops
  Status status;
  for (Op& op : out.ops) {
    forEachConstant(op, [&](Constant& constant) {
      if (!constant || !status) return;
      auto [at, is_new] = known.try_emplace(constant.data);
      if (is_new) {
        auto owned = device.upload({constant.data, constant.dtype, constant.rows, constant.cols});
        if (!owned) {
          status = passOn(owned);
          return;
        }
        at->second = owned->constant;
        uploaded.push_back(*std::move(owned));
      }
      constant = at->second;
    });
  }
  if (!status) return passOn(status);
  return out;
}

CaseOutcome runCase(const OpCase& op_case, Device& device) {
  const BuiltCase built = op_case.build();
  const auto on_device = runOnDevice(built, device);
  if (!on_device) {
    return {false, fmt::format("{}: {}", errorCodeName(on_device.error().code),
                               on_device.error().message)};
  }
  ReferencePlan before = referenceWithInputs(built);
  ReferencePlan after = referenceWithInputs(built);
  ReferenceKv kv = referenceKv(built);
  after.run(stepOf(built), kv);
  const ReferenceRun reference{built, after, before, kv};
  Comparison comparison;
  compareOutputs(*on_device, reference, comparison);
  compareKv(*on_device, reference, comparison);
  return comparison.outcome();
}

}  // namespace hearth
