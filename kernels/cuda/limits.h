// What this device takes: plans when they are compiled, step inputs before they reach the GPU.
#pragma once

#include "kernels/base/error.h"
#include "kernels/plan.h"

namespace hearth::cuda {

/// Codes: unsupported, naming the op.
Status checkPlan(const Plan& plan);

/// The bounds of StepInputs, for every op of the plan. Codes: invalid_argument.
Status checkStep(const Plan& plan, const StepInputs& step);

}  // namespace hearth::cuda
