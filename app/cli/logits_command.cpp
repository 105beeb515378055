// hearth-cli logits: what a model thinks of a prompt, as a NumPy array. Always exact.
#include <algorithm>
#include <array>
#include <memory>

#include "app/cli/command.h"
#include "app/cli/model_access.h"
#include "app/cli/npy.h"
#include "app/cli/whole_files.h"

namespace hearth::cli {

namespace {

class LogitsCommand final : public Command {
 public:
  void addOptions(CLI::App& app) override;
  Outcome<Exit> run(const CommonOptions& common, Surroundings surroundings) override;

 private:
  Outcome<void> writeArray(const std::vector<float>& logits,
                           const std::vector<int64_t>& shape) const;

  std::string model_;
  PromptOptions prompt_;
  std::string out_;
  bool all_ = false;
  int32_t n_ctx_ = 0;
};

void LogitsCommand::addOptions(CLI::App& app) {
  addModelOption(app, model_);
  addPromptOptions(app, prompt_);
  app.add_option("--out,-o", out_, "The array: [n_vocab], or [n_tokens, n_vocab] with --all")
      ->required()
      ->type_name("FILE.npy");
  app.add_flag("--all", all_, "Every position, not only the last");
  app.add_option("--context", n_ctx_, "Context length (default: the model's)")
      ->check(CLI::Range(1, 1 << 20))
      ->type_name("N");
}

Outcome<void> LogitsCommand::writeArray(const std::vector<float>& logits,
                                        const std::vector<int64_t>& shape) const {
  const std::string header = npyHeader(shape);
  const std::array<std::span<const std::byte>, 2> parts{std::as_bytes(std::span(header)),
                                                        std::as_bytes(std::span(logits))};
  return writeWhole(out_, parts);
}

Outcome<Exit> LogitsCommand::run(const CommonOptions& common, Surroundings surroundings) {
  if (prompt_.text_flag->count() + prompt_.ids_flag->count() == 0) {
    return stop(Exit::usage, "give --prompt or --ids");
  }
  const auto file = openModel(model_);
  if (!file) return passOn(file);
  const auto ids = promptIds(prompt_, **file, loadTokenizer((*file)->tokenizer));
  if (!ids) return passOn(ids);
  const auto loaded = loadModel(*file, common, exactOptions(n_ctx_));
  if (!loaded) return passOn(loaded);
  auto sequence = loaded->model->newSequence();
  if (!sequence) return workFailure(sequence.error());

  const auto n_vocab = static_cast<size_t>((*file)->config.n_vocab);
  const size_t n_rows = all_ ? ids->size() : 1;
  std::vector<float> logits(n_rows * n_vocab);  // [n_rows, n_vocab]
  const auto total = static_cast<int64_t>(ids->size());
  const Interrupts::Guard guard(surroundings.interrupts, {});
  const Status run = loaded->model->forward(
      **sequence, *ids, logits, &surroundings.interrupts.flag(),
      [&](int32_t done) { surroundings.console.progress("reading the prompt", done, total); });
  if (!run) return workFailure(run.error());
  std::vector<int64_t> shape{static_cast<int64_t>(n_vocab)};
  if (all_) shape.insert(shape.begin(), total);
  if (const auto written = writeArray(logits, shape); !written) return passOn(written);
  const auto last = logits.end() - static_cast<std::ptrdiff_t>(n_vocab);
  const auto argmax = std::max_element(last, logits.end()) - last;
  if (surroundings.console.json()) {
    const auto told =
        surroundings.console.writeJson({{"ids", *ids}, {"shape", shape}, {"argmax", argmax}});
    if (!told) return passOn(told);
  } else {
    surroundings.console.note(
        fmt::format("{}: {} tokens read, likeliest next token {}", out_, total, argmax));
  }
  return Exit::done;
}

}  // namespace

std::unique_ptr<Command> makeLogitsCommand() { return std::make_unique<LogitsCommand>(); }

}  // namespace hearth::cli
