// Tokenizers against ids that llama.cpp and the SentencePiece library gave for the same vocabularies.
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTemporaryDir>
#include <QtTest>

#include <ctime>
#include <limits>
#include <random>

#include "models/tokenizer/sentencepiece_model.h"
#include "models/tokenizer/sentencepiece_tokenizer.h"
#include "models/tokenizer/tokenizer.h"
#include "tests/models/exact_bytes.h"

using namespace hearth;
namespace fs = std::filesystem;

namespace {

using Ids = std::vector<int32_t>;

fs::path dataPath(std::string_view name) { return fs::path(HEARTH_TEST_DATA) / name; }
fs::path fixture(std::string_view name) { return fs::path(HEARTH_FIXTURES) / "tokenizers" / name; }

QJsonObject readJson(const fs::path& path) {
  QFile file(QString::fromStdString(path.string()));
  if (!file.open(QIODevice::ReadOnly)) qFatal("%s: cannot be read", path.c_str());
  return QJsonDocument::fromJson(file.readAll()).object();
}

Ids idsOf(const QJsonValue& value) {
  Ids ids;
  for (const QJsonValue& id : value.toArray()) ids.push_back(id.toInt());
  return ids;
}

QByteArray shown(const Ids& ids) {
  QByteArray text;
  for (const int32_t id : ids) text += QByteArray::number(id) + ' ';
  return text;
}

void compareIds(const Ids& actual, const Ids& expected, const std::string& text) {
  if (actual == expected) return;
  QFAIL(("\"" + QByteArray(text.c_str()) + "\": got " + shown(actual) + "expected " + shown(expected))
            .constData());
}

void compareStrings(const Tokenizer& tokenizer, const QJsonObject& golden) {
  const QJsonArray cases = golden["cases"].toArray();
  QVERIFY(cases.size() >= 20);
  for (const QJsonValue& value : cases) {
    const QJsonObject one = value.toObject();
    const std::string text = one["text"].toString().toStdString();
    const Ids plain = tokenizer.encode(text, {.add_special = false});
    compareIds(plain, idsOf(one["ids_no_special"]), text);
    compareIds(tokenizer.encode(text, {}), idsOf(one["ids"]), text);
    compareIds(tokenizer.encode(text, {.parse_special = true}), idsOf(one["ids_parse_special"]), text);
    QCOMPARE(QString::fromStdString(tokenizer.decode(plain)), one["detokenized"].toString());
    const QJsonArray pieces = one["pieces_hex"].toArray();
    QCOMPARE(qsizetype(plain.size()), pieces.size());
    for (qsizetype i = 0; i < pieces.size(); ++i) {
      const std::string piece = tokenizer.piece(plain[size_t(i)]);
      QCOMPARE(QByteArray::fromStdString(piece).toHex(), pieces[i].toString().toUtf8());
    }
  }
}

std::unique_ptr<Tokenizer> load(const fs::path& path) {
  auto tokenizer = loadTokenizerFile(path);
  if (!tokenizer) qFatal("%s", tokenizer.error().message.c_str());
  return std::move(*tokenizer);
}

}  // namespace

class TokenizerTest : public QObject {
  Q_OBJECT
 private slots:
  void ggufVocabularyGivesLlamaCppIds();
  void modelFileGivesLlamaCppIds();
  void llamaSpmGivesLlamaCppIds();
  void llama2ModelGivesLibraryIds();
  void phi3GivesLlamaCppIds();
  void conformanceSetsGiveLlamaCppIds_data();
  void conformanceSetsGiveLlamaCppIds();
  void bothSourcesOfAModelGiveTheSameIds();
  void carriesAnyBytesThroughByteTokens();
  void controlTokensComeFromTextOnlyWhenAskedFor();
  void longestSpecialTokenWins();
  void userDefinedPiecesAreNeverSplit();
  void vocabulariesWithoutBytesGiveTheUnknownToken();
  void toleratesEmptyAndRepeatedPieces();
  void prefixFollowsTheModelsSetting();
  void settingsOfTheFolderDecideAboutBeginAndEnd();
  void refusesATokenizerWithMorePiecesThanTheModelHasRows();
  void extraSpacesAreRemovedFromTheWholeTextAroundBrokenBytes();
  void tokensThatAFolderAddsArePartOfIt();
  void readsAddedTokensOfAFolder();
  void idsOutsideTheVocabularyAreEmpty();
  void encodesAMegabyteInSeconds();
  void refusesUnknownKindsByName();
  void namesTheFolderWithoutTokenizer();
  void refusesEveryPrefixOfAModelFile();
  void survivesMutatedModelFiles();
};

void TokenizerTest::ggufVocabularyGivesLlamaCppIds() {
  compareStrings(*load(dataPath("models/stories260K-f32.gguf")), readJson(dataPath("tokenizers/tok512.strings.json")));
}

void TokenizerTest::modelFileGivesLlamaCppIds() {
  compareStrings(*load(dataPath("tokenizers/tok512-tokenizer.model")),
                 readJson(dataPath("tokenizers/tok512.strings.json")));
}

void TokenizerTest::llamaSpmGivesLlamaCppIds() {
  if (!fs::exists(fixture("llama-spm.strings.json"))) QSKIP("needs HEARTH_FIXTURES");
  compareStrings(*load(fixture("ggml-vocab-llama-spm.gguf")), readJson(fixture("llama-spm.strings.json")));
}

void TokenizerTest::phi3GivesLlamaCppIds() {
  if (!fs::exists(fixture("phi-3.strings.json"))) QSKIP("needs HEARTH_FIXTURES");
  compareStrings(*load(fixture("ggml-vocab-phi-3.gguf")), readJson(fixture("phi-3.strings.json")));
}

void TokenizerTest::llama2ModelGivesLibraryIds() {
  if (!fs::exists(fixture("llama2-sentencepiece.json"))) QSKIP("needs HEARTH_FIXTURES");
  const auto llama2 = load(fixture("llama2-tokenizer.model"));
  const auto tok512 = load(dataPath("tokenizers/tok512-tokenizer.model"));
  for (const QJsonValue& value : readJson(fixture("llama2-sentencepiece.json"))["cases"].toArray()) {
    const QJsonObject one = value.toObject();
    const std::string text = one["text"].toString().toStdString();
    const Ids ids = llama2->encode(text, {.add_special = false});
    compareIds(ids, idsOf(one["ids"]), text);
    compareIds(tok512->encode(text, {.add_special = false}), idsOf(one["tok512_ids"]), text);
    QCOMPARE(QString::fromStdString(llama2->decode(ids)), one["decoded"].toString());
  }
}

void TokenizerTest::conformanceSetsGiveLlamaCppIds_data() {
  QTest::addColumn<QString>("name");
  QTest::newRow("llama-spm") << "ggml-vocab-llama-spm.gguf";
  QTest::newRow("phi-3") << "ggml-vocab-phi-3.gguf";
}

void TokenizerTest::conformanceSetsGiveLlamaCppIds() {
  QFETCH(QString, name);
  const std::string file = name.toStdString();
  if (!fs::exists(fixture(file))) QSKIP("needs HEARTH_FIXTURES");
  const auto tokenizer = load(fixture(file));
  const QByteArray input = QByteArray::fromStdString(readBytes(fixture(file + ".inp")));
  const QList<QByteArray> outputs = QByteArray::fromStdString(readBytes(fixture(file + ".out"))).split('\n');
  const QByteArray separator = "\n__ggml_vocab_test__\n";
  int n_cases = 0;
  for (qsizetype at = 0; at < input.size(); ++n_cases) {
    qsizetype end = input.indexOf(separator, at);
    if (end < 0) break;
    const std::string text = input.mid(at, end - at).toStdString();
    Ids expected;
    for (const QByteArray& id : outputs.at(n_cases).split(' ')) {
      if (!id.isEmpty()) expected.push_back(id.toInt());
    }
    compareIds(tokenizer->encode(text, {.add_special = false}), expected, text);
    at = end + separator.size();
  }
  QVERIFY2(n_cases > 30, QByteArray::number(n_cases).constData());
}

void TokenizerTest::bothSourcesOfAModelGiveTheSameIds() {
  const auto gguf = load(dataPath("models/stories260K-f32.gguf"));
  const auto folder = openModelFile(dataPath("models/stories260K-hf"));
  QVERIFY(folder);
  const auto sentencepiece = loadTokenizer(folder->tokenizer);
  QVERIFY2(sentencepiece, sentencepiece ? "" : sentencepiece.error().message.c_str());
  QCOMPARE(gguf->nVocab(), (*sentencepiece)->nVocab());
  QCOMPARE(gguf->bosId(), (*sentencepiece)->bosId());
  const std::string story = readBytes(dataPath("text/story.txt"));
  std::mt19937 random(11);
  for (int round = 0; round < 400; ++round) {
    std::string text = story.substr(random() % story.size(), random() % 60);
    if (round % 2) for (uint32_t i = 0; i < 8; ++i) text += static_cast<char>(random());
    compareIds(gguf->encode(text, {}), (*sentencepiece)->encode(text, {}), text);
  }
  for (int32_t id = 0; id < gguf->nVocab(); ++id) {
    QCOMPARE(gguf->piece(id), (*sentencepiece)->piece(id));
    QCOMPARE(gguf->isEndOfGeneration(id), (*sentencepiece)->isEndOfGeneration(id));
  }
}

void TokenizerTest::carriesAnyBytesThroughByteTokens() {
  const auto tokenizer = load(dataPath("models/stories260K-f32.gguf"));
  // 0xFF is byte token 3 + 255; "▁" and "a" are 410 and 412.
  compareIds(tokenizer->encode("\xFF", {.add_special = false}), {410, 258}, "0xFF");
  compareIds(tokenizer->encode("\xE4\xBD", {.add_special = false}), {410, 231, 192}, "half a character");
  const std::string nul("a\0b", 3);
  QCOMPARE(tokenizer->decode(tokenizer->encode(nul, {})), nul);
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (uint32_t n = random() % 40; n > 0; --n) text += static_cast<char>(random() % 3 ? random() : 'a' + random() % 26);
    if (text.find("\xE2\x96\x81") != std::string::npos) continue;  // "▁" is spelt like a space
    const std::string back = tokenizer->decode(tokenizer->encode(text, {}));
    QVERIFY2(back == text, QByteArray::fromStdString(text).toHex().constData());
  }
}

namespace {

/// A vocabulary of control, user-defined and ordinary pieces, all bytes included where asked.
GgufVocabulary smallVocabulary(bool with_bytes) {
  GgufVocabulary v;
  v.model = "llama";
  const auto add = [&v](std::string text, float score, int32_t type) {
    v.texts.push_back(std::move(text));
    v.scores.push_back(score);
    v.types.push_back(type);
  };
  add("<unk>", 0, 2);
  add("<s>", 0, 3);
  add("</s>", 0, 3);
  add("<|im|>", 0, 3);       // 3
  add("<|im|><|x|>", 0, 3);  // 4
  add("USER", 0, 4);         // 5
  add("▁", -5, 1);           // 6
  add("a", -6, 1);           // 7
  add("b", -7, 1);           // 8
  add("▁a", -1, 1);          // 9
  add("ab", -2, 1);          // 10
  if (with_bytes) {
    for (int i = 0; i < 256; ++i) add(QString("<0x%1>").arg(i, 2, 16, QChar('0')).toUpper().replace('X', 'x').toStdString(), 0, 6);
  }
  return v;
}

std::unique_ptr<Tokenizer> loadVocabulary(GgufVocabulary vocabulary) {
  TokenizerSource source;
  source.origin = "small.gguf";
  source.gguf = std::move(vocabulary);
  auto tokenizer = loadTokenizer(source);
  if (!tokenizer) qFatal("%s", tokenizer.error().message.c_str());
  return std::move(*tokenizer);
}

}  // namespace

void TokenizerTest::controlTokensComeFromTextOnlyWhenAskedFor() {
  const auto tokenizer = loadVocabulary(smallVocabulary(true));
  const Ids plain = tokenizer->encode("a<s>a", {.add_special = false});
  QVERIFY(std::find(plain.begin(), plain.end(), 1) == plain.end());
  QCOMPARE(tokenizer->decode(plain), std::string("a<s>a"));
  compareIds(tokenizer->encode("a<s>a</s>", {.add_special = false, .parse_special = true}), {9, 1, 9, 2}, "parsed");
  QCOMPARE(tokenizer->piece(1), std::string());
  QCOMPARE(tokenizer->piece(1, true), std::string("<s>"));
}

void TokenizerTest::longestSpecialTokenWins() {
  const auto tokenizer = loadVocabulary(smallVocabulary(true));
  const EncodeOptions parse{.add_special = false, .parse_special = true};
  compareIds(tokenizer->encode("<|im|><|x|><|im|>", parse), {4, 3}, "longest first");
  compareIds(tokenizer->encode("<|im|><|im|><|x|>a", parse), {3, 4, 9}, "and everywhere");
}

void TokenizerTest::userDefinedPiecesAreNeverSplit() {
  const auto tokenizer = loadVocabulary(smallVocabulary(true));
  compareIds(tokenizer->encode("aUSERab", {.add_special = false}), {9, 5, 10}, "aUSERab");
  QCOMPARE(tokenizer->piece(5), std::string("USER"));
}

void TokenizerTest::vocabulariesWithoutBytesGiveTheUnknownToken() {
  const auto tokenizer = loadVocabulary(smallVocabulary(false));
  compareIds(tokenizer->encode("a?b", {.add_special = false}), {9, 0, 8}, "a?b");
  compareIds(tokenizer->encode("a\xFF" "b", {.add_special = false}), {9, 0, 8}, "broken byte");
  GgufVocabulary none = smallVocabulary(false);
  none.types[0] = 3;  // no unknown piece at all: what cannot be spelt is dropped
  compareIds(loadVocabulary(none)->encode("a?b", {.add_special = false}), {9, 8}, "no unknown piece");
}

void TokenizerTest::toleratesEmptyAndRepeatedPieces() {
  GgufVocabulary v = smallVocabulary(true);
  v.texts.insert(v.texts.end(), {"", "ab", "\xFF\xFE", "<unk>"});
  v.scores.resize(v.texts.size(), 100.0f);
  v.types.insert(v.types.end(), {1, 1, 1, 2});
  const auto tokenizer = loadVocabulary(v);
  compareIds(tokenizer->encode("aab", {.add_special = false}), {9, 10}, "the first of two equals");
  QCOMPARE(tokenizer->nVocab(), int32_t(v.texts.size()));
}

void TokenizerTest::prefixFollowsTheModelsSetting() {
  GgufVocabulary v = smallVocabulary(true);
  v.add_space_prefix = false;
  const auto tokenizer = loadVocabulary(v);
  compareIds(tokenizer->encode("ab", {.add_special = false}), {10}, "no prefix");
  QVERIFY(!tokenizer->addsSpacePrefix());
  QCOMPARE(tokenizer->decode(Ids{9}), std::string(" a"));
}

void TokenizerTest::settingsOfTheFolderDecideAboutBeginAndEnd() {
  auto model = openModelFile(dataPath("models/stories260K-hf"));
  QVERIFY(model);
  model->tokenizer.add_bos = false;
  model->tokenizer.add_eos = true;
  model->tokenizer.eos_ids = {7, 2};
  const auto tokenizer = loadTokenizer(model->tokenizer);
  QVERIFY(tokenizer);
  compareIds((*tokenizer)->encode("", {}), {2}, "the tokenizer's own end token");
  QVERIFY((*tokenizer)->isEndOfGeneration(7) && (*tokenizer)->isEndOfGeneration(2));
  model->tokenizer.eos_ids = {1, 2};  // a lower id ends answers too, and is still not </s>
  const auto lower = loadTokenizer(model->tokenizer);
  QVERIFY(lower && (*lower)->isEndOfGeneration(1));
  compareIds((*lower)->encode("", {}), {2}, "not the lowest end token");
  GgufVocabulary v = smallVocabulary(true);
  v.add_bos = false;
  v.eot_id = 3;
  const auto gguf = loadVocabulary(v);
  compareIds(gguf->encode("a", {}), {9}, "no BOS");
  QVERIFY(gguf->isEndOfGeneration(3) && gguf->isEndOfGeneration(2) && !gguf->isEndOfGeneration(1));
  v.add_eos = true;
  v.eos_id = 4;
  compareIds(loadVocabulary(v)->encode("a", {}), {9, 4}, "2 and 3 end answers, 4 is the end of a text");
}

void TokenizerTest::refusesATokenizerWithMorePiecesThanTheModelHasRows() {
  auto model = openModelFile(dataPath("models/stories260K-hf"));
  QVERIFY(model);
  QCOMPARE(model->tokenizer.n_vocab, 512);
  QVERIFY(loadTokenizer(model->tokenizer));
  model->tokenizer.n_vocab = 511;  // as if tokenizer.model came from another folder
  const auto refused = loadTokenizer(model->tokenizer);
  QVERIFY(!refused);
  QCOMPARE(int(refused.error().code), int(ErrorCode::bad_file));
  for (const char* part : {"tokenizer.model: 512 pieces", "stories260K-hf has a vocabulary of 511"}) {
    QVERIFY2(refused.error().message.find(part) != std::string::npos, refused.error().message.c_str());
  }
}

void TokenizerTest::extraSpacesAreRemovedFromTheWholeTextAroundBrokenBytes() {
  auto vocabulary = sentencePieceFromGguf(smallVocabulary(true), "small.gguf");
  QVERIFY(vocabulary);
  vocabulary->remove_extra_spaces = true;
  const auto tokenizer = makeSentencePieceTokenizer(*vocabulary, "small.gguf");
  QVERIFY(tokenizer);
  constexpr int32_t kBroken = 11 + 0xFF;  // byte tokens follow the eleven pieces
  const struct { const char* text; Ids ids; const char* decoded; } cases[] = {
      {"a\xFF" "b", {9, kBroken, 8}, "a\xFF" "b"},
      {"\xFF" "a", {6, kBroken, 7}, "\xFF" "a"},
      {"a\xFF a", {9, kBroken, 9}, "a\xFF a"},
      {"  a  \xFF   a ", {9, 6, kBroken, 9}, "a \xFF a"},
      {"  a   ab ", {9, 9, 8}, "a ab"},
      {"   ", {}, ""}};
  for (const auto& one : cases) {
    const Ids ids = (*tokenizer)->encode(one.text, {.add_special = false});
    compareIds(ids, one.ids, one.text);
    QCOMPARE((*tokenizer)->decode(ids), std::string(one.decoded));
  }
  vocabulary->treat_space_as_suffix = true;
  const auto suffixed = makeSentencePieceTokenizer(*vocabulary, "small.gguf");
  compareIds((*suffixed)->encode(" b  a", {.add_special = false}), {8, 9, 6}, "the space added comes last");
}

void TokenizerTest::tokensThatAFolderAddsArePartOfIt() {
  auto model = openModelFile(dataPath("models/stories260K-hf"));
  QVERIFY(model);
  model->tokenizer.added_tokens = {{2, "</s>", true}, {515, "<|im_end|>", true}, {513, "WORD", false}};
  const auto tokenizer = loadTokenizer(model->tokenizer);
  QVERIFY2(tokenizer, tokenizer ? "" : tokenizer.error().message.c_str());
  QCOMPARE((*tokenizer)->nVocab(), 516);
  const Ids plain = (*tokenizer)->encode("aWORD<|im_end|>", {});
  QVERIFY(std::find(plain.begin(), plain.end(), 513) != plain.end());
  QVERIFY(std::find(plain.begin(), plain.end(), 515) == plain.end());
  QCOMPARE((*tokenizer)->decode(plain), std::string("aWORD<|im_end|>"));
  const Ids parsed = (*tokenizer)->encode("a<|im_end|>", {.parse_special = true});
  QCOMPARE(parsed.back(), 515);
  QCOMPARE((*tokenizer)->piece(514, true), std::string());
}

void TokenizerTest::readsAddedTokensOfAFolder() {
  QTemporaryDir dir;
  const fs::path folder = fs::path(dir.path().toStdString()) / "model";
  fs::copy(dataPath("models/stories260K-hf"), folder);
  const auto withTokens = [&](const std::string& entries) {
    writeBytes(folder / "tokenizer_config.json", "{\"added_tokens_decoder\": {" + entries + "}}");
    return openModelFile(folder);
  };
  const auto model = withTokens(R"("2": {"content": "</s>", "special": true}, "511": {"content": "x"})");
  QVERIFY2(model, model ? "" : model.error().message.c_str());
  QCOMPARE(model->tokenizer.added_tokens.size(), size_t{2});
  const auto padded = withTokens(R"("512": {"content": "<pad>"}, "2": {"content": "</s>"}, "513": {"content": "y"})");
  QVERIFY2(padded, padded ? "" : padded.error().message.c_str());
  QCOMPARE(padded->tokenizer.added_tokens.size(), size_t{1});  // those without a row are left out
  QCOMPARE((*loadTokenizer(padded->tokenizer))->nVocab(), 512);
  for (const char* bad : {R"("-1": {"content": "x"})", R"("two": {"content": "x"})",
                          R"("2": {"content": 5})", R"("2": [])", R"("2": {"content": "x", "special": "y"})"}) {
    const auto refused = withTokens(bad);
    QVERIFY2(!refused, bad);
    QVERIFY2(refused.error().message.find("added_tokens_decoder") != std::string::npos, refused.error().message.c_str());
  }
}

void TokenizerTest::idsOutsideTheVocabularyAreEmpty() {
  const auto tokenizer = load(dataPath("models/stories260K-f32.gguf"));
  for (const int32_t id : {-1, 512, std::numeric_limits<int32_t>::max(), std::numeric_limits<int32_t>::min()}) {
    QCOMPARE(tokenizer->piece(id, true), std::string());
    QCOMPARE(tokenizer->vocabularyText(id), std::string());
    QVERIFY(!tokenizer->isEndOfGeneration(id));
  }
  QCOMPARE(tokenizer->decode(Ids{-5, 512, 346}), std::string("He"));
}

void TokenizerTest::encodesAMegabyteInSeconds() {
  const auto tokenizer = load(dataPath("models/stories260K-f32.gguf"));
  std::string words;
  const std::string story = readBytes(dataPath("text/story.txt"));
  while (words.size() < 1'000'000) words += story;
  std::string mixed;
  for (uint32_t i = 0; i < 300'000; ++i) mixed += static_cast<char>('a' + (i * i) % 26);
  for (const std::string& text : {words, std::string(1'000'000, 'a'), mixed, std::string(1'000'000, '\xFF')}) {
    const std::clock_t start = std::clock();  // processor time: other programs do not count
    const Ids ids = tokenizer->encode(text, {});
    const double seconds = double(std::clock() - start) / CLOCKS_PER_SEC;
    qInfo("%zu bytes, %zu ids: %.2f s", text.size(), ids.size(), seconds);
    QVERIFY2(seconds < 20, QByteArray::number(seconds).constData());
    QVERIFY(tokenizer->decode(ids) == text);
  }
}

void TokenizerTest::refusesUnknownKindsByName() {
  GgufVocabulary v = smallVocabulary(true);
  v.model = "gpt2";
  TokenizerSource source;
  source.origin = "small.gguf";
  source.gguf = v;
  const auto tokenizer = loadTokenizer(source);
  QVERIFY(!tokenizer);
  QCOMPARE(int(tokenizer.error().code), int(ErrorCode::unsupported));
  QVERIFY2(tokenizer.error().message.find("small.gguf: tokenizers of kind \"gpt2\"") != std::string::npos,
           tokenizer.error().message.c_str());
}

void TokenizerTest::namesTheFolderWithoutTokenizer() {
  QTemporaryDir dir;
  TokenizerSource source;
  source.origin = dir.path().toStdString();
  auto tokenizer = loadTokenizer(source);
  QVERIFY(!tokenizer);
  QCOMPARE(int(tokenizer.error().code), int(ErrorCode::not_found));
  QVERIFY(tokenizer.error().message.find(source.origin.string() + ": the folder has no tokenizer.model") == 0);
  writeBytes(source.origin / "tokenizer.json", "{}");
  tokenizer = loadTokenizer(source);
  QCOMPARE(int(tokenizer.error().code), int(ErrorCode::unsupported));
  QCOMPARE(int(loadTokenizerFile(source.origin / "none").error().code), int(ErrorCode::not_found));
  QVERIFY(!loadTokenizerFile(dataPath("text/story.txt")));
}

void TokenizerTest::refusesEveryPrefixOfAModelFile() {
  const std::string whole = readBytes(dataPath("tokenizers/tok512-tokenizer.model"));
  for (size_t n = 0; n + 40 < whole.size(); ++n) {  // the last fields are optional ones
    const ExactBytes exact(std::string_view(whole).substr(0, n));
    const auto vocabulary = parseSentencePieceModel(exact.span(), "cut.model");
    QVERIFY2(!vocabulary, QByteArray::number(qulonglong(n)).constData());
  }
  const ExactBytes exact(whole);
  QVERIFY(parseSentencePieceModel(exact.span(), "whole.model"));
}

void TokenizerTest::survivesMutatedModelFiles() {
  const std::string whole = readBytes(dataPath("tokenizers/tok512-tokenizer.model"));
  std::mt19937 random(9);
  int accepted = 0;
  for (int round = 0; round < 600; ++round) {
    std::string bytes = whole;
    for (uint32_t i = 0; i < 1 + random() % 6; ++i) {
      const size_t at = random() % 3 ? random() % bytes.size() : bytes.size() - 1 - random() % 60;
      bytes[at] = static_cast<char>(random());
    }
    const ExactBytes exact(bytes);
    auto vocabulary = parseSentencePieceModel(exact.span(), "mutated.model");
    if (!vocabulary) continue;
    const auto tokenizer = makeSentencePieceTokenizer(std::move(*vocabulary), "mutated.model");
    if (!tokenizer) continue;
    ++accepted;
    const Ids ids = (*tokenizer)->encode("Once upon a time ▁ 你 \xFF</s>", {.parse_special = true});
    for (const int32_t id : ids) QVERIFY(id >= 0);
    (void)(*tokenizer)->decode(ids);
  }
  QVERIFY2(accepted > 20 && accepted < 600, QByteArray::number(accepted).constData());
}

QTEST_APPLESS_MAIN(TokenizerTest)
#include "tokenizer_test.moc"
