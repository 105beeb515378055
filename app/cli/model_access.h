// From a command's flags to an opened model, its tokenizer, a device and an engine.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "app/cli/command.h"
#include "inference/engine.h"
#include "inference/language_model.h"
#include "models/model_file.h"
#include "models/tokenizer/tokenizer.h"

namespace hearth::cli {

/// Where MODEL lies: a path today; names belong to the library, which this version does not have.
/// Codes: Exit::bad_input.
Outcome<std::filesystem::path> resolveModel(const std::string& model);

/// The model that the window used last, from the store in --data-dir.
/// Codes: Exit::usage (there is none), Exit::bad_input (the store cannot be read).
Outcome<std::string> lastModel(const CommonOptions& common);

/// Codes: Exit::bad_input, Exit::no_room.
Outcome<std::shared_ptr<const ModelFile>> openModel(const std::string& model);

/// A model's tokenizer; models whose architecture cannot be run still have a usable one.
/// Codes: Exit::bad_input, Exit::no_room.
Outcome<std::unique_ptr<Tokenizer>> openTokenizer(const std::string& model);

Isa isaOf(const CommonOptions& common);

/// Codes: Exit::failed (no such device, or the reason why it cannot be used).
Outcome<OpenedDevice> openComputeDevice(const CommonOptions& common);

/// An engine with its own device. Codes: those of openComputeDevice, Exit::no_room,
/// Exit::bad_input.
Outcome<std::unique_ptr<Engine>> openEngine(std::shared_ptr<const ModelFile> file,
                                            const CommonOptions& common, int32_t n_ctx);

/// A device and a model on it, in this order of destruction.
struct LoadedModel {
  std::unique_ptr<Device> device;
  std::unique_ptr<LanguageModel> model;
};
Outcome<LoadedModel> loadModel(std::shared_ptr<const ModelFile> file, const CommonOptions& common,
                               const LanguageModelOptions& options);

/// The model's own name, or its file's.
std::string displayName(const ModelFile& file);

/// The context that LanguageModelOptions::n_ctx 0 stands for.
int32_t defaultContext(const ModelConfig& config);

/// Precision and KV type as the flags say; `n_ctx` 0: the model's own.
LanguageModelOptions modelOptions(const CommonOptions& common, int32_t n_ctx);
/// The same for commands that are always exact.
LanguageModelOptions exactOptions(int32_t n_ctx);

/// "1,2,3" (spaces allowed). Codes: Exit::usage, naming the part that is no id.
Outcome<std::vector<int32_t>> parseIds(const std::string& list);
/// Codes: Exit::usage, naming the first id outside [0, n_vocab).
Outcome<void> checkIds(const std::vector<int32_t>& ids, int32_t n_vocab);

/// --prompt, --prompt-file or --ids: what a command reads before it starts.
struct PromptOptions {
  std::string text, file, ids;
  CLI::Option* text_flag = nullptr;
  CLI::Option* file_flag = nullptr;
  CLI::Option* ids_flag = nullptr;
};

CLI::Option* addModelOption(CLI::App& app, std::string& model);  // required
void addPromptOptions(CLI::App& app, PromptOptions& prompt);

/// Encodes text with the model's tokenizer, or takes the ids as they are.
/// `tokenizer`: the model's, or why it has none, which matters only when the prompt is text.
/// Codes: Exit::usage, Exit::bad_input.
Outcome<std::vector<int32_t>> promptIds(const PromptOptions& prompt, const ModelFile& file,
                                        const Result<std::unique_ptr<Tokenizer>>& tokenizer);

}  // namespace hearth::cli
