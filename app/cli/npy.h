// NumPy's array file, version 1.0, float32, C order.
// Format: numpy.lib.format in NumPy's documentation.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace hearth::cli {

/// Magic, version, header length and header; the float32 values follow it in the file.
std::string npyHeader(const std::vector<int64_t>& shape);

}  // namespace hearth::cli
