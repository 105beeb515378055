#include "app/composition.h"

#include <QFile>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/storage/data_dir.h"
#include "tests/app/fake_engine.h"

using namespace hearth;
using hearth::test::FakeEngine;

namespace {

namespace fs = std::filesystem;

constexpr const char* kModel = HEARTH_TEST_DATA "/models/stories260K-f32.gguf";

CompositionOptions optionsFor(const QTemporaryDir& folder) {
  CompositionOptions options;
  options.data_dir = fs::path(folder.path().toStdString()) / "share" / "hearth";
  options.models.n_threads = 1;
  return options;
}

/// Calls a verb of the chat service on its thread.
template <class Verb>
void onService(Composition& composition, Verb&& verb) {
  ChatService& chat = composition.chat();
  QMetaObject::invokeMethod(&chat, [&chat, verb] { verb(chat); }, Qt::BlockingQueuedConnection);
}

/// Runs `work` in a child with a small file system of its own at `folder`. Returns the child's exit
/// status, or nothing where that is not allowed.
std::optional<int> withOwnDisk(const fs::path& folder, const char* mount_options, bool read_only,
                               const std::function<int()>& work) {
  constexpr int kNotAllowed = 99;
  const pid_t child = fork();
  if (child == 0) {
    if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("tmpfs", folder.c_str(), "tmpfs", 0, mount_options) != 0 ||
        (read_only && mount(nullptr, folder.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) != 0))
      _exit(kNotAllowed);
    _exit(work());
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (!WIFEXITED(status)) return -1;
  if (WEXITSTATUS(status) == kNotAllowed) return std::nullopt;
  return WEXITSTATUS(status);
}

}  // namespace

class CompositionTest : public QObject {
  Q_OBJECT

 private slots:
  void createsAPrivateDataFolder() {
    QTemporaryDir folder;
    const auto options = optionsFor(folder);
    const auto composition = Composition::create(options);
    QVERIFY2(composition.has_value(), composition ? "" : composition.error().message.c_str());
    struct stat info {};
    for (const fs::path& path : {options.data_dir, options.data_dir.parent_path()}) {
      QCOMPARE(stat(path.c_str(), &info), 0);
      QCOMPARE(info.st_mode & 0777, mode_t(0700));
    }
    QVERIFY(fs::exists(options.data_dir / "hearth.db"));
  }

  void findsTheXdgFolder() {
    const QByteArray before = qgetenv("XDG_DATA_HOME");
    qputenv("XDG_DATA_HOME", "/somewhere/else");
    QCOMPARE(defaultDataDir().string(), std::string("/somewhere/else/hearth"));
    qputenv("XDG_DATA_HOME", "relative");
    QVERIFY(defaultDataDir().string().ends_with("/.local/share/hearth"));
    qunsetenv("XDG_DATA_HOME");
    QVERIFY(defaultDataDir().string().ends_with("/.local/share/hearth"));
    if (!before.isNull()) qputenv("XDG_DATA_HOME", before);
  }

  void refusesASecondHearth() {
    QTemporaryDir folder;
    auto first = Composition::create(optionsFor(folder));
    QVERIFY(first.has_value());
    const auto second = Composition::create(optionsFor(folder));
    QVERIFY(!second);
    QCOMPARE(second.error().code, ErrorCode::busy);
    QVERIFY2(second.error().message.find(std::to_string(getpid())) != std::string::npos,
             second.error().message.c_str());
    first->reset();
    QVERIFY(Composition::create(optionsFor(folder)).has_value());
  }

  void takesTheLockOfADeadHearthOver() {
    QTemporaryDir folder;
    const auto options = optionsFor(folder);
    const pid_t child = fork();
    if (child == 0) {
      const auto composition = Composition::create(options);
      _exit(composition ? 0 : 1);  // without a destructor: as if it had been killed
    }
    int status = 1;
    waitpid(child, &status, 0);
    QCOMPARE(status, 0);
    QVERIFY(fs::exists(options.data_dir / "hearth.lock"));
    const auto composition = Composition::create(options);
    QVERIFY2(composition.has_value(), composition ? "" : composition.error().message.c_str());
  }

  void chatsThroughItsThreads() {
    QTemporaryDir folder;
    auto composition = *Composition::create(optionsFor(folder));
    ChatService& chat = composition->chat();
    QVERIFY(chat.thread() != QThread::currentThread());
    QSignalSpy ready(&composition->models(), &ModelService::ready);
    QSignalSpy created(&chat, &ChatService::conversationCreated);
    QSignalSpy finished(&chat, &ChatService::answerFinished);
    QMetaObject::invokeMethod(&composition->models(), [&] { composition->models().openModel(kModel); });
    QVERIFY(ready.wait(20000));
    QVERIFY(!ready.at(0).at(1).value<ModelDescription>().name.empty());
    GenerationSettings settings;
    settings.max_tokens = 12;
    onService(*composition, [&](ChatService& service) { service.createConversation(settings); });
    QTRY_COMPARE(created.size(), 1);
    const auto id = created.at(0).at(0).value<Conversation>().id;
    onService(*composition, [&](ChatService& service) { service.submit(id, -1, "Once upon a time"); });
    QTRY_COMPARE_WITH_TIMEOUT(finished.size(), 1, 20000);
    const auto answer = finished.at(0).at(1).value<Message>();
    QVERIFY2(answer.state == MessageState::complete && !answer.text.empty(), answer.error.c_str());
  }

  void storesARunningAnswerWhenItEnds() {
    QTemporaryDir folder;
    ConversationId id = 0;
    {
      auto composition = *Composition::create(optionsFor(folder));
      auto engine = std::make_shared<FakeEngine>();
      QSignalSpy created(&composition->chat(), &ChatService::conversationCreated);
      onService(*composition, [&](ChatService& service) {
        service.setEngine(engine);
        service.createConversation({});
      });
      QTRY_COMPARE(created.size(), 1);
      id = created.at(0).at(0).value<Conversation>().id;
      onService(*composition, [&](ChatService& service) { service.submit(id, -1, "Hi"); });
      engine->say(id, "the last words");
    }
    auto store = *ConversationStore::open(optionsFor(folder).data_dir / "hearth.db");
    QCOMPARE(store->path(id)->back().text, std::string("the last words"));
    QVERIFY(store->path(id)->back().state == MessageState::stopped);
  }

  void saysThatAFolderCannotBeWrittenTo() {
    QTemporaryDir folder;
    const auto status = withOwnDisk(folder.path().toStdString(), "size=1m", /*read_only=*/true, [&] {
      CompositionOptions options;
      options.data_dir = folder.path().toStdString();
      const auto existing = Composition::create(options);
      options.data_dir /= "below";
      const auto missing = Composition::create(options);
      if (existing || missing) return 1;
      if (existing.error().code != ErrorCode::read_only) return 2;
      if (missing.error().code != ErrorCode::read_only) return 3;
      return missing.error().message.find("below") == std::string::npos ? 4 : 0;
    });
    if (!status) QSKIP("a read-only file system needs the right to mount one");
    QCOMPARE(*status, 0);
  }

  void saysThatTheDiskIsFullFromItsFirstByteToItsLast() {
    QTemporaryDir folder;
    const auto disk = [&](const std::function<int()>& work) {
      return withOwnDisk(folder.path().toStdString(), "size=400k", /*read_only=*/false, work);
    };
    const fs::path file = folder.path().toStdString() + "/hearth.db";
    const auto fillDisk = [&] {
      const int filler = ::open((folder.path().toStdString() + "/filler").c_str(), O_CREAT | O_WRONLY, 0600);
      const std::string bytes(4096, 'f');
      while (write(filler, bytes.data(), bytes.size()) > 0) {}
      ::close(filler);
    };
    const auto at_start = disk([&] {
      fillDisk();
      CompositionOptions options;
      options.data_dir = folder.path().toStdString();
      const auto composition = Composition::create(options);
      return !composition && composition.error().code == ErrorCode::disk_full ? 0 : 1;
    });
    if (!at_start) QSKIP("a small file system needs the right to mount one");
    QCOMPARE(*at_start, 0);

    const auto later = disk([&] {
      auto store = *ConversationStore::open(file);
      const auto id = store->createConversation({})->id;
      std::vector<MessageId> sent;
      for (int i = 0; i < 1000; ++i) {
        const auto exchange = store->addExchange(id, std::nullopt, std::string(3000, 'q'));
        if (!exchange) {
          if (exchange.error().code != ErrorCode::disk_full) return 1;
          break;
        }
        sent.push_back(exchange->question.id);
      }
      if (sent.empty() || sent.size() == 1000) return 2;
      for (const MessageId message : sent)
        if (store->message(message)->text.size() != 3000) return 3;
      store.reset();
      auto again = ConversationStore::open(file);
      if (!again) return again.error().code == ErrorCode::disk_full ? 0 : 4;  // cannot even start a log
      for (const MessageId message : sent)
        if ((*again)->message(message)->text.size() != 3000) return 5;
      return 0;
    });
    QCOMPARE(*later, 0);
  }
};

QTEST_GUILESS_MAIN(CompositionTest)
#include "composition_test.moc"
