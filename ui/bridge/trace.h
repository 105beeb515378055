// A log of what the window has shown, for tests that end the program at random instants.
#pragma once

#include <QString>

#include "app/chat/chat_types.h"

namespace hearth {

/// Appends lines `<Unix ms> <event> <id> <JSON>` to the file named by HEARTH_TRACE; does nothing
/// without it. Every line is one write(), so that what was shown survives SIGKILL. UI thread.
/// Events: ready (the window is seen), model (one is open), sent, text, finished (messages).
class Trace {
 public:
  Trace();
  ~Trace();
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  void write(const char* event, int64_t id, const QString& text);

 private:
  int file_ = -1;
};

}  // namespace hearth
