#include <array>
#include <cmath>
#include <cstring>
#include <vector>

#include "kernels/cuda/device.h"

namespace hearth::cuda {
namespace {

constexpr int32_t kWidth = 64;
constexpr int32_t kVocab = 3;

/// table[t][c] = t + c / 64: small dyadic fractions, so that every sum below is exact in float32.
std::vector<float> makeTable() {
  std::vector<float> table(static_cast<size_t>(kVocab * kWidth));
  for (int32_t i = 0; i < kVocab * kWidth; ++i) {
    table[static_cast<size_t>(i)] =
        static_cast<float>(i / kWidth) + static_cast<float>(i % kWidth) / 64.0f;
  }
  return table;
}

float dot(const std::vector<float>& table, int32_t a, int32_t b) {
  float sum = 0;
  for (int32_t c = 0; c < kWidth; ++c) {
    sum += table[static_cast<size_t>(a * kWidth + c)] * table[static_cast<size_t>(b * kWidth + c)];
  }
  return sum;
}

/// Embeds two tokens and multiplies them with the same table: products of its rows.
Plan recordPlan(const Constant& table, Value& out) {
  Plan plan;
  plan.max_tokens = 4;
  const Value ids{Space::step, Extent::tokens, Dtype::i32, 4, 1,
                  static_cast<uint64_t>(StepSlot::token_ids)};
  const Value x{Space::workspace, Extent::tokens, Dtype::f32, 4, kWidth, 0};
  out = {Space::workspace, Extent::tokens, Dtype::f32, 4, kVocab, 4 * kWidth * sizeof(float)};
  plan.workspace_bytes = out.offset + 4 * kVocab * sizeof(float);
  LinearOp linear;
  linear.x = x;
  linear.parts[0] = {table, {}, out};
  plan.ops = {EmbedOp{ids, table, 1.0f, x}, linear};
  return plan;
}

}  // namespace

Status selfTest(Device& device) {
  const std::vector<float> table = makeTable();
  const auto constant = device.upload({table.data(), Dtype::f32, kVocab, kWidth});
  if (!constant) return passOn(constant);
  Value out;
  auto plan = device.compile(recordPlan(constant->constant, out));
  if (!plan) return passOn(plan);

  const std::array<int32_t, 2> ids{2, 1};
  const std::array<int32_t, 2> positions{0, 1};
  StepInputs step;
  step.token_ids = ids;
  step.positions = positions;
  if (Status s = (*plan)->run(step); !s) return s;
  std::array<float, ids.size() * kVocab> got{};
  if (Status s = (*plan)->download(out, std::as_writable_bytes(std::span(got))); !s) return s;
  for (size_t token = 0; token < ids.size(); ++token) {
    for (int32_t row = 0; row < kVocab; ++row) {
      const float expected = dot(table, ids[token], row);
      const float value = got[token * kVocab + static_cast<size_t>(row)];
      if (value != expected) {
        return fail(ErrorCode::device, "a product of {} came out as {}", expected, value);
      }
    }
  }
  return {};
}

}  // namespace hearth::cuda
