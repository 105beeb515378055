#include "inference/language_model.h"

#include <QTemporaryDir>
#include <QtTest>

#include <numeric>

#include "tests/inference/test_model.h"

using namespace hearth;
using namespace hearth::test;

namespace {

constexpr const char* kModel = "stories260K-f32.gguf";

std::vector<int32_t> someIds(size_t n) {
  std::vector<int32_t> ids(n);
  std::iota(ids.begin(), ids.end(), 3);
  for (int32_t& id : ids) id = id * 37 % 512;
  return ids;
}

Error loadError(ModelFile file, LanguageModelOptions options = kExact) {
  const auto device = cpuDevice();
  const auto loaded =
      LanguageModel::load(*device, std::make_shared<const ModelFile>(std::move(file)), options);
  return loaded ? Error{} : loaded.error();
}

bool names(const Error& error, std::string_view text) {
  return error.message.find(text) != std::string::npos;
}

}  // namespace

class LanguageModelTest : public QObject {
  Q_OBJECT
 private slots:
  void missingTensorIsNamed() {
    for (const char* name : {"token_embd.weight", "blk.3.ffn_up.weight", "output_norm.weight"}) {
      ModelFile file = *openFixture(kModel);
      file.tensors.erase(file.tensors.find(name));
      const Error error = loadError(file);
      QCOMPARE(error.code, ErrorCode::not_found);
      QVERIFY2(names(error, name), error.message.c_str());
    }
  }

  void untiedModelNeedsItsOutputMatrix() {
    ModelFile file = *openFixture("llama-untied-f32.gguf");
    QVERIFY(!file.config.tied_embeddings);
    file.tensors.erase(file.tensors.find("output.weight"));
    QCOMPARE(loadError(file).code, ErrorCode::not_found);
  }

  void wrongShapeIsNamed() {
    ModelFile file = *openFixture(kModel);
    file.tensors.find("blk.1.attn_k.weight")->second.rows -= 8;
    const Error error = loadError(file);
    QCOMPARE(error.code, ErrorCode::bad_file);
    QVERIFY2(names(error, "blk.1.attn_k.weight"), error.message.c_str());
  }

  void quantisedNormIsRefusedByName() {
    ModelFile file = *openFixture(kModel);
    file.tensors.find("blk.0.ffn_norm.weight")->second.dtype = Dtype::q8_0;
    const Error error = loadError(file);
    QCOMPARE(error.code, ErrorCode::unsupported);
    QVERIFY2(names(error, "blk.0.ffn_norm.weight"), error.message.c_str());
  }

  void tensorsMayLieAtAnyByte() {
    // The header of a safetensors file may end in spaces, and nothing says how long it must be.
    namespace fs = std::filesystem;
    QTemporaryDir dir;
    for (const char* name : {"stories260K-hf", "stories260K-hf-bf16-sharded"}) {
      const fs::path folder = fs::path(dir.path().toStdString()) / name;
      fs::copy(findModel(name), folder);
      for (const auto& entry : fs::directory_iterator(folder)) {
        if (entry.path().extension() != ".safetensors") continue;
        const std::string whole = readText(entry.path());
        uint64_t length = 0;
        std::memcpy(&length, whole.data(), sizeof length);
        const uint64_t odd = length / 8 * 8 + 9;
        std::string moved(reinterpret_cast<const char*>(&odd), sizeof odd);
        moved += whole.substr(8, length) + std::string(odd - length, ' ') + whole.substr(8 + length);
        fs::permissions(entry.path(), fs::perms::owner_write, fs::perm_options::add);
        std::ofstream(entry.path(), std::ios::binary) << moved;
      }
      TestModel plain(name), shifted(folder.string());
      const TensorView& embedding = shifted.model->file().tensors.at("token_embd.weight");
      QVERIFY(reinterpret_cast<uintptr_t>(embedding.data) % 2 == 1);
      const auto wrong = bitDifference(shifted.all(*shifted.newSequence(), someIds(60)),
                                       plain.all(*plain.newSequence(), someIds(60)));
      QVERIFY2(wrong.isEmpty(), name + QByteArray(": ") + wrong);
    }
  }

  void refusesOptionsThatCannotBe() {
    const ModelFile file = *openFixture(kModel);
    QCOMPARE(loadError(file, {.n_ctx = -1}).code, ErrorCode::invalid_argument);
    QCOMPARE(loadError(file, {.kv_type = Dtype::q4_0}).code, ErrorCode::unsupported);
    QCOMPARE(loadError(file, {.kv_type = Dtype::q8_0}).code, ErrorCode::unsupported);  // head_dim 8
  }

  void contextIsWhatTheModelWasTrainedForUnlessAsked() {
    QCOMPARE(TestModel(kModel).model->contextLength(), 512);
    QCOMPARE(TestModel(kModel, {.n_ctx = 100}).model->contextLength(), 100);
  }

  void exactModeKeepsKeysAndValuesInFloat32() {
    TestModel m(kModel, {.precision = Precision::exact, .kv_type = Dtype::f16});
    QCOMPARE(m.newSequence()->binding().dtype, Dtype::f32);
    // 5 layers, keys and values, 4 heads of 8 float32
    QCOMPARE(m.model->sequenceBytesPerToken(), uint64_t{5 * 2 * 4 * 8 * 4});
  }

  void memoryIsCountedByRowsEverWritten() {
    TestModel m(kModel);
    const auto state = m.newSequence();
    QCOMPARE(state->bytesUsed(), uint64_t{0});
    m.last(*state, someIds(20));
    QCOMPARE(state->bytesUsed(), 20 * m.model->sequenceBytesPerToken());
    state->truncate(5);  // gives no page back
    QCOMPARE(state->bytesUsed(), 20 * m.model->sequenceBytesPerToken());
  }

  void refusesIdsThatCannotBeAndLeavesTheStateAlone() {
    TestModel m(kModel, {.precision = Precision::exact, .n_ctx = 32});
    const auto state = m.newSequence();
    m.last(*state, someIds(20));
    for (const auto& ids : {std::vector<int32_t>{}, {512}, {-1}, {3, 1 << 30}, someIds(13)}) {
      const Status ran = m.model->forward(*state, ids, {});
      QVERIFY(!ran);
      QCOMPARE(ran.error().code, ErrorCode::invalid_argument);
      QCOMPARE(state->ids(), someIds(20));
    }
    QVERIFY(m.model->forward(*state, someIds(12), {}));
    QCOMPARE(state->length(), 32);
  }

  void commonPrefixEndsAtTheFirstDifference() {
    TestModel m(kModel);
    const auto state = m.newSequence();
    m.last(*state, std::vector<int32_t>{5, 6, 7});
    QCOMPARE(state->commonPrefix(std::vector<int32_t>{}), 0);
    QCOMPARE(state->commonPrefix(std::vector<int32_t>{5}), 1);
    QCOMPARE(state->commonPrefix(std::vector<int32_t>{5, 6, 7, 8}), 3);
    QCOMPARE(state->commonPrefix(std::vector<int32_t>{5, 9, 7}), 1);
  }

  void cancelLeavesTheStateAtTheLastWholeChunk() {
    TestModel m(kModel, {.precision = Precision::exact, .n_ctx = 2000});
    const auto state = m.newSequence();
    const auto ids = someIds(1500);
    std::atomic<bool> cancel = false;
    int32_t done = 0;
    const Status ran = m.model->forward(*state, ids, {}, &cancel, [&](int32_t so_far) {
      done = so_far;
      cancel = true;
    });
    QVERIFY(!ran);
    QCOMPARE(ran.error().code, ErrorCode::cancelled);
    QVERIFY(done > 0 && done < 1500);
    QCOMPARE(state->length(), done);

    const auto rest = m.last(*state, std::span(ids).subspan(static_cast<size_t>(done)));
    const auto wrong = bitDifference(rest, m.last(*m.newSequence(), ids));
    QVERIFY2(wrong.isEmpty(), wrong);
  }

  void progressIsToldToTheEnd() {
    TestModel m(kModel, {.precision = Precision::exact, .n_ctx = 2000});
    std::vector<int32_t> told;
    QVERIFY(m.model->forward(*m.newSequence(), someIds(1100), {}, nullptr,
                             [&](int32_t done) { told.push_back(done); }));
    QVERIFY(told.size() >= 2 && std::is_sorted(told.begin(), told.end()));
    QCOMPARE(told.back(), 1100);
  }

  void typesMayMixWithinAGroup() {
    // Q4_0 reads quantised activations in fast mode, F32 does not: q with k and v, gate with up.
    ModelFile mixed = *openFixture("stories260K-ff192-q4_0.gguf");
    const auto plain = openFixture(kModel);
    for (int layer = 0; layer < mixed.config.n_layers; ++layer) {
      for (const char* part : {"attn_k", "attn_output"}) {
        const std::string name = fmt::format("blk.{}.{}.weight", layer, part);
        mixed.tensors[name] = plain->tensors.at(name);
      }
    }
    const auto file = std::make_shared<const ModelFile>(std::move(mixed));
    const auto device = cpuDevice();
    std::vector<std::vector<float>> logits;
    for (const Precision precision : {Precision::exact, Precision::fast}) {
      const auto model = LanguageModel::load(*device, file, {.precision = precision});
      QVERIFY2(model.has_value(), model ? "" : model.error().message.c_str());
      auto state = (*model)->newSequence();
      logits.emplace_back(512);
      QVERIFY((*model)->forward(**state, someIds(40), logits.back()));
    }
    const auto far = difference(logits[1], logits[0], 0.5);  // the noise of 8-bit activations
    QVERIFY2(far.isEmpty(), far);
    QVERIFY2(!difference(logits[1], logits[0], 1e-4).isEmpty(), "no activation was quantised");
  }

  void fastModeDoesNotDependOnChunkingEither() {
    // Not promised, but it makes a seeded answer repeatable: how a prompt is cut depends on time.
    for (const char* name :
         {kModel, "stories260K-ff192-q8_0.gguf", "stories260K-ff192-q4_0.gguf"}) {
      TestModel m(name, {.precision = Precision::fast});
      const auto ids = someIds(150);
      const auto whole = m.last(*m.newSequence(), ids);
      const auto state = m.newSequence();
      m.last(*state, std::span(ids).first(8));
      m.last(*state, std::span(ids).subspan(8, 101));
      const auto wrong = bitDifference(m.last(*state, std::span(ids).subspan(109)), whole);
      QVERIFY2(wrong.isEmpty(), name + QByteArray(": ") + wrong);
    }
  }
};

QTEST_GUILESS_MAIN(LanguageModelTest)
#include "language_model_test.moc"
