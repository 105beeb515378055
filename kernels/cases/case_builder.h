// Builds one-op cases: random constants and inputs from a seed, poisoned where nothing may be read.
#pragma once

#include <cstdint>
#include <string_view>

#include "kernels/cases/cases.h"

namespace hearth {

/// SplitMix64: the same numbers on every machine.
class CaseRandom {
 public:
  explicit CaseRandom(std::string_view seed_text);
  uint64_t bits();
  float uniform();  // [-1, 1)
  float normal();   // mean 0, standard deviation 1, |x| ≤ 6
  int32_t below(int32_t limit);

 private:
  uint64_t state_;
};

struct CaseShape {
  Precision precision = Precision::exact;
  int32_t n_tokens = 1;
  int32_t n_outputs = 0;
  int32_t first_row = 0;
};

class CaseBuilder {
 public:
  /// The plan's bucket is larger than the step, so that a device that works on the bucket is caught.
  CaseBuilder(std::string_view name, const CaseShape& shape);

  /// Random numbers of standard deviation `amplitude`, stored as `dtype`.
  Constant constant(Dtype dtype, int32_t rows, int32_t cols, float amplitude = 1.0f);
  Constant frequencies(int32_t count, double theta);
  Value input(Extent extent, Dtype dtype, int32_t cols, float amplitude = 1.0f);
  /// Makes the last input, f32, one of whole and half numbers with 127 as the largest of each 32.
  void makeTies();
  Value output(Extent extent, Dtype dtype, int32_t cols);
  /// `value` is an input and also written by the op.
  void alsoOutput(const Value& value) { built_.outputs.push_back(value); }
  /// KV memory with random rows before `first_row + n_valid_tokens` and NaN from there on.
  KvLayer kv(Dtype dtype, int32_t n_kv_heads, int32_t head_dim, int32_t n_valid_tokens);

  Value slot(StepSlot s) const { return recorder_.stepInput(s); }
  CaseRandom& random() { return random_; }
  BuiltCase& built() { return built_; }
  BuiltCase finish(Op op);

 private:
  CaseRandom random_;
  CaseShape shape_;
  PlanRecorder recorder_;
  BuiltCase built_;
};

}  // namespace hearth
