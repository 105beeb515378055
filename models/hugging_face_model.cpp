#include <map>
#include <set>

#include "models/hugging_face_config.h"
#include "models/json_file.h"
#include "models/mapped_file.h"
#include "models/model_reader.h"
#include "models/safetensors/safetensors_file.h"
#include "models/utf8.h"

namespace hearth {

namespace {

namespace fs = std::filesystem;

constexpr std::pair<std::string_view, std::string_view> kLayerParts[] = {
    {"input_layernorm.weight", "attn_norm.weight"},
    {"self_attn.q_proj.weight", "attn_q.weight"},
    {"self_attn.k_proj.weight", "attn_k.weight"},
    {"self_attn.v_proj.weight", "attn_v.weight"},
    {"self_attn.o_proj.weight", "attn_output.weight"},
    {"post_attention_layernorm.weight", "ffn_norm.weight"},
    {"mlp.gate_proj.weight", "ffn_gate.weight"},
    {"mlp.up_proj.weight", "ffn_up.weight"},
    {"mlp.down_proj.weight", "ffn_down.weight"},
};

/// A name that has no counterpart comes back unchanged and is judged by adoptLlamaTensors.
std::string canonicalName(std::string_view name) {
  if (name == "model.embed_tokens.weight") return "token_embd.weight";
  if (name == "model.norm.weight") return "output_norm.weight";
  if (name == "lm_head.weight") return "output.weight";
  constexpr std::string_view kPrefix = "model.layers.";
  if (!name.starts_with(kPrefix)) return std::string(name);
  const std::string_view rest = name.substr(kPrefix.size());
  const size_t dot = rest.find('.');
  if (dot == std::string_view::npos) return std::string(name);
  for (const auto& [theirs, ours] : kLayerParts) {
    if (rest.substr(dot + 1) == theirs) return fmt::format("blk.{}.{}", rest.substr(0, dot), ours);
  }
  return std::string(name);
}

/// Tensor to file, from model.safetensors.index.json. Plain file names only, so that none leaves the
/// folder.
Result<std::map<std::string, std::string>> readIndex(const fs::path& index) {
  const Result<nlohmann::json> json = readJsonFile(index);
  if (!json) return passOn(json);
  const nlohmann::json map_json = json->value("weight_map", nlohmann::json());
  const auto* map = map_json.get_ptr<const nlohmann::json::object_t*>();
  if (!map || map->empty()) {
    return fail(ErrorCode::bad_file, "{}: \"weight_map\" is missing or empty", index.string());
  }
  std::map<std::string, std::string> files;
  for (const auto& [tensor, file] : *map) {
    const auto* text = file.get_ptr<const std::string*>();
    const std::string name = text ? *text : std::string();
    const bool plain = !name.empty() && name != "." && name != ".." &&
                       name.find_first_of(std::string_view("/\\\0", 3)) == std::string::npos;
    if (!plain) {
      return fail(ErrorCode::bad_file, "{}: tensor {} is said to be in \"{}\", which is no file name",
                  index.string(), printable(tensor), printable(name));
    }
    files.emplace(tensor, name);
  }
  return files;
}

/// Files of weights, and the tensors that an index promises.
struct WeightFiles {
  std::vector<fs::path> files;
  fs::path index;  // empty for a single file
  std::map<std::string, std::string> file_of_tensor;
};

Result<WeightFiles> findWeightFiles(const fs::path& folder) {
  WeightFiles found;
  const fs::path single = folder / "model.safetensors";
  const fs::path index = folder / "model.safetensors.index.json";
  if (isPresent(single)) {
    found.files.push_back(single);
    return found;
  }
  if (isPresent(index)) {
    auto map = readIndex(index);
    if (!map) return passOn(map);
    std::set<std::string> names;
    for (const auto& [tensor, file] : *map) names.insert(file);
    for (const std::string& name : names) found.files.push_back(folder / name);
    found.index = index;
    found.file_of_tensor = std::move(*map);
    return found;
  }
  if (isPresent(folder / "pytorch_model.bin") || isPresent(folder / "pytorch_model.bin.index.json")) {
    return fail(ErrorCode::unsupported,
                "{}: the weights are PyTorch pickles (pytorch_model.bin); only safetensors can be read",
                folder.string());
  }
  return fail(ErrorCode::not_found, "{}: the folder has no model.safetensors", folder.string());
}

/// A folder that is no model: says what was found instead, where that helps.
tl::unexpected<Error> noModelHere(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    if (entry->path().extension() == ".gguf") {
      return fail(ErrorCode::not_found, "{}: the folder has no config.json; open the file {} instead",
                  folder.string(), printable(entry->path().filename().string()));
    }
  }
  if (error) return fail(ErrorCode::io, "{}: {}", folder.string(), error.message());
  return fail(ErrorCode::not_found, "{}: the folder has no config.json, so it is no Hugging Face model",
              folder.string());
}

/// Every tensor that the index promises must be in the files.
Status checkIndex(const WeightFiles& weights, const std::vector<FoundTensor>& found) {
  std::set<std::string_view> names;
  for (const FoundTensor& tensor : found) names.insert(tensor.file_name);
  for (const auto& [tensor, file] : weights.file_of_tensor) {
    if (names.contains(tensor)) continue;
    return fail(ErrorCode::not_found, "{}: tensor {} is not in {}", weights.index.string(),
                printable(tensor), printable(file));
  }
  return {};
}

/// Maps every file and collects its tensors. Returns the hash of all headers after `seed`.
Result<uint64_t> readWeightFiles(const WeightFiles& weights, uint64_t seed, ModelFile& model,
                                 std::vector<FoundTensor>& found) {
  for (const fs::path& file : weights.files) {
    auto mapping = MappedFile::open(file);
    if (!mapping) return passOn(mapping);
    const auto parsed = SafetensorsFile::parse((*mapping)->bytes(), file.string());
    if (!parsed) return passOn(parsed);
    seed = hashBytes(parsed->header(), seed);
    for (const SafetensorsTensor& tensor : parsed->tensors()) {
      found.push_back({tensor.name, canonicalName(tensor.name), tensor.dtype,
                       dtypeOfSafetensors(tensor.dtype), tensor.shape, tensor.data});
    }
    model.mappings.push_back(std::move(*mapping));
  }
  if (Status s = checkIndex(weights, found); !s) return passOn(s);
  return seed;
}

}  // namespace

Result<ModelFile> openHuggingFaceModel(const fs::path& folder) {
  if (!isPresent(folder / "config.json")) return noModelHere(folder);
  Result<ModelConfig> config = readHuggingFaceConfig(folder);
  if (!config) return passOn(config);
  ModelFile model;
  model.path = folder;
  model.format = ModelFormat::hugging_face;
  model.config = std::move(*config);
  Result<WeightFiles> weights = findWeightFiles(folder);
  if (!weights) return passOn(weights);
  const auto config_file = MappedFile::open(folder / "config.json");
  if (!config_file) return passOn(config_file);
  std::vector<FoundTensor> found;
  const auto header_hash = readWeightFiles(*weights, hashBytes((*config_file)->bytes()), model, found);
  if (!header_hash) return passOn(header_hash);
  if (Status s = adoptLlamaTensors(std::move(found), model); !s) return passOn(s);
  Result<TokenizerSource> tokenizer = readHuggingFaceTokenizer(folder, model.config.n_vocab);
  if (!tokenizer) return passOn(tokenizer);
  model.tokenizer = std::move(*tokenizer);
  weights->files.push_back(folder / "config.json");
  Result<std::string> key = contentKey(weights->files, *header_hash);
  if (!key) return passOn(key);
  model.content_key = std::move(*key);
  return model;
}

}  // namespace hearth
