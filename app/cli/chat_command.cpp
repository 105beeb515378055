// hearth-cli chat: a conversation in the terminal. Nothing of it is stored.
#include <signal.h>

#include <charconv>
#include <memory>
#include <mutex>
#include <variant>

#include "app/chat/model_chat_engine.h"
#include "app/cli/command.h"
#include "app/cli/event_queue.h"
#include "app/cli/model_access.h"
#include "app/cli/sampling_flags.h"
#include "app/cli/terminal_input.h"

namespace hearth::cli {

namespace {

constexpr ConversationId kConversation = 1;  // the only one

constexpr const char* kHelp =
    "/settings            show how answers are made\n"
    "/set NAME VALUE      change a setting: /set temperature 0.5\n"
    "/system TEXT         what the model reads before the conversation\n"
    "/new                 forget the conversation\n"
    "/quit                leave, as Ctrl+D does\n"
    "//TEXT               a message that begins with /\n"
    "Ctrl+C stops an answer; twice leaves. A pasted text may have many lines: Enter sends it.";

struct NamedSetting {
  const char* name;
  float GenerationSettings::*value;
  float least, most;
};

constexpr NamedSetting kSettings[] = {
    {"temperature", &GenerationSettings::temperature, 0, 100},
    {"top-p", &GenerationSettings::top_p, 0, 1},
    {"min-p", &GenerationSettings::min_p, 0, 1},
    {"repeat-penalty", &GenerationSettings::repetition_penalty, 1e-3f, 1e6f},
    {"presence-penalty", &GenerationSettings::presence_penalty, -1e6f, 1e6f},
    {"frequency-penalty", &GenerationSettings::frequency_penalty, -1e6f, 1e6f},
};

struct NamedCount {
  const char* name;
  int32_t GenerationSettings::*value;
  int32_t least;
};

constexpr NamedCount kCounts[] = {
    {"top-k", &GenerationSettings::top_k, 0},
    {"max-tokens", &GenerationSettings::max_tokens, -1},
};

std::string settingsText(const GenerationSettings& settings) {
  std::string text;
  for (const NamedSetting& s : kSettings)
    text += fmt::format("{} {:g}\n", s.name, settings.*s.value);
  for (const NamedCount& c : kCounts) text += fmt::format("{} {}\n", c.name, settings.*c.value);
  text += settings.seed ? fmt::format("seed {}\n", *settings.seed) : "seed random\n";
  return text +
         "system prompt: " + (settings.system_prompt.empty() ? "none" : settings.system_prompt);
}

template <class T>
std::optional<T> numberIn(std::string_view text) {
  T value{};
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || rest != text.data() + text.size()) return std::nullopt;
  return value;
}

/// "temperature 0.5". Returns what to tell the person.
std::string change(GenerationSettings& settings, std::string_view words) {
  const size_t space = words.find(' ');
  const std::string_view name = words.substr(0, space);
  const std::string_view value = space == std::string_view::npos ? "" : words.substr(space + 1);
  for (const NamedSetting& s : kSettings) {
    if (name != s.name) continue;
    const auto number = numberIn<float>(value);
    if (!number || !(*number >= s.least && *number <= s.most)) {
      return fmt::format("{} takes a number from {:g} to {:g}", name, s.least, s.most);
    }
    settings.*s.value = *number;
    return fmt::format("{} {:g}", name, *number);
  }
  for (const NamedCount& c : kCounts) {
    if (name != c.name) continue;
    const auto number = numberIn<int32_t>(value);
    if (!number || *number < c.least)
      return fmt::format("{} takes a number from {}", name, c.least);
    settings.*c.value = *number;
    return fmt::format("{} {}", name, *number);
  }
  if (name != "seed") return fmt::format("there is no setting '{}'; /settings lists them", name);
  settings.seed = numberIn<uint64_t>(value);
  return settings.seed ? fmt::format("seed {}", *settings.seed) : "seed random";
}

class ChatCommand final : public Command {
 public:
  void addOptions(CLI::App& app) override;
  Outcome<Exit> run(const CommonOptions& common, Surroundings surroundings) override;

 private:
  enum class Next { go_on, leave };

  Outcome<void> open(const CommonOptions& common);
  Outcome<Exit> converse(TerminalInput& input, Surroundings surroundings);
  Next obey(const std::string& line, Console& console);
  Outcome<void> answer(const std::string& question, const TerminalInput& input, Console& console);
  Outcome<void> finishAnswer(const std::string& text, const AnswerStats& stats, Console& console);
  void onInterrupt(int signal, TerminalInput& input);
  void setAnswering(bool answering);

  std::string model_;
  CLI::Option* model_flag_ = nullptr;
  int32_t n_ctx_ = 0;
  GenerationSettings settings_;
  SamplingFlags sampling_;

  std::unique_ptr<ModelChatEngine> engine_;
  std::vector<Turn> turns_;
  Json transcript_ = Json::array();
  std::mutex answering_mutex_;
  bool answering_ = false;  // guarded by answering_mutex_; the engine may be told to cancel
  std::atomic<bool> leaving_ = false;
  std::atomic<int> interrupts_ = 0;  // in a row, since the last message
};

void ChatCommand::addOptions(CLI::App& app) {
  model_flag_ = addModelOption(app, model_)->required(false)->description(
      "GGUF file or Hugging Face folder (default: the one used last in the window)");
  app.add_option("--system", settings_.system_prompt, "What the model reads first")
      ->type_name("TEXT");
  app.add_option("--max-tokens,-n", settings_.max_tokens, "Longest answer (default: 1024)")
      ->check(CLI::Range(1, 1 << 30))
      ->type_name("N");
  app.add_option("--context", n_ctx_, "Context length (default: the model's)")
      ->check(CLI::Range(1, 1 << 20))
      ->type_name("N");
  app.add_option("--stop", settings_.stop,
                 "End answers before this text; may be given several times")
      ->allow_extra_args(false)
      ->type_name("TEXT");
  sampling_.options.repetition_penalty = settings_.repetition_penalty;
  addSamplingFlags(app, sampling_);
}

Outcome<void> ChatCommand::open(const CommonOptions& common) {
  if (model_flag_->count() == 0) {
    auto last = lastModel(common);
    if (!last) return passOn(last);
    model_ = std::move(*last);
  }
  const auto file = openModel(model_);
  if (!file) return passOn(file);
  auto tokenizer = loadTokenizer((*file)->tokenizer);
  if (!tokenizer) return inputFailure(tokenizer.error());
  auto engine = openEngine(*file, common, n_ctx_);
  if (!engine) return passOn(engine);
  ModelDescription description;
  description.name = displayName(**file);
  description.path = model_;
  description.architecture = (*file)->config.architecture;
  description.device = (*engine)->deviceInfo().name;
  description.context_length = (*engine)->contextLength();
  engine_ = std::make_unique<ModelChatEngine>(ModelChatEngine::Parts{
      std::move(*engine), std::move(*tokenizer), std::move(description), (*file)->content_key});
  return {};
}

/// Runs on the signal thread.
void ChatCommand::onInterrupt(int signal, TerminalInput& input) {
  const bool again = interrupts_.fetch_add(1) > 0;
  if (again || signal != SIGINT || !input.isTerminal()) leaving_ = true;
  {
    const std::lock_guard lock(answering_mutex_);
    if (answering_) engine_->cancel(kConversation);
  }
  input.wake();
}

void ChatCommand::setAnswering(bool answering) {
  const std::lock_guard lock(answering_mutex_);
  answering_ = answering;
  // An interrupt that came when there was nothing to cancel yet.
  if (answering && interrupts_ > 0) engine_->cancel(kConversation);
}

Outcome<void> ChatCommand::finishAnswer(const std::string& text, const AnswerStats& stats,
                                        Console& console) {
  turns_.push_back({static_cast<MessageId>(turns_.size() + 1), Role::assistant, text});
  if (console.json()) {
    transcript_.push_back({{"role", "assistant"},
                           {"content", text},
                           {"stats",
                            {{"prompt_tokens", stats.prompt_tokens},
                             {"cached_tokens", stats.cached_tokens},
                             {"generated_tokens", stats.generated_tokens},
                             {"generated_tokens_per_s", stats.generated_tokens_per_s},
                             {"time_to_first_token_ms", stats.time_to_first_token_ms},
                             {"stop_reason", stats.stop_reason},
                             {"dropped_messages", stats.dropped_messages}}}});
    return {};
  }
  if (auto written = console.write("\n"); !written) return written;
  if (stats.dropped_messages > 0) {
    console.note(fmt::format("[the context is full; oldest messages left out: {}]",
                             stats.dropped_messages));
  }
  console.note(fmt::format("[{} tokens, {:.1f}/s, first after {:.0f} ms, ended by {}]",
                           stats.generated_tokens, stats.generated_tokens_per_s,
                           stats.time_to_first_token_ms, stats.stop_reason));
  return {};
}

/// A message that could not be asked is taken back, so that a person can write another. A script
/// that reads the answers has to be told.
Outcome<void> ChatCommand::answer(const std::string& question, const TerminalInput& input,
                                  Console& console) {
  turns_.push_back({static_cast<MessageId>(turns_.size() + 1), Role::user, question});
  if (console.json()) transcript_.push_back({{"role", "user"}, {"content", question}});
  const auto queue = std::make_shared<EventQueue<AnswerEvent>>();  // outlives us in the listener
  AnswerRequest request;
  request.conversation_id = kConversation;
  request.answer_id = static_cast<MessageId>(turns_.size() + 1);
  request.turns = turns_;
  request.settings = settings_;
  const Status started = engine_->start(
      std::move(request), [queue](AnswerEvent event) { queue->put(std::move(event)); });
  if (!started) {
    turns_.pop_back();
    if (console.json()) transcript_.erase(transcript_.size() - 1);
    if (!input.isTerminal()) return workFailure(started.error());
    console.error(started.error().message);
    return {};
  }
  setAnswering(true);
  std::string text;
  Outcome<void> written;
  for (;;) {
    AnswerEvent event = queue->take();
    if (const auto* reading = std::get_if<AnswerReading>(&event)) {
      console.progress("reading", reading->done_tokens, reading->total_tokens);
    } else if (const auto* more = std::get_if<AnswerText>(&event)) {
      text += more->text;
      if (!console.json() && written) written = console.write(more->text);
      if (!written) engine_->cancel(kConversation);
    } else if (const auto* failed = std::get_if<AnswerFailed>(&event)) {
      setAnswering(false);
      return workFailure(failed->error);
    } else {
      setAnswering(false);
      if (!written) return written;
      return finishAnswer(text, std::get<AnswerFinished>(event).stats, console);
    }
  }
}

ChatCommand::Next ChatCommand::obey(const std::string& line, Console& console) {
  const size_t space = line.find(' ');
  const std::string verb = line.substr(0, space);
  const std::string rest = space == std::string::npos ? "" : line.substr(space + 1);
  if (verb == "/quit" || verb == "/exit") return Next::leave;
  if (verb == "/help") {
    console.error(kHelp);
  } else if (verb == "/settings") {
    console.error(settingsText(settings_));
  } else if (verb == "/set") {
    console.error(change(settings_, rest));
  } else if (verb == "/system") {
    settings_.system_prompt = rest;
  } else if (verb == "/new") {
    engine_->forget(kConversation);
    turns_.clear();
    console.note("[a new conversation]");
  } else {
    console.error(fmt::format("there is no {}; /help lists what there is", verb));
  }
  return Next::go_on;
}

Outcome<Exit> ChatCommand::converse(TerminalInput& input, Surroundings surroundings) {
  Console& console = surroundings.console;
  while (!leaving_) {
    if (input.isTerminal() && !console.json()) {
      if (const auto shown = console.write("> "); !shown) return passOn(shown);
    }
    TerminalInput::Reading reading = input.read();
    if (reading.kind == TerminalInput::Kind::end_of_input) {
      if (input.isTerminal()) console.error("");
      return Exit::done;
    }
    if (reading.kind == TerminalInput::Kind::woken) {
      if (!leaving_) console.error("\n[Ctrl+C again, or Ctrl+D, leaves]");
      continue;
    }
    interrupts_ = 0;
    if (reading.text.empty()) continue;
    if (reading.text.starts_with('/') && !reading.text.starts_with("//")) {
      if (obey(reading.text, console) == Next::leave) return Exit::done;
      continue;
    }
    if (reading.text.starts_with("//")) reading.text.erase(0, 1);
    const auto answered = answer(reading.text, input, console);
    if (!answered) return passOn(answered);
  }
  return Exit::interrupted;
}

Outcome<Exit> ChatCommand::run(const CommonOptions& common, Surroundings surroundings) {
  const SamplingOptions& sampling = sampling_.options;
  settings_.temperature = sampling.temperature;
  settings_.top_k = sampling.top_k;
  settings_.top_p = sampling.top_p;
  settings_.min_p = sampling.min_p;
  settings_.repetition_penalty = sampling.repetition_penalty;
  settings_.presence_penalty = sampling.presence_penalty;
  settings_.frequency_penalty = sampling.frequency_penalty;
  if (seedWasGiven(sampling_)) settings_.seed = sampling.seed;
  if (const auto opened = open(common); !opened) return passOn(opened);

  TerminalInput input;
  if (input.isTerminal()) {
    const ModelDescription model = engine_->describe();
    surroundings.console.note(fmt::format("{} on {}. The model continues what you write. /help",
                                          model.name, model.device));
  }
  const Interrupts::LastWill will(surroundings.interrupts, [&input] { input.restore(); });
  Outcome<Exit> outcome = Exit::done;
  {
    const Interrupts::Guard guard(
        surroundings.interrupts, [&](int signal) { onInterrupt(signal, input); }, true);
    outcome = converse(input, surroundings);
    engine_.reset();
  }
  if (outcome && surroundings.console.json()) {
    const auto told = surroundings.console.writeJson({{"messages", transcript_}});
    if (!told) return passOn(told);
  }
  return outcome;
}

}  // namespace

std::unique_ptr<Command> makeChatCommand() { return std::make_unique<ChatCommand>(); }

}  // namespace hearth::cli
