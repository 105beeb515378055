// hearth-cli: every service without a window.
#include <signal.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "app/cli/command.h"

namespace hearth::cli {

namespace {

constexpr std::array<CommandEntry, 10> kCommands{{
    {"generate", "Continue a text",
     "hearth-cli generate --model stories.gguf --prompt \"Once upon a time\" --max-tokens 100",
     makeGenerateCommand},
    {"chat", "Chat in the terminal", "hearth-cli chat --model stories.gguf", makeChatCommand},
    {"logits", "Write the logits of a prompt's last position, or of all, as a .npy file",
     "hearth-cli logits --model stories.gguf --prompt \"Once upon a time\" --out logits.npy",
     makeLogitsCommand},
    {"tokenize", "Show a text's tokens",
     "echo -n \"Hello\" | hearth-cli tokenize --model stories.gguf", makeTokenizeCommand},
    {"detokenize", "Turn tokens back into text",
     "hearth-cli detokenize --model stories.gguf --ids 1,403,407", makeDetokenizeCommand},
    {"template", "Show a conversation as a model's chat template writes it",
     "hearth-cli template --model some-model-folder --messages chat.json --add-generation-prompt",
     makeTemplateCommand},
    {"perplexity", "Score a text: lower means that the model expected it more",
     "hearth-cli perplexity --model stories.gguf --file story.txt --context 256",
     makePerplexityCommand},
    {"bench", "Measure reading and writing speed against what this machine can do",
     "hearth-cli bench --model stories.gguf --prompt-tokens 512 --generate-tokens 64",
     makeBenchCommand},
    {"make-model", "Write a model file of a given shape with random weights, for measuring",
     "hearth-cli make-model --shape tinyllama-1.1b --type Q8_0 --out tinyllama-random.gguf",
     makeMakeModelCommand},
    {"selftest", "Check this machine's kernels against float64 references",
     "hearth-cli selftest --device cpu", makeSelftestCommand},
}};

constexpr CommandEntry kInspect{
    "inspect", "What a model file holds, what it needs, and whether it can be used",
    "hearth-cli models inspect stories.gguf", makeInspectCommand};

struct Parsed {
  CLI::App* app = nullptr;
  std::string title;
  std::unique_ptr<Command> command;
};

/// Adds a command's flags below `parent`; it runs when `app->parsed()`.
Parsed addCommand(CLI::App& parent, const CommandEntry& entry, const std::string& title,
                  CommonOptions& common) {
  Parsed parsed;
  parsed.title = title;
  parsed.app = parent.add_subcommand(entry.name, entry.summary);
  parsed.command = entry.make();
  parsed.command->addOptions(*parsed.app);
  addCommonOptions(*parsed.app, common);
  parsed.app->footer(fmt::format("\nExample:\n  {}", entry.example));
  return parsed;
}

std::vector<std::string> commandNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  return names;
}

/// The sentence for a word that is no command of `app`, or "".
std::string unknownCommand(const CLI::App& app, const std::vector<std::string>& words, size_t at,
                           const std::string& title) {
  const std::vector<std::string> names = commandNames(app);
  const std::string list = fmt::format("{}", fmt::join(names, ", "));
  if (at >= words.size()) return fmt::format("{} needs a command. There are: {}", title, list);
  const std::string& word = words[at];
  if (word.starts_with("-") || std::find(names.begin(), names.end(), word) != names.end())
    return "";
  return fmt::format("{} has no command '{}'. There are: {}", title, word, list);
}

/// "--stop A B" as "--stop A --stop B": CLI11 would take a text such as "[end]" for a list if the
/// flag took several.
std::vector<std::string> spreadStops(const std::vector<std::string>& words) {
  std::vector<std::string> spread;
  for (size_t i = 0; i < words.size(); ++i) {
    spread.push_back(words[i]);
    if (words[i] != "--stop" || i + 1 == words.size()) continue;
    spread.push_back(words[++i]);
    while (i + 1 < words.size() && !words[i + 1].starts_with("-")) {
      spread.push_back("--stop");
      spread.push_back(words[++i]);
    }
  }
  return spread;
}

int tellUsage(const std::string& message, const std::string& title) {
  fmt::print(stderr, "{}\nTry: {} --help\n", message, title);
  return static_cast<int>(Exit::usage);
}

/// Whatever a command allocates for its flags may be more than there is.
Outcome<Exit> runWithinMemory(Command& command, const CommonOptions& common,
                              Surroundings surroundings) {
  try {
    return command.run(common, surroundings);
  } catch (const std::bad_alloc&) {
    return stop(Exit::no_room, "not enough memory");
  } catch (const std::length_error&) {  // more elements than a container can ever have
    return stop(Exit::no_room, "not enough memory");
  }
}

int runCommand(Parsed& parsed, const CommonOptions& common) {
  Console console({common.json, common.quiet});
  Interrupts interrupts;
  Outcome<Exit> outcome = Exit::done;
  if (const auto checked = checkCommonOptions(common); !checked) {
    outcome = passOn(checked);
  } else {
    outcome = runWithinMemory(*parsed.command, common, {console, interrupts});
  }
  if (outcome) return static_cast<int>(*outcome);
  const Failure& failure = outcome.error();
  if (!failure.message.empty()) console.error(parsed.title + ": " + failure.message);
  if (failure.exit == Exit::usage) console.error("Try: " + parsed.title + " --help");
  return static_cast<int>(failure.exit);
}

int run(const std::vector<std::string>& words) {
  CLI::App app("Hearth's command line: language models on this machine.", "hearth-cli");
  app.set_version_flag("--version", HEARTH_VERSION);
  app.footer("\n'hearth-cli COMMAND --help' shows a command's flags and an example.");
  CommonOptions common;
  std::vector<Parsed> commands;
  for (const CommandEntry& entry : kCommands) {
    commands.push_back(addCommand(app, entry, fmt::format("hearth-cli {}", entry.name), common));
  }
  CLI::App* models = app.add_subcommand("models", "Look into model files");
  commands.push_back(addCommand(*models, kInspect, "hearth-cli models inspect", common));

  std::string mistake = unknownCommand(app, words, 0, "hearth-cli");
  if (mistake.empty() && words[0] == "models") {
    mistake = unknownCommand(*models, words, 1, "hearth-cli models");
  }
  if (!mistake.empty()) return tellUsage(mistake, "hearth-cli");
  try {
    std::vector<std::string> reversed = spreadStops(words);
    std::reverse(reversed.begin(), reversed.end());  // CLI11 takes them last first
    app.parse(reversed);
  } catch (const CLI::Success& wanted) {  // --help, --version
    return app.exit(wanted);
  } catch (const CLI::ParseError& error) {
    for (const Parsed& parsed : commands) {
      if (parsed.app->parsed()) {
        return tellUsage(parsed.title + ": " + error.what(), parsed.title);
      }
    }
    return tellUsage(std::string("hearth-cli: ") + error.what(), "hearth-cli");
  }
  for (Parsed& parsed : commands) {
    if (parsed.app->parsed()) return runCommand(parsed, common);
  }
  return tellUsage("hearth-cli needs a command", "hearth-cli");
}

}  // namespace

}  // namespace hearth::cli

int main(int argc, char** argv) {
  // A reader of our output that goes away is a failed write, which every command handles.
  signal(SIGPIPE, SIG_IGN);
  return hearth::cli::run(std::vector<std::string>(argv + 1, argv + argc));
}
