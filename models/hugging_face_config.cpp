#include "models/hugging_face_config.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "models/json_file.h"
#include "models/utf8.h"

namespace hearth {

namespace {

using Json = nlohmann::json;

/// Typed access to one JSON object; the first failure is kept. null counts as absent, as it does
/// for the library that writes these files.
class Settings {
 public:
  /// Anything but an object counts as an empty one.
  Settings(const Json& json, std::string path)
      : object_(json.get_ptr<const Json::object_t*>()), path_(std::move(path)) {}

  const Json* find(const char* key) const {
    if (!object_) return nullptr;
    const auto found = object_->find(key);
    return found == object_->end() || found->second.is_null() ? nullptr : &found->second;
  }
  int32_t integer(const char* key) {
    const Json* value = find(key);
    if (!value) return missing(key), 0;
    if (!value->is_number_integer()) return wrong(key, *value), 0;
    const auto number = value->is_number_unsigned() && value->get<uint64_t>() > uint64_t{1} << 62
                            ? int64_t{1} << 62 : value->get<int64_t>();
    if (number < 0 || number > std::numeric_limits<int32_t>::max()) return wrong(key, *value), 0;
    return static_cast<int32_t>(number);
  }
  int32_t integer(const char* key, int32_t otherwise) { return find(key) ? integer(key) : otherwise; }
  float number(const char* key) {
    const Json* value = find(key);
    if (!value) return missing(key), 0.0f;
    if (!value->is_number()) return wrong(key, *value), 0.0f;
    return static_cast<float>(value->get<double>());
  }
  float number(const char* key, float otherwise) { return find(key) ? number(key) : otherwise; }
  bool flag(const char* key, bool otherwise) {
    const Json* value = find(key);
    if (!value) return otherwise;
    if (!value->is_boolean()) return wrong(key, *value), otherwise;
    return value->get<bool>();
  }
  std::string text(const char* key) {
    if (!find(key)) return missing(key), std::string();
    return text(key, std::string());
  }
  std::string text(const char* key, std::string otherwise) {
    const Json* value = find(key);
    if (!value) return otherwise;
    if (!value->is_string()) return wrong(key, *value), otherwise;
    return printable(value->get_ref<const std::string&>());
  }

  void refuse(std::string what) {
    keep({ErrorCode::unsupported, fmt::format("{}: {} is not supported yet", path_, what)});
  }
  Status status() const { return error_ ? Status(tl::unexpected<Error>(*error_)) : Status(); }
  const std::string& path() const { return path_; }
  void keep(Error error) {
    if (!error_) error_ = std::move(error);
  }

 private:
  void missing(const char* key) {
    keep({ErrorCode::bad_file, fmt::format("{}: \"{}\" is missing", path_, key)});
  }
  void wrong(const char* key, const Json& value) {
    const std::string shown = value.dump(-1, ' ', false, Json::error_handler_t::replace);
    keep({ErrorCode::bad_file, fmt::format("{}: \"{}\" is {}", path_, key, printable(shown))});
  }

  const Json::object_t* object_;
  std::string path_;
  std::optional<Error> error_;
};

/// The last component, also of "folder/" and ".".
std::string folderName(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::path full = std::filesystem::absolute(folder, error).lexically_normal();
  if (full.filename().empty()) full = full.parent_path();
  return printable(full.filename().string());
}

/// rope_scaling, or rope_parameters of transformers 5 (where theta lives inside it).
void readRope(Settings& settings, ModelConfig& config) {
  RopeConfig& rope = config.rope;
  rope.interleaved = false;  // rotate-half
  rope.rotary_dim = config.head_dim;
  rope.theta = settings.number("rope_theta", 10000.0f);
  const Json* object = settings.find("rope_scaling");
  if (!object) object = settings.find("rope_parameters");
  if (settings.number("partial_rotary_factor", 1.0f) != 1.0f) settings.refuse("partial_rotary_factor");
  if (!object) return;
  if (!object->is_object()) return settings.refuse("this form of rope_scaling");
  Settings scaling(*object, settings.path() + ": rope_scaling");
  const std::string type = scaling.text("rope_type", scaling.text("type", "default"));
  rope.theta = scaling.number("rope_theta", rope.theta);
  if (scaling.number("partial_rotary_factor", 1.0f) != 1.0f) scaling.refuse("partial_rotary_factor");
  if (type == "linear") {
    rope.scaling = RopeScaling::linear;
    rope.factor = scaling.number("factor");
  } else if (type == "llama3") {
    rope.scaling = RopeScaling::llama3;
    rope.factor = scaling.number("factor");
    rope.low_freq_factor = scaling.number("low_freq_factor");
    rope.high_freq_factor = scaling.number("high_freq_factor");
    rope.original_max_position_embeddings = scaling.integer("original_max_position_embeddings");
  } else if (type != "default") {
    scaling.refuse(fmt::format("rope scaling \"{}\"", type));
  }
  if (Status s = scaling.status(); !s) settings.keep(s.error());
}

void refuseVariants(Settings& settings, const ModelConfig& config) {
  const std::string type = settings.text("model_type");
  if (!settings.status()) return;
  if (type != "llama" && type != "mistral") settings.refuse(fmt::format("architecture {}", type));
  const int32_t window = type == "mistral" ? settings.integer("sliding_window", 0) : 0;
  if (window > 0 && window < config.n_ctx_train) {
    settings.refuse(fmt::format("sliding-window attention (sliding_window {})", window));
  }
  if (settings.flag("attention_bias", false)) settings.refuse("attention_bias");
  if (settings.flag("mlp_bias", false)) settings.refuse("mlp_bias");
  const std::string activation = settings.text("hidden_act", "silu");
  if (activation != "silu" && activation != "swish") {
    settings.refuse(fmt::format("hidden_act \"{}\"", activation));
  }
  if (settings.find("quantization_config")) settings.refuse("a quantised folder (quantization_config)");
}

/// One id or a list of them. An id that the model has no row for can never be produced, and folders
/// in the wild name some (-1 for "none", a padding token that was not trained): left out.
std::vector<int32_t> readIds(Settings& settings, const char* key, int32_t n_vocab) {
  const Json* value = settings.find(key);
  if (!value) return {};
  std::vector<int32_t> ids;
  const Json list = value->is_array() ? *value : Json::array({*value});
  for (const Json& id : list) {
    if (!id.is_number_integer()) {
      settings.keep({ErrorCode::bad_file, fmt::format("{}: \"{}\" is no token id", settings.path(), key)});
      return {};
    }
    if (id >= 0 && id < n_vocab) ids.push_back(id.get<int32_t>());
  }
  return ids;
}

/// "added_tokens_decoder": tokens that the folder has beside those of tokenizer.model, by id. Those
/// that the model has no row for ("<pad>" after the last one, often) are left out: they could be
/// neither read nor written.
void readAddedTokens(Settings& settings, int32_t n_vocab, TokenizerSource& source) {
  const Json* tokens = settings.find("added_tokens_decoder");
  const auto* by_id = tokens ? tokens->get_ptr<const Json::object_t*>() : nullptr;
  if (!by_id) return;
  for (const auto& [id_text, entry] : *by_id) {
    Settings token(entry, fmt::format("{}: added_tokens_decoder: {}", settings.path(), printable(id_text)));
    AddedToken added;
    const char* end = id_text.data() + id_text.size();
    const auto [stopped, error] = std::from_chars(id_text.data(), end, added.id);
    added.special = token.flag("special", false);
    const Json* content = token.find("content");
    const auto* text = content ? content->get_ptr<const std::string*>() : nullptr;
    if (error != std::errc() || stopped != end || added.id < 0 || !text) {
      token.keep({ErrorCode::bad_file, fmt::format("{}: not a token of this vocabulary", token.path())});
    } else {
      added.text = *text;
    }
    if (Status s = token.status(); !s) return settings.keep(s.error());
    if (added.id < n_vocab) source.added_tokens.push_back(std::move(added));
  }
}

Status readTokenIds(const std::filesystem::path& file, int32_t n_vocab, TokenizerSource& source) {
  if (!isPresent(file)) return {};
  const Result<Json> json = readJsonFile(file);
  if (!json) return passOn(json);
  Settings settings(*json, file.string());
  const std::vector<int32_t> bos = readIds(settings, "bos_token_id", n_vocab);
  if (!bos.empty() && !source.bos_id) source.bos_id = bos[0];
  for (const int32_t id : readIds(settings, "eos_token_id", n_vocab)) {
    if (std::find(source.eos_ids.begin(), source.eos_ids.end(), id) == source.eos_ids.end()) {
      source.eos_ids.push_back(id);
    }
  }
  return settings.status();
}

}  // namespace

Result<ModelConfig> readHuggingFaceConfig(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "config.json";
  const Result<Json> json = readJsonFile(file);
  if (!json) return passOn(json);
  Settings settings(*json, file.string());
  ModelConfig config;
  config.architecture = "llama";
  config.name = folderName(folder);
  // Architecture first: another one may lack the numbers below.
  config.n_ctx_train = settings.integer("max_position_embeddings", 2048);
  refuseVariants(settings, config);
  config.n_vocab = settings.integer("vocab_size");
  config.dim = settings.integer("hidden_size");
  config.n_layers = settings.integer("num_hidden_layers");
  config.n_heads = settings.integer("num_attention_heads");
  config.n_kv_heads = settings.integer("num_key_value_heads", config.n_heads);
  config.head_dim = settings.integer("head_dim", config.n_heads > 0 ? config.dim / config.n_heads : 0);
  config.ffn_dim = settings.integer("intermediate_size");
  config.rms_norm_eps = settings.number("rms_norm_eps", 1e-6f);
  config.tied_embeddings = settings.flag("tie_word_embeddings", false);
  readRope(settings, config);
  if (Status s = settings.status(); !s) return passOn(s);
  if (Status s = validateConfig(config, file.string()); !s) return passOn(s);
  return config;
}

Result<TokenizerSource> readHuggingFaceTokenizer(const std::filesystem::path& folder,
                                                 int32_t n_vocab) {
  TokenizerSource source;
  source.origin = folder;
  source.n_vocab = n_vocab;
  for (const char* name : {"generation_config.json", "config.json"}) {
    if (Status s = readTokenIds(folder / name, n_vocab, source); !s) return passOn(s);
  }
  const std::filesystem::path model = folder / "tokenizer.model";
  if (isPresent(model)) source.sentencepiece_model = model;
  const std::filesystem::path file = folder / "tokenizer_config.json";
  if (!isPresent(file)) return source;
  const Result<Json> json = readJsonFile(file);
  if (!json) return passOn(json);
  Settings settings(*json, file.string());
  if (settings.find("add_bos_token")) source.add_bos = settings.flag("add_bos_token", true);
  if (settings.find("add_eos_token")) source.add_eos = settings.flag("add_eos_token", false);
  readAddedTokens(settings, n_vocab, source);
  if (Status s = settings.status(); !s) return passOn(s);
  return source;
}

}  // namespace hearth
