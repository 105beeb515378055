// hearth-cli template: what a model would be given for a conversation.
#include <unistd.h>

#include <charconv>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "app/cli/command.h"
#include "app/cli/model_access.h"
#include "app/cli/whole_files.h"
#include "models/chat_template/chat_template.h"
#include "models/chat_template/template_source.h"

namespace hearth::cli {

namespace {

/// Takes `n_digits` digits from the front of `text`, nothing if they are not there.
std::optional<int> takeDigits(std::string_view& text, size_t n_digits) {
  int value = 0;
  if (text.size() < n_digits) return std::nullopt;
  const auto read = std::from_chars(text.data(), text.data() + n_digits, value);
  if (read.ec != std::errc{} || read.ptr != text.data() + n_digits || value < 0) return std::nullopt;
  text.remove_prefix(n_digits);
  return value;
}

/// "2025-02-03", "2025-02-03T14:05" or "2025-02-03 14:05:06". Codes: Exit::usage.
Outcome<std::tm> parseTime(const std::string& iso) {
  static constexpr char kBefore[] = {'\0', '-', '-', 'T', ':', ':'};
  int fields[6] = {0, 1, 1, 0, 0, 0};
  std::string_view rest = iso;
  bool valid = true;
  size_t n_fields = 0;
  for (; valid && n_fields < 6 && !rest.empty(); ++n_fields) {
    if (n_fields > 0) {
      valid = rest[0] == kBefore[n_fields] || (n_fields == 3 && rest[0] == ' ');
      rest.remove_prefix(1);
    }
    const auto value = valid ? takeDigits(rest, n_fields == 0 ? 4 : 2) : std::nullopt;
    valid = value.has_value();
    if (valid) fields[n_fields] = *value;
  }
  std::tm time{};
  time.tm_year = fields[0] - 1900;
  time.tm_mon = fields[1] - 1;
  time.tm_mday = fields[2];
  time.tm_hour = fields[3];
  time.tm_min = fields[4];
  time.tm_sec = fields[5];
  const std::tm wanted = time;
  timegm(&time);  // sets the weekday and the day of the year, and corrects what does not exist
  const bool exists = time.tm_mon == wanted.tm_mon && time.tm_mday == wanted.tm_mday &&
                      time.tm_hour == wanted.tm_hour && time.tm_min == wanted.tm_min &&
                      time.tm_sec == wanted.tm_sec;
  if (!valid || !rest.empty() || n_fields < 3 || n_fields == 4 || !exists) {
    return stop(Exit::usage, "--now {}: not a date and time such as 2025-02-03T14:05:06", iso);
  }
  return time;
}

/// A file that holds a JSON array or object. Codes: Exit::bad_input.
Outcome<std::string> readJson(const std::string& path, bool is_array) {
  auto text = readWhole(path);
  if (!text) return passOn(text);
  const auto json = nlohmann::json::parse(*text, nullptr, false);
  const bool fits = is_array ? json.is_array() : json.is_object();
  if (!fits) return stop(Exit::bad_input, "{}: no JSON {}", path, is_array ? "array" : "object");
  return text;
}

class TemplateCommand final : public Command {
 public:
  void addOptions(CLI::App& app) override;
  Outcome<Exit> run(const CommonOptions& common, Surroundings surroundings) override;

 private:
  Outcome<ChatTemplateInputs> inputs() const;
  Outcome<std::string> source(ChatTemplateInputs& inputs) const;

  std::string model_, template_, name_, messages_, tools_, context_, now_, bos_, eos_;
  CLI::Option* bos_flag_ = nullptr;
  CLI::Option* eos_flag_ = nullptr;
  bool add_generation_prompt_ = false;
};

void TemplateCommand::addOptions(CLI::App& app) {
  auto* group = app.add_option_group("Template");
  group->add_option("--model,-m", model_, "The template of a GGUF file or a model folder")
      ->type_name("MODEL");
  group->add_option("--template", template_, "A file that holds a Jinja template")->type_name("FILE");
  group->require_option(1);
  app.add_option("--name", name_, "One of the model's named templates")->type_name("NAME");
  app.add_option("--messages", messages_, "The conversation: [{\"role\", \"content\"}, …]")
      ->required()
      ->type_name("FILE.json");
  app.add_option("--tools", tools_, "Tool definitions: a JSON array")->type_name("FILE.json");
  app.add_option("--context", context_, "Further variables: a JSON object")->type_name("FILE.json");
  app.add_option("--now", now_, "What the template is told the time is (default: now)")
      ->type_name("ISO");
  bos_flag_ = app.add_option("--bos", bos_, "Text of the token that begins a text")->type_name("TEXT");
  eos_flag_ = app.add_option("--eos", eos_, "Text of the token that ends a text")->type_name("TEXT");
  app.add_flag("--add-generation-prompt", add_generation_prompt_, "End with the beginning of an answer");
}

Outcome<ChatTemplateInputs> TemplateCommand::inputs() const {
  ChatTemplateInputs inputs;
  const struct { const std::string& path; std::string& text; bool is_array; } files[] = {
      {messages_, inputs.messages, true}, {tools_, inputs.tools, true},
      {context_, inputs.extra_context, false}};
  for (const auto& file : files) {
    if (file.path.empty()) continue;
    auto text = readJson(file.path, file.is_array);
    if (!text) return passOn(text);
    file.text = std::move(*text);
  }
  inputs.add_generation_prompt = add_generation_prompt_;
  if (now_.empty()) return inputs;
  const auto now = parseTime(now_);
  if (!now) return passOn(now);
  inputs.now = *now;
  return inputs;
}

/// The template's text; sets the tokens that go with it.
Outcome<std::string> TemplateCommand::source(ChatTemplateInputs& inputs) const {
  std::string text;
  if (model_.empty()) {
    auto file = readWhole(template_);
    if (!file) return passOn(file);
    text = std::move(*file);
  } else {
    const auto path = resolveModel(model_);
    if (!path) return passOn(path);
    const auto templates = readChatTemplates(*path);
    if (!templates) return inputFailure(templates.error());
    const auto chosen = templates->choose(name_, !inputs.tools.empty());
    if (!chosen) return stop(Exit::bad_input, "{}: {}", path->string(), chosen.error().message);
    text = *chosen;
    inputs.special_tokens = templates->special_tokens;
    inputs.bos_token = templates->bos_token;
    inputs.eos_token = templates->eos_token;
  }
  if (bos_flag_->count() > 0) inputs.bos_token = bos_;
  if (eos_flag_->count() > 0) inputs.eos_token = eos_;
  return text;
}

Outcome<Exit> TemplateCommand::run(const CommonOptions&, Surroundings surroundings) {
  auto given = inputs();
  if (!given) return passOn(given);
  const auto text = source(*given);
  if (!text) return passOn(text);
  const auto parsed = ChatTemplate::parse(*text);
  if (!parsed) return inputFailure(parsed.error());
  const auto rendered = parsed->render(*given);
  if (!rendered) return workFailure(rendered.error());
  Console& console = surroundings.console;
  Outcome<void> told;
  if (console.json()) {
    told = console.writeJson({{"text", *rendered}});
  } else {
    const bool ends_line = isatty(STDOUT_FILENO) != 1 || rendered->ends_with('\n');
    told = console.write(ends_line ? *rendered : *rendered + "\n");
  }
  if (!told) return passOn(told);
  return Exit::done;
}

}  // namespace

std::unique_ptr<Command> makeTemplateCommand() { return std::make_unique<TemplateCommand>(); }

}  // namespace hearth::cli
