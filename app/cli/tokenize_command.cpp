// hearth-cli tokenize and detokenize: a tokenizer by itself, without its model.
#include <unistd.h>

#include <memory>

#include "app/cli/command.h"
#include "app/cli/model_access.h"
#include "app/cli/whole_files.h"

namespace hearth::cli {

namespace {

/// --model or --tokenizer.
struct TokenizerFlags {
  std::string model, file;
};

void addTokenizerFlags(CLI::App& app, TokenizerFlags& flags) {
  auto* group = app.add_option_group("Tokenizer");
  group->add_option("--model,-m", flags.model, "The tokenizer of a GGUF file or a model folder")
      ->type_name("MODEL");
  group->add_option("--tokenizer", flags.file, "A tokenizer.model file, or a GGUF vocabulary")
      ->type_name("FILE");
  group->require_option(1);
}

Outcome<std::unique_ptr<Tokenizer>> open(const TokenizerFlags& flags) {
  if (flags.file.empty()) return openTokenizer(flags.model);
  auto tokenizer = loadTokenizerFile(flags.file);
  if (!tokenizer) return inputFailure(tokenizer.error());
  return std::move(*tokenizer);
}

class TokenizeCommand final : public Command {
 public:
  void addOptions(CLI::App& app) override {
    addTokenizerFlags(app, tokenizer_);
    text_flag_ =
        app.add_option("--text,-t", text_, "The text (default: standard input)")->type_name("TEXT");
    app.add_option("--file,-f", file_, "Read the text from a file; - for standard input")
        ->type_name("FILE")
        ->excludes(text_flag_);
    app.add_flag("--no-bos", no_bos_, "Without the tokens that begin or end a text");
    app.add_flag("--parse-special", parse_special_, "\"</s>\" in the text is the control token");
  }

  Outcome<Exit> run(const CommonOptions&, Surroundings surroundings) override {
    const auto tokenizer = open(tokenizer_);
    if (!tokenizer) return passOn(tokenizer);
    Outcome<std::string> text = text_;
    if (text_flag_->count() == 0) text = readWhole(file_.empty() ? "-" : file_);
    if (!text) return passOn(text);
    const std::vector<int32_t> ids =
        (*tokenizer)->encode(*text, {.add_special = !no_bos_, .parse_special = parse_special_});
    const auto told = print(**tokenizer, ids, surroundings.console);
    if (!told) return passOn(told);
    return Exit::done;
  }

 private:
  static Outcome<void> print(const Tokenizer& tokenizer, const std::vector<int32_t>& ids,
                             Console& console) {
    if (console.json()) {
      std::vector<std::string> pieces;
      for (const int32_t id : ids) pieces.push_back(tokenizer.vocabularyText(id));
      return console.writeJson({{"ids", ids}, {"pieces", pieces}});
    }
    std::string lines;
    for (const int32_t id : ids) {
      lines += fmt::format("{:>7}  {}\n", id, tokenizer.vocabularyText(id));
    }
    return console.write(lines);
  }

  TokenizerFlags tokenizer_;
  std::string text_, file_;
  CLI::Option* text_flag_ = nullptr;
  bool no_bos_ = false;
  bool parse_special_ = false;
};

class DetokenizeCommand final : public Command {
 public:
  void addOptions(CLI::App& app) override {
    addTokenizerFlags(app, tokenizer_);
    app.add_option("--ids", ids_, "The tokens: \"1,2,3\"")->required()->type_name("LIST");
  }

  Outcome<Exit> run(const CommonOptions&, Surroundings surroundings) override {
    const auto ids = ids_.empty() ? std::vector<int32_t>{} : parseIds(ids_);
    if (!ids) return passOn(ids);
    const auto tokenizer = open(tokenizer_);
    if (!tokenizer) return passOn(tokenizer);
    if (const auto inside = checkIds(*ids, (*tokenizer)->nVocab()); !inside) return passOn(inside);
    const std::string text = (*tokenizer)->decode(*ids);
    Console& console = surroundings.console;
    Outcome<void> told;
    if (console.json()) {
      told = console.writeJson({{"text", text}});
    } else {
      const bool ends_line = isatty(STDOUT_FILENO) != 1 || text.ends_with('\n');
      told = console.write(ends_line ? text : text + "\n");
    }
    if (!told) return passOn(told);
    return Exit::done;
  }

 private:
  TokenizerFlags tokenizer_;
  std::string ids_;
};

}  // namespace

std::unique_ptr<Command> makeTokenizeCommand() { return std::make_unique<TokenizeCommand>(); }
std::unique_ptr<Command> makeDetokenizeCommand() { return std::make_unique<DetokenizeCommand>(); }

}  // namespace hearth::cli
