#include "app/chat/scripted_engine.h"

#include <QTest>

#include <condition_variable>
#include <mutex>

using namespace hearth;

namespace {

/// Collects an answer's events and waits for its end.
class Answer {
 public:
  AnswerListener listener() {
    return [this](AnswerEvent event) {
      const std::lock_guard lock(mutex_);
      if (const auto* text = std::get_if<AnswerText>(&event)) text_ += text->text;
      if (std::holds_alternative<AnswerReading>(event)) ++readings_;
      if (const auto* finished = std::get_if<AnswerFinished>(&event)) stats_ = finished->stats;
      if (const auto* failed = std::get_if<AnswerFailed>(&event)) error_ = failed->error;
      changed_.notify_all();
    };
  }
  bool ends() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return stats_ || error_; });
  }
  bool hasText() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return !text_.empty(); });
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::string text_;
  int readings_ = 0;
  std::optional<AnswerStats> stats_;
  std::optional<Error> error_;
};

AnswerRequest request(ConversationId id) {
  return {.conversation_id = id, .answer_id = id * 10, .turns = {{1, Role::user, "one two"}}, .settings = {}};
}

ScriptedAnswer quick(std::string text) {
  return {.text = std::move(text), .tokens_per_s = 0, .first_token_delay_ms = 4};
}

}  // namespace

class ScriptedEngineTest : public QObject {
  Q_OBJECT

 private slots:
  void piecesJoinToTheText() {
    for (const std::string text : {"", "a", " a  b\n\nc d", "第二个 answer 用来", "x\xE7"}) {
      std::string joined;
      for (const std::string& piece : splitIntoPieces(text)) joined += piece;
      QCOMPARE(joined, text);
    }
    QCOMPARE(splitIntoPieces("one two").size(), 2u);
    QCOMPARE(splitIntoPieces("第二个").size(), 3u);
  }

  void readsScripts() {
    const auto script = parseScript("@rate 5\n@delay 7\nHello\n\nthere\n---\n@fail io gone\nx\n");
    QVERIFY(script);
    QCOMPARE(script->size(), 2u);
    QCOMPARE((*script)[0].text, std::string("Hello\n\nthere"));
    QCOMPARE((*script)[0].tokens_per_s, 5.0);
    QCOMPARE((*script)[0].first_token_delay_ms, 7);
    QVERIFY((*script)[1].error && (*script)[1].error->code == ErrorCode::io);
    QCOMPARE((*script)[1].error->message, std::string("gone"));
  }

  void namesTheLineItCannotRead() {
    for (const char* bad : {"a\n@rate x", "a\n@rate -1", "a\n@fail nonsense y", "a\n@jump"}) {
      const auto script = parseScript(bad);
      QVERIFY(!script);
      QVERIFY2(script.error().message.find("line 2") != std::string::npos, script.error().message.c_str());
    }
  }

  void playsItsAnswersInOrder() {
    ScriptedEngine engine({.script = {quick("one two three"), quick("four")}, .tokens_per_s = {}});
    Answer first, second;
    QVERIFY(engine.start(request(1), first.listener()));
    QVERIFY(first.ends());
    QVERIFY(engine.start(request(1), second.listener()));
    QVERIFY(second.ends());
    QCOMPARE(first.text_, std::string("one two three"));
    QCOMPARE(second.text_, std::string("four"));
    QCOMPARE(first.stats_->generated_tokens, 3);
    QCOMPARE(first.stats_->prompt_tokens, 2);
    QCOMPARE(first.stats_->stop_reason, std::string("end_of_text"));
    QVERIFY(first.readings_ > 0);
  }

  void keepsItsRate() {
    ScriptedEngine engine({.script = {quick("a b c d e f g h i j k")}, .tokens_per_s = 100});
    Answer answer;
    QElapsedTimer timer;
    timer.start();
    QVERIFY(engine.start(request(1), answer.listener()));
    QVERIFY(answer.ends());
    QVERIFY2(timer.elapsed() >= 100, qPrintable(QString::number(timer.elapsed())));
  }

  void cancelKeepsWhatWasPlayed() {
    ScriptedEngine engine({.script = {quick("a b c d e f g h")}, .tokens_per_s = 20});
    Answer answer, other;
    QVERIFY(engine.start(request(1), answer.listener()));
    QVERIFY(answer.hasText());
    const auto again = engine.start(request(1), other.listener());
    QVERIFY(!again && again.error().code == ErrorCode::busy);
    engine.cancel(1);
    QVERIFY(answer.ends());
    QCOMPARE(answer.stats_->stop_reason, std::string("cancelled"));
    QVERIFY(answer.text_.size() < 15);
  }

  void failsAndRefusesAsTheScriptSays() {
    auto script = parseScript("@rate 0\n@delay 0\n@fail device it broke\npartial\n---\n@refuse invalid_argument no\n");
    QVERIFY(script);
    ScriptedEngine engine({.script = *script, .tokens_per_s = {}});
    Answer answer, refused;
    QVERIFY(engine.start(request(1), answer.listener()));
    QVERIFY(answer.ends());
    QCOMPARE(answer.text_, std::string("partial"));
    QVERIFY(answer.error_ && answer.error_->code == ErrorCode::device);
    const auto status = engine.start(request(1), refused.listener());
    QVERIFY(!status && status.error().code == ErrorCode::invalid_argument);
  }

  void destructionEndsRunningAnswers() {
    Answer answer;
    {
      ScriptedEngine engine({.script = {quick("a b c d e f g h")}, .tokens_per_s = 1});
      QVERIFY(engine.start(request(1), answer.listener()));
    }
    QVERIFY(answer.stats_);
    QCOMPARE(answer.stats_->stop_reason, std::string("cancelled"));
  }
};

QTEST_GUILESS_MAIN(ScriptedEngineTest)
#include "scripted_engine_test.moc"
