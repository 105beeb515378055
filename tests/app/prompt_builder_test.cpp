#include "app/chat/prompt_builder.h"

#include <QTest>

#include <map>

using namespace hearth;

namespace {

const Tokenizer& tokenizer() {
  static const auto loaded = loadTokenizerFile(HEARTH_TEST_DATA "/tokenizers/tok512-tokenizer.model");
  if (!loaded) qFatal("%s", loaded.error().message.c_str());
  return **loaded;
}

using Known = std::map<MessageId, std::vector<int32_t>>;

Result<Prompt> build(const std::vector<Turn>& turns, const std::string& system = "",
                     int32_t n_ctx = 512, int32_t max_tokens = 64, const Known& known = {}) {
  return buildPrompt(tokenizer(), {system, turns, n_ctx, max_tokens}, [&](MessageId id) {
    const auto found = known.find(id);
    return found == known.end() ? std::span<const int32_t>() : std::span<const int32_t>(found->second);
  });
}

std::string textOf(const Prompt& prompt) { return tokenizer().decode(prompt.ids); }

bool startsWith(const std::vector<int32_t>& ids, const std::vector<int32_t>& prefix) {
  return ids.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), ids.begin());
}

/// `n` questions and answers, then a question. Ids are 1, 2, 3 …
std::vector<Turn> longChat(int n) {
  std::vector<Turn> turns;
  for (int i = 0; i < n; ++i) {
    turns.push_back({2 * i + 1, Role::user, fmt::format("Question {} about the cat?", i)});
    turns.push_back({2 * i + 2, Role::assistant, fmt::format(" Answer {}: it sat on the mat.", i)});
  }
  turns.push_back({2 * n + 1, Role::user, "The last question"});
  return turns;
}

}  // namespace

class PromptBuilderTest : public QObject {
  Q_OBJECT

 private slots:
  void isThePlainTextThatTheUserSees() {
    const std::vector<Turn> turns = {{1, Role::user, "Once upon a time"},
                                     {2, Role::assistant, ", there was a cat."},
                                     {3, Role::user, "The cat"}};
    QCOMPARE(textOf(*build(turns)), std::string("Once upon a time, there was a cat.\nThe cat"));
    QCOMPARE(textOf(*build(turns, "A story.")),
             std::string("A story.\nOnce upon a time, there was a cat.\nThe cat"));
    QCOMPARE(build(turns)->ids.front(), tokenizer().bosId());
  }

  void startsWithOneBeginningTokenAndNoOther() {
    const auto ids = build(longChat(3), "System.")->ids;
    QCOMPARE(std::count(ids.begin(), ids.end(), tokenizer().bosId()), 1);
    QCOMPARE(ids.front(), tokenizer().bosId());
  }

  void doesNotReadControlTokensFromText() {
    const auto ids = build({{1, Role::user, "<s></s>"}})->ids;
    QCOMPARE(std::count(ids.begin(), ids.end(), tokenizer().bosId()), 1);
    QVERIFY(std::none_of(ids.begin(), ids.end(),
                         [](int32_t id) { return id != tokenizer().bosId() && tokenizer().isEndOfGeneration(id); }));
  }

  void continuesTheLastPromptIdById() {
    const std::vector<Turn> first = {{1, Role::user, "Lily saw"}};
    const auto prompt = build(first, "Tell a story.")->ids;
    // As no tokenizer would cut it: single letters where words would do.
    std::vector<int32_t> generated;
    for (const char* letter : {" ", "a", " ", "b", "i", "g"}) {
      const auto ids = tokenizer().encode(letter, {.add_special = false});
      generated.push_back(ids.back());
    }
    std::string answer;
    for (const int32_t id : generated) answer += tokenizer().piece(id);
    auto turns = first;
    turns.push_back({2, Role::assistant, answer});
    turns.push_back({3, Role::user, "Then"});
    const auto follow_up = build(turns, "Tell a story.", 512, 64, {{2, generated}})->ids;
    auto expected = prompt;
    expected.insert(expected.end(), generated.begin(), generated.end());
    QVERIFY(startsWith(follow_up, expected));
    QCOMPARE(tokenizer().decode(follow_up), "Tell a story.\nLily saw" + answer + "\nThen");
  }

  void leavesOutAStopStringThatWasGenerated() {
    const auto generated = tokenizer().encode("\nthe dog END", {.add_special = false});
    const std::vector<Turn> turns = {{1, Role::user, "See"},
                                     {2, Role::assistant, " \nthe dog "},
                                     {3, Role::user, "More"}};
    const auto prompt = *build(turns, "", 512, 64, {{2, generated}});
    QCOMPARE(textOf(prompt), std::string("See \nthe dog \nMore"));
  }

  void carriesAnyBytes() {
    for (const std::string& text : {std::string("\n\n"), std::string(" two  spaces "),
                                    std::string("\t你好 🙂"), std::string("x")}) {
      const std::vector<Turn> turns = {{1, Role::user, "a"}, {2, Role::assistant, text}, {3, Role::user, text}};
      QCOMPARE(textOf(*build(turns)), "a" + text + "\n" + text);
    }
  }

  void dropsTheOldestQuestionsWithTheirAnswers() {
    const auto turns = longChat(30);
    const auto whole = build(turns, "Be kind.", 100000, 0);
    QCOMPARE(whole->dropped_messages, 0);
    for (const int32_t n_ctx : {64, 100, 128, 200, 400}) {
      const auto prompt = build(turns, "Be kind.", n_ctx, 1000);
      QVERIFY(prompt.has_value());
      const auto n_ids = static_cast<int32_t>(prompt->ids.size());
      QVERIFY2(n_ids + n_ctx / 4 <= n_ctx, qPrintable(QString::number(n_ids)));
      QVERIFY(prompt->dropped_messages > 0 && prompt->dropped_messages % 2 == 0);
      const std::string text = textOf(*prompt);
      QVERIFY(text.starts_with("Be kind.\nQuestion ") || text == "Be kind.\nThe last question");
      QVERIFY(text.ends_with("\nThe last question"));
      // With one pair more, less than a quarter would be free for the next questions.
      const auto kept = std::span(turns).subspan(static_cast<size_t>(prompt->dropped_messages) - 2);
      QVERIFY(build({kept.begin(), kept.end()}, "Be kind.", 100000, 0)->ids.size() >
              static_cast<size_t>(n_ctx - n_ctx / 4 - n_ctx / 4));
    }
  }

  void beginsWhereTheLastPromptDidOnceTheContextIsFull() {
    auto turns = longChat(30);
    const auto full = *build(turns, "Be kind.", 256, 16);
    QVERIFY(full.dropped_messages > 0);
    int n_kept_prefix = 0;
    auto last = full;
    for (int i = 0; i < 10; ++i) {
      turns.push_back({1000 + 2 * i, Role::assistant, " It was good."});
      turns.push_back({1001 + 2 * i, Role::user, "And then?"});
      const auto next = *buildPrompt(tokenizer(), {"Be kind.", turns, 256, 16, last.first_kept},
                                     [](MessageId) { return std::span<const int32_t>(); });
      QVERIFY(next.ids.size() + 16 <= 256);
      n_kept_prefix += startsWith(next.ids, last.ids);
      last = next;
    }
    QVERIFY2(n_kept_prefix >= 7, qPrintable(QString("%1 of 10 prompts go on").arg(n_kept_prefix)));
    turns = longChat(30);  // another branch, without the turn where the last prompt began
    const auto other = *buildPrompt(tokenizer(), {"Be kind.", turns, 256, 16, 99999},
                                    [](MessageId) { return std::span<const int32_t>(); });
    QCOMPARE(other.ids, full.ids);
  }

  void keepsTheBeginningTokenWhenTheFirstTurnIsDropped() {
    const auto prompt = build(longChat(30), "", 128, 16);
    QVERIFY(prompt->dropped_messages > 0);
    QCOMPARE(prompt->ids.front(), tokenizer().bosId());
    QVERIFY(textOf(*prompt).starts_with("Question "));
  }

  void keepsLessRoomForAShortAnswer() {
    const auto turns = longChat(8);
    const auto n_whole = static_cast<int32_t>(build(turns, "", 100000, 0)->ids.size());
    QCOMPARE(build(turns, "", n_whole + 10, 10)->dropped_messages, 0);
    QVERIFY(build(turns, "", n_whole + 10, -1)->dropped_messages > 0);
  }

  void refusesAMessageThatAloneIsTooLong() {
    std::string text;
    for (int i = 0; i < 100; ++i) text += "elephant ";
    auto turns = longChat(3);
    turns.back().text = text;
    const auto prompt = build(turns, "", 128);
    QVERIFY(!prompt);
    QCOMPARE(prompt.error().code, ErrorCode::invalid_argument);
    const auto n_alone = build({{1, Role::user, text}}, "", 100000, 0)->ids.size();
    QVERIFY2(prompt.error().message.find(std::to_string(n_alone)) != std::string::npos &&
                 prompt.error().message.find("128") != std::string::npos,
             prompt.error().message.c_str());
    QVERIFY(build({{1, Role::user, text}}, "", static_cast<int32_t>(n_alone) + 1).has_value());
    QVERIFY(!build({{1, Role::user, text}}, "", static_cast<int32_t>(n_alone)));
  }

  void refusesAConversationWithoutAQuestion() {
    QCOMPARE(build({}).error().code, ErrorCode::invalid_argument);
    QCOMPARE(build({{1, Role::assistant, "hello"}}).error().code, ErrorCode::invalid_argument);
  }
};

QTEST_GUILESS_MAIN(PromptBuilderTest)
#include "prompt_builder_test.moc"
