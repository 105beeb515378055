// Hostile templates: they end, with an error or without, within limits.
#include <QElapsedTimer>
#include <QTest>

#include <cstring>
#include <memory>
#include <string>

#include "models/chat_template/chat_template.h"

using namespace hearth;

namespace {

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

/// `text` again and again, # replaced by a number.
std::string numbered(const std::string& text, int times) {
  const size_t mark = text.find('#');
  std::string all;
  for (int i = 0; i < times; ++i) all += text.substr(0, mark) + std::to_string(i) + text.substr(mark + 1);
  return all;
}

Result<std::string> render(const std::string& source, const ChatTemplateLimits& limits = {}) {
  const auto parsed = ChatTemplate::parse(source, limits);
  if (!parsed) return passOn(parsed);
  return parsed->render({.messages = R"([{"role": "user", "content": "hi"}])"});
}

}  // namespace

class ChatTemplateLimitsTest : public QObject {
  Q_OBJECT

 private slots:
  void endsWork_data() {
    QTest::addColumn<QString>("source");
    const auto add = [](const char* name, const std::string& source) {
      QTest::newRow(name) << QString::fromStdString(source);
    };
    const std::string endless = "{% for i in range(99999) %}{% for j in range(99999) %}";
    add("nested loops", endless + "x{% endfor %}{% endfor %}");
    add("nested loops without output", endless + "{% endfor %}{% endfor %}");
    add("a macro that calls itself", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}");
    add("macros that call each other twice",
        "{% macro m(n) %}{{ m(n + 1) }}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}");
    add("a recursive loop", "{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}");
    add("a long string", "{{ 'a' * 10 ** 12 }}");
    add("a string times the largest integer", "{{ 'aaaa' * 9223372036854775807 }}");
    add("a long list", "{{ ([0] * 1000000000) | length }}");
    add("doubling", "{% set ns = namespace(x='ab') %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}");
    add("a list of itself twice, printed",
        "{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}");
    add("a list of itself twice, as JSON",
        "{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x | tojson }}");
    add("two such lists, compared",
        "{% set a = namespace(x=[1]) %}{% set b = namespace(x=[1]) %}{% for i in range(60) %}"
        "{% set a.x = [a.x, a.x] %}{% set b.x = [b.x, b.x] %}{% endfor %}{{ a.x == b.x }}");
    add("a list nested without end",
        "{% set ns = namespace(x=[]) %}{% for i in range(99999) %}{% set ns.x = [ns.x] %}{% endfor %}");
    add("a namespace that holds itself", "{% set ns = namespace() %}{% set ns.x = [ns] %}{{ ns }}");
    add("a great range", "{{ range(10 ** 12) | list }}");
    add("a great power", "{{ 10 ** 10 ** 10 }}");
    add("wide padding", "{{ '{:1000000000}'.format(1) }}");
    add("wide padding by %", "{{ '%1000000000d' % 1 }}");
    add("many digits", "{{ '%.999999999f' % 1.5 }}");
    add("wide centring", "{{ 'x' | center(10 ** 12) }}{{ 'x'.ljust(10 ** 12) }}");
    add("padding whose bytes overflow", "{{ 'a'.center(4611686018427387905, '\xF0\x9F\x98\x80') }}");
    add("justifying whose bytes overflow", "{{ 'a'.ljust(4611686018427387905, '\xF0\x9F\x98\x80') }}");
    add("the greatest step of a range", "{{ range(0, 10, 4)[::9223372036854775807] }}");
    add("wide zeros", "{{ '1'.zfill(10 ** 12) }}");
    add("replacing nothing by much", "{{ ('a' * 1000000).replace('', 'b' * 1000000) }}");
    add("joining with much", "{{ range(99999) | join('x' * 1000000) }}");
    add("deep indentation", "{{ [[[1]]] | tojson(indent=10 ** 12) }}");
    add("many slices", "{{ [1] | slice(10 ** 12) | list }}");
    add("a long batch", "{{ [1] | batch(10 ** 12, 'x') | list }}");
    add("tabs", "{{ '\\t'.expandtabs(10 ** 12) }}");
    add("sorting by a failing order", "{{ [1, 'a', none] | sort }}");
    add("parentheses", "{{ " + repeated("(", 100000));
    add("brackets", "{{ " + repeated("[", 100000));
    add("negations", "{{ " + repeated("not ", 100000) + "x }}");
    add("signs", "{{ " + repeated("-", 100000) + "1 }}");
    add("sums", "{{ 1" + repeated("+1", 100000) + " }}");
    add("attributes", "{{ x" + repeated(".a", 100000) + " }}");
    add("filters", "{{ 'x'" + repeated("|e", 100000) + " }}");
    add("conditions", "{{ " + repeated("1 if x else ", 100000) + "1 }}");
    add("ifs", repeated("{% if x %}", 50000));
    add("loops", repeated("{% for x in y %}", 50000));
    add("closed ifs", repeated("{% if 1 %}", 20000) + repeated("{% endif %}", 20000));
    add("variables in conditions", numbered("{% if x %}{% set v# = 1 %}{% endif %}", 25000));
    add("variables in elifs", "{% if 0 %}" + numbered("{% elif x %}{% set v# = 1 %}", 25000) + "{% endif %}");
    add("keyword arguments", "{{ dict(" + numbered("v#=1,", 100000) + ") }}");
    add("parameters", "{% macro m(" + numbered("v#,", 100000) + ") %}{% endmacro %}");
    add("a loop with many variables",
        "{% for i in range(99999) %}" + numbered("{{ v# }}", 50000) + "{% endfor %}");
    add("searching for what is nearly everywhere",
        "{% set x = 'a' * 1000000 %}{% for i in range(99999) %}{{ (x[:500000] ~ 'b') in x }}{% endfor %}");
    add("searching it backwards", "{% set x = 'a' * 1000000 %}{{ x.rfind('b' ~ x[:500000]) }}");
    add("stripping many characters", "{{ ('a' * 1000000).strip('b' * 1000000 ~ 'a') }}");
    add("open tags", repeated("{{", 200000));
    add("raw tags without end", repeated("{% raw ", 100000));
    add("white space", "{%" + repeated(" ", 900000));
    add("a great number", "{{ " + repeated("9", 100000) + " }}");
  }
  /// Numbers at the ends of their type, with Python's results.
  void numbersAtTheEndsDoNotOverflow() {
    const auto all = render(
        "{{ (-9223372036854775807 - 1) % 3 }} {{ 'a'.zfill(-9223372036854775807 - 1) }} "
        "{{ 'a'.rjust(-9223372036854775807 - 1) }} {{ 'x' | truncate(9223372036854775807) }}");
    QVERIFY2(all.has_value(), all ? "" : all.error().message.c_str());
    QCOMPARE(QString::fromStdString(*all), QString("1 a a x"));
  }

  void endsWork() {
    QFETCH(QString, source);
    QElapsedTimer timer;
    timer.start();
    const auto got = render(source.toStdString());
    QVERIFY2(!got, "a limit or an error was to stop this");
    QVERIFY(!got.error().message.empty());
    QVERIFY2(timer.elapsed() < 30000, "within seconds, also under sanitizers");
  }

  void letsOrdinaryWorkPass() {
    QCOMPARE(render("{% for i in range(50000) %}{{ i % 10 }}{% endfor %}").value().size(), size_t{50000});
    QCOMPARE(render("{% macro f(n) %}{% if n %}{{ f(n - 1) }}{% endif %}x{% endmacro %}{{ f(30) }}").value(),
             std::string(31, 'x'));
    QVERIFY(render("{{ 'a'" + repeated(" ~ 'b'", 5000) + " }}"));
    QVERIFY(render("{{ 'a'" + repeated(" + 'b'", 200) + " }}"));
    QVERIFY(render(repeated("{% if messages %}a{% endif %}", 5000)));
    QVERIFY(render("{% if 0 %}" + repeated("{% elif 0 %}", 50000) + "{% endif %}"));
  }

  void countsWhatIsHeldNotWhatWasMade() {
    // 200 MB in all, 2 MB at once.
    QVERIFY(render("{% for i in range(200) %}{% set x = 'a' * 1000000 %}{% endfor %}ok",
                   {.max_memory_bytes = 8u << 20}));
  }

  void keepsClosuresAndCyclesInBounds() {
    QVERIFY(render("{% set ns = namespace(f=none) %}{% macro mk(f) %}{% macro inner() %}{{ f }}{% endmacro %}"
                   "{% set ns.f = inner %}{% endmacro %}{% for i in range(20000) %}{{ mk(ns.f) }}{% endfor %}ok"));
    QVERIFY(render("{% for i in [1, 2] %}{{ loop.changed(loop) }}{% endfor %}"));
    QVERIFY(render("{% set a = namespace() %}{% set b = namespace(a=a) %}{% set a.b = b %}{% set a.a = a %}ok"));
    QVERIFY(!render("{% macro m(f) %}{% macro i() %}{{ m }}{{ i }}{% endmacro %}{{ 1 / 0 }}{% endmacro %}{{ m(m) }}"));
  }

  void honoursEachLimit() {
    const std::string loop = "{% for i in range(1000) %}abc{% endfor %}";
    QVERIFY(!render(loop, {.max_steps = 500}));
    QVERIFY(!render(loop, {.max_output_bytes = 2000}));
    QVERIFY(!render("{{ ['a' * 1000, 'b' * 1000] }}", {.max_memory_bytes = 1500}));
    QVERIFY(!render("{{ ((((1)))) }}", {.max_depth = 4}));
    QVERIFY(!render(std::string(100, 'x'), {.max_source_bytes = 99}));
  }

  void survivesEveryPrefixOfAGoodTemplate() {
    const std::string good =
        "{# note -#} {%- set ns = namespace(n=0, last='') %}\n"
        "{%- macro line(role, text='x', *) %}{% endmacro %}"
        "{% for m in messages if m.role != 'tool' recursive %}\n  {%- if loop.first and not z -%}"
        "{{ bos_token ~ m['content'][1:-1] | trim | default('é\\u00e9\\x41', true) }}"
        "{% elif m is mapping %}{{ {'a': [1, 2.5, none], (1,): \"q\"} | tojson(indent=2) }}"
        "{% else %}{% continue %}{% endif %}{% set ns.n = ns.n + 1 ** 2 // 3 %}{% endfor %}"
        "{% raw %}{{ x }}{% endraw %}{% call(a) m(1, *b, **c) %}{{ a if b in c else d }}{% endcall %}"
        "{% filter upper %}a{% endfilter %}{% with a = 1 %}{{ a }}{% endwith %}{% set y %}t{% endset %}"
        "{% generation %}g{% endgeneration %}{{- '%s' % (1,) }}{{ '{:>3}'.format(2) }}";
    for (size_t n = 0; n <= good.size(); ++n) {
      const std::unique_ptr<char[]> exact(new char[n > 0 ? n : 1]);
      std::memcpy(exact.get(), good.data(), n);
      const auto parsed = ChatTemplate::parse({exact.get(), n});
      if (parsed) (void)parsed->render({});
    }
    for (size_t n = 0; n < good.size(); ++n) {
      std::string broken = good;
      broken[n] = static_cast<char>(broken[n] ^ 0x55);
      const auto parsed = ChatTemplate::parse(broken);
      if (parsed) (void)parsed->render({});
    }
  }

  void refusesTextThatIsNoUtf8() {
    for (const char* bytes : {"\xFF", "a\xC3", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xC0\x80", "{{ '\x80' }}"}) {
      QVERIFY(!ChatTemplate::parse(bytes));
    }
  }
};

QTEST_APPLESS_MAIN(ChatTemplateLimitsTest)
#include "chat_template_limits_test.moc"
