// How far a device's result may lie from the float64 one, element by element, for one op.
#pragma once

#include <vector>

#include "kernels/cases/cases.h"
#include "kernels/reference/reference.h"

namespace hearth {

/// What the reference made of a case. Inputs keep their values unless the op works in place.
struct ReferenceRun {
  const BuiltCase& built;
  ReferencePlan& after;   // values after the run
  ReferencePlan& before;  // the same inputs, not run
  const ReferenceKv& kv;  // after the run
};

/// Allowed absolute difference for each live element of `output`, [rows, cols].
std::vector<double> allowedDifference(const ReferenceRun& run, const Value& output);

/// Allowed absolute difference for each element of the key that a RopeAndStoreOp stored.
std::vector<double> allowedKeyDifference(const ReferenceRun& run, int32_t kv_head, int32_t token);

}  // namespace hearth
