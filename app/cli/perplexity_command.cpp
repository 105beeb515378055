// hearth-cli perplexity: how well a model expects a text. Always exact.
#include <algorithm>
#include <cmath>
#include <memory>

#include "app/cli/command.h"
#include "app/cli/model_access.h"
#include "app/cli/whole_files.h"

namespace hearth::cli {

namespace {

constexpr int32_t kDefaultChunk = 512;
constexpr int32_t kScoredRows = 64;  // logits kept at once: a large vocabulary is a megabyte a row

/// -log softmax(logits)[target], in nats.
double surprise(std::span<const float> logits, int32_t target) {
  const float largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - largest);
  return std::log(sum) - (static_cast<double>(logits[static_cast<size_t>(target)]) - largest);
}

struct Score {
  double nats = 0;
  int64_t tokens = 0;
  double perplexity() const { return std::exp(nats / static_cast<double>(tokens)); }
};

class PerplexityCommand final : public Command {
 public:
  void addOptions(CLI::App& app) override;
  Outcome<Exit> run(const CommonOptions& common, Surroundings surroundings) override;

 private:
  Outcome<std::vector<int32_t>> readText(const Tokenizer& tokenizer, int32_t chunk) const;
  Status scoreChunk(LanguageModel& model, std::span<const int32_t> ids,
                    const std::atomic<bool>& cancel, Score& score) const;

  std::string model_, file_;
  int32_t context_ = 0;
};

void PerplexityCommand::addOptions(CLI::App& app) {
  addModelOption(app, model_);
  app.add_option("--file,-f", file_, "The text; - for standard input")
      ->required()
      ->type_name("FILE");
  app.add_option("--context,-c", context_,
                 "Tokens in a chunk, of which the second half is scored (default: 512, or the "
                 "model's context if that is less)")
      ->check(CLI::Range(4, 1 << 20))
      ->type_name("N");
}

Outcome<std::vector<int32_t>> PerplexityCommand::readText(const Tokenizer& tokenizer,
                                                          int32_t chunk) const {
  const auto text = readWhole(file_);
  if (!text) return passOn(text);
  std::vector<int32_t> ids = tokenizer.encode(*text, {});
  if (ids.size() < static_cast<size_t>(chunk)) {
    return stop(
        Exit::failed,
        "{} has {} tokens, and one chunk takes {}: give a longer text or a smaller --context",
        file_, ids.size(), chunk);
  }
  return ids;
}

/// Predictions made at positions n/2 … n-2 of a chunk of n tokens count: what comes before is
/// context, as llama.cpp's llama-perplexity does it, so that figures can be compared.
Status PerplexityCommand::scoreChunk(LanguageModel& model, std::span<const int32_t> ids,
                                     const std::atomic<bool>& cancel, Score& score) const {
  auto sequence = model.newSequence();
  if (!sequence) return passOn(sequence);
  const size_t n = ids.size();
  const size_t first = n / 2;
  if (auto run = model.forward(**sequence, ids.first(first), {}, &cancel); !run) return run;
  const auto n_vocab = static_cast<size_t>(model.config().n_vocab);
  std::vector<float> logits;  // [rows, n_vocab]
  for (size_t begin = first; begin < n - 1; begin += kScoredRows) {
    const size_t rows = std::min<size_t>(kScoredRows, n - 1 - begin);
    logits.resize(rows * n_vocab);
    if (auto run = model.forward(**sequence, ids.subspan(begin, rows), logits, &cancel); !run) {
      return run;
    }
    for (size_t row = 0; row < rows; ++row) {
      score.nats +=
          surprise(std::span(logits).subspan(row * n_vocab, n_vocab), ids[begin + row + 1]);
    }
    score.tokens += static_cast<int64_t>(rows);
  }
  return {};
}

Outcome<Exit> PerplexityCommand::run(const CommonOptions& common, Surroundings surroundings) {
  const auto file = openModel(model_);
  if (!file) return passOn(file);
  const auto tokenizer = loadTokenizer((*file)->tokenizer);
  if (!tokenizer) return inputFailure(tokenizer.error());
  const int32_t chunk =
      context_ > 0 ? context_ : std::min(kDefaultChunk, (*file)->config.n_ctx_train);
  auto ids = readText(**tokenizer, chunk);
  if (!ids) return passOn(ids);
  if (const auto inside = checkIds(*ids, (*file)->config.n_vocab); !inside) {
    return stop(Exit::bad_input, "{}: {}", model_, inside.error().message);
  }
  if (chunk > (*file)->config.n_ctx_train) {
    surroundings.console.note(fmt::format("the model was trained for {} tokens of context only",
                                          (*file)->config.n_ctx_train));
  }
  const auto loaded = loadModel(*file, common, exactOptions(chunk));
  if (!loaded) return passOn(loaded);

  const int32_t bos = (*tokenizer)->bosId();
  const bool begins_with_bos = bos >= 0 && ids->front() == bos;
  const size_t n_chunks = ids->size() / static_cast<size_t>(chunk);
  Score score;
  const Interrupts::Guard guard(surroundings.interrupts, {});
  for (size_t i = 0; i < n_chunks; ++i) {
    const auto chunk_ids =
        std::span(*ids).subspan(i * static_cast<size_t>(chunk), static_cast<size_t>(chunk));
    if (begins_with_bos) chunk_ids.front() = bos;
    const Status scored =
        scoreChunk(*loaded->model, chunk_ids, surroundings.interrupts.flag(), score);
    if (!scored) return workFailure(scored.error());
    surroundings.console.progress(fmt::format("perplexity {:.4f}, chunk", score.perplexity()),
                                  static_cast<int64_t>(i + 1), static_cast<int64_t>(n_chunks));
  }
  Console& console = surroundings.console;
  const auto told =
      console.json()
          ? console.writeJson({{"perplexity", score.perplexity()}, {"tokens", score.tokens}})
          : console.write(fmt::format("{:.4f}\n", score.perplexity()));
  if (!told) return passOn(told);
  console.note(fmt::format("{} tokens scored in {} chunks of {}", score.tokens, n_chunks, chunk));
  return Exit::done;
}

}  // namespace

std::unique_ptr<Command> makePerplexityCommand() { return std::make_unique<PerplexityCommand>(); }

}  // namespace hearth::cli
