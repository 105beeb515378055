// Messages that a person types or pastes, or that a pipe brings line by line.
#pragma once

#include <termios.h>

#include <optional>
#include <string>

namespace hearth::cli {

/// Standard input. On a terminal a pasted text of several lines is one message, sent by Enter: the
/// terminal is asked to mark pastes (xterm's "bracketed paste", mode 2004). Used from one thread,
/// except wake().
class TerminalInput {
 public:
  TerminalInput();
  ~TerminalInput();  // puts the terminal back as it was
  TerminalInput(const TerminalInput&) = delete;
  TerminalInput& operator=(const TerminalInput&) = delete;

  enum class Kind { message, end_of_input, woken };
  struct Reading {
    Kind kind = Kind::end_of_input;
    std::string text;  // without the last line break
  };

  /// Waits for a message, the end of input, or wake().
  Reading read();

  /// Ends a read() that waits now, or the next one. Any thread.
  void wake();

  bool isTerminal() const { return is_terminal_; }

  /// Puts the terminal back as it was; for a process that ends without destructors.
  void restore();

 private:
  bool waitForInput();                    // false: woken
  std::optional<std::string> takeLine();  // a whole line, or the rest at the end of input

  bool is_terminal_;
  bool changed_ = false;
  termios before_{};
  int wake_ = -1;  // eventfd
  bool at_end_ = false;
  std::string buffered_;
};

}  // namespace hearth::cli
