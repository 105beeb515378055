#include "app/cli/console.h"

#include <unistd.h>

#include <cerrno>

namespace hearth::cli {

namespace {

/// Returns 0, or the error number.
int writeAll(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

constexpr auto kTerminalInterval = std::chrono::milliseconds(100);
constexpr auto kLogInterval = std::chrono::seconds(10);

}  // namespace

Console::Console(ConsoleOptions options)
    : options_(std::move(options)),
      error_is_terminal_(isatty(STDERR_FILENO) == 1),
      last_progress_(std::chrono::steady_clock::now()) {}

Console::~Console() { clearProgress(); }

Outcome<void> Console::write(std::string_view text) {
  clearProgress();
  const int error_number = writeAll(STDOUT_FILENO, text);
  if (error_number == 0) return {};
  if (error_number == EPIPE) return tl::unexpected<Failure>(Failure{Exit::done, ""});
  return outputFailure("standard output", error_number);
}

Outcome<void> Console::writeJson(const Json& document) {
  return write(document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

void Console::note(std::string_view line) {
  if (!options_.quiet) error(line);
}

void Console::error(std::string_view line) {
  clearProgress();
  writeAll(STDERR_FILENO, fmt::format("{}\n", line));
}

void Console::progress(std::string_view what, int64_t done, int64_t total) {
  if (options_.quiet) return;
  const auto now = std::chrono::steady_clock::now();
  if (now - last_progress_ <
      (error_is_terminal_ ? kTerminalInterval : std::chrono::nanoseconds(kLogInterval))) {
    return;
  }
  last_progress_ = now;
  const std::string line = fmt::format("{}  {}/{}", what, done, total);
  progress_shown_ = error_is_terminal_;
  writeAll(STDERR_FILENO, error_is_terminal_ ? "\r\x1b[K" + line : line + "\n");
}

void Console::clearProgress() {
  if (!progress_shown_) return;
  progress_shown_ = false;
  writeAll(STDERR_FILENO, "\r\x1b[K");
}

}  // namespace hearth::cli
