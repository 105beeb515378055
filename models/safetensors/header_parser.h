// The JSON header of a safetensors file, read as a stream: only the one shape that the format allows
// is taken, so memory stays in proportion to the tensors and nothing is stored twice.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kernels/base/error.h"
#include "models/safetensors/safetensors_file.h"

namespace hearth {

/// Fills names, types, shapes and offsets; `data` stays empty and nothing is checked against a file.
/// Codes: bad_file, names the tensor where there is one.
Result<std::vector<SafetensorsTensor>> parseSafetensorsHeader(std::string_view json,
                                                              const std::string& path);

}  // namespace hearth
