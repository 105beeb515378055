// Errors as values: a closed set of codes and a message that names the thing that failed.
#pragma once

#include <fmt/format.h>

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace hearth {

enum class ErrorCode {
  invalid_argument,  ///< the caller asked for something that cannot be
  not_found,         ///< a file, tensor, conversation or name is not there
  bad_file,          ///< a file is damaged or not what it claims to be
  unsupported,       ///< a valid file or setting that this version cannot handle
  out_of_memory,
  disk_full,
  read_only,
  io,                ///< any other failure of the operating system
  busy,              ///< in use by someone else
  cancelled,
  device,            ///< the compute device failed
  newer_version,     ///< written by a later Hearth
};

/// The stable, untranslated name of a code, such as "bad_file".
const char* errorCodeName(ErrorCode code);

struct Error {
  ErrorCode code;
  std::string message;  ///< one English sentence naming the file, tensor, key or byte
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

/// `return fail(ErrorCode::bad_file, "{}: tensor {} ends at byte {}", path, name, end);`
template <class... Args>
[[nodiscard]] tl::unexpected<Error> fail(ErrorCode code, fmt::format_string<Args...> format,
                                         Args&&... args) {
  return tl::unexpected<Error>(Error{code, fmt::format(format, std::forward<Args>(args)...)});
}

/// Passes an error on unchanged: `if (!file) return passOn(file);`
template <class T>
[[nodiscard]] tl::unexpected<Error> passOn(const Result<T>& failed) {
  return tl::unexpected<Error>(failed.error());
}

}  // namespace hearth
