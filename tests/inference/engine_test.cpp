#include "inference/engine.h"

#include <QtTest>

#include <pthread.h>

#include "tests/inference/test_engine.h"

using namespace hearth;
using namespace hearth::test;

namespace {

class StopAtToken final : public StopRule {
 public:
  explicit StopAtToken(int32_t token) : token_(token) {}
  bool stopsAt(int32_t token) override { return token == token_; }

 private:
  int32_t token_;
};

std::vector<int32_t> joined(std::vector<int32_t> first, const std::vector<int32_t>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

}  // namespace

class EngineTest : public QObject {
  Q_OBJECT
 private slots:
  void answersAsTheModelDoes() {
    const auto engine = testEngine();
    const auto session = engine->newSession();
    for (const auto& sampling : {greedy(), seeded(5)}) {
      const auto made = request(kOnceUponATime, 40, sampling);
      const auto heard = answer(*session, made);
      QCOMPARE(heard->ids(), answerWithoutEngine(made));
      QCOMPARE(heard->stats().stop_reason, StopReason::max_tokens);
      QCOMPARE(heard->stats().generated_tokens, 40);
      QCOMPARE(heard->stats().steps, 40);
      QCOMPARE(heard->stats().prompt_tokens, 5);
    }
  }

  void timesAddUp() {
    const auto engine = testEngine();
    const auto session = engine->newSession();
    const auto started = std::chrono::steady_clock::now();
    const auto stats = answer(*session, request(longPrompt(300), 20))->stats();
    const std::chrono::duration<double, std::milli> took =
        std::chrono::steady_clock::now() - started;
    QVERIFY(stats.prompt_ms > 0 && stats.generation_ms > 0);
    QVERIFY(stats.prompt_ms <= stats.time_to_first_token_ms);
    QVERIFY(stats.time_to_first_token_ms + stats.generation_ms <= took.count());
    QCOMPARE(stats.generatedTokensPerSecond(), 19 * 1000.0 / stats.generation_ms);
    QCOMPARE(stats.promptTokensPerSecond(), 300 * 1000.0 / stats.prompt_ms);
  }

  void reportsPromptProgressToTheEnd() {
    const auto engine = testEngine();
    const auto session = engine->newSession();
    const auto progress = answer(*session, request(longPrompt(400), 1))->progress();
    QVERIFY(progress.size() >= 3);
    QCOMPARE(progress.front().done_tokens, 0);
    QCOMPARE(progress.back().done_tokens, 400);
    for (size_t i = 0; i < progress.size(); ++i) {
      QCOMPARE(progress[i].total_tokens, 400);
      if (i > 0) QVERIFY(progress[i].done_tokens > progress[i - 1].done_tokens);
    }
  }

  // Prefix reuse

  void followUpReadsOnlyWhatIsNew() {
    const auto engine = testEngine();
    const auto session = engine->newSession();
    const auto first = answer(*session, request(kOnceUponATime, 30));
    const auto follow_up =
        request(joined(joined(kOnceUponATime, first->ids()), {300, 301, 302}), 30);
    const auto second = answer(*session, follow_up);
    // The answer's last token was chosen but never run.
    QCOMPARE(second->stats().cached_tokens, 5 + 30 - 1);
    QCOMPARE(second->stats().prompt_tokens, 5 + 30 + 3);
    QCOMPARE(second->ids(), answerWithoutEngine(follow_up));
  }

  void samePromptAgainRunsItsLastTokenOnly() {
    const auto engine = testEngine();
    const auto session = engine->newSession();
    const auto made = request(longPrompt(50), 20);
    const auto first = answer(*session, made);
    const auto second = answer(*session, made);
    QCOMPARE(first->stats().cached_tokens, 0);
    QCOMPARE(second->stats().cached_tokens, 49);
    QCOMPARE(second->ids(), first->ids());
  }

  void editedPromptKeepsWhatCameBeforeTheEdit() {
    const auto engine = testEngine();
    const auto session = engine->newSession();
    answer(*session, request(longPrompt(100, 1), 10));
    const auto edited = request(longPrompt(100, 2), 10);
    const auto heard = answer(*session, edited);
    QCOMPARE(heard->stats().cached_tokens, 50);
    QCOMPARE(heard->ids(), answerWithoutEngine(edited));
  }

  void sessionsDoNotShareTheirCaches() {
    const auto engine = testEngine();
    const auto one = engine->newSession(), other = engine->newSession();
    answer(*one, request(longPrompt(60), 5));
    QCOMPARE(answer(*other, request(longPrompt(60), 5))->stats().cached_tokens, 0);
  }

  // Ends

  void endTokenEndsTheAnswerAndIsNoPartOfIt() {
    const auto engine = testEngine();
    const auto session = engine->newSession();
    auto made = request(kOnceUponATime, 20);
    const auto expected = answerWithoutEngine(made);
    made.end_ids = {expected[7]};
    const auto heard = answer(*session, made);
    const auto end = std::find(expected.begin(), expected.end(), expected[7]);
    QCOMPARE(heard->ids(), std::vector<int32_t>(expected.begin(), end));
    QCOMPARE(heard->stats().stop_reason, StopReason::end_of_text);

    made.ignore_end = true;
    QCOMPARE(answer(*session, made)->ids(), expected);
  }

  void stopRuleEndsTheAnswerWithItsToken() {
    const auto engine = testEngine();
    const auto session = engine->newSession();
    auto made = request(kOnceUponATime, 20);
    const auto expected = answerWithoutEngine(made);
    made.stop_rule = std::make_shared<StopAtToken>(expected[6]);
    const auto heard = answer(*session, made);
    const auto stop = std::find(expected.begin(), expected.end(), expected[6]) + 1;
    QCOMPARE(heard->ids(), std::vector<int32_t>(expected.begin(), stop));
    QCOMPARE(heard->stats().stop_reason, StopReason::stop_rule);
  }

  void fullContextEndsTheAnswer() {
    const auto engine = testEngine({.model = {.precision = Precision::exact, .n_ctx = 64}});
    QCOMPARE(engine->contextLength(), 64);
    const auto session = engine->newSession();
    const auto heard = answer(*session, request(kOnceUponATime, -1));
    QCOMPARE(heard->stats().stop_reason, StopReason::context_full);
    QCOMPARE(heard->ids().size(), size_t{64 - 5});
    // What is full can still be read again, and says so at once.
    const auto again = answer(*session, request(joined(kOnceUponATime, heard->ids()), -1));
    QCOMPARE(again->stats().stop_reason, StopReason::context_full);
    QCOMPARE(again->stats().generated_tokens, 0);
  }

  void noTokensWantedReadsThePrompt() {
    const auto engine = testEngine();
    const auto session = engine->newSession();
    const auto heard = answer(*session, request(longPrompt(40), 0));
    QCOMPARE(heard->stats().stop_reason, StopReason::max_tokens);
    QVERIFY(heard->ids().empty());
    QCOMPARE(answer(*session, request(longPrompt(41), 1))->stats().cached_tokens, 40);
  }

  // Refusals and failures

  void refusesPromptsThatCannotBe() {
    const auto engine = testEngine({.model = {.precision = Precision::exact, .n_ctx = 64}});
    const auto session = engine->newSession();
    Heard heard;
    for (const auto& prompt : {std::vector<int32_t>{}, longPrompt(65), {1, 512}, {1, -1}}) {
      const Status submitted = session->submit(request(prompt, 5), heard.listener());
      QVERIFY(!submitted);
      QCOMPARE(submitted.error().code, ErrorCode::invalid_argument);
    }
    QCOMPARE(heard.ends(), 0);
    QCOMPARE(answer(*session, request(kOnceUponATime, 3))->ids().size(), size_t{3});
  }

  void secondRequestWhileOneRunsIsBusy() {
    const auto engine = testEngine();
    const auto session = engine->newSession();
    session->pause();
    Heard heard, refused;
    QVERIFY(session->submit(request(kOnceUponATime, 3), heard.listener()));
    const Status second = session->submit(request(kOnceUponATime, 3), refused.listener());
    QVERIFY(!second);
    QCOMPARE(second.error().code, ErrorCode::busy);
    session->resume();
    QVERIFY(heard.waitUntilEnded());
    QCOMPARE(refused.ends(), 0);
  }

  void mayBeAskedAgainAsSoonAsItHasEnded() {
    const auto engine = testEngine();
    const auto session = engine->newSession();
    for (int i = 0; i < 200; ++i) answer(*session, request(kOnceUponATime, 1));
  }

  void failedStepFailsTheRequestAndNothingElse() {
    auto script = std::make_shared<DeviceScript>();
    std::atomic<int> until_failure = -1;
    script->before_step = [&](const StepInputs&) -> Status {
      if (until_failure >= 0 && until_failure-- == 0)
        return fail(ErrorCode::device, "the device broke");
      return {};
    };
    const auto engine = testEngine({.model = kExact}, script);
    const auto session = engine->newSession();
    const auto made = request(kOnceUponATime, 10);
    const auto expected = answerWithoutEngine(made);
    for (const int step : {0, 1, 6}) {
      until_failure = step;
      const auto heard = answer(*session, made);
      QVERIFY(heard->error().has_value());
      QCOMPARE(heard->error()->code, ErrorCode::device);
      QCOMPARE(answer(*session, made)->ids(), expected);
    }
  }

  void threadThatCannotStartIsAnError() {
    auto device = cpuDevice({.n_threads = 1});  // before: it may start threads of its own
    pthread_attr_t usual, impossible;
    QCOMPARE(pthread_getattr_default_np(&usual), 0);
    QCOMPARE(pthread_attr_init(&impossible), 0);
    QCOMPARE(pthread_attr_setstacksize(&impossible, size_t{1} << 60), 0);  // no address space has it
    QCOMPARE(pthread_setattr_default_np(&impossible), 0);
    const auto made =
        Engine::create(std::move(device), openFixture(kEngineModel), {.model = kExact});
    QCOMPARE(pthread_setattr_default_np(&usual), 0);
    QVERIFY(!made);
    QCOMPARE(made.error().code, ErrorCode::out_of_memory);
    QVERIFY2(made.error().message.find("thread") != std::string::npos, made.error().message.c_str());
    QCOMPARE(answer(*testEngine()->newSession(), request(kOnceUponATime, 3))->ids().size(), size_t{3});
  }

  void refusesAKvTypeThatDoesNotFitByName() {
    const auto made =
        Engine::create(cpuDevice(), openFixture(kEngineModel),
                       {.model = {.precision = Precision::fast, .kv_type = Dtype::q8_0}});
    QVERIFY(!made);
    QCOMPARE(made.error().code, ErrorCode::unsupported);
    QVERIFY(made.error().message.find("head_dim 8") != std::string::npos);
  }

  // Memory

  void dropsTheLeastRecentlyUsedIdleCache() {
    TestModel sizes(kEngineModel);
    const uint64_t room = 2 * 110 * sizes.model->sequenceBytesPerToken();
    const auto engine = testEngine({.model = kExact, .cache_limit_bytes = room});
    const auto a = engine->newSession(), b = engine->newSession(), c = engine->newSession();
    answer(*a, request(longPrompt(100, 1), 5));
    answer(*b, request(longPrompt(100, 2), 5));
    answer(*a, request(longPrompt(100, 1), 5));
    QCOMPARE(engine->status().caches_dropped, uint64_t{0});
    answer(*c, request(longPrompt(100, 3), 5));  // b is now the one not used for longest
    QTRY_COMPARE(engine->status().caches_dropped, uint64_t{1});
    QVERIFY(engine->status().cache_bytes <= room);
    QCOMPARE(answer(*a, request(longPrompt(100, 1), 5))->stats().cached_tokens, 99);
    const auto made = request(longPrompt(100, 2), 5);
    const auto heard = answer(*b, made);
    QCOMPARE(heard->stats().cached_tokens, 0);
    QCOMPARE(heard->ids(), answerWithoutEngine(made));
  }

  void runningCachesStayHoweverSmallTheLimit() {
    const auto engine = testEngine({.model = kExact, .cache_limit_bytes = 1});
    const auto made_a = request(longPrompt(80, 1), 40), made_b = request(longPrompt(90, 2), 40);
    const auto a = engine->newSession(), b = engine->newSession();
    Heard heard_a, heard_b;
    QVERIFY(a->submit(made_a, heard_a.listener()));
    QVERIFY(b->submit(made_b, heard_b.listener()));
    QVERIFY(heard_a.waitUntilEnded() && heard_b.waitUntilEnded());
    QCOMPARE(heard_a.ids(), answerWithoutEngine(made_a));
    QCOMPARE(heard_b.ids(), answerWithoutEngine(made_b));
    QTRY_COMPARE(engine->status().caches_dropped, uint64_t{1});  // the one used last is kept
    QVERIFY(engine->status().cache_bytes > 0);
  }

  void longConversationKeepsItsCacheBeyondTheLimit() {
    const auto engine = testEngine({.model = kExact, .cache_limit_bytes = 1});
    const auto session = engine->newSession(), other = engine->newSession();
    for (size_t turn = 1; turn <= 3; ++turn) {
      const auto heard = answer(*session, request(longPrompt(100 * turn), 5));
      QCOMPARE(heard->stats().cached_tokens, turn == 1 ? 0 : static_cast<int32_t>(100 * turn - 100));
    }
    QCOMPARE(engine->status().caches_dropped, uint64_t{0});
    answer(*other, request(kOnceUponATime, 5));  // now that one is the latest
    QTRY_COMPARE(engine->status().caches_dropped, uint64_t{1});
    QCOMPARE(answer(*session, request(longPrompt(300), 5))->stats().cached_tokens, 0);
  }

  void automaticLimitLeavesRoomForSeveralConversations() {
    const auto engine = testEngine();  // cache_limit_bytes 0
    std::vector<std::unique_ptr<Session>> sessions;
    for (int32_t i = 0; i < 4; ++i) {
      sessions.push_back(engine->newSession());
      answer(*sessions.back(), request(longPrompt(100, i), 5));
    }
    for (int32_t i = 0; i < 4; ++i) {
      const auto again = answer(*sessions[static_cast<size_t>(i)], request(longPrompt(100, i), 5));
      QCOMPARE(again->stats().cached_tokens, 99);
    }
    QCOMPARE(engine->status().caches_dropped, uint64_t{0});
  }

  void closedSessionGivesItsMemoryBack() {
    const auto engine = testEngine();
    auto session = engine->newSession();
    answer(*session, request(longPrompt(80), 5));
    QTRY_VERIFY(engine->status().cache_bytes > 0);
    session.reset();
    QCOMPARE(engine->status().cache_bytes, uint64_t{0});
    QCOMPARE(engine->status().sessions, 0);
  }

  void lackOfMemoryCostsIdleCachesFirst() {
    auto script = std::make_shared<DeviceScript>();
    std::atomic<bool> full = false;
    script->before_allocate = [&](size_t) -> Status {
      if (full.exchange(false)) return fail(ErrorCode::out_of_memory, "no memory left");
      return {};
    };
    const auto engine = testEngine({.model = kExact}, script);
    const auto idle = engine->newSession(), session = engine->newSession();
    answer(*idle, request(kOnceUponATime, 5));
    full = true;
    const auto made = request(kOnceUponATime, 5);
    QCOMPARE(answer(*session, made)->ids(), answerWithoutEngine(made));
    QCOMPARE(engine->status().caches_dropped, uint64_t{1});
  }

  void noMemoryAtAllFailsTheRequest() {
    auto script = std::make_shared<DeviceScript>();
    std::atomic<bool> full = true;
    script->before_allocate = [&](size_t bytes) -> Status {
      if (full) return fail(ErrorCode::out_of_memory, "no {} bytes left", bytes);
      return {};
    };
    const auto engine = testEngine({.model = kExact}, script);
    const auto session = engine->newSession();
    const auto heard = answer(*session, request(kOnceUponATime, 5));
    QVERIFY(heard->error().has_value());
    QCOMPARE(heard->error()->code, ErrorCode::out_of_memory);
    full = false;
    QCOMPARE(answer(*session, request(kOnceUponATime, 5))->ids().size(), size_t{5});
  }
};

QTEST_GUILESS_MAIN(EngineTest)
#include "engine_test.moc"
