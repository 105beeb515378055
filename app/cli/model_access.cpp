#include "app/cli/model_access.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "app/cli/whole_files.h"
#include "app/storage/conversation_store.h"
#include "app/storage/data_dir.h"

namespace hearth::cli {

namespace {

bool looksLikePath(const std::string& model) {
  return model.find('/') != std::string::npos || model.ends_with(".gguf") || model == "." ||
         model == "..";
}

}  // namespace

Outcome<std::filesystem::path> resolveModel(const std::string& model) {
  std::error_code error;
  if (std::filesystem::exists(model, error)) return std::filesystem::path(model);
  if (error) return inputFailure(model, error.value());
  if (looksLikePath(model)) return stop(Exit::bad_input, "{}: no such file or folder", model);
  return stop(Exit::bad_input,
              "{}: no such file or folder, and this version has no library of named models{}; "
              "give the path of a GGUF file or a Hugging Face folder",
              model, model == "demo" ? " and no bundled model" : "");
}

Outcome<std::string> lastModel(const CommonOptions& common) {
  const std::filesystem::path folder =
      common.data_dir.empty() ? defaultDataDir() : std::filesystem::path(common.data_dir);
  const auto stored = ConversationStore::peekSetting(storeFile(folder), "last_model");
  if (!stored) return inputFailure(stored.error());
  if (!*stored || (*stored)->empty()) {
    return stop(Exit::usage, "name a model with --model: none has been used with {} before",
                folder.string());
  }
  return **stored;
}

Outcome<std::shared_ptr<const ModelFile>> openModel(const std::string& model) {
  const auto path = resolveModel(model);
  if (!path) return passOn(path);
  Result<ModelFile> file = openModelFile(*path);
  if (!file) return inputFailure(file.error());
  return std::make_shared<const ModelFile>(std::move(*file));
}

Outcome<std::unique_ptr<Tokenizer>> openTokenizer(const std::string& model) {
  const auto path = resolveModel(model);
  if (!path) return passOn(path);
  const Result<ModelFile> file = openModelFile(*path);
  Result<std::unique_ptr<Tokenizer>> tokenizer =
      file ? loadTokenizer(file->tokenizer)
           : Result<std::unique_ptr<Tokenizer>>(tl::unexpected<Error>(file.error()));
  if (!file && file.error().code == ErrorCode::unsupported &&
      std::filesystem::is_regular_file(*path)) {
    tokenizer = loadTokenizerFile(*path);
  }
  if (!tokenizer) return inputFailure(tokenizer.error());
  return std::move(*tokenizer);
}

Isa isaOf(const CommonOptions& common) {
  if (common.isa == "scalar") return Isa::scalar;
  if (common.isa == "avx2") return Isa::avx2;
  if (common.isa == "avx512") return Isa::avx512;
  return Isa::best;
}

Outcome<OpenedDevice> openComputeDevice(const CommonOptions& common) {
  DeviceChoice choice = DeviceChoice::automatic;
  if (common.device == "cpu") choice = DeviceChoice::cpu;
  if (common.device == "cuda") choice = DeviceChoice::cuda;
  CpuOptions cpu;
  cpu.n_threads = common.threads;
  cpu.isa = isaOf(common);
  Result<OpenedDevice> device = openDevice(choice, cpu);
  if (!device) return workFailure(device.error());
  return std::move(*device);
}

Outcome<std::unique_ptr<Engine>> openEngine(std::shared_ptr<const ModelFile> file,
                                            const CommonOptions& common, int32_t n_ctx) {
  auto device = openComputeDevice(common);
  if (!device) return passOn(device);
  EngineOptions options;
  options.model = modelOptions(common, n_ctx);
  auto engine = Engine::create(std::move(device->device), std::move(file), options);
  if (!engine) return workFailure(engine.error());
  return std::move(*engine);
}

Outcome<LoadedModel> loadModel(std::shared_ptr<const ModelFile> file, const CommonOptions& common,
                               const LanguageModelOptions& options) {
  auto device = openComputeDevice(common);
  if (!device) return passOn(device);
  LoadedModel loaded;
  loaded.device = std::move(device->device);
  auto model = LanguageModel::load(*loaded.device, std::move(file), options);
  if (!model) return workFailure(model.error());
  loaded.model = std::move(*model);
  return loaded;
}

std::string displayName(const ModelFile& file) {
  if (!file.config.name.empty()) return file.config.name;
  std::filesystem::path path = file.path;
  if (!path.has_filename()) path = path.parent_path();
  return file.format == ModelFormat::gguf ? path.stem().string() : path.filename().string();
}

int32_t defaultContext(const ModelConfig& config) {
  constexpr int32_t kLongest = 32768;
  return std::min(config.n_ctx_train, kLongest);
}

LanguageModelOptions modelOptions(const CommonOptions& common, int32_t n_ctx) {
  if (common.exact) return exactOptions(n_ctx);
  LanguageModelOptions options;
  options.n_ctx = n_ctx;
  if (common.kv_type == "f32") options.kv_type = Dtype::f32;
  if (common.kv_type == "q8_0") options.kv_type = Dtype::q8_0;
  return options;
}

LanguageModelOptions exactOptions(int32_t n_ctx) {
  return {.precision = Precision::exact, .kv_type = Dtype::f32, .n_ctx = n_ctx};
}

Outcome<std::vector<int32_t>> parseIds(const std::string& list) {
  std::vector<int32_t> ids;
  size_t begin = 0;
  while (begin <= list.size()) {
    const size_t end = std::min(list.find(',', begin), list.size());
    std::string_view part = std::string_view(list).substr(begin, end - begin);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    int32_t id = 0;
    const auto [rest, error] = std::from_chars(part.data(), part.data() + part.size(), id);
    if (part.empty() || error != std::errc() || rest != part.data() + part.size() || id < 0) {
      return stop(Exit::usage, "--ids takes token ids separated by commas, and '{}' is none", part);
    }
    ids.push_back(id);
    begin = end + 1;
  }
  return ids;
}

Outcome<void> checkIds(const std::vector<int32_t>& ids, int32_t n_vocab) {
  for (const int32_t id : ids) {
    if (id < 0 || id >= n_vocab) {
      return stop(Exit::usage, "token id {} is outside the vocabulary of {} tokens", id, n_vocab);
    }
  }
  return {};
}

CLI::Option* addModelOption(CLI::App& app, std::string& model) {
  return app.add_option("--model,-m", model, "GGUF file or Hugging Face folder")
      ->required()
      ->type_name("MODEL");
}

void addPromptOptions(CLI::App& app, PromptOptions& prompt) {
  prompt.text_flag = app.add_option("--prompt,-p", prompt.text, "The text")->type_name("TEXT");
  prompt.ids_flag = app.add_option("--ids", prompt.ids, "Token ids instead of text: \"1,2,3\"")
                        ->type_name("LIST")
                        ->excludes(prompt.text_flag);
}

Outcome<std::vector<int32_t>> promptIds(const PromptOptions& prompt, const ModelFile& file,
                                        const Result<std::unique_ptr<Tokenizer>>& tokenizer) {
  if (prompt.ids_flag->count() > 0) {
    auto ids = parseIds(prompt.ids);
    if (!ids) return ids;
    if (const auto inside = checkIds(*ids, file.config.n_vocab); !inside) return passOn(inside);
    return ids;
  }
  std::string text = prompt.text;
  if (prompt.file_flag != nullptr && prompt.file_flag->count() > 0) {
    auto whole = readWhole(prompt.file);
    if (!whole) return passOn(whole);
    text = std::move(*whole);
  }
  if (!tokenizer) return inputFailure(tokenizer.error());
  std::vector<int32_t> ids = (*tokenizer)->encode(text, {});
  if (ids.empty()) return stop(Exit::usage, "the prompt has no tokens");
  // A vocabulary may be longer than the model's embedding table in a damaged file.
  if (const auto inside = checkIds(ids, file.config.n_vocab); !inside) {
    return stop(Exit::bad_input, "{}: {}", file.path.string(), inside.error().message);
  }
  return ids;
}

}  // namespace hearth::cli
