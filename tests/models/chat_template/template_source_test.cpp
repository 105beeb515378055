// Where templates are found, and which one is used.
#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include "models/chat_template/template_source.h"
#include "models/gguf/gguf_writer.h"

using namespace hearth;

namespace {

void put(const QTemporaryDir& folder, const QString& name, const QByteArray& text) {
  const QString path = folder.filePath(name);
  QDir().mkpath(QFileInfo(path).path());
  QFile file(path);
  QVERIFY(file.open(QIODevice::WriteOnly));
  QCOMPARE(file.write(text), text.size());
}

Result<ChatTemplateSource> read(const QTemporaryDir& folder) {
  return readChatTemplates(folder.path().toStdString());
}

}  // namespace

class TemplateSourceTest : public QObject {
  Q_OBJECT

 private slots:
  void readsOneTemplateAndTheTokens() {
    QTemporaryDir folder;
    put(folder, "tokenizer_config.json", R"({"chat_template": "{{ 'é' }}", "bos_token": "<s>",
        "eos_token": {"content": "</s>", "lstrip": false}, "pad_token": null,
        "additional_special_tokens": ["<a>", {"content": "<b>"}]})");
    put(folder, "special_tokens_map.json", R"({"pad_token": "<pad>", "bos_token": "other"})");
    const auto source = read(folder);
    QVERIFY2(source, source ? "" : source.error().message.c_str());
    QCOMPARE(source->choose("", true).value(), std::string_view("{{ 'é' }}"));
    QCOMPARE(source->bos_token.value(), std::string("<s>"));
    QCOMPARE(source->eos_token.value(), std::string("</s>"));
    QCOMPARE(QByteArray::fromStdString(source->special_tokens),
             QByteArray(R"({"additional_special_tokens":["<a>","<b>"],"bos_token":"<s>",)"
                        R"("eos_token":"</s>","pad_token":"<pad>"})"));
  }

  void readsNamedTemplates() {
    QTemporaryDir folder;
    put(folder, "tokenizer_config.json", R"({"chat_template": [{"name": "default", "template": "D"},
        {"name": "tool_use", "template": "T"}, {"name": "rag", "template": "R"}]})");
    const auto source = read(folder);
    QVERIFY(source);
    QCOMPARE(source->choose("", false).value(), std::string_view("D"));
    QCOMPARE(source->choose("", true).value(), std::string_view("T"));
    QCOMPARE(source->choose("rag", true).value(), std::string_view("R"));
    const auto none = source->choose("nope", false);
    QVERIFY(!none);
    QCOMPARE(none.error().code, ErrorCode::not_found);
    QVERIFY(none.error().message.find("default, rag, tool_use") != std::string::npos);
  }

  void prefersTemplateFiles() {
    QTemporaryDir folder;
    put(folder, "tokenizer_config.json", R"({"chat_template": "old", "bos_token": "<s>"})");
    put(folder, "chat_template.json", R"({"chat_template": "newer"})");
    QCOMPARE(read(folder)->choose("", false).value(), std::string_view("newer"));
    put(folder, "chat_template.jinja", "newest\n");
    put(folder, "additional_chat_templates/tool_use.jinja", "tools");
    const auto source = read(folder);
    QCOMPARE(source->choose("", false).value(), std::string_view("newest\n"));
    QCOMPARE(source->choose("", true).value(), std::string_view("tools"));
    QCOMPARE(source->bos_token.value(), std::string("<s>"));
  }

  void takesAModelWithoutTemplates() {
    QTemporaryDir folder;
    const auto source = read(folder);
    QVERIFY(source);
    QVERIFY(source->templates.empty());
    QCOMPARE(source->choose("", false).error().code, ErrorCode::not_found);
    QVERIFY(readChatTemplates(HEARTH_TEST_DATA "/models/stories260K-f32.gguf")->templates.empty());
  }

  void refusesWhatIsNoTemplate() {
    for (const char* settings : {R"({"chat_template": 5})", R"({"chat_template": ["x"]})",
                                 R"({"chat_template": [{"name": "x"}]})", "[", "5"}) {
      QTemporaryDir folder;
      put(folder, "tokenizer_config.json", settings);
      const auto source = read(folder);
      QVERIFY2(!source, settings);
      QCOMPARE(source.error().code, ErrorCode::bad_file);
      QVERIFY(source.error().message.find("tokenizer_config.json") != std::string::npos);
    }
    QCOMPARE(readChatTemplates("/nowhere/at.gguf").error().code, ErrorCode::not_found);
  }

  void readsGguf() {
    const auto read_from = [](GgufWriter& writer) {
      QTemporaryDir folder;
      put(folder, "m.gguf", QByteArray::fromStdString(writer.header()));
      return readChatTemplates(folder.filePath("m.gguf").toStdString());
    };
    GgufWriter writer;
    writer.setString("tokenizer.chat_template", "D");
    writer.setString("tokenizer.chat_template.tool_use", "T");
    writer.setString("tokenizer.ggml.model", "llama");
    writer.setStrings("tokenizer.ggml.tokens", std::vector<std::string>{"<unk>", "<s>", "</s>"});
    writer.setInteger("tokenizer.ggml.bos_token_id", 1);
    writer.setInteger("tokenizer.ggml.eos_token_id", 2);
    const auto source = read_from(writer);
    QVERIFY2(source, source ? "" : source.error().message.c_str());
    QCOMPARE(source->templates.size(), size_t{2});
    QCOMPARE(source->choose("", true).value(), std::string_view("T"));
    QCOMPARE(source->bos_token.value(), std::string("<s>"));
    QCOMPARE(source->eos_token.value(), std::string("</s>"));

    GgufWriter broken;
    broken.setString("tokenizer.ggml.model", "llama");
    broken.setStrings("tokenizer.ggml.tokens", std::vector<std::string>{"<unk>"});
    broken.setInteger("tokenizer.ggml.bos_token_id", 3);
    const auto outside = read_from(broken);
    QVERIFY(!outside);
    QCOMPARE(outside.error().code, ErrorCode::bad_file);
  }
};

QTEST_APPLESS_MAIN(TemplateSourceTest)
#include "template_source_test.moc"
