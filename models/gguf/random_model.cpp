#include "models/gguf/random_model.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <string>
#include <vector>

#include "kernels/base/quantise.h"
#include "models/gguf/gguf_writer.h"
#include "models/llama_tensors.h"
#include "models/output_file.h"
#include "models/utf8.h"

namespace hearth {

namespace {

constexpr int32_t kFewestTokens = 3 + 256;  // <unk>, <s>, </s> and the bytes

/// "a" … "z", "aa" … : the index-th word over the letters, so that each is the start of others and
/// can be reached by merges.
std::string wordOf(int32_t index) {
  std::string letters;
  for (int32_t n = index + 1; n > 0; n = (n - 1) / 26) {
    letters.insert(letters.begin(), static_cast<char>('a' + (n - 1) % 26));
  }
  return letters;
}

void addVocabulary(GgufWriter& writer, int32_t n_vocab) {
  std::vector<std::string> texts = {"<unk>", "<s>", "</s>"};
  std::vector<int32_t> types = {2, 3, 3};
  for (int byte = 0; byte < 256; ++byte) {
    texts.push_back(fmt::format("<0x{:02X}>", byte));
    types.push_back(6);
  }
  texts.push_back("▁");
  for (char c = '!'; c <= '~'; ++c) texts.push_back(std::string(1, c));
  for (int32_t i = 0; static_cast<int32_t>(texts.size()) < n_vocab; ++i) texts.push_back("▁" + wordOf(i));
  texts.resize(static_cast<size_t>(n_vocab));
  types.resize(texts.size(), 1);
  std::vector<float> scores(texts.size(), 0.0f);
  for (size_t i = kFewestTokens; i < scores.size(); ++i) {
    scores[i] = -static_cast<float>(i - kFewestTokens);
  }
  writer.setString("tokenizer.ggml.model", "llama");
  writer.setString("tokenizer.ggml.pre", "default");
  writer.setStrings("tokenizer.ggml.tokens", texts);
  writer.setNumbers("tokenizer.ggml.scores", scores);
  writer.setIntegers("tokenizer.ggml.token_type", types);
  writer.setInteger("tokenizer.ggml.unknown_token_id", 0);
  writer.setInteger("tokenizer.ggml.bos_token_id", 1);
  writer.setInteger("tokenizer.ggml.eos_token_id", 2);
  writer.setBoolean("tokenizer.ggml.add_bos_token", true);
  writer.setBoolean("tokenizer.ggml.add_eos_token", false);
}

void addConfig(GgufWriter& writer, const ModelConfig& c) {
  const auto integer = [&](const char* key, int32_t value) {
    writer.setInteger(fmt::format("llama.{}", key), static_cast<uint32_t>(value));
  };
  writer.setString("general.architecture", "llama");
  writer.setString("general.name", c.name);
  integer("context_length", c.n_ctx_train);
  integer("embedding_length", c.dim);
  integer("block_count", c.n_layers);
  integer("feed_forward_length", c.ffn_dim);
  integer("attention.head_count", c.n_heads);
  integer("attention.head_count_kv", c.n_kv_heads);
  integer("attention.key_length", c.head_dim);
  integer("attention.value_length", c.head_dim);
  integer("rope.dimension_count", c.rope.rotary_dim);
  integer("vocab_size", c.n_vocab);
  writer.setNumber("llama.rope.freq_base", c.rope.theta);
  writer.setNumber("llama.attention.layer_norm_rms_epsilon", c.rms_norm_eps);
}

/// SplitMix64 (Steele, Lea, Flood 2014): the finaliser of a counter.
uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

/// Normal numbers by table: the 65536 quantiles of the distribution, drawn evenly. Four for each
/// random word, so that a billion take seconds.
class NormalNumbers {
 public:
  explicit NormalNumbers(float sigma) : quantiles_(1u << 16) {
    const size_t half = quantiles_.size() / 2;
    for (size_t i = 0; i < half; ++i) {
      const double upper_tail = (static_cast<double>(i) + 0.5) / static_cast<double>(quantiles_.size());
      const auto value = static_cast<float>(sigma * quantileOf(upper_tail));
      quantiles_[i] = value;
      quantiles_[half + i] = -value;
    }
  }

  void fill(uint64_t stream, std::vector<float>& row) const {
    uint64_t state = mix(stream);
    for (size_t i = 0; i < row.size();) {
      state += 0x9e3779b97f4a7c15ull;
      uint64_t word = mix(state);
      for (const size_t end = std::min(i + 4, row.size()); i < end; ++i, word >>= 16) {
        row[i] = quantiles_[word & 0xFFFFu];
      }
    }
  }

 private:
  /// z with P(Z > z) = p, by bisection: 0 < p < 0.5.
  static double quantileOf(double p) {
    double low = 0, high = 8;
    for (int i = 0; i < 40; ++i) {
      const double middle = (low + high) / 2;
      (0.5 * std::erfc(middle / std::sqrt(2.0)) > p ? low : high) = middle;
    }
    return low;
  }

  std::vector<float> quantiles_;
};

Status checkWidths(const std::vector<LlamaTensor>& tensors, Dtype type) {
  const int32_t block = traitsOf(type).block_length;
  for (const LlamaTensor& tensor : tensors) {
    if (tensor.gain || tensor.cols % block == 0) continue;
    return fail(ErrorCode::invalid_argument, "{} has rows of {} elements, which do not divide into {} blocks of {}",
                tensor.name, tensor.cols, dtypeName(type), block);
  }
  return {};
}

class RandomWriter {
 public:
  RandomWriter(const RandomModelOptions& options, OutputFile& file, uint64_t total_bytes)
      : options_(options), file_(file), normal_(options.sigma), total_bytes_(total_bytes) {}

  Status writeTensor(const LlamaTensor& tensor, uint64_t index) {
    const Dtype type = tensor.gain ? Dtype::f32 : options_.weight_type;
    std::vector<float> row(static_cast<size_t>(tensor.cols), 1.0f);
    std::vector<std::byte> encoded(rowBytes(type, tensor.cols));
    for (int64_t r = 0; r < tensor.rows; ++r) {
      if (!tensor.gain) normal_.fill(mix(options_.seed) + (index << 40) + static_cast<uint64_t>(r), row);
      quantiseRow(type, row.data(), tensor.cols, encoded.data());
      if (Status s = write(encoded); !s) return s;
    }
    const uint64_t bytes = static_cast<uint64_t>(tensor.rows) * encoded.size();
    return write(std::vector<std::byte>(GgufWriter::padded(bytes) - bytes));
  }

  Status write(std::span<const std::byte> bytes) {
    constexpr uint64_t kReportEvery = 16u << 20;
    done_bytes_ += bytes.size();
    if (options_.progress && (done_bytes_ >= reported_bytes_ + kReportEvery || done_bytes_ == total_bytes_)) {
      reported_bytes_ = done_bytes_;
      if (!options_.progress(done_bytes_, total_bytes_)) return fail(ErrorCode::cancelled, "cancelled");
    }
    return file_.write(bytes);
  }

 private:
  const RandomModelOptions& options_;
  OutputFile& file_;
  NormalNumbers normal_;
  uint64_t total_bytes_, done_bytes_ = 0, reported_bytes_ = 0;
};

ModelConfig emptyShape(std::string name) {
  ModelConfig c;
  c.architecture = "llama";
  c.name = std::move(name);
  c.n_vocab = 32000;
  c.n_ctx_train = 2048;
  c.rope.interleaved = true;
  return c;
}

ModelConfig tinyLlamaShape() {
  ModelConfig c = emptyShape("random tinyllama-1.1b");
  c.n_layers = 22;
  c.dim = 2048;
  c.n_heads = 32;
  c.n_kv_heads = 4;
  c.head_dim = c.rope.rotary_dim = 64;
  c.ffn_dim = 5632;
  return c;
}

ModelConfig llama8bShape() {
  ModelConfig c = emptyShape("random llama-8b");
  c.n_vocab = 128256;
  c.n_ctx_train = 8192;
  c.n_layers = 32;
  c.dim = 4096;
  c.n_heads = 32;
  c.n_kv_heads = 8;
  c.head_dim = c.rope.rotary_dim = 128;
  c.ffn_dim = 14336;
  c.rope.theta = 500000.0f;
  return c;
}

bool parseNumber(std::string_view text, int32_t& out) {
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, out);
  return !text.empty() && error == std::errc() && stopped == end;
}

/// "dim=64,layers=2,…": what is not named keeps 0 or its default.
Result<ModelConfig> parsePairs(std::string_view shape) {
  ModelConfig c = emptyShape(fmt::format("random {}", printable(shape)));
  int32_t tied = 0, theta = 10000;
  const struct { std::string_view key; int32_t* value; } keys[] = {
      {"dim", &c.dim}, {"layers", &c.n_layers}, {"heads", &c.n_heads}, {"kv_heads", &c.n_kv_heads},
      {"head_dim", &c.head_dim}, {"ffn", &c.ffn_dim}, {"vocab", &c.n_vocab},
      {"ctx", &c.n_ctx_train}, {"theta", &theta}, {"tied", &tied}};
  for (std::string_view rest = shape; !rest.empty();) {
    const std::string_view part = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    const size_t equals = std::min(part.find('='), part.size());
    const auto entry = std::find_if(std::begin(keys), std::end(keys), [&](const auto& k) {
      return k.key == part.substr(0, equals);
    });
    const std::string_view number = part.substr(std::min(equals + 1, part.size()));
    if (entry == std::end(keys) || !parseNumber(number, *entry->value)) {
      return fail(ErrorCode::invalid_argument, "shape: \"{}\" is neither a known shape nor KEY=NUMBER with a known key",
                  printable(part));
    }
  }
  c.tied_embeddings = tied != 0;
  c.rope.theta = static_cast<float>(theta);
  return c;
}

}  // namespace

Result<ModelConfig> parseModelShape(std::string_view shape) {
  if (shape == "tinyllama-1.1b") return tinyLlamaShape();
  if (shape == "llama-8b") return llama8bShape();
  Result<ModelConfig> config = parsePairs(shape);
  if (!config) return config;
  if (config->n_kv_heads == 0) config->n_kv_heads = config->n_heads;
  if (config->head_dim == 0 && config->n_heads > 0) config->head_dim = config->dim / config->n_heads;
  config->rope.rotary_dim = config->head_dim;
  if (Status s = validateConfig(*config, "shape"); !s) {
    return fail(ErrorCode::invalid_argument, "{}", s.error().message);
  }
  return config;
}

Result<Dtype> parseWeightType(std::string_view name) {
  std::string upper(name);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  for (const Dtype type : {Dtype::f32, Dtype::f16, Dtype::bf16, Dtype::q8_0, Dtype::q4_0}) {
    if (upper == dtypeName(type)) return type;
  }
  return fail(ErrorCode::invalid_argument, "type \"{}\" cannot be written (F32, F16, BF16, Q8_0 and Q4_0 can)",
              printable(name));
}

Status writeRandomModel(const ModelConfig& config, const RandomModelOptions& options,
                        const std::filesystem::path& out) {
  if (Status s = validateConfig(config, "shape"); !s) {
    return fail(ErrorCode::invalid_argument, "{}", s.error().message);
  }
  if (config.n_vocab < kFewestTokens) {
    return fail(ErrorCode::invalid_argument, "a vocabulary of {} has no room for its {} first tokens",
                config.n_vocab, kFewestTokens);
  }
  const std::vector<LlamaTensor> tensors = llamaTensors(config);
  if (Status s = checkWidths(tensors, options.weight_type); !s) return s;
  GgufWriter writer;
  addConfig(writer, config);
  addVocabulary(writer, config.n_vocab);
  for (const LlamaTensor& tensor : tensors) {
    writer.declareTensor(tensor.name, tensor.gain ? Dtype::f32 : options.weight_type,
                         tensor.gain ? 0 : tensor.rows, tensor.cols);
  }
  const std::string header = writer.header();
  const uint64_t total_bytes = header.size() + writer.dataBytes();
  auto file = OutputFile::create(out, total_bytes);
  if (!file) return passOn(file);
  RandomWriter random(options, **file, total_bytes);
  if (Status s = random.write(std::as_bytes(std::span(header))); !s) return s;
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (Status s = random.writeTensor(tensors[i], i); !s) return s;
  }
  return (*file)->commit();
}

}  // namespace hearth
