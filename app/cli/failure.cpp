#include "app/cli/failure.h"

#include <cerrno>
#include <cstring>

namespace hearth::cli {

namespace {

Exit workExit(ErrorCode code) {
  switch (code) {
    case ErrorCode::out_of_memory:
    case ErrorCode::disk_full:
      return Exit::no_room;
    case ErrorCode::bad_file:
    case ErrorCode::newer_version:
      return Exit::bad_input;
    case ErrorCode::cancelled:
      return Exit::interrupted;
    default:
      return Exit::failed;
  }
}

Exit inputExit(ErrorCode code) {
  const Exit exit = workExit(code);
  return exit == Exit::failed ? Exit::bad_input : exit;
}

}  // namespace

tl::unexpected<Failure> inputFailure(const Error& error) {
  return tl::unexpected<Failure>(Failure{inputExit(error.code), error.message});
}

tl::unexpected<Failure> workFailure(const Error& error) {
  if (error.code == ErrorCode::cancelled) return stop(Exit::interrupted, "interrupted");
  return tl::unexpected<Failure>(Failure{workExit(error.code), error.message});
}

tl::unexpected<Failure> inputFailure(const std::string& what, int error_number) {
  const Exit exit = error_number == ENOMEM ? Exit::no_room : Exit::bad_input;
  return stop(exit, "{}: {}", what, std::strerror(error_number));
}

tl::unexpected<Failure> outputFailure(const std::string& what, int error_number) {
  const bool no_room = error_number == ENOSPC || error_number == EDQUOT || error_number == ENOMEM;
  return stop(no_room ? Exit::no_room : Exit::failed, "{}: {}", what, std::strerror(error_number));
}

}  // namespace hearth::cli
