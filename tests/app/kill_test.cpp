// SIGKILL while answers are written. A child writes streaming answers through the real service and
// tells through a pipe what its user has been shown; the parent kills it and looks into the file.

#include <QCoreApplication>
#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QTest>

#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <map>
#include <random>
#include <thread>

#include "app/chat/chat_service.h"

using namespace hearth;

namespace {

int64_t steadyMs() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

/// Answers every question with one growing text, a token each millisecond, until it is destroyed.
class EndlessEngine final : public ChatEngine {
 public:
  ~EndlessEngine() override { end(); }
  ModelDescription describe() const override { return {}; }
  Status start(AnswerRequest, AnswerListener listener) override {
    end();
    stop_ = false;
    writer_ = std::thread([this, listener = std::move(listener)] {
      for (int i = 0; !stop_; ++i) {
        listener(AnswerText{"token" + std::to_string(i) + " "});
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      AnswerStats stats;
      stats.stop_reason = "cancelled";
      listener(AnswerFinished{stats});
    });
    return {};
  }
  void cancel(ConversationId) override { stop_ = true; }
  void forget(ConversationId) override {}

 private:
  void end() {
    stop_ = true;
    if (writer_.joinable()) writer_.join();
  }
  std::atomic<bool> stop_ = false;
  std::thread writer_;
};

/// What the child tells, one fixed record at a time: a write of this size to a pipe is whole.
struct Shown {
  enum Kind : int32_t { question, finished_answer, text_length } kind;
  MessageId message;
  int64_t n_bytes;
  int64_t at_ms;  // steady clock, the same in parent and child
};

/// The child: asks again and again, and stops an answer after a while to get finished ones as well.
int writeAnswers(const std::string& file, int pipe) {
  int argc = 0;
  QCoreApplication application(argc, nullptr);
  ChatService service(std::move(*ConversationStore::open(file)));
  const auto tell = [pipe](Shown::Kind kind, MessageId message, int64_t n_bytes) {
    const Shown shown{kind, message, n_bytes, steadyMs()};
    if (write(pipe, &shown, sizeof shown) != sizeof shown) _exit(2);
  };
  ConversationId id = 0;
  std::map<MessageId, int64_t> lengths;
  QObject::connect(&service, &ChatService::conversationCreated,
                   [&](const Conversation& created) { id = created.id; });
  QObject::connect(&service, &ChatService::messagesAdded,
                   [&](ConversationId, const std::vector<Message>& added) {
                     tell(Shown::question, added[0].id, static_cast<int64_t>(added[0].text.size()));
                   });
  QObject::connect(&service, &ChatService::answerText,
                   [&](ConversationId, MessageId answer, const QString& text) {
                     lengths[answer] += text.toUtf8().size();
                     tell(Shown::text_length, answer, lengths[answer]);
                   });
  QObject::connect(&service, &ChatService::answerFinished, [&](ConversationId, const Message& answer) {
    tell(Shown::finished_answer, answer.id, static_cast<int64_t>(answer.text.size()));
  });
  service.setEngine(std::make_shared<EndlessEngine>());
  service.createConversation({});
  for (int i = 0;; ++i) {
    service.submit(id, -1, QString("Question %1").arg(i));
    QTest::qWait(1100 + 150 * (i % 3));  // longer than the second that may be lost
    service.stop(id);
    QTest::qWait(30);
  }
}

struct Child {
  explicit Child(const std::string& file) {
    int ends[2];
    if (::pipe(ends) != 0) qFatal("no pipe");
    process = fork();
    if (process == 0) {
      ::close(ends[0]);
      _exit(writeAnswers(file, ends[1]));
    }
    ::close(ends[1]);
    from = ends[0];
  }
  ~Child() { ::close(from); }

  /// Kills it and returns all it has told.
  std::vector<Shown> kill() {
    ::kill(process, SIGKILL);
    killed_at_ms = steadyMs();
    std::vector<Shown> all;
    Shown shown;
    while (read(from, &shown, sizeof shown) == sizeof shown) all.push_back(shown);
    waitpid(process, nullptr, 0);
    return all;
  }

  pid_t process = 0;
  int from = -1;
  int64_t killed_at_ms = 0;
};

std::string integrity(const std::string& file) {
  sqlite3* db = nullptr;
  std::string verdict = "cannot open";
  if (sqlite3_open(file.c_str(), &db) == SQLITE_OK)
    sqlite3_exec(db, "PRAGMA integrity_check", [](void* to, int, char** row, char**) {
      *static_cast<std::string*>(to) = row[0];
      return 0;
    }, &verdict, nullptr);
  sqlite3_close(db);
  return verdict;
}

}  // namespace

class KillTest : public QObject {
  Q_OBJECT

 private slots:
  void losesAtMostASecondOfAnAnswerAndNothingElse() {
    constexpr int kRounds = 20;
    constexpr int kAtOnce = 5;
    std::mt19937 random(20260101);
    std::uniform_int_distribution<int> life_ms(150, 3000);
    int64_t n_questions = 0, n_finished = 0, n_lost_bytes = 0, longest_loss_ms = 0;
    for (int round = 0; round < kRounds; round += kAtOnce) {
      QTemporaryDir folders[kAtOnce];
      std::map<int, int> ends;  // ms → child
      std::vector<std::unique_ptr<Child>> children;
      for (int i = 0; i < kAtOnce; ++i) {
        children.push_back(std::make_unique<Child>(fileIn(folders[i])));
        ends.emplace(life_ms(random), i);
      }
      QElapsedTimer clock;
      clock.start();
      for (const auto& [end_ms, i] : ends) {
        while (clock.elapsed() < end_ms) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        const auto shown = children[static_cast<size_t>(i)]->kill();
        const int64_t killed_at_ms = children[static_cast<size_t>(i)]->killed_at_ms;
        const std::string file = fileIn(folders[i]);
        QCOMPARE(integrity(file), std::string("ok"));
        auto store = ConversationStore::open(file);
        QVERIFY2(store.has_value(), store ? "" : store.error().message.c_str());
        std::map<MessageId, int64_t> must_have;  // bytes shown more than a second before the end
        std::map<MessageId, Shown> last;
        for (const Shown& one : shown) {
          last.insert_or_assign(one.message, one);
          if (one.kind != Shown::text_length || one.at_ms < killed_at_ms - 1000)
            must_have[one.message] = one.n_bytes;
          n_questions += one.kind == Shown::question;
          n_finished += one.kind == Shown::finished_answer;
        }
        for (const auto& [message, n_bytes] : must_have) {
          const auto stored = (*store)->message(message);
          QVERIFY2(stored.has_value(), "a message that was shown as sent is not there");
          const auto n_stored = static_cast<int64_t>(stored->text.size());
          QVERIFY2(n_stored >= n_bytes, qPrintable(QString("message %1: %2 bytes stored, %3 shown")
                                                       .arg(message).arg(n_stored).arg(n_bytes)));
          if (stored->role == Role::assistant) QVERIFY(stored->text.starts_with("token0 token1 "));
        }
        for (const auto& [message, one] : last) {
          const auto stored = (*store)->message(message);
          QVERIFY2(stored.has_value(), "an answer that was shown is not there");
          n_lost_bytes += std::max<int64_t>(0, one.n_bytes - static_cast<int64_t>(stored->text.size()));
        }
        for (const Shown& one : shown) {
          if (one.kind != Shown::text_length) continue;
          const auto stored = (*store)->message(one.message);
          if (!stored || static_cast<int64_t>(stored->text.size()) < one.n_bytes)
            longest_loss_ms = std::max(longest_loss_ms, killed_at_ms - one.at_ms);
        }
      }
    }
    qInfo("%lld questions and %lld finished answers shown, all stored; %lld bytes of streaming text "
          "lost, the oldest shown %lld ms before the kill",
          static_cast<long long>(n_questions), static_cast<long long>(n_finished),
          static_cast<long long>(n_lost_bytes), static_cast<long long>(longest_loss_ms));
    QVERIFY(n_questions >= kRounds / 2 && n_finished > 0);
    QVERIFY2(n_lost_bytes > 0, "no child was killed while it wrote: this test has seen nothing");
  }

 private:
  static std::string fileIn(const QTemporaryDir& folder) {
    return (folder.path() + "/hearth.db").toStdString();
  }
};

QTEST_APPLESS_MAIN(KillTest)
#include "kill_test.moc"
