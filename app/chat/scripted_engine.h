// A ChatEngine that plays a script instead of running a model: for UI work, screenshots and tests.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "app/chat/chat_engine.h"

namespace hearth {

/// One answer of a script. It is played piece by piece, as a model would generate it.
struct ScriptedAnswer {
  std::string text;
  double tokens_per_s = 40;         // 0: everything at once
  int first_token_delay_ms = 150;   // time spent "reading" before the first piece
  int prompt_tokens = 0;            // 0: estimated from the turns
  bool refuse = false;              // start() itself returns `error`
  std::optional<Error> error;       // after the text: the answer fails with it
};

/// Reads a script: answers separated by lines of `---`. Lines that begin with `@` set up the answer
/// they stand in: `@rate 20`, `@delay 500`, `@fail io the cable fell out`, `@refuse busy …`.
/// Codes: invalid_argument, naming the line.
Result<std::vector<ScriptedAnswer>> parseScript(std::string_view script);

/// The script that is played when there is no other.
std::vector<ScriptedAnswer> builtInScript();

/// The pieces in which an answer is played: words with the space before them, single characters in
/// scripts without spaces. Joined they are the text.
std::vector<std::string> splitIntoPieces(std::string_view text);

struct ScriptedEngineOptions {
  std::vector<ScriptedAnswer> script;   // played in order, one an answer, then from the start
  std::optional<double> tokens_per_s;   // overrides every answer's own rate
  std::string model_name = "scripted";
};

/// Answers run at the same time on one thread of the engine's.
class ScriptedEngine final : public ChatEngine {
 public:
  /// Precondition: the script is not empty.
  explicit ScriptedEngine(ScriptedEngineOptions options);
  ~ScriptedEngine() override;

  ModelDescription describe() const override;
  Status start(AnswerRequest request, AnswerListener listener) override;
  void cancel(ConversationId conversation) override;
  void forget(ConversationId conversation) override { cancel(conversation); }

 private:
  struct Playing;
  void play();
  bool advance(Playing& playing);
  void finish(Playing& playing, const char* stop_reason);

  const ScriptedEngineOptions options_;
  size_t next_answer_ = 0;
  std::mutex mutex_;                    // guards what follows
  std::condition_variable changed_;
  std::map<ConversationId, std::unique_ptr<Playing>> playing_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace hearth
