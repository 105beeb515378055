// Renderings that Python's jinja2 made, character for character; inputs; threads.
#include <QFile>
#include <QTest>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "models/chat_template/chat_template.h"

using namespace hearth;
using Json = nlohmann::ordered_json;

namespace {

std::tm goldenTime() {  // Monday 2025-02-03 14:05:06
  std::tm time{};
  time.tm_year = 125;
  time.tm_mon = 1;
  time.tm_mday = 3;
  time.tm_hour = 14;
  time.tm_min = 5;
  time.tm_sec = 6;
  time.tm_wday = 1;
  time.tm_yday = 33;
  return time;
}

Result<std::string> renderWith(const std::string& source, const Json& context) {
  const auto parsed = ChatTemplate::parse(source);
  if (!parsed) return passOn(parsed);
  return parsed->render(
      {.messages = "", .extra_context = context.dump(), .now = goldenTime()});
}

Result<std::string> render(const std::string& source, ChatTemplateInputs inputs = {}) {
  const auto parsed = ChatTemplate::parse(source);
  if (!parsed) return passOn(parsed);
  return parsed->render(inputs);
}

Json readJson(const QString& path) {
  QFile file(path);
  if (!file.open(QIODevice::ReadOnly)) return {};
  return Json::parse(file.readAll().toStdString());
}

std::string readText(const QString& path) {
  QFile file(path);
  return file.open(QIODevice::ReadOnly) ? file.readAll().toStdString() : std::string();
}

Json contextOf(const Json& golden) {
  Json context;
  for (const char* key : {"messages", "tools", "add_generation_prompt", "bos_token", "eos_token"}) {
    if (golden.contains(key)) context[key] = golden[key];
  }
  return context;
}

/// What differs, or "".
std::string difference(const Result<std::string>& got, const Json& text, const Json& error) {
  if (text.is_string()) {
    if (!got) return "fails: " + got.error().message;
    if (*got == text.get<std::string>()) return "";
    return "gives\n" + *got + "\ninstead of\n" + text.get<std::string>();
  }
  if (got) return "gives\n" + *got + "\nwhere jinja2 fails: " + error.get<std::string>();
  const bool same = got.error().message.find(error.get<std::string>()) != std::string::npos;
  return same ? "" : "says '" + got.error().message + "' instead of '" + error.get<std::string>() + "'";
}

}  // namespace

class ChatTemplateTest : public QObject {
  Q_OBJECT

 private slots:
  void speaksTheLanguageAsJinja2Does() {
    const Json goldens = readJson(HEARTH_TEST_DATA "/chat_templates/language.json");
    QVERIFY(goldens.is_object());
    int n_cases = 0;
    for (const Json& golden : goldens["cases"]) {
      const auto source = golden["template"].get<std::string>();
      const auto got = renderWith(source, goldens["context"]);
      ++n_cases;
      if (golden.contains("text")) {
        QVERIFY2(got, (source + "\n" + (got ? "" : got.error().message)).c_str());
        QCOMPARE(QString::fromStdString(*got), QString::fromStdString(golden["text"]));
      } else {
        QVERIFY2(!got, (source + " should fail").c_str());
      }
    }
    QVERIFY2(n_cases > 250, "the goldens are all there");
  }

  void rendersEveryTemplateOfTheFixtures() {
    const QString folder = HEARTH_FIXTURES "/chat_templates/";
    const Json goldens = readJson(folder + "jinja2_renderings.json");
    if (!goldens.is_object()) QSKIP("no fixtures: " HEARTH_FIXTURES);
    int n_cases = 0;
    for (const Json& entry : goldens["templates"]) {
      std::string source;
      if (entry.contains("template")) {
        source = entry["template"];
      } else {
        const auto name = QString::fromStdString(entry["template_file"]);
        source = readText(folder + (name.contains('/') ? name : "templates/" + name));
      }
      for (const Json& golden : entry["cases"]) {
        const std::string wrong = difference(renderWith(source, contextOf(golden)),
                                             golden.value("expected", Json()), golden.value("error", Json()));
        const auto title = entry["name"].get<std::string>() + ", " + golden["case"].get<std::string>();
        QVERIFY2(wrong.empty(), (title + ": " + wrong).c_str());
        ++n_cases;
      }
    }
    QCOMPARE(n_cases, 159);
  }

  void rendersTheConversationOfTheFixtures() {
    const Json goldens = readJson(HEARTH_FIXTURES "/chat_templates/llama_cpp_test_chat_template.json");
    if (!goldens.is_array()) QSKIP("no fixtures: " HEARTH_FIXTURES);
    for (const Json& golden : goldens) {
      const std::string wrong = difference(renderWith(golden["template"], contextOf(golden)),
                                           golden["jinja2_expected"], golden.value("jinja2_error", Json()));
      QVERIFY2(wrong.empty(), (golden["name"].get<std::string>() + ": " + wrong).c_str());
    }
  }

  void namesTheLineOfWhatFails() {
    const auto syntax = ChatTemplate::parse("a\n{{ x }}\n{% if %}");
    QVERIFY(!syntax);
    QCOMPARE(syntax.error().code, ErrorCode::bad_file);
    QVERIFY2(syntax.error().message.find("line 3") != std::string::npos, syntax.error().message.c_str());

    const auto raised = render("\n\n{{ raise_exception('roles must alternate') }}");
    QVERIFY(!raised);
    QCOMPARE(raised.error().code, ErrorCode::invalid_argument);
    QCOMPARE(QString::fromStdString(raised.error().message),
             QString("chat template, line 3: roles must alternate"));
  }

  void refusesTagsThatNeedOtherFiles() {
    for (const char* source : {"{% include 'x' %}", "{% extends 'x' %}", "{% import 'x' as y %}"}) {
      const auto parsed = ChatTemplate::parse(source);
      QVERIFY2(!parsed, source);
      QCOMPARE(parsed.error().code, ErrorCode::unsupported);
    }
  }

  void leavesAbsentInputsUndefined() {
    const std::string source =
        "{{ tools is defined }} {{ documents is defined }} {{ bos_token is defined }} {{ messages }}";
    QCOMPARE(render(source).value(), std::string("False False False []"));
    QCOMPARE(render(source, {.tools = "[]", .documents = "[]", .bos_token = ""}).value(),
             std::string("True True True []"));
  }

  void letsTheExtraContextWin() {
    QCOMPARE(render("{{ eos_token }}{{ thinking }}{{ add_generation_prompt }}",
                    {.extra_context = R"({"eos_token": "E", "thinking": null})",
                     .add_generation_prompt = false, .eos_token = "</s>"}).value(),
             std::string("ENoneFalse"));
  }

  void refusesInputsThatAreNoJson() {
    for (const char* messages : {"{}", "[", "[\"\xFF\"]", "[1] x"}) {
      const auto got = render("x", {.messages = messages});
      QVERIFY2(!got, messages);
      QCOMPARE(got.error().code, ErrorCode::invalid_argument);
      QVERIFY(got.error().message.find("messages") != std::string::npos);
    }
    QVERIFY(!render("x", {.messages = std::string(100000, '[')}));
  }

  void keepsTheOrderOfKeys() {
    QCOMPARE(render("{{ tools | tojson }}", {.tools = R"([{"z": 1, "a": {"y": 2, "b": 1.0}}])"}).value(),
             std::string(R"([{"z": 1, "a": {"y": 2, "b": 1.0}}])"));
  }

  void changesNothingBetweenRenderings() {
    const auto parsed = ChatTemplate::parse(
        "{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}"
        "{% set c = cycler('a', 'b') %}{{ c.next() }}");
    QVERIFY(parsed);
    for (int i = 0; i < 3; ++i) QCOMPARE(parsed->render({.messages = "[1, 2]"}).value(), std::string("2a"));
  }

  void rendersOnManyThreadsAtOnce() {
    const auto parsed = ChatTemplate::parse(
        "{% for m in messages %}{{ ('<' ~ m.role ~ '>') | upper }}{{ m | tojson }}{% endfor %}");
    QVERIFY(parsed);
    const ChatTemplateInputs inputs{.messages = R"([{"role": "user", "content": "é"}])"};
    const std::string expected = parsed->render(inputs).value();
    std::atomic<int> n_wrong = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 200; ++i) n_wrong += parsed->render(inputs).value_or("") != expected;
      });
    }
    for (std::thread& thread : threads) thread.join();
    QCOMPARE(n_wrong.load(), 0);
  }
};

QTEST_APPLESS_MAIN(ChatTemplateTest)
#include "chat_template_test.moc"
