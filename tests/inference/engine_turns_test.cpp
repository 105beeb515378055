// Sessions at the same time: turns, cancelling, pausing, leaving. The thread sanitizer's favourite.
#include <QtTest>

#include <random>

#include "tests/inference/test_engine.h"

using namespace hearth;
using namespace hearth::test;

namespace {

/// Every step takes this long for each of its tokens, and ends early when cancelled, as between
/// ops.
std::shared_ptr<const DeviceScript> slowSteps(std::chrono::microseconds per_token) {
  auto script = std::make_shared<DeviceScript>();
  script->before_step = [per_token](const StepInputs& step) -> Status {
    for (size_t i = 0; i < step.token_ids.size(); ++i) {
      if (step.cancel && *step.cancel) return fail(ErrorCode::cancelled, "cancelled between ops");
      std::this_thread::sleep_for(per_token);
    }
    return {};
  };
  return script;
}

}  // namespace

class EngineTurnsTest : public QObject {
  Q_OBJECT
 private slots:
  void interleavedSessionsAnswerAsAlone() {
    const auto engine = testEngine();
    struct Talk {
      std::unique_ptr<Session> session;
      GenerationRequest made;
      Heard heard;
    };
    std::vector<std::unique_ptr<Talk>> talks;
    for (int32_t i = 0; i < 5; ++i) {
      auto talk = std::make_unique<Talk>();
      talk->session = engine->newSession();
      talk->made = request(longPrompt(30 + 20 * static_cast<size_t>(i), i), 40,
                           i == 0 ? greedy() : seeded(static_cast<uint64_t>(i)));
      talks.push_back(std::move(talk));
    }
    for (const auto& talk : talks)
      QVERIFY(talk->session->submit(talk->made, talk->heard.listener()));
    for (const auto& talk : talks) {
      QVERIFY(talk->heard.waitUntilEnded());
      QCOMPARE(talk->heard.ids(), answerWithoutEngine(talk->made));
    }
  }

  void turnsGoRound() {
    // Three sessions at once: between two tokens of one, each other gets at most one.
    const auto engine = testEngine({.model = kExact}, slowSteps(std::chrono::microseconds(300)));
    std::mutex mutex;
    std::vector<int> order;
    std::vector<std::unique_ptr<Session>> sessions;
    std::vector<std::unique_ptr<Heard>> heard;
    for (int i = 0; i < 3; ++i) {
      sessions.push_back(engine->newSession());
      heard.push_back(std::make_unique<Heard>([&, i](const Event& event) {
        if (!std::holds_alternative<TokensGenerated>(event)) return;
        const std::lock_guard lock(mutex);
        order.push_back(i);
      }));
    }
    for (size_t i = 0; i < 3; ++i)
      QVERIFY(sessions[i]->submit(request(kOnceUponATime, 30), heard[i]->listener()));
    for (const auto& one : heard) QVERIFY(one->waitUntilEnded());
    for (int i = 0; i < 3; ++i) {
      const auto first = std::find(order.begin(), order.end(), i);
      for (auto at = first; at != order.end();) {
        const auto next = std::find(at + 1, order.end(), i);
        for (int other = 0; other < 3; ++other) {
          if (next != order.end()) QVERIFY(other == i || std::count(at, next, other) <= 1);
        }
        at = next;
      }
    }
  }

  void longPromptDoesNotHoldUpAnAnswer() {
    // 1 ms a token: 400 tokens of prompt in one piece would stop the other for 400 ms.
    const auto engine = testEngine({.model = kExact}, slowSteps(std::chrono::milliseconds(1)));
    const auto writer = engine->newSession(), reader = engine->newSession();
    Heard writing;
    QVERIFY(writer->submit(request(kOnceUponATime, -1), writing.listener()));
    QVERIFY(writing.waitForTokens(1));

    const size_t before = writing.ids().size();
    const auto reading = answer(*reader, request(longPrompt(400), 1));
    const size_t during = writing.ids().size() - before;
    writer->cancel();
    QVERIFY(writing.waitUntilEnded());
    // Progress is reported at the start and after each chunk; the other had a turn between any two.
    QVERIFY2(reading->progress().size() >= 4,
             qPrintable(QString::number(reading->progress().size())));
    QVERIFY2(
        during + 2 >= reading->progress().size(),
        qPrintable(
            QString("%1 tokens in %2 chunks").arg(during).arg(reading->progress().size() - 1)));
  }

  void cancelEndsWithinOneToken() {
    const auto engine = testEngine();
    const auto session = engine->newSession();
    size_t tokens = 0;
    Heard heard([&](const Event& event) {
      if (std::holds_alternative<TokensGenerated>(event) && ++tokens == 3) session->cancel();
    });
    QVERIFY(session->submit(request(kOnceUponATime, -1), heard.listener()));
    QVERIFY(heard.waitUntilEnded());
    QCOMPARE(heard.stats().stop_reason, StopReason::cancelled);
    QCOMPARE(heard.ids().size(), size_t{3});
    QCOMPARE(heard.stats().generated_tokens, 3);
    // Nothing of it is left over for the next request.
    QCOMPARE(answer(*session, request(kOnceUponATime, 5))->ids().size(), size_t{5});
  }

  void cancelEndsAPromptWithinAnOp() {
    const auto engine = testEngine({.model = kExact}, slowSteps(std::chrono::milliseconds(200)));
    const auto session = engine->newSession();
    Heard heard;
    QVERIFY(session->submit(request(longPrompt(500), 5), heard.listener()));  // 100 s if left alone
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    const auto asked = std::chrono::steady_clock::now();
    session->cancel();
    QVERIFY(heard.waitUntilEnded());
    const auto took = std::chrono::steady_clock::now() - asked;
    QCOMPARE(heard.stats().stop_reason, StopReason::cancelled);
    QVERIFY(heard.ids().empty());
    // A step is at least 8 tokens or 1.6 s here, an "op" 0.2 s.
    QVERIFY2(took < std::chrono::milliseconds(1000),
             qPrintable(QString::number(std::chrono::duration<double>(took).count())));
  }

  void cancelledPromptIsReusedAsFarAsItGot() {
    const auto engine = testEngine();
    const auto session = engine->newSession();
    Heard heard([&](const Event& event) {
      const auto* progress = std::get_if<PromptProgress>(&event);
      if (progress && progress->done_tokens > 0) session->cancel();
    });
    QVERIFY(session->submit(request(longPrompt(400), 5), heard.listener()));
    QVERIFY(heard.waitUntilEnded());
    const int32_t read = heard.progress().back().done_tokens;
    QVERIFY(read > 0 && read < 400);
    const GenerationStats cut = heard.stats();
    QCOMPARE(cut.prompt_tokens, 400);
    QCOMPARE(cut.read_tokens, read);
    QCOMPARE(cut.promptTokensPerSecond(), read * 1000.0 / cut.prompt_ms);
    const auto made = request(longPrompt(400), 5);
    const auto again = answer(*session, made);
    QCOMPARE(again->stats().cached_tokens, read);
    QCOMPARE(again->stats().read_tokens, 400 - read);
    QCOMPARE(again->ids(), answerWithoutEngine(made));
  }

  void cancelWithoutARequestDoesNothing() {
    const auto engine = testEngine();
    const auto session = engine->newSession();
    session->cancel();
    QCOMPARE(answer(*session, request(kOnceUponATime, 5))->ids().size(), size_t{5});
  }

  void pausedSessionWaitsWhileOthersGoOn() {
    const auto engine = testEngine({.model = kExact}, slowSteps(std::chrono::microseconds(200)));
    const auto paused = engine->newSession(), other = engine->newSession();
    const auto made = request(kOnceUponATime, 300);
    Heard heard;
    QVERIFY(paused->submit(made, heard.listener()));
    QVERIFY(heard.waitForTokens(3));
    paused->pause();
    answer(*other, request(kOnceUponATime, 2));  // the turn in progress is over when this has ended
    const size_t then = heard.ids().size();
    answer(*other, request(kOnceUponATime, 50));
    QCOMPARE(heard.ids().size(), then);
    QCOMPARE(heard.ends(), 0);
    QCOMPARE(engine->status().running, 1);
    paused->resume();
    QVERIFY(heard.waitUntilEnded());
    QCOMPARE(heard.ids(), answerWithoutEngine(made));
  }

  void pausedSessionCanBeCancelled() {
    const auto engine = testEngine();
    const auto session = engine->newSession();
    session->pause();
    Heard heard;
    QVERIFY(session->submit(request(kOnceUponATime, 5), heard.listener()));
    session->cancel();
    QVERIFY(heard.waitUntilEnded());
    QCOMPARE(heard.stats().stop_reason, StopReason::cancelled);
    QVERIFY(heard.ids().empty());
  }

  void leavingSessionCancelsAndWaits() {
    const auto engine = testEngine({.model = kExact}, slowSteps(std::chrono::milliseconds(1)));
    for (const bool pause_first : {false, true}) {
      for (const size_t tokens : {size_t{0}, size_t{2}}) {
        auto session = engine->newSession();
        Heard heard;
        QVERIFY(session->submit(request(kOnceUponATime, -1), heard.listener()));
        QVERIFY(heard.waitForTokens(tokens));
        if (pause_first) session->pause();
        session.reset();
        QCOMPARE(heard.ends(), 1);
        QCOMPARE(heard.stats().stop_reason, StopReason::cancelled);
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        QVERIFY(!heard.heardAfterEnd());
      }
    }
    QCOMPARE(engine->status().sessions, 0);
    QCOMPARE(engine->status().cache_bytes, uint64_t{0});
  }

  void everyRequestEndsOnceWhateverHappens() {
    const auto engine = testEngine({.model = kExact, .cache_limit_bytes = 1 << 16});
    std::atomic<int> submitted = 0, ended = 0, heard_after = 0;
    const auto client = [&](uint32_t seed) {
      std::mt19937 random(seed);
      for (int round = 0; round < 12; ++round) {
        auto session = engine->newSession();
        for (int turn = 0; turn < 4; ++turn) {
          Heard heard;
          const auto made =
              request(longPrompt(5 + random() % 60, static_cast<int32_t>(random() % 3)),
                      static_cast<int32_t>(random() % 20), seeded(random()));
          if (!session->submit(made, heard.listener())) continue;
          ++submitted;
          const uint32_t fate = random() % 5;
          if (fate == 0) session->pause();
          if (fate <= 1) session->cancel();
          if (fate == 2) session.reset();
          if (fate == 3) {
            session->pause();
            session->resume();
          }
          heard.waitUntilEnded();
          ended += heard.ends();
          heard_after += heard.heardAfterEnd();
          if (!session) session = engine->newSession();
          session->resume();
          (void)engine->status();
        }
      }
    };
    std::vector<std::thread> clients;
    for (uint32_t i = 0; i < 4; ++i) clients.emplace_back(client, i);
    for (std::thread& one : clients) one.join();
    QCOMPARE(submitted.load(), 4 * 12 * 4);
    QCOMPARE(ended.load(), submitted.load());
    QCOMPARE(heard_after.load(), 0);
    QCOMPARE(engine->status().sessions, 0);
  }
};

QTEST_GUILESS_MAIN(EngineTurnsTest)
#include "engine_turns_test.moc"
