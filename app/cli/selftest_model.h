// A whole model, small and always the same, on a device and in float64.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kernels/device.h"

namespace hearth::cli {

struct ModelCheck {
  std::string name;  // "model/q8_0/exact"
  /// "" when the device agrees with float64; otherwise the worst difference, or the device's error.
  std::function<std::string(Device&)> run;
};

/// A Llama of two layers in every weight type, in exact and in fast mode.
std::vector<ModelCheck> modelChecks();

}  // namespace hearth::cli
