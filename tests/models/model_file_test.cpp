// Model files: both formats give the same model, and what cannot be used is refused by name.
#include <QTemporaryDir>
#include <QtTest>

#include <cmath>
#include <random>

#include "kernels/base/half.h"
#include "models/gguf/random_model.h"
#include "models/model_file.h"
#include "tests/models/exact_bytes.h"

using namespace hearth;
namespace fs = std::filesystem;

namespace {

fs::path modelPath(std::string_view name) { return fs::path(HEARTH_TEST_DATA) / "models" / name; }

/// A copy of a fixture folder that a test may damage.
class CopiedFolder {
 public:
  explicit CopiedFolder(std::string_view name) : path_(fs::path(parent_.path().toStdString()) / name) {
    fs::copy(modelPath(name), path_);
  }
  const fs::path& path() const { return path_; }
  void replace(const char* file, std::string_view from, std::string_view to) const {
    std::string text = readBytes(path_ / file);
    const size_t at = text.find(from);
    if (at == std::string::npos) qFatal("%s: \"%s\" is not there", file, std::string(from).c_str());
    writeBytes(path_ / file, text.replace(at, from.size(), to));
  }

 private:
  QTemporaryDir parent_;
  fs::path path_;
};

void expectError(const fs::path& path, ErrorCode code, const char* part) {
  const auto model = openModelFile(path);
  QVERIFY2(!model, part);
  QVERIFY2(model.error().message.find(part) != std::string::npos, model.error().message.c_str());
  QCOMPARE(int(model.error().code), int(code));
}

/// Row of the rotate-half layout that holds row r of the interleaved one.
int64_t halfRow(int64_t r, int64_t head_dim) {
  const int64_t head = r / head_dim, i = r % head_dim;
  return head * head_dim + i / 2 + (i % 2) * (head_dim / 2);
}

}  // namespace

#define OPEN(variable, path)                                                                       \
  auto variable##_result = openModelFile(path);                                                    \
  QVERIFY2(variable##_result, variable##_result ? "" : variable##_result.error().message.c_str()); \
  ModelFile& variable = *variable##_result

class ModelFileTest : public QObject {
  Q_OBJECT
 private slots:
  void opensEveryReadableFixture_data();
  void opensEveryReadableFixture();
  void readsTheSameModelFromBothFormats();
  void readsShardsLikeOneFile();
  void readsRopeScalingFromBothFormats();
  void readsTokenizerSettings();
  void refusesWhatItCannotComputeByName_data();
  void refusesWhatItCannotComputeByName();
  void refusesOtherArchitecturesAndTypesByName();
  void refusesPathsThatAreNoModel();
  void namesDamagedFoldersPlainly();
  void keepsShardsInsideTheFolder();
  void refusesHostileJson();
  void namesMissingTensorsAndWrongShapes();
  void changesItsContentKeyWithTheFile();
  void survivesMutatedModelFiles();
};

void ModelFileTest::opensEveryReadableFixture_data() {
  QTest::addColumn<QString>("name");
  QTest::addColumn<int>("n_tensors");
  const struct { const char* name; int n_tensors; } files[] = {
      {"stories260K-f32.gguf", 47}, {"stories260K-f16.gguf", 47}, {"stories260K-bf16.gguf", 47},
      {"stories260K-ff192-q8_0.gguf", 47}, {"stories260K-ff192-q4_0.gguf", 47}, {"stories260K-hf", 47},
      {"stories260K-hf-bf16-sharded", 47}, {"llama-untied-f32.gguf", 21},
      {"llama3-rope-tiny-f32.gguf", 20}, {"llama3-rope-tiny-hf", 20},
      {"llama-rope-linear-tiny-f32.gguf", 20}, {"llama-rope-linear-tiny-hf", 20}};
  for (const auto& file : files) QTest::newRow(file.name) << file.name << file.n_tensors;
}

void ModelFileTest::opensEveryReadableFixture() {
  QFETCH(QString, name);
  QFETCH(int, n_tensors);
  OPEN(model, modelPath(name.toStdString()));
  QCOMPARE(model.config.n_vocab, 512);
  QCOMPARE(model.config.architecture, std::string("llama"));
  QCOMPARE(int(model.tensors.size()), n_tensors);
  QVERIFY(model.tensor("token_embd.weight", 512, model.config.dim));
  QCOMPARE(model.config.tied_embeddings, !model.tensors.contains("output.weight"));
  uint64_t bytes = 0;
  for (const auto& [tensor_name, view] : model.tensors) bytes += view.bytes();
  QCOMPARE(model.tensor_bytes, bytes);
}

void ModelFileTest::readsTheSameModelFromBothFormats() {
  OPEN(gguf, modelPath("stories260K-f32.gguf"));
  OPEN(hf, modelPath("stories260K-hf"));
  const ModelConfig &a = gguf.config, &b = hf.config;
  QCOMPARE(a.dim, 64);
  QCOMPARE(a.ffn_dim, 172);
  QCOMPARE(a.n_layers, 5);
  QCOMPARE(a.n_heads, 8);
  QCOMPARE(a.n_kv_heads, 4);
  QCOMPARE(a.head_dim, 8);
  QCOMPARE(a.n_ctx_train, 512);
  QCOMPARE(a.rms_norm_eps, 1e-5f);
  QCOMPARE(a.rope.theta, 10000.0f);
  QVERIFY(a.rope.interleaved && !b.rope.interleaved);
  QVERIFY(a.tied_embeddings && b.tied_embeddings);
  QCOMPARE(std::tie(a.dim, a.ffn_dim, a.n_layers, a.n_heads, a.n_kv_heads, a.head_dim, a.n_ctx_train, a.rms_norm_eps),
           std::tie(b.dim, b.ffn_dim, b.n_layers, b.n_heads, b.n_kv_heads, b.head_dim, b.n_ctx_train, b.rms_norm_eps));
  QCOMPARE(gguf.tensors.size(), hf.tensors.size());
  for (const auto& [name, x] : gguf.tensors) {
    const TensorView y = hf.tensors.at(name);
    QCOMPARE(x.rows, y.rows);
    QCOMPARE(x.cols, y.cols);
    const bool permuted = name.ends_with("attn_q.weight") || name.ends_with("attn_k.weight");
    for (int64_t r = 0; r < x.rows; ++r) {
      const std::byte* other = y.row(permuted ? halfRow(r, a.head_dim) : r);
      QVERIFY2(std::memcmp(x.row(r), other, rowBytes(x.dtype, x.cols)) == 0, name.c_str());
    }
  }
}

void ModelFileTest::readsShardsLikeOneFile() {
  OPEN(whole, modelPath("stories260K-hf"));
  OPEN(shards, modelPath("stories260K-hf-bf16-sharded"));
  QCOMPARE(shards.mappings.size(), size_t{3});
  QCOMPARE(shards.tensors.size(), whole.tensors.size());
  for (const auto& [name, x] : whole.tensors) {
    const TensorView y = shards.tensors.at(name);
    QCOMPARE(y.dtype, Dtype::bf16);
    const auto* exact = static_cast<const float*>(x.data);
    const auto* rounded = static_cast<const uint16_t*>(y.data);
    for (int64_t i = 0; i < x.rows * x.cols; ++i) {
      if (rounded[i] == f32ToBf16(exact[i])) continue;
      QFAIL(fmt::format("{}[{}]: {} is not {} rounded", name, i, bf16ToF32(rounded[i]), exact[i]).c_str());
    }
  }
}

void ModelFileTest::readsRopeScalingFromBothFormats() {
  for (const char* name : {"llama3-rope-tiny", "llama-rope-linear-tiny"}) {
    OPEN(gguf, modelPath(std::string(name) + "-f32.gguf"));
    OPEN(hf, modelPath(std::string(name) + "-hf"));
    const auto a = ropeFrequencies(gguf.config.rope), b = ropeFrequencies(hf.config.rope);
    QCOMPARE(a.size(), size_t(gguf.config.head_dim) / 2);
    QCOMPARE(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i) {  // the file's divisors are float32
      QVERIFY2(std::abs(a[i] - b[i]) <= 1e-6 * b[i], fmt::format("{}[{}]: {} and {}", name, i, a[i], b[i]).c_str());
    }
    QVERIFY(a.back() < 0.9 * std::pow(double{gguf.config.rope.theta}, -2.0 * double(a.size() - 1) / gguf.config.head_dim));
  }
}

void ModelFileTest::readsTokenizerSettings() {
  OPEN(hf, modelPath("stories260K-hf"));
  QCOMPARE(hf.tokenizer.bos_id, std::optional<int32_t>(1));
  QCOMPARE(hf.tokenizer.eos_ids, std::vector<int32_t>{2});
  QCOMPARE(hf.tokenizer.add_bos, std::optional<bool>(true));
  QCOMPARE(hf.tokenizer.sentencepiece_model.filename().string(), std::string("tokenizer.model"));
  OPEN(gguf, modelPath("stories260K-f32.gguf"));
  QVERIFY(gguf.tokenizer.gguf && gguf.tokenizer.gguf->texts.size() == 512);
  QCOMPARE(gguf.tokenizer.gguf->eos_id, std::optional<int32_t>(2));
  CopiedFolder several("stories260K-hf");
  several.replace("generation_config.json", "\"eos_token_id\": 2", "\"eos_token_id\": [5, 2, 7]");
  OPEN(model, several.path());
  QCOMPARE(model.tokenizer.eos_ids, (std::vector<int32_t>{5, 2, 7}));
  several.replace("generation_config.json", "[5, 2, 7]", "[512, 7, -1, 18446744073709551615]");
  OPEN(beyond, several.path());  // ids without a row end no answer and do no harm
  QCOMPARE(beyond.tokenizer.eos_ids, (std::vector<int32_t>{7, 2}));
}

void ModelFileTest::refusesWhatItCannotComputeByName_data() {
  QTest::addColumn<QString>("from");
  QTest::addColumn<QString>("to");
  QTest::addColumn<QString>("part");
  const struct { const char *from, *to, *part; } cases[] = {
      {"\"model_type\": \"llama\"", "\"model_type\": \"qwen2\"", "architecture qwen2 is not supported yet"},
      {"\"model_type\": \"llama\"", "\"model_type\": \"mistral\", \"sliding_window\": 64", "sliding_window 64"},
      {"\"model_type\": \"llama\",", "", "\"model_type\" is missing"},
      {"\"attention_bias\": false", "\"attention_bias\": true", "attention_bias is not supported"},
      {"\"mlp_bias\": false", "\"mlp_bias\": true", "mlp_bias is not supported"},
      {"\"hidden_act\": \"silu\"", "\"hidden_act\": \"gelu\"", "hidden_act \"gelu\""},
      {"\"rope_scaling\": null", "\"rope_scaling\": {\"rope_type\": \"yarn\", \"factor\": 4.0}", "rope scaling \"yarn\""},
      {"\"rope_scaling\": null", "\"rope_scaling\": {\"type\": \"dynamic\", \"factor\": 4.0}", "rope scaling \"dynamic\""},
      {"\"rope_scaling\": null", "\"rope_scaling\": {\"type\": \"linear\"}", "\"factor\" is missing"},
      {"\"rope_scaling\": null", "\"rope_scaling\": {\"type\": \"linear\", \"factor\": 0}", "rope scaling factor is 0"},
      {"\"rope_scaling\": null", "\"quantization_config\": {\"bits\": 4}", "quantization_config"},
      {"\"hidden_size\": 64", "\"hidden_size\": \"64\"", "\"hidden_size\" is \"64\""},
      {"\"hidden_size\": 64", "\"hidden_size\": -64", "\"hidden_size\" is -64"},
      {"\"hidden_size\": 64", "\"hidden_size\": 1e400", "not a JSON object"},
      {"\"hidden_size\": 64", "\"hidden_size\": 99999999999999999999", "\"hidden_size\" is"},
      {"\"hidden_size\": 64,", "", "\"hidden_size\" is missing"},
      {"\"num_attention_heads\": 8", "\"num_attention_heads\": 0", "number of attention heads is 0"},
      {"\"num_key_value_heads\": 4", "\"num_key_value_heads\": 3", "8 attention heads do not divide among 3"},
      {"\"head_dim\": 8", "\"head_dim\": 7", "head dimension 7 is odd"},
      {"\"num_hidden_layers\": 5", "\"num_hidden_layers\": 2000000000", "number of layers is 2000000000"},
      {"\"eos_token_id\": 2", "\"eos_token_id\": \"2\"", "\"eos_token_id\" is no token id"},
  };
  for (const auto& one : cases) QTest::newRow(one.part) << one.from << one.to << one.part;
}

void ModelFileTest::refusesWhatItCannotComputeByName() {
  QFETCH(QString, from);
  QFETCH(QString, to);
  QFETCH(QString, part);
  CopiedFolder folder("stories260K-hf");
  folder.replace("config.json", from.toStdString(), to.toStdString());
  const auto model = openModelFile(folder.path());
  QVERIFY2(!model, qPrintable(part));
  QVERIFY2(model.error().message.find(part.toStdString()) != std::string::npos, model.error().message.c_str());
  QVERIFY2(model.error().message.find("config.json") != std::string::npos, model.error().message.c_str());
}

void ModelFileTest::refusesOtherArchitecturesAndTypesByName() {
  expectError(modelPath("qwen2-tiny-q8_0.gguf"), ErrorCode::unsupported, "architecture qwen2 is not supported yet");
  expectError(modelPath("stories260K-q4_k_m.gguf"), ErrorCode::unsupported, "has type Q5_0, which this version cannot read");
  const fs::path larger = fs::path(HEARTH_FIXTURES) / "models";
  if (!fs::exists(larger)) QSKIP("the rest needs HEARTH_FIXTURES");
  expectError(larger / "llama-d256-q4_k_m.gguf", ErrorCode::unsupported, "has type Q");
  expectError(larger / "gemma2-tiny-hf", ErrorCode::unsupported, "architecture gemma2");
  expectError(larger / "qwen3-tiny-hf", ErrorCode::unsupported, "architecture qwen3");
  expectError(larger / "../tokenizers/ggml-vocab-llama-spm.gguf", ErrorCode::bad_file, "a vocabulary only");
  expectError(larger / "../lora/lora-r4.gguf", ErrorCode::unsupported, "kind \"adapter\"");
}

void ModelFileTest::refusesPathsThatAreNoModel() {
  QTemporaryDir dir;
  const fs::path folder = dir.path().toStdString();
  expectError(folder / "absent.gguf", ErrorCode::not_found, "No such file");
  expectError(folder, ErrorCode::not_found, "the folder has no config.json");
  writeBytes(folder / "empty.gguf", "");
  expectError(folder / "empty.gguf", ErrorCode::bad_file, "the file is empty");
  expectError(folder, ErrorCode::not_found, "open the file empty.gguf instead");
  writeBytes(folder / "notes.txt", "Dear diary");
  expectError(folder / "notes.txt", ErrorCode::bad_file, "not a GGUF file (it begins with \"Dear\")");
  expectError(folder / "notes.txt" / "model", ErrorCode::not_found, "Not a directory");
  expectError("/dev/null", ErrorCode::bad_file, "not a regular file");
  expectError(modelPath("stories260K-hf/model.safetensors"), ErrorCode::invalid_argument, "open the folder instead");
}

void ModelFileTest::namesDamagedFoldersPlainly() {
  CopiedFolder folder("stories260K-hf");
  const fs::path weights = folder.path() / "model.safetensors";
  fs::rename(weights, folder.path() / "kept");
  expectError(folder.path(), ErrorCode::not_found, "the folder has no model.safetensors");
  writeBytes(folder.path() / "pytorch_model.bin", "x");
  expectError(folder.path(), ErrorCode::unsupported, "only safetensors can be read");
  writeBytes(weights, "");
  expectError(folder.path(), ErrorCode::bad_file, "model.safetensors: the file is empty");
  fs::rename(folder.path() / "kept", weights);
  fs::remove(folder.path() / "tokenizer.model");
  OPEN(model, folder.path());  // ids still work; the tokenizer says what is missing
  QVERIFY(model.tokenizer.sentencepiece_model.empty() && !model.tokenizer.gguf);
  writeBytes(folder.path() / "config.json", "{ not json");
  expectError(folder.path(), ErrorCode::bad_file, "config.json: not a JSON object");
}

void ModelFileTest::keepsShardsInsideTheFolder() {
  for (const char* name : {"../elsewhere.safetensors", "/etc/passwd", "..", "a/b.safetensors", ""}) {
    CopiedFolder folder("stories260K-hf-bf16-sharded");
    folder.replace("model.safetensors.index.json", "model-00001-of-00003.safetensors", name);
    expectError(folder.path(), ErrorCode::bad_file, "which is no file name");
  }
  CopiedFolder folder("stories260K-hf-bf16-sharded");
  folder.replace("model.safetensors.index.json", "model-00002-of-00003.safetensors", "model-00009.safetensors");
  expectError(folder.path(), ErrorCode::not_found, "model-00009.safetensors: No such file");
  CopiedFolder extra("stories260K-hf-bf16-sharded");
  extra.replace("model.safetensors.index.json", "model.norm.weight", "model.other.weight");
  expectError(extra.path(), ErrorCode::not_found, "tensor model.other.weight is not in model-00002-of-00003");
  CopiedFolder doubled("stories260K-hf-bf16-sharded");
  fs::copy_file(doubled.path() / "model-00001-of-00003.safetensors", doubled.path() / "again.safetensors");
  doubled.replace("model.safetensors.index.json", "\"model-00001-of-00003.safetensors\"", "\"again.safetensors\"");
  expectError(doubled.path(), ErrorCode::bad_file, "appears twice");
}

void ModelFileTest::refusesHostileJson() {
  CopiedFolder folder("stories260K-hf");
  writeBytes(folder.path() / "config.json", "{\"a\":" + std::string(1'000'000, '['));
  expectError(folder.path(), ErrorCode::bad_file, "JSON nested deeper than 64");
  writeBytes(folder.path() / "config.json", "[1]");
  expectError(folder.path(), ErrorCode::bad_file, "not a JSON object");
}

void ModelFileTest::namesMissingTensorsAndWrongShapes() {
  CopiedFolder folder("stories260K-hf");
  folder.replace("model.safetensors", "layers.1.mlp.up_proj", "layers.7.mlp.up_proj");
  expectError(folder.path(), ErrorCode::unsupported, "tensor model.layers.7.mlp.up_proj.weight is not part of");
  CopiedFolder biased("stories260K-hf");
  biased.replace("model.safetensors", "layers.1.self_attn.q_proj.weight", "layers.1.self_attn.q_norm.weight");
  expectError(biased.path(), ErrorCode::unsupported, "tensor model.layers.1.self_attn.q_norm.weight is not part of");
  CopiedFolder untied("stories260K-hf");
  untied.replace("config.json", "\"tie_word_embeddings\": true", "\"tie_word_embeddings\": false");
  expectError(untied.path(), ErrorCode::not_found, "tensor output.weight is missing");
  CopiedFolder shorter("stories260K-hf");
  shorter.replace("config.json", "\"vocab_size\": 512", "\"vocab_size\": 511");
  expectError(shorter.path(), ErrorCode::bad_file, "tensor model.embed_tokens.weight has shape [512, 64], not [511, 64]");
  OPEN(model, modelPath("stories260K-f32.gguf"));
  QCOMPARE(int(model.tensor("no.such", 1, 1).error().code), int(ErrorCode::not_found));
  QVERIFY(model.tensor("output_norm.weight", 1, 65).error().message.find("[1, 64], not [1, 65]") != std::string::npos);
}

void ModelFileTest::changesItsContentKeyWithTheFile() {
  OPEN(first, modelPath("stories260K-f32.gguf"));
  OPEN(again, modelPath("stories260K-f32.gguf"));
  OPEN(other, modelPath("stories260K-f16.gguf"));
  QCOMPARE(first.content_key, again.content_key);
  QVERIFY(first.content_key != other.content_key);
  CopiedFolder folder("stories260K-hf");
  const auto before = openModelFile(folder.path());
  fs::last_write_time(folder.path() / "model.safetensors", fs::file_time_type::clock::now() + std::chrono::hours(1));
  const auto after = openModelFile(folder.path());
  QVERIFY(before && after && before->content_key != after->content_key);
}

void ModelFileTest::survivesMutatedModelFiles() {
  QTemporaryDir dir;
  const fs::path path = fs::path(dir.path().toStdString()) / "small.gguf";
  const auto shape = parseModelShape("dim=32,layers=1,heads=2,kv_heads=1,ffn=32,vocab=300,ctx=16,tied=1");
  QVERIFY(shape && writeRandomModel(*shape, RandomModelOptions(), path));
  const std::string whole = readBytes(path);
  const size_t header_bytes = whole.rfind("output_norm.weight") + 64;
  std::mt19937 random(5);
  QFile file(QString::fromStdString(path.string()));  // only the header is written anew each time
  QVERIFY(file.open(QIODevice::ReadWrite | QIODevice::Unbuffered));
  int accepted = 0;
  for (int round = 0; round < 2000; ++round) {
    std::string bytes = whole.substr(0, header_bytes);
    for (uint32_t i = 0; i < 1 + random() % 3; ++i) {
      bytes[random() % header_bytes] = static_cast<char>(random() % 3 ? random() % 40 : random());
    }
    QVERIFY(file.seek(0) && file.write(bytes.data(), qint64(bytes.size())) == qint64(bytes.size()));
    const auto model = openModelFile(path);
    if (!model) continue;
    ++accepted;
    for (const auto& [name, view] : model->tensors) {
      const auto* raw = static_cast<const uint8_t*>(view.data);
      QVERIFY(raw[0] + raw[view.bytes() - 1] >= 0);
    }
    QVERIFY(!ropeFrequencies(model->config.rope).empty());
  }
  QVERIFY2(accepted > 20 && accepted < 2000, QByteArray::number(accepted).constData());
}

QTEST_APPLESS_MAIN(ModelFileTest)
#include "model_file_test.moc"
