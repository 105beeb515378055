// Where a command's words go: results to standard output, everything else to standard error.
#pragma once

#include <nlohmann/json.hpp>

#include <chrono>
#include <string>
#include <string_view>

#include "app/cli/failure.h"

namespace hearth::cli {

using Json = nlohmann::ordered_json;

struct ConsoleOptions {
  bool json = false;   // standard output carries one JSON document and nothing else
  bool quiet = false;  // no progress, no statistics, no notes; errors are still told
};

/// Used from one thread.
class Console {
 public:
  explicit Console(ConsoleOptions options);
  ~Console();  // clears a progress line

  bool json() const { return options_.json; }
  bool quiet() const { return options_.quiet; }

  /// Writes to standard output at once. A reader that has gone away is a silent failure with
  /// Exit::done: it has read all it wanted. Codes: Exit::no_room, Exit::failed.
  Outcome<void> write(std::string_view text);

  /// The command's one JSON document. Bytes that are not UTF-8 become U+FFFD.
  Outcome<void> writeJson(const Json& document);

  /// A line on standard error, unless quiet.
  void note(std::string_view line);
  /// A line on standard error in any case.
  void error(std::string_view line);

  /// "reading the prompt  256/512": one line rewritten on a terminal, a line every ten seconds
  /// elsewhere.
  void progress(std::string_view what, int64_t done, int64_t total);
  void clearProgress();

 private:
  ConsoleOptions options_;
  bool error_is_terminal_;
  bool progress_shown_ = false;
  std::chrono::steady_clock::time_point last_progress_;
};

}  // namespace hearth::cli
