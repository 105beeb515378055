#include "app/cli/terminal_input.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "kernels/base/check.h"

namespace hearth::cli {

namespace {

constexpr std::string_view kPasteModeOn = "\x1b[?2004h";
constexpr std::string_view kPasteModeOff = "\x1b[?2004l";
constexpr std::string_view kPasteBegins = "\x1b[200~";
constexpr std::string_view kPasteEnds = "\x1b[201~";

void tellTerminal(std::string_view sequence) {
  // Nothing can be done about a terminal that does not listen.
  [[maybe_unused]] const ssize_t written = ::write(STDOUT_FILENO, sequence.data(), sequence.size());
}

/// How many times `part` is in `text`; removes them.
int removeAll(std::string& text, std::string_view part) {
  int count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at)) {
    text.erase(at, part.size());
    ++count;
  }
  return count;
}

}  // namespace

TerminalInput::TerminalInput()
    : is_terminal_(isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  CHECK(wake_ >= 0);
  if (!is_terminal_ || tcgetattr(STDIN_FILENO, &before_) != 0) return;
  termios quiet = before_;
  quiet.c_lflag &= ~static_cast<tcflag_t>(ECHOCTL);  // or the paste marks would be seen as ^[[200~
  changed_ = tcsetattr(STDIN_FILENO, TCSANOW, &quiet) == 0;
  if (changed_) tellTerminal(kPasteModeOn);
}

TerminalInput::~TerminalInput() {
  restore();
  close(wake_);
}

void TerminalInput::restore() {
  if (!changed_) return;
  tellTerminal(kPasteModeOff);
  tcsetattr(STDIN_FILENO, TCSANOW, &before_);
}

void TerminalInput::wake() { eventfd_write(wake_, 1); }

bool TerminalInput::waitForInput() {
  for (;;) {
    std::array<pollfd, 2> watched{pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{wake_, POLLIN, 0}};
    if (poll(watched.data(), watched.size(), -1) < 0 && errno == EINTR) continue;
    if (watched[1].revents != 0) {
      eventfd_t ignored;
      eventfd_read(wake_, &ignored);
      return false;
    }
    std::array<char, 4096> piece;
    const ssize_t got = ::read(STDIN_FILENO, piece.data(), piece.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got <= 0) at_end_ = true;
    if (got > 0) buffered_.append(piece.data(), static_cast<size_t>(got));
    return true;
  }
}

std::optional<std::string> TerminalInput::takeLine() {
  const size_t end = buffered_.find('\n');
  if (end == std::string::npos && (!at_end_ || buffered_.empty())) return std::nullopt;
  std::string line = buffered_.substr(0, end);
  buffered_.erase(0, end == std::string::npos ? end : end + 1);
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

TerminalInput::Reading TerminalInput::read() {
  std::string message;
  bool in_paste = false;
  bool has_lines = false;
  for (;;) {
    if (std::optional<std::string> line = takeLine()) {
      if (is_terminal_) {
        const int begins = removeAll(*line, kPasteBegins);
        const int ends = removeAll(*line, kPasteEnds);
        if (begins != ends) in_paste = begins > ends;
      }
      if (has_lines) message += '\n';
      message += *line;
      has_lines = true;
      if (!in_paste) return {Kind::message, std::move(message)};
      continue;
    }
    if (at_end_) return {has_lines ? Kind::message : Kind::end_of_input, std::move(message)};
    if (!waitForInput()) return {Kind::woken, ""};
  }
}

}  // namespace hearth::cli
