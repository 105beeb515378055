#include "app/cli/model_facts.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "app/cli/whole_files.h"
#include "inference/language_model.h"
#include "models/gguf/ggml_types.h"
#include "models/gguf/gguf_file.h"
#include "models/mapped_file.h"
#include "models/model_file.h"
#include "models/safetensors/safetensors_file.h"
#include "models/tokenizer/tokenizer.h"

namespace hearth::cli {

namespace {

/// A product of extents that a hostile file cannot make overflow.
uint64_t elementCount(const std::vector<uint64_t>& shape) {
  uint64_t count = 1;
  for (const uint64_t extent : shape) {
    if (extent != 0 && count > std::numeric_limits<uint64_t>::max() / extent) return 0;
    count *= extent;
  }
  return count;
}

int32_t asInt32(int64_t value) {
  return value < 0 || value > std::numeric_limits<int32_t>::max() ? 0 : static_cast<int32_t>(value);
}

/// The names under which an architecture keeps its numbers in GGUF metadata.
void readShape(const GgufFile& file, ModelConfig& config) {
  const auto number = [&](const char* key) {
    return asInt32(file.integer(config.architecture + "." + key).value_or(0));
  };
  config.n_ctx_train = number("context_length");
  config.dim = number("embedding_length");
  config.n_layers = number("block_count");
  config.n_heads = number("attention.head_count");
  config.n_kv_heads = number("attention.head_count_kv");
  if (config.n_kv_heads == 0) config.n_kv_heads = config.n_heads;
  config.head_dim = number("attention.key_length");
  if (config.head_dim == 0 && config.n_heads > 0) config.head_dim = config.dim / config.n_heads;
  config.ffn_dim = number("feed_forward_length");
  for (const GgufTensor& tensor : file.tensors()) {
    if (tensor.name == "token_embd.weight" && tensor.shape.size() == 2) {
      config.n_vocab = asInt32(static_cast<int64_t>(tensor.shape[1]));
    }
  }
}

Outcome<ModelFacts> readGguf(const std::filesystem::path& path) {
  const auto mapping = MappedFile::open(path);
  if (!mapping) return inputFailure(mapping.error());
  const auto file = GgufFile::parse((*mapping)->bytes(), path.string());
  if (!file) return inputFailure(file.error());
  ModelFacts facts;
  facts.format = fmt::format("GGUF v{}", file->version());
  facts.config.architecture = file->string("general.architecture").value_or("");
  facts.config.name = file->string("general.name").value_or("");
  readShape(*file, facts.config);
  facts.tokenizer = file->string("tokenizer.ggml.model").value_or("none");
  facts.file_bytes = (*mapping)->bytes().size();
  for (const GgufTensor& tensor : file->tensors()) {
    TypeCount& type = facts.types[ggmlTypeName(tensor.type)];
    const uint64_t elements = elementCount(tensor.shape);
    type.tensors += 1;
    type.parameters += elements;
    if (const GgmlType* known = findGgmlType(tensor.type)) {
      type.bytes += elements / known->block_length * known->block_bytes;
    }
  }
  return facts;
}

/// config.json, as far as it can be understood.
Outcome<void> readConfig(const std::filesystem::path& folder, ModelConfig& config) {
  const auto text = readWhole(folder / "config.json");
  if (!text) return passOn(text);
  const auto json = nlohmann::json::parse(*text, nullptr, false);
  if (!json.is_object()) {
    return stop(Exit::bad_input, "{}: no JSON object", (folder / "config.json").string());
  }
  const auto number = [&](const char* key) {
    const auto found = json.find(key);
    const bool whole = found != json.end() && found->is_number_integer();
    return whole ? asInt32(found->get<int64_t>()) : 0;
  };
  const auto type = json.find("model_type");
  if (type != json.end() && type->is_string()) config.architecture = type->get<std::string>();
  config.n_vocab = number("vocab_size");
  config.n_ctx_train = number("max_position_embeddings");
  config.dim = number("hidden_size");
  config.n_layers = number("num_hidden_layers");
  config.n_heads = number("num_attention_heads");
  config.n_kv_heads = number("num_key_value_heads");
  if (config.n_kv_heads == 0) config.n_kv_heads = config.n_heads;
  config.head_dim = number("head_dim");
  if (config.head_dim == 0 && config.n_heads > 0) config.head_dim = config.dim / config.n_heads;
  config.ffn_dim = number("intermediate_size");
  return {};
}

Outcome<void> countSafetensors(const std::filesystem::path& path, ModelFacts& facts) {
  const auto mapping = MappedFile::open(path);
  if (!mapping) return inputFailure(mapping.error());
  const auto file = SafetensorsFile::parse((*mapping)->bytes(), path.string());
  if (!file) return inputFailure(file.error());
  facts.file_bytes += (*mapping)->bytes().size();
  for (const SafetensorsTensor& tensor : file->tensors()) {
    TypeCount& type = facts.types[tensor.dtype];
    type.tensors += 1;
    type.parameters += elementCount(tensor.shape);
    type.bytes += tensor.end - tensor.begin;
  }
  return {};
}

Outcome<ModelFacts> readFolder(const std::filesystem::path& folder) {
  ModelFacts facts;
  facts.format = "Hugging Face folder";
  facts.config.name = (folder.has_filename() ? folder : folder.parent_path()).filename().string();
  if (const auto read = readConfig(folder, facts.config); !read) return passOn(read);
  std::error_code error;
  facts.tokenizer = std::filesystem::exists(folder / "tokenizer.model", error)
                        ? "SentencePiece (tokenizer.model)"
                    : std::filesystem::exists(folder / "tokenizer.json", error) ? "tokenizer.json"
                                                                                : "none";
  std::vector<std::filesystem::path> files;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == ".safetensors") files.push_back(entry->path());
  }
  if (error) return inputFailure(folder.string(), error.value());
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    if (const auto counted = countSafetensors(file, facts); !counted) return passOn(counted);
  }
  return facts;
}

/// Opens the model as a conversation would. Returns why that cannot be, or "".
Outcome<std::string> whyNotRunnable(const std::filesystem::path& path, ModelFacts& facts) {
  auto opened = openModelFile(path);
  if (!opened) {
    if (opened.error().code != ErrorCode::unsupported) return inputFailure(opened.error());
    return opened.error().message;
  }
  const auto file = std::make_shared<const ModelFile>(std::move(*opened));
  facts.config = file->config;
  const auto tokenizer = loadTokenizer(file->tokenizer);
  if (!tokenizer) return tokenizer.error().message;
  auto device = openCpuDevice({});
  if (!device) return workFailure(device.error());
  const auto model = LanguageModel::load(**device, file, {});
  return model ? "" : model.error().message;
}

}  // namespace

uint64_t ModelFacts::parameters() const {
  uint64_t sum = 0;
  for (const auto& [name, type] : types) sum += type.parameters;
  return sum;
}

uint64_t ModelFacts::tensorBytes() const {
  uint64_t sum = 0;
  for (const auto& [name, type] : types) sum += type.bytes;
  return sum;
}

uint64_t ModelFacts::kvBytesPerToken(int bytes_per_element) const {
  return uint64_t{2} * static_cast<uint64_t>(config.n_layers) *
         static_cast<uint64_t>(config.n_kv_heads) * static_cast<uint64_t>(config.head_dim) *
         static_cast<uint64_t>(bytes_per_element);
}

Outcome<ModelFacts> readModelFacts(const std::filesystem::path& path) {
  std::error_code error;
  auto facts = std::filesystem::is_directory(path, error) ? readFolder(path) : readGguf(path);
  if (!facts) return facts;
  auto why_not = whyNotRunnable(path, *facts);
  if (!why_not) return passOn(why_not);
  facts->why_not = std::move(*why_not);
  return facts;
}

}  // namespace hearth::cli
