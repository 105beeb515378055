#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/base/half.h"
#include "models/gguf/ggml_types.h"
#include "models/gguf/gguf_file.h"
#include "models/gguf/gguf_vocabulary.h"
#include "models/mapped_file.h"
#include "models/model_reader.h"
#include "models/utf8.h"

namespace hearth {

namespace {

/// Reads `llama.*` keys; the first failure is kept and everything after it is skipped.
class ConfigReader {
 public:
  ConfigReader(const GgufFile& gguf, std::string path) : gguf_(gguf), path_(std::move(path)) {}

  bool has(const char* suffix) const { return gguf_.find(key(suffix)) != nullptr; }

  int32_t integer(const char* suffix) {
    const Result<int64_t> value = gguf_.integer(key(suffix));
    if (!value) return keep(value.error()), 0;
    if (*value < 0 || *value > std::numeric_limits<int32_t>::max()) {
      keep({ErrorCode::bad_file, fmt::format("{}: key {} is {}", path_, key(suffix), *value)});
      return 0;
    }
    return static_cast<int32_t>(*value);
  }
  int32_t integer(const char* suffix, int32_t otherwise) {
    return has(suffix) ? integer(suffix) : otherwise;
  }
  float number(const char* suffix) {
    const Result<double> value = gguf_.number(key(suffix));
    if (!value) return keep(value.error()), 0.0f;
    return static_cast<float>(*value);
  }
  float number(const char* suffix, float otherwise) {
    return has(suffix) ? number(suffix) : otherwise;
  }
  std::string text(const char* suffix) {
    const Result<std::string_view> value = gguf_.string(key(suffix));
    if (!value) return keep(value.error()), std::string();
    return printable(*value);
  }

  void refuse(std::string what) {
    keep({ErrorCode::unsupported, fmt::format("{}: {} is not supported yet", path_, what)});
  }
  Status status() const {
    return error_ ? Status(tl::unexpected<Error>(*error_)) : Status();
  }

 private:
  static std::string key(const char* suffix) { return fmt::format("llama.{}", suffix); }
  void keep(Error error) {
    if (!error_) error_ = std::move(error);
  }

  const GgufFile& gguf_;
  std::string path_;
  std::optional<Error> error_;
};

void readRope(ConfigReader& reader, ModelConfig& config) {
  RopeConfig& rope = config.rope;
  rope.interleaved = true;  // converters permute q and k rows of the llama architecture
  rope.rotary_dim = reader.integer("rope.dimension_count", config.head_dim);
  rope.theta = reader.number("rope.freq_base", 10000.0f);
  std::string scaling = reader.has("rope.scaling.type") ? reader.text("rope.scaling.type") : "";
  if (reader.has("rope.scale_linear")) {  // its name before version 2 files
    rope.factor = reader.number("rope.scale_linear");
  }
  rope.factor = reader.number("rope.scaling.factor", rope.factor);
  if (scaling.empty()) scaling = rope.factor == 1.0f ? "none" : "linear";
  if (scaling == "linear") {
    rope.scaling = RopeScaling::linear;
  } else if (scaling != "none") {
    reader.refuse(fmt::format("rope scaling \"{}\"", scaling));
  } else {
    rope.factor = 1.0f;
  }
}

void refuseVariants(ConfigReader& reader, int32_t n_ctx_train) {
  if (reader.integer("expert_count", 0) > 0) reader.refuse("a mixture of experts (llama.expert_count)");
  for (const char* key : {"attention.scale", "logit_scale", "embedding_scale", "residual_scale",
                          "attn_logit_softcapping", "final_logit_softcapping",
                          "attention.clamp_kqv"}) {
    if (reader.has(key) && reader.number(key) != 0) reader.refuse(fmt::format("key llama.{}", key));
  }
  const int32_t window = reader.integer("attention.sliding_window", 0);
  if (window > 0 && window < n_ctx_train) {
    reader.refuse(fmt::format("sliding-window attention (llama.attention.sliding_window {})", window));
  }
}

Result<ModelConfig> readConfig(const GgufFile& gguf, const std::filesystem::path& path) {
  ConfigReader reader(gguf, path.string());
  ModelConfig config;
  config.architecture = "llama";
  const Result<std::string_view> name = gguf.string("general.name");
  config.name = name && !name->empty() ? printable(*name) : path.stem().string();
  config.n_ctx_train = reader.integer("context_length");
  config.dim = reader.integer("embedding_length");
  config.n_layers = reader.integer("block_count");
  config.ffn_dim = reader.integer("feed_forward_length");
  config.n_heads = reader.integer("attention.head_count");
  config.n_kv_heads = reader.integer("attention.head_count_kv", config.n_heads);
  config.rms_norm_eps = reader.number("attention.layer_norm_rms_epsilon");
  if (Status s = reader.status(); !s) return passOn(s);
  const int32_t even_split = config.n_heads > 0 ? config.dim / config.n_heads : 0;
  config.head_dim = reader.integer("attention.key_length", even_split);
  if (reader.integer("attention.value_length", config.head_dim) != config.head_dim) {
    reader.refuse("a value length that differs from the key length");
  }
  readRope(reader, config);
  refuseVariants(reader, config.n_ctx_train);
  if (Status s = reader.status(); !s) return passOn(s);
  for (const GgufTensor& tensor : gguf.tensors()) {
    if (tensor.name == "token_embd.weight" && tensor.shape.size() == 2 &&
        tensor.shape[1] <= static_cast<uint64_t>(std::numeric_limits<int32_t>::max())) {
      config.n_vocab = static_cast<int32_t>(tensor.shape[1]);
    }
  }
  if (config.n_vocab == 0) {
    return fail(ErrorCode::not_found, "{}: tensor token_embd.weight is missing or no matrix",
                path.string());
  }
  return config;
}

/// rope_freqs.weight: divisors of the frequencies, one for each rotating pair.
Status readDivisors(const GgufTensor& tensor, const std::string& path, RopeConfig& rope) {
  if (tensor.type != ggmlTypeOfDtype(Dtype::f32) || tensor.shape.size() != 1) {
    return fail(ErrorCode::unsupported, "{}: tensor rope_freqs.weight has type {} and {} dimensions",
                path, ggmlTypeName(tensor.type), tensor.shape.size());
  }
  rope.frequency_divisors.resize(tensor.shape[0]);
  std::memcpy(rope.frequency_divisors.data(), tensor.data.data(), tensor.data.size());
  return {};
}

std::vector<FoundTensor> foundTensors(const GgufFile& gguf) {
  std::vector<FoundTensor> found;
  for (const GgufTensor& tensor : gguf.tensors()) {
    found.push_back({std::string(tensor.name), std::string(tensor.name), ggmlTypeName(tensor.type),
                     dtypeOfGgmlType(tensor.type),
                     {tensor.shape.rbegin(), tensor.shape.rend()}, tensor.data});
  }
  return found;
}

Status refuseOtherKinds(const GgufFile& gguf, const std::string& path) {
  const Result<int64_t> parts = gguf.integer("split.count");
  if (parts && *parts > 1) {
    return fail(ErrorCode::unsupported, "{}: one of {} parts of a split GGUF, which this version cannot read",
                path, *parts);
  }
  const Result<std::string_view> kind = gguf.string("general.type");
  if (kind && *kind != "model") {
    return fail(ErrorCode::unsupported, "{}: this GGUF holds a file of kind \"{}\", not a model", path,
                printable(*kind));
  }
  const Result<std::string_view> architecture = gguf.string("general.architecture");
  if (!architecture) return passOn(architecture);
  if (*architecture != "llama") {
    return fail(ErrorCode::unsupported, "{}: architecture {} is not supported yet (llama is)", path,
                printable(*architecture));
  }
  if (gguf.tensors().empty()) {
    return fail(ErrorCode::bad_file, "{}: holds a vocabulary only, no weights", path);
  }
  return {};
}

}  // namespace

Result<ModelFile> openGgufModel(const std::filesystem::path& path,
                                std::shared_ptr<const MappedFile> mapping) {
  Result<GgufFile> gguf = GgufFile::parse(mapping->bytes(), path.string());
  if (!gguf) return passOn(gguf);
  if (Status s = refuseOtherKinds(*gguf, path.string()); !s) return passOn(s);
  ModelFile model;
  model.path = path;
  Result<ModelConfig> config = readConfig(*gguf, path);
  if (!config) return passOn(config);
  model.config = std::move(*config);
  model.config.tied_embeddings = true;
  const std::byte* first_data = mapping->bytes().data() + mapping->bytes().size();
  for (const GgufTensor& tensor : gguf->tensors()) {
    if (tensor.name == "output.weight") model.config.tied_embeddings = false;
    if (!tensor.data.empty()) first_data = std::min(first_data, tensor.data.data());
    if (tensor.name != "rope_freqs.weight") continue;
    if (Status s = readDivisors(tensor, path.string(), model.config.rope); !s) return passOn(s);
  }
  if (Status s = validateConfig(model.config, path.string()); !s) return passOn(s);
  if (Status s = adoptLlamaTensors(foundTensors(*gguf), model); !s) return passOn(s);

  model.tokenizer.origin = path;
  Result<std::optional<GgufVocabulary>> vocabulary = readGgufVocabulary(*gguf, path.string());
  if (!vocabulary) return passOn(vocabulary);
  if (*vocabulary && (*vocabulary)->texts.size() > static_cast<size_t>(model.config.n_vocab)) {
    return fail(ErrorCode::bad_file, "{}: {} tokens in tokenizer.ggml.tokens, but token_embd.weight has {} rows",
                path.string(), (*vocabulary)->texts.size(), model.config.n_vocab);
  }
  model.tokenizer.gguf = std::move(*vocabulary);
  const auto header = mapping->bytes().first(
      static_cast<size_t>(first_data - mapping->bytes().data()));
  Result<std::string> key = contentKey({path}, hashBytes(header));
  if (!key) return passOn(key);
  model.content_key = std::move(*key);
  model.mappings.push_back(std::move(mapping));
  return model;
}

}  // namespace hearth
