#include "app/chat/scripted_engine.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

#include "kernels/base/check.h"

namespace hearth {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kReadingSteps = 4;

double secondsBetween(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

Clock::duration fromSeconds(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

std::optional<ErrorCode> errorCodeFromName(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(ErrorCode::newer_version); ++i)
    if (const auto code = static_cast<ErrorCode>(i); name == errorCodeName(code)) return code;
  return std::nullopt;
}

std::string_view takeWord(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(word.size());
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  return word;
}

template <class Number>
bool readNumber(std::string_view text, Number& value) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  return code == std::errc() && end == text.data() + text.size() && value >= 0;
}

/// `line` without its '@'.
bool applyDirective(std::string_view line, ScriptedAnswer& answer) {
  const std::string_view name = takeWord(line);
  if (name == "rate") return readNumber(line, answer.tokens_per_s);
  if (name == "delay") return readNumber(line, answer.first_token_delay_ms);
  if (name != "fail" && name != "refuse") return false;
  const auto code = errorCodeFromName(takeWord(line));
  if (!code) return false;
  answer.error = Error{*code, std::string(line)};
  answer.refuse = name == "refuse";
  return true;
}

std::string trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of("\n ");
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of("\n ") - first + 1);
}

size_t characterLength(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  return std::min(length, text.size());
}

}  // namespace

Result<std::vector<ScriptedAnswer>> parseScript(std::string_view script) {
  std::vector<ScriptedAnswer> answers(1);
  for (int line_number = 1; !script.empty(); ++line_number) {
    const std::string_view line = script.substr(0, script.find('\n'));
    script.remove_prefix(std::min(line.size() + 1, script.size()));
    ScriptedAnswer& answer = answers.back();
    if (line == "---") {
      answers.emplace_back();
    } else if (line.starts_with('@')) {
      if (!applyDirective(line.substr(1), answer))
        return fail(ErrorCode::invalid_argument, "script line {}: cannot follow \"{}\"",
                    line_number, line);
    } else {
      answer.text.append(line).push_back('\n');
    }
  }
  for (ScriptedAnswer& answer : answers) answer.text = trimmed(answer.text);
  return answers;
}

std::vector<ScriptedAnswer> builtInScript() {
  std::vector<ScriptedAnswer> script(3);
  script[0].text =
      "This answer comes from a script, not from a model. It is here so that the window can be "
      "worked on without one.\n\nIt has a second paragraph, and it goes on long enough to show how "
      "text streams, wraps and scrolls.";
  script[1].text = "第二个回答用来检查中文的显示：字体、换行和逐字出现的速度。\n\n"
                   "A line of English follows, so that both can be seen side by side.";
  script[2].text = "A short one.";
  return script;
}

std::vector<std::string> splitIntoPieces(std::string_view text) {
  std::vector<std::string> pieces;
  while (!text.empty()) {
    size_t length = characterLength(text);
    const bool starts_word = text.front() == ' ' || static_cast<unsigned char>(text.front()) < 0x80;
    while (starts_word && length < text.size() && text[length] != ' ' && text[length] != '\n' &&
           static_cast<unsigned char>(text[length]) < 0x80)
      ++length;
    pieces.emplace_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return pieces;
}

struct ScriptedEngine::Playing {
  ScriptedAnswer answer;
  std::vector<std::string> pieces;
  AnswerListener listener;
  AnswerStats stats;
  Clock::time_point started, first_piece, next;
  int reading_steps = 0;
  size_t played = 0;
  bool cancelled = false;
};

ScriptedEngine::ScriptedEngine(ScriptedEngineOptions options)
    : options_(std::move(options)), thread_([this] { play(); }) {
  CHECK(!options_.script.empty());
}

ScriptedEngine::~ScriptedEngine() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    for (auto& [id, playing] : playing_) playing->cancelled = true;
  }
  changed_.notify_all();
  thread_.join();
}

ModelDescription ScriptedEngine::describe() const {
  return {.name = options_.model_name,
          .path = {},
          .architecture = "script",
          .weight_type = {},
          .device = "script",
          .why_not_gpu = {},
          .context_length = 4096,
          .file_bytes = 0};
}

Status ScriptedEngine::start(AnswerRequest request, AnswerListener listener) {
  auto playing = std::make_unique<Playing>();
  playing->answer = options_.script[next_answer_ % options_.script.size()];
  if (options_.tokens_per_s) playing->answer.tokens_per_s = *options_.tokens_per_s;
  const std::lock_guard lock(mutex_);
  if (playing_.contains(request.conversation_id))
    return fail(ErrorCode::busy, "conversation {} is being answered", request.conversation_id);
  ++next_answer_;
  if (playing->answer.refuse) return tl::unexpected<Error>(*playing->answer.error);
  playing->pieces = splitIntoPieces(playing->answer.text);
  playing->listener = std::move(listener);
  playing->stats.prompt_tokens = playing->answer.prompt_tokens;
  if (playing->stats.prompt_tokens == 0)
    for (const Turn& turn : request.turns)
      playing->stats.prompt_tokens += static_cast<int32_t>(splitIntoPieces(turn.text).size());
  playing->started = playing->next = Clock::now();
  playing_.emplace(request.conversation_id, std::move(playing));
  changed_.notify_all();
  return {};
}

void ScriptedEngine::cancel(ConversationId conversation) {
  const std::lock_guard lock(mutex_);
  if (const auto found = playing_.find(conversation); found != playing_.end())
    found->second->cancelled = true;
  changed_.notify_all();
}

void ScriptedEngine::finish(Playing& playing, const char* stop_reason) {
  if (playing.answer.error && !playing.cancelled) {
    playing.listener(AnswerFailed{*playing.answer.error});
    return;
  }
  const auto now = Clock::now();
  AnswerStats& stats = playing.stats;
  stats.generated_tokens = static_cast<int32_t>(playing.played);
  const double generation_s = secondsBetween(playing.first_piece, now);
  if (stats.generated_tokens > 1 && generation_s > 0)
    stats.generated_tokens_per_s = (stats.generated_tokens - 1) / generation_s;
  if (stats.time_to_first_token_ms > 0)
    stats.prompt_tokens_per_s = stats.prompt_tokens * 1000.0 / stats.time_to_first_token_ms;
  stats.stop_reason = stop_reason;
  stats.model = options_.model_name;
  stats.device = "script";
  playing.listener(AnswerFinished{stats});
}

/// Plays what is due. True when the answer has ended.
bool ScriptedEngine::advance(Playing& playing) {
  if (playing.cancelled) {
    finish(playing, "cancelled");
    return true;
  }
  const auto now = Clock::now();
  while (playing.next <= now) {
    if (playing.reading_steps < kReadingSteps) {
      ++playing.reading_steps;
      playing.listener(AnswerReading{playing.stats.prompt_tokens * playing.reading_steps / kReadingSteps,
                                     playing.stats.prompt_tokens});
      playing.next += std::chrono::milliseconds(playing.answer.first_token_delay_ms) / kReadingSteps;
      continue;
    }
    if (playing.played == playing.pieces.size()) {
      finish(playing, "end_of_text");
      return true;
    }
    if (playing.played == 0) {
      playing.first_piece = now;
      playing.stats.time_to_first_token_ms = secondsBetween(playing.started, now) * 1000;
    }
    playing.listener(AnswerText{playing.pieces[playing.played++]});
    if (playing.answer.tokens_per_s > 0) playing.next += fromSeconds(1 / playing.answer.tokens_per_s);
  }
  return false;
}

void ScriptedEngine::play() {
  std::unique_lock lock(mutex_);
  for (;;) {
    auto wake = Clock::time_point::max();
    for (auto it = playing_.begin(); it != playing_.end();) {
      if (advance(*it->second)) {
        it = playing_.erase(it);
      } else {
        wake = std::min(wake, it->second->next);
        ++it;
      }
    }
    if (ending_ && playing_.empty()) return;
    if (playing_.empty()) {
      changed_.wait(lock);
    } else {
      changed_.wait_until(lock, wake);
    }
  }
}

}  // namespace hearth
