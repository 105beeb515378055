// How a command of hearth-cli ends: exit codes that scripts rely on, and the message that goes with
// them.
#pragma once

#include <fmt/format.h>

#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "kernels/base/error.h"

namespace hearth::cli {

enum class Exit : int {
  done = 0,
  failed = 1,     // the work failed
  usage = 2,      // a flag or its value is wrong
  bad_input = 3,  // a file that was to be read
  no_room = 4,    // not enough memory or disk
  interrupted = 130,
};

struct Failure {
  Exit exit = Exit::failed;
  std::string message;  // empty: ends without a word (whoever read the output is gone)
};

template <class T>
using Outcome = tl::expected<T, Failure>;

template <class... Args>
[[nodiscard]] tl::unexpected<Failure> stop(Exit exit, fmt::format_string<Args...> format,
                                           Args&&... args) {
  return tl::unexpected<Failure>(Failure{exit, fmt::format(format, std::forward<Args>(args)...)});
}

/// Passes a failure on unchanged.
template <class T>
[[nodiscard]] tl::unexpected<Failure> passOn(const Outcome<T>& failed) {
  return tl::unexpected<Failure>(failed.error());
}

/// An error while a file was read, or a name was looked up.
tl::unexpected<Failure> inputFailure(const Error& error);

/// An error of the work itself.
tl::unexpected<Failure> workFailure(const Error& error);

/// The same for a failed call of the operating system. `what` names the file and what was done.
tl::unexpected<Failure> inputFailure(const std::string& what, int error_number);
tl::unexpected<Failure> outputFailure(const std::string& what, int error_number);

}  // namespace hearth::cli
