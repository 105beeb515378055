// Files that a command reads or writes, whole.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "app/cli/failure.h"

namespace hearth::cli {

/// Writes `parts` one after the other: the file is there whole or not at all.
/// Codes: Exit::no_room, Exit::failed.
Outcome<void> writeWhole(const std::filesystem::path& target,
                         std::span<const std::span<const std::byte>> parts);

/// A file's bytes, or standard input's for "-". Codes: Exit::bad_input.
Outcome<std::string> readWhole(const std::filesystem::path& path);

}  // namespace hearth::cli
