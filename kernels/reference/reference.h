// The float64 twin: any plan, executed on the host in double precision, one plain loop for each op.
// Slow on purpose: it is what the devices are compared with.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "kernels/plan.h"

namespace hearth {

/// Keys and values of one sequence in float64: [n_layers][K, V][n_kv_heads][capacity_rows][head_dim]
struct ReferenceKv {
  int32_t n_layers = 0;
  int32_t n_kv_heads = 0;
  int32_t head_dim = 0;
  int32_t capacity_rows = 0;
  std::vector<double> values;

  /// Zeros in the shape of `kv`.
  static ReferenceKv like(const KvBinding& kv);
  /// A row of a head's keys (`part` 0) or values (`part` 1).
  std::span<double> row(int32_t layer, int32_t part, int32_t kv_head, int32_t row);
  std::span<const double> row(int32_t layer, int32_t part, int32_t kv_head, int32_t row) const;
};

/// Runs a plan whose constants point at host memory. Nothing is ever quantised here: an a8 value
/// holds the numbers as they were. A step that breaks StepInputs' bounds is a broken CHECK.
class ReferencePlan {
 public:
  explicit ReferencePlan(Plan plan);

  /// `step.kv.data` is ignored; keys and values are `kv`.
  void run(const StepInputs& step, ReferenceKv& kv);

  /// [max_rows, cols] of a workspace value, to read results and to set inputs.
  std::span<double> at(const Value& value);

  const Plan& plan() const { return plan_; }

 private:
  Plan plan_;
  std::map<uint64_t, std::vector<double>> values_;  // by workspace offset
};

}  // namespace hearth
