#include "app/chat/model_chat_engine.h"

#include <QTest>

#include "app/library/model_service.h"
#include "tests/app/answer_inbox.h"

using namespace hearth;
using hearth::test::AnswerInbox;

namespace {

constexpr const char* kModel = HEARTH_TEST_DATA "/models/stories260K-f32.gguf";

std::shared_ptr<ChatEngine> open(bool exact = true) {
  ModelServiceOptions options;
  options.n_threads = 2;
  options.exact = exact;
  auto engine = openChatEngine(kModel, options);
  if (!engine) qFatal("%s", engine.error().message.c_str());
  return *engine;
}

GenerationSettings greedy(int32_t max_tokens) {
  GenerationSettings settings;
  settings.temperature = 0;
  settings.repetition_penalty = 1;
  settings.max_tokens = max_tokens;
  return settings;
}

AnswerRequest request(std::vector<Turn> turns, const GenerationSettings& settings,
                      ConversationId conversation = 1) {
  AnswerRequest request;
  request.conversation_id = conversation;
  request.answer_id = turns.back().message_id + 1;
  request.turns = std::move(turns);
  request.settings = settings;
  return request;
}

}  // namespace

class ModelChatEngineTest : public QObject {
  Q_OBJECT

 private slots:
  void saysWhatItIs() {
    const ModelDescription model = open()->describe();
    QVERIFY(!model.name.empty());
    QCOMPARE(model.path, std::string(kModel));
    QCOMPARE(model.architecture, std::string("llama"));
    QCOMPARE(model.weight_type, std::string("F32"));
    QVERIFY(!model.device.empty());
    QVERIFY(model.context_length > 0 && model.file_bytes > 1'000'000);
  }

  void continuesTheTextAndCounts() {
    const auto engine = open();
    AnswerInbox inbox;
    QVERIFY(engine->start(request({{1, Role::user, "Once upon a time"}}, greedy(20)), inbox.listener()));
    QVERIFY(inbox.waitForEnd());
    QVERIFY2(QString::fromStdString(inbox.text()).startsWith(", there was"), inbox.text().c_str());
    const AnswerStats stats = *inbox.stats();
    QCOMPARE(stats.generated_tokens, 20);
    QCOMPARE(stats.stop_reason, std::string("max_tokens"));
    QCOMPARE(stats.cached_tokens, 0);
    QVERIFY(stats.prompt_tokens > 3 && stats.time_to_first_token_ms > 0 && stats.generated_tokens_per_s > 0);
    QVERIFY2(stats.model.starts_with(engine->describe().name + "@"), stats.model.c_str());
    QVERIFY(settingsFromJson(stats.settings_json).seed.has_value());
  }

  void readsOnlyWhatIsNewInAFollowUp() {
    const auto engine = open();
    std::vector<Turn> turns = {{1, Role::user, "Once upon a time"}};
    GenerationSettings settings = greedy(24);
    settings.system_prompt = "A story for children.";
    for (int round = 0; round < 4; ++round) {
      AnswerInbox inbox;
      QVERIFY(engine->start(request(turns, settings), inbox.listener()));
      QVERIFY(inbox.waitForEnd());
      const AnswerStats stats = *inbox.stats();
      static int32_t before = 0;
      // The last token of an answer has not been fed to the model when it is cut off by max_tokens.
      if (round == 0) QCOMPARE(stats.cached_tokens, 0);
      else QCOMPARE(stats.cached_tokens, before - 1);
      before = stats.prompt_tokens + stats.generated_tokens;
      const MessageId last = turns.back().message_id;
      turns.push_back({last + 1, Role::assistant, inbox.text()});
      turns.push_back({last + 2, Role::user, "The cat said"});
    }
  }

  void answersTheSameFromTheCacheAsWithoutIt() {
    std::vector<Turn> turns = {{1, Role::user, "Tom had a dog"}};
    const auto warm = open();
    AnswerInbox first;
    QVERIFY(warm->start(request(turns, greedy(30)), first.listener()));
    QVERIFY(first.waitForEnd());
    // Two engines are given the same ids only when the answer is what a tokenizer would make of it;
    // so the follow-up is asked twice of the same engine, once with the cache of another branch.
    turns.push_back({2, Role::assistant, first.text()});
    turns.push_back({3, Role::user, "One day"});
    AnswerInbox cached, fresh;
    QVERIFY(warm->start(request(turns, greedy(30)), cached.listener()));
    QVERIFY(cached.waitForEnd());
    QVERIFY(cached.stats()->cached_tokens > 30);
    AnswerInbox other;
    QVERIFY(warm->start(request({{9, Role::user, "Zoo animals are fun"}}, greedy(5)), other.listener()));
    QVERIFY(other.waitForEnd());
    QVERIFY(warm->start(request(turns, greedy(30)), fresh.listener()));
    QVERIFY(fresh.waitForEnd());
    QVERIFY(fresh.stats()->cached_tokens <= 1);
    QCOMPARE(fresh.text(), cached.text());
  }

  void endsAtAStopStringAndDoesNotShowIt() {
    const auto engine = open();
    AnswerInbox whole, cut;
    QVERIFY(engine->start(request({{1, Role::user, "Once upon a time"}}, greedy(40)), whole.listener()));
    QVERIFY(whole.waitForEnd());
    GenerationSettings settings = greedy(40);
    settings.stop = {whole.text().substr(12, 7)};
    QVERIFY(engine->start(request({{1, Role::user, "Once upon a time"}}, settings), cut.listener()));
    QVERIFY(cut.waitForEnd());
    QCOMPARE(cut.stats()->stop_reason, std::string("stop_rule"));
    QCOMPARE(cut.text(), whole.text().substr(0, whole.text().find(settings.stop[0])));
  }

  void drawsAnotherAnswerEachTimeAndTheSameFromItsRecord() {
    const auto engine = open();
    GenerationSettings settings = greedy(30);
    settings.temperature = 1.5f;
    AnswerInbox a, b, replay;
    QVERIFY(engine->start(request({{1, Role::user, "The"}}, settings), a.listener()));
    QVERIFY(a.waitForEnd());
    QVERIFY(engine->start(request({{1, Role::user, "The"}}, settings), b.listener()));
    QVERIFY(b.waitForEnd());
    QVERIFY(a.text() != b.text());
    const GenerationSettings recorded = settingsFromJson(a.stats()->settings_json);
    QVERIFY(engine->start(request({{1, Role::user, "The"}}, recorded), replay.listener()));
    QVERIFY(replay.waitForEnd());
    QCOMPARE(replay.text(), a.text());
  }

  void dropsOldTurnsWhenTheContextIsFullAndSaysSo() {
    const auto engine = open();
    std::vector<Turn> turns;
    for (int i = 0; i < 60; ++i) {
      turns.push_back({2 * i + 1, Role::user, "Once there was a little girl"});
      turns.push_back({2 * i + 2, Role::assistant, " who liked to play in the park."});
    }
    turns.push_back({1001, Role::user, "She"});
    AnswerInbox inbox;
    QVERIFY(engine->start(request(turns, greedy(-1)), inbox.listener()));
    QVERIFY(inbox.waitForEnd());
    QVERIFY(inbox.stats()->dropped_messages > 0);
    QVERIFY(inbox.stats()->prompt_tokens <= engine->describe().context_length * 3 / 4);
  }

  void refusesWhatCannotFit() {
    const auto engine = open();
    std::string text;
    for (int i = 0; i < 600; ++i) text += "elephant ";
    AnswerInbox inbox;
    const Status started = engine->start(request({{1, Role::user, text}}, greedy(5)), inbox.listener());
    QVERIFY(!started);
    QCOMPARE(started.error().code, ErrorCode::invalid_argument);
    QCOMPARE(inbox.ends(), 0);
  }

  void cancelsWithinATokenAndMayBeAskedAgain() {
    const auto engine = open();
    AnswerInbox inbox;
    GenerationSettings settings = greedy(-1);
    settings.temperature = 1;
    QVERIFY(engine->start(request({{1, Role::user, "Once"}}, settings), inbox.listener()));
    QVERIFY(inbox.waitForText());
    engine->cancel(1);
    QVERIFY(inbox.waitForEnd());
    QCOMPARE(inbox.ends(), 1);
    AnswerInbox again;
    QVERIFY(engine->start(request({{1, Role::user, "Once"}}, greedy(3)), again.listener()));
    QVERIFY(again.waitForEnd());
    engine->cancel(77);  // a conversation it does not know
  }

  void isBusyWhileItAnswersAConversation() {
    const auto engine = open();
    AnswerInbox first, second;
    QVERIFY(engine->start(request({{1, Role::user, "Once"}}, greedy(-1)), first.listener()));
    const Status again = engine->start(request({{1, Role::user, "Once"}}, greedy(2)), second.listener());
    // Small models are quick: it may have ended in between.
    if (!again) QCOMPARE(again.error().code, ErrorCode::busy);
    QVERIFY(first.waitForEnd());
  }

  void forgetsAConversation() {
    const auto engine = open();
    AnswerInbox first, second;
    QVERIFY(engine->start(request({{1, Role::user, "Once upon a time"}}, greedy(8)), first.listener()));
    QVERIFY(first.waitForEnd());
    engine->forget(1);
    engine->forget(1);
    QVERIFY(engine->start(request({{1, Role::user, "Once upon a time"}}, greedy(8)), second.listener()));
    QVERIFY(second.waitForEnd());
    QCOMPARE(second.stats()->cached_tokens, 0);
    QCOMPARE(second.text(), first.text());
  }

  void endsItsAnswersWhenItIsDestroyed() {
    AnswerInbox inboxes[3];
    auto engine = open();
    for (int i = 0; i < 3; ++i)
      QVERIFY(engine->start(request({{1, Role::user, "Once"}}, greedy(-1), i + 1), inboxes[i].listener()));
    engine.reset();
    for (AnswerInbox& inbox : inboxes) QCOMPARE(inbox.ends(), 1);
  }
};

QTEST_GUILESS_MAIN(ModelChatEngineTest)
#include "model_chat_engine_test.moc"
