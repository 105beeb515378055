// JSON files of a model folder, read with limits: hostile sizes and nesting are refused, and
// nothing throws. For use inside models/ only.
#pragma once

#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>

#include "kernels/base/error.h"

namespace hearth {

inline constexpr size_t kLargestJsonBytes = 64u << 20;
inline constexpr int kDeepestJson = 64;

/// A file or folder is there and may be looked at. Never throws.
bool isPresent(const std::filesystem::path& path);

/// True when brackets outside strings never nest deeper than `limit`. Looks at bytes only, so that
/// a recursive parser can be trusted with what passes.
bool jsonNestingWithin(std::string_view text, int limit);

/// An object. Codes: not_found, io, bad_file (too large, too deep, no valid JSON, no object).
Result<nlohmann::json> readJsonFile(const std::filesystem::path& path);

}  // namespace hearth
