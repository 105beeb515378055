// CHECK: a broken promise between parts of our own code. It names the place and ends the program.
// Expected failures (bad files, full disks, cancelled work) are `Result` values instead: see error.h.
#pragma once

namespace hearth {

/// Prints `condition` with file and line to stderr, then aborts.
[[noreturn]] void failCheck(const char* condition, const char* file, int line);

}  // namespace hearth

#define CHECK(condition) \
  (static_cast<bool>(condition) ? void(0) : ::hearth::failCheck(#condition, __FILE__, __LINE__))
