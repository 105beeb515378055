// Tokenizers against ids that llama.cpp and the SentencePiece library gave for the same vocabularies.
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QtTest>

#include "models/tokenizer/tokenizer.h"

using namespace hearth;
namespace fs = std::filesystem;

namespace {

using Ids = std::vector<int32_t>;

fs::path data(const char* name) { return fs::path(HEARTH_TEST_DATA) / name; }
fs::path fixture(const char* name) { return fs::path(HEARTH_FIXTURES) / "tokenizers" / name; }

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
};

void TokenizerTest::ggufVocabularyGivesLlamaCppIds() {
  compareStrings(*load(data("models/stories260K-f32.gguf")), readJson(data("tokenizers/tok512.strings.json")));
}

void TokenizerTest::modelFileGivesLlamaCppIds() {
  compareStrings(*load(data("tokenizers/tok512-tokenizer.model")),
                 readJson(data("tokenizers/tok512.strings.json")));
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
  const auto tok512 = load(data("tokenizers/tok512-tokenizer.model"));
  for (const QJsonValue& value : readJson(fixture("llama2-sentencepiece.json"))["cases"].toArray()) {
    const QJsonObject one = value.toObject();
    const std::string text = one["text"].toString().toStdString();
    const Ids ids = llama2->encode(text, {.add_special = false});
    compareIds(ids, idsOf(one["ids"]), text);
    compareIds(tok512->encode(text, {.add_special = false}), idsOf(one["tok512_ids"]), text);
    QCOMPARE(QString::fromStdString(llama2->decode(ids)), one["decoded"].toString());
  }
}

QTEST_APPLESS_MAIN(TokenizerTest)
#include "tokenizer_test.moc"
