// hearth-cli generate: a text goes in, its continuation streams out.
#include <unistd.h>

#include <memory>
#include <variant>

#include "app/chat/answer_stream.h"
#include "app/cli/chat_file.h"
#include "app/cli/command.h"
#include "app/cli/event_queue.h"
#include "app/cli/model_access.h"
#include "app/cli/sampling_flags.h"

namespace hearth::cli {

namespace {

struct Generated {
  std::string text;
  std::vector<int32_t> ids;
  GenerationStats stats;
  int32_t dropped_messages = 0;  // of a conversation that is longer than the context
};

/// What the engine's thread hands to the command's: an event, and the text that became certain.
struct Heard {
  Event event;
  std::string text;
};

/// True when none of `ids` stands for text: the answer starts a text of its own.
bool startsText(const Tokenizer& tokenizer, const std::vector<int32_t>& ids) {
  for (const int32_t id : ids) {
    if (!tokenizer.piece(id).empty()) return false;
  }
  return true;
}

std::vector<int32_t> endIds(const Tokenizer& tokenizer) {
  std::vector<int32_t> ids;
  for (int32_t id = 0; id < tokenizer.nVocab(); ++id) {
    if (tokenizer.isEndOfGeneration(id)) ids.push_back(id);
  }
  return ids;
}

class GenerateCommand final : public Command {
 public:
  void addOptions(CLI::App& app) override;
  Outcome<Exit> run(const CommonOptions& common, Surroundings surroundings) override;

 private:
  Outcome<void> checkFlags() const;
  Outcome<Prompt> readPrompt(const ModelFile& file,
                             const Result<std::unique_ptr<Tokenizer>>& tokenizer,
                             Console& console) const;
  Outcome<Generated> generate(Session& session, GenerationRequest request,
                              std::shared_ptr<AnswerStream> stream,
                              Surroundings surroundings) const;
  Outcome<void> report(const Generated& generated, const Engine& engine, const ModelFile& file,
                       uint64_t seed, Console& console) const;

  std::string model_;
  PromptOptions prompt_;
  std::string chat_file_;
  int32_t max_tokens_ = -1;
  int32_t n_ctx_ = 0;
  std::vector<std::string> stop_;
  bool ignore_eos_ = false;
  std::string spec_ = "auto";
  SamplingFlags sampling_;
};

void GenerateCommand::addOptions(CLI::App& app) {
  addModelOption(app, model_);
  addPromptOptions(app, prompt_);
  prompt_.file_flag = app.add_option("--prompt-file,-f", prompt_.file,
                                     "Read the text from a file; - for standard input")
                          ->type_name("FILE")
                          ->excludes(prompt_.text_flag)
                          ->excludes(prompt_.ids_flag);
  app.add_option(
         "--chat", chat_file_,
         "A conversation, [{\"role\", \"content\"}, …], written as the model's chat template says; "
                 "as plain text for a model without one")
      ->type_name("FILE.json");
  app.add_option("--max-tokens,-n", max_tokens_, "Stop after N tokens (default: context full)")
      ->check(CLI::Range(1, 1 << 30))
      ->type_name("N");
  app.add_option("--context", n_ctx_, "Context length (default: the model's)")
      ->check(CLI::Range(1, 1 << 20))
      ->type_name("N");
  app.add_option("--stop", stop_, "End before this text; may be given several times")
      ->allow_extra_args(false)
      ->type_name("TEXT");
  app.add_flag("--ignore-eos", ignore_eos_, "Go on after the model's end token");
  app.add_option("--spec", spec_, "Drafting: off, or auto, which is off in this version")
      ->type_name("KIND");
  addSamplingFlags(app, sampling_);
}

Outcome<void> GenerateCommand::checkFlags() const {
  const int sources = static_cast<int>(prompt_.text_flag->count() > 0) +
                      static_cast<int>(prompt_.file_flag->count() > 0) +
                      static_cast<int>(prompt_.ids_flag->count() > 0) +
                      static_cast<int>(!chat_file_.empty());
  if (sources != 1) {
    return stop(Exit::usage, "give one of --prompt, --prompt-file, --ids and --chat");
  }
  if (spec_ != "off" && spec_ != "auto") {
    return stop(Exit::usage, "--spec {}: drafting is not in this version; off and auto are", spec_);
  }
  return {};
}

Outcome<Prompt> GenerateCommand::readPrompt(const ModelFile& file,
                                            const Result<std::unique_ptr<Tokenizer>>& tokenizer,
                                            Console& console) const {
  if (!chat_file_.empty())
    return chatPrompt(chat_file_, file, tokenizer, n_ctx_, max_tokens_, console);
  auto ids = promptIds(prompt_, file, tokenizer);
  if (!ids) return passOn(ids);
  return Prompt{.ids = std::move(*ids)};
}

Outcome<Generated> GenerateCommand::generate(Session& session, GenerationRequest request,
                                             std::shared_ptr<AnswerStream> stream,
                                             Surroundings surroundings) const {
  request.stop_rule = stream;
  const auto queue = std::make_shared<EventQueue<Heard>>();  // outlives us in the listener
  const Interrupts::Guard guard(surroundings.interrupts, [&session](int) { session.cancel(); });
  const Status submitted = session.submit(std::move(request), [queue, stream](const Event& event) {
    const bool final = std::holds_alternative<GenerationFinished>(event);
    queue->put({event, stream ? stream->takeText(final) : ""});
  });
  if (!submitted) return workFailure(submitted.error());

  Generated generated;
  Outcome<void> written;
  for (;;) {
    const Heard heard = queue->take();
    generated.text += heard.text;
    if (!surroundings.console.json() && written && !heard.text.empty()) {
      written = surroundings.console.write(heard.text);
      if (!written) session.cancel();
    }
    if (const auto* progress = std::get_if<PromptProgress>(&heard.event)) {
      surroundings.console.progress("reading the prompt", progress->done_tokens,
                                    progress->total_tokens);
    } else if (const auto* tokens = std::get_if<TokensGenerated>(&heard.event)) {
      generated.ids.insert(generated.ids.end(), tokens->ids.begin(), tokens->ids.end());
    } else if (const auto* failed = std::get_if<GenerationFailed>(&heard.event)) {
      return workFailure(failed->error);
    } else {
      generated.stats = std::get<GenerationFinished>(heard.event).stats;
      break;
    }
  }
  if (!written) return passOn(written);
  return generated;
}

Outcome<void> GenerateCommand::report(const Generated& generated, const Engine& engine,
                                      const ModelFile& file, uint64_t seed,
                                      Console& console) const {
  const GenerationStats& stats = generated.stats;
  if (console.json()) {
    return console.writeJson(
        {{"text", generated.text},
         {"ids", generated.ids},
         {"stats",
          {{"prompt_tokens", stats.prompt_tokens},
           {"dropped_messages", generated.dropped_messages},
           {"generated_tokens", stats.generated_tokens},
           {"prompt_tokens_per_s", stats.promptTokensPerSecond()},
           {"generated_tokens_per_s", stats.generatedTokensPerSecond()},
           {"time_to_first_token_ms", stats.time_to_first_token_ms},
           {"stop_reason", stopReasonName(stats.stop_reason)},
           {"steps", stats.steps},
           {"tokens_per_step",
            stats.steps > 0 ? static_cast<double>(stats.generated_tokens) / stats.steps : 0.0},
           {"acceptance_by_position", Json::array()},
           {"drafter", "none"},
           {"device", engine.deviceInfo().name},
           {"model", displayName(file)},
           {"adapters", Json::array()},
           {"seed", seed}}}});
  }
  if (isatty(STDOUT_FILENO) == 1 && !generated.text.ends_with('\n')) {
    if (const auto written = console.write("\n"); !written) return written;
  }
  console.note(
      fmt::format("{} tokens read ({:.1f}/s), {} written ({:.1f}/s), first after {:.0f} ms; ended "
                  "by {}; seed {}",
                  stats.read_tokens, stats.promptTokensPerSecond(), stats.generated_tokens,
                  stats.generatedTokensPerSecond(), stats.time_to_first_token_ms,
                  stopReasonName(stats.stop_reason), seed));
  return {};
}

Outcome<Exit> GenerateCommand::run(const CommonOptions& common, Surroundings surroundings) {
  if (const auto checked = checkFlags(); !checked) return passOn(checked);
  const auto file = openModel(model_);
  if (!file) return passOn(file);
  const Result<std::unique_ptr<Tokenizer>> tokenizer = loadTokenizer((*file)->tokenizer);
  GenerationRequest request;
  auto prompt = readPrompt(**file, tokenizer, surroundings.console);
  if (!prompt) return passOn(prompt);
  std::shared_ptr<AnswerStream> stream;  // none: ids in, ids out
  if (tokenizer) {
    const bool continues = !startsText(**tokenizer, prompt->ids);
    stream = std::make_shared<AnswerStream>(**tokenizer, stop_, continues);
    request.end_ids = endIds(**tokenizer);
  } else if (!stop_.empty()) {
    return inputFailure(tokenizer.error());
  }
  request.prompt_ids = std::move(prompt->ids);
  request.sampling = resolveSampling(sampling_);
  request.max_tokens = max_tokens_;
  request.ignore_end = ignore_eos_;
  const uint64_t seed = request.sampling.seed;

  const auto engine = openEngine(*file, common, n_ctx_);
  if (!engine) return passOn(engine);
  const std::unique_ptr<Session> session = (*engine)->newSession();
  auto generated = generate(*session, std::move(request), stream, surroundings);
  if (!generated) return passOn(generated);
  generated->dropped_messages = prompt->dropped_messages;
  if (const auto told = report(*generated, **engine, **file, seed, surroundings.console); !told) {
    return passOn(told);
  }
  return generated->stats.stop_reason == StopReason::cancelled ? Exit::interrupted : Exit::done;
}

}  // namespace

std::unique_ptr<Command> makeGenerateCommand() { return std::make_unique<GenerateCommand>(); }

}  // namespace hearth::cli
