#include "app/chat/chat_service.h"

#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include "app/chat/conversation_title.h"
#include "tests/app/failing_vfs.h"
#include "tests/app/fake_engine.h"

using namespace hearth;
using hearth::test::FakeEngine;
using hearth::test::Fault;

namespace {

/// A service on a store of its own, with an engine that a test plays. A second store on the same file
/// shows what is really stored.
struct Room {
  explicit Room(int undo_ms = 60000, bool with_engine = true) : undo_ms_(undo_ms) {
    start();
    if (with_engine) {
      engine = std::make_shared<FakeEngine>();
      service->setEngine(engine);
    }
    QSignalSpy created(service.get(), &ChatService::conversationCreated);
    service->createConversation(settings());
    id = created.at(0).at(0).value<Conversation>().id;
  }

  static GenerationSettings settings() {
    GenerationSettings settings;
    settings.system_prompt = "Be brief.";
    return settings;
  }

  void start() {
    service.reset();
    service = std::make_unique<ChatService>(std::move(*ConversationStore::open(file())), nullptr, undo_ms_);
  }

  std::filesystem::path file() const { return (folder.path() + "/hearth.db").toStdString(); }

  /// As on disk now. Opening a second store would mark running answers: this only reads.
  std::vector<Message> stored() {
    QSignalSpy loaded(service.get(), &ChatService::pathLoaded);
    service->openConversation(id);
    return loaded.isEmpty() ? std::vector<Message>() : loaded.at(0).at(1).value<std::vector<Message>>();
  }

  MessageId answerId() { return stored().back().id; }

  QTemporaryDir folder;
  std::unique_ptr<ChatService> service;
  std::shared_ptr<FakeEngine> engine;
  ConversationId id = 0;

 private:
  int undo_ms_;
};

/// The text of `message` as another program sees it in the file.
std::string onDisk(Room& room, MessageId message) {
  const auto copy = std::filesystem::path(room.folder.path().toStdString()) / "copy.db";
  std::filesystem::remove(copy);
  std::filesystem::copy_file(room.file(), copy);
  const std::string log = room.file().string() + "-wal";
  std::filesystem::remove(copy.string() + "-wal");
  std::filesystem::remove(copy.string() + "-shm");
  if (std::filesystem::exists(log)) std::filesystem::copy_file(log, copy.string() + "-wal");
  auto store = ConversationStore::open(copy);
  if (!store) return store.error().message;
  const auto found = (*store)->message(message);
  return found ? found->text : found.error().message;
}

Message finishedAnswer(const QSignalSpy& spy, int i = 0) { return spy.at(i).at(1).value<Message>(); }
Error errorOf(const QSignalSpy& spy, int argument) { return spy.at(0).at(argument).value<Error>(); }

}  // namespace

class ChatServiceTest : public QObject {
  Q_OBJECT

 private slots:
  void initTestCase() { test::installFailingVfs(); }
  void cleanup() { test::stopFailing(); }

  void storesTheMessageBeforeTheEngineIsAsked() {
    Room room;
    QStringList order;
    connect(room.service.get(), &ChatService::messagesAdded, this, [&] { order << "shown"; });
    std::string on_disk;
    room.engine->on_start = [&](const AnswerRequest& request) {
      order << "asked";
      on_disk = onDisk(room, request.turns.back().message_id);
    };
    QSignalSpy added(room.service.get(), &ChatService::messagesAdded);
    room.service->submit(room.id, -1, "Hello \U0001F642");
    QCOMPARE(order, (QStringList{"shown", "asked"}));
    QCOMPARE(on_disk, std::string("Hello \U0001F642"));
    const auto messages = added.at(0).at(1).value<std::vector<Message>>();
    QCOMPARE(messages.size(), size_t(2));
    QVERIFY(messages[1].state == MessageState::streaming && messages[1].parent_id == messages[0].id);
    const AnswerRequest& request = room.engine->requests.at(0);
    QCOMPARE(request.answer_id, messages[1].id);
    QCOMPARE(request.turns.size(), size_t(1));
    QCOMPARE(request.settings.system_prompt, std::string("Be brief."));
  }

  void streamsAndStoresAnAnswer() {
    Room room;
    QSignalSpy reading(room.service.get(), &ChatService::answerReading);
    QSignalSpy text(room.service.get(), &ChatService::answerText);
    QSignalSpy finished(room.service.get(), &ChatService::answerFinished);
    room.service->submit(room.id, -1, "Hi");
    room.engine->read(room.id, 3, 9);
    for (int i = 0; i < 100; ++i) room.engine->say(room.id, "ä");
    AnswerStats stats;
    stats.generated_tokens = 100;
    room.engine->finish(room.id, stats);
    QVERIFY(finished.wait(2000));
    QCOMPARE(reading.at(0).at(3).toInt(), 9);
    QString all;
    for (const auto& signal : text) all += signal.at(2).toString();
    QCOMPARE(all, QString(100, u'ä'));
    QVERIFY2(text.size() < 10, qPrintable(QString("%1 signals for 100 tokens").arg(text.size())));
    const Message answer = finishedAnswer(finished);
    QVERIFY(answer.state == MessageState::complete);
    QCOMPARE(answer.stats->generated_tokens, 100);
    QCOMPARE(onDisk(room, answer.id), all.toStdString());
    QCOMPARE(room.stored().back().stats->generated_tokens, 100);
  }

  void checkpointsAtLeastOnceASecond() {
    Room room;
    room.service->submit(room.id, -1, "Hi");
    const MessageId answer = room.answerId();
    QElapsedTimer clock;
    clock.start();
    std::string said;
    qint64 longest_behind_ms = 0;
    while (clock.elapsed() < 2500) {
      const std::string before = said;
      const qint64 since = clock.elapsed();
      room.engine->say(room.id, "x");
      said += "x";
      while (onDisk(room, answer).size() < said.size()) {
        QTest::qWait(20);
        longest_behind_ms = std::max(longest_behind_ms, clock.elapsed() - since);
        if (longest_behind_ms > 3000) break;
      }
    }
    QVERIFY2(longest_behind_ms > 0, "nothing was measured");
    QVERIFY2(longest_behind_ms < 1000, qPrintable(QString("%1 ms").arg(longest_behind_ms)));
  }

  void keepsTheMessageWhenNoModelIsOpen() {
    Room room(60000, /*with_engine=*/false);
    QSignalSpy finished(room.service.get(), &ChatService::answerFinished);
    room.service->submit(room.id, -1, "Anybody there?");
    QCOMPARE(finished.size(), 1);
    const Message answer = finishedAnswer(finished);
    QVERIFY(answer.state == MessageState::failed);
    QVERIFY(answer.error.find("No model is open") != std::string::npos);
    QCOMPARE(answer.error_code, std::string("not_found"));
    QCOMPARE(room.stored().front().text, std::string("Anybody there?"));

    auto engine = std::make_shared<FakeEngine>();
    room.service->setEngine(engine);
    room.service->regenerate(room.id, answer.id);
    QCOMPARE(engine->requests.size(), size_t(1));
    QCOMPARE(engine->requests[0].turns.size(), size_t(1));
    QCOMPARE(room.stored().back().sibling_ids.size(), size_t(2));
  }

  void givesTheModelTheWholePathWithoutEmptyAnswers() {
    Room room;
    QSignalSpy finished(room.service.get(), &ChatService::answerFinished);
    room.service->submit(room.id, -1, "one");
    room.engine->fail(room.id, {ErrorCode::device, "the cable"});
    QVERIFY(finished.wait(2000));
    room.service->submit(room.id, -1, "two");
    room.engine->say(room.id, "2");
    room.engine->finish(room.id);
    QVERIFY(finished.wait(2000));
    room.service->submit(room.id, -1, "three");
    QStringList texts;
    for (const Turn& turn : room.engine->requests.back().turns) texts << QString::fromStdString(turn.text);
    QCOMPARE(texts, (QStringList{"one", "two", "2", "three"}));
  }

  void stopsAndKeepsWhatThereIs() {
    Room room;
    QSignalSpy finished(room.service.get(), &ChatService::answerFinished);
    room.service->submit(room.id, -1, "Hi");
    room.engine->say(room.id, "half");
    room.service->stop(room.id);
    QVERIFY(finished.wait(2000));
    const Message answer = finishedAnswer(finished);
    QVERIFY(answer.state == MessageState::stopped);
    QCOMPARE(answer.text, std::string("half"));
    QCOMPARE(answer.stats->generated_tokens, 5);
    room.service->stop(room.id);  // nothing runs: nothing happens
    QCOMPARE(room.engine->cancelled.size(), size_t(1));
  }

  void regeneratesBesideTheOldAnswer() {
    Room room;
    QSignalSpy finished(room.service.get(), &ChatService::answerFinished);
    room.service->submit(room.id, -1, "Hi");
    room.engine->say(room.id, "first");
    room.engine->finish(room.id);
    QVERIFY(finished.wait(2000));
    const MessageId first = finishedAnswer(finished).id;
    QSignalSpy loaded(room.service.get(), &ChatService::pathLoaded);
    room.service->regenerate(room.id, first);
    const auto path = loaded.at(0).at(1).value<std::vector<Message>>();
    QCOMPARE(path.size(), size_t(2));
    QCOMPARE(path[1].sibling_ids.size(), size_t(2));
    QCOMPARE(path[1].sibling_ids[0], first);
    room.engine->say(room.id, "second");
    room.engine->finish(room.id);
    QVERIFY(finished.wait(2000));
    room.service->showBranch(room.id, first);
    QCOMPARE(room.stored().back().text, std::string("first"));
  }

  void editsBesideTheOldQuestion() {
    Room room;
    QSignalSpy finished(room.service.get(), &ChatService::answerFinished);
    room.service->submit(room.id, -1, "Hi");
    room.engine->finish(room.id);
    QVERIFY(finished.wait(2000));
    const MessageId question = room.stored().front().id;
    QSignalSpy loaded(room.service.get(), &ChatService::pathLoaded);
    room.service->edit(room.id, question, "Hi there");
    QCOMPARE(loaded.size(), 1);
    const auto path = room.stored();
    QCOMPARE(path[0].text, std::string("Hi there"));
    QCOMPARE(path[0].sibling_ids.size(), size_t(2));
    QCOMPARE(room.engine->requests.back().turns.back().text, std::string("Hi there"));
  }

  void answersOneQuestionAtATimeInAConversation() {
    Room room;
    room.service->submit(room.id, -1, "one");
    QSignalSpy refused(room.service.get(), &ChatService::submitFailed);
    QSignalSpy failed(room.service.get(), &ChatService::failed);
    room.service->submit(room.id, -1, "two");
    QCOMPARE(refused.at(0).at(1).toString(), QString("two"));
    QCOMPARE(errorOf(refused, 2).code, ErrorCode::busy);
    room.service->edit(room.id, room.stored().front().id, "three");
    QCOMPARE(refused.at(1).at(1).toString(), QString("three"));
    room.service->regenerate(room.id, room.answerId());
    QCOMPARE(errorOf(failed, 0).code, ErrorCode::busy);
    QCOMPARE(room.stored().size(), size_t(2));
  }

  void answersSeveralConversationsAtOnce() {
    Room room;
    QSignalSpy created(room.service.get(), &ChatService::conversationCreated);
    room.service->createConversation({});
    const auto other = created.at(0).at(0).value<Conversation>().id;
    QSignalSpy finished(room.service.get(), &ChatService::answerFinished);
    room.service->submit(room.id, -1, "a");
    room.service->submit(other, -1, "b");
    room.engine->say(room.id, "A");
    room.engine->say(other, "B");
    room.engine->finish(other);
    room.engine->finish(room.id);
    QTRY_COMPARE(finished.size(), 2);
    QCOMPARE(finishedAnswer(finished, 0).text, std::string("B"));
    QCOMPARE(finishedAnswer(finished, 1).text, std::string("A"));
  }

  void handsTheTextBackWhenItCannotBeStored() {
    Room room;
    QSignalSpy refused(room.service.get(), &ChatService::submitFailed);
    QSignalSpy added(room.service.get(), &ChatService::messagesAdded);
    test::failAfter(0, Fault::disk_full);
    room.service->submit(room.id, -1, "precious");
    test::stopFailing();
    QCOMPARE(refused.size(), 1);
    QCOMPARE(refused.at(0).at(1).toString(), QString("precious"));
    QCOMPARE(errorOf(refused, 2).code, ErrorCode::disk_full);
    QVERIFY(added.isEmpty() && room.engine->requests.empty());
    room.service->submit(room.id, -1, "precious");
    QCOMPARE(room.stored().front().text, std::string("precious"));
  }

  void reportsAFullDiskOnceAndStoresTheAnswerWhenItCan() {
    Room room;
    QSignalSpy finished(room.service.get(), &ChatService::answerFinished);
    QSignalSpy failed(room.service.get(), &ChatService::failed);
    room.service->submit(room.id, -1, "Hi");
    room.engine->say(room.id, "one ");
    test::failAfter(0, Fault::disk_full);
    QTest::qWait(1800);  // three checkpoints
    room.engine->say(room.id, "two");
    room.engine->finish(room.id);
    QTest::qWait(800);
    QCOMPARE(failed.size(), 1);
    QCOMPARE(errorOf(failed, 0).code, ErrorCode::disk_full);
    QVERIFY2(finished.isEmpty(), "announced as finished, but not stored");
    QSignalSpy refused(room.service.get(), &ChatService::submitFailed);
    room.service->submit(room.id, -1, "next");
    QCOMPARE(errorOf(refused, 2).code, ErrorCode::disk_full);
    test::stopFailing();
    QVERIFY(finished.wait(2000));
    QCOMPARE(finishedAnswer(finished).text, std::string("one two"));
    QCOMPARE(onDisk(room, finishedAnswer(finished).id), std::string("one two"));
  }

  void failsTheAnswerThatTheEngineRefuses() {
    Room room;
    QSignalSpy finished(room.service.get(), &ChatService::answerFinished);
    room.engine->refusal = Error{ErrorCode::invalid_argument, "9000 tokens do not fit into 512"};
    room.service->submit(room.id, -1, "long");
    QCOMPARE(finished.size(), 1);
    QVERIFY(finishedAnswer(finished).state == MessageState::failed);
    QCOMPARE(finishedAnswer(finished).error, std::string("9000 tokens do not fit into 512"));
    QCOMPARE(finishedAnswer(finished).error_code, std::string("invalid_argument"));
  }

  void keepsTheTextOfAnAnswerThatFails() {
    Room room;
    QSignalSpy finished(room.service.get(), &ChatService::answerFinished);
    room.service->submit(room.id, -1, "Hi");
    room.engine->say(room.id, "so far");
    room.engine->fail(room.id, {ErrorCode::device, "the cable fell out"});
    QVERIFY(finished.wait(2000));
    QVERIFY(finishedAnswer(finished).state == MessageState::failed);
    QCOMPARE(finishedAnswer(finished).text, std::string("so far"));
    QCOMPARE(finishedAnswer(finished).error_code, std::string("device"));
    QCOMPARE(room.stored().back().error, std::string("the cable fell out"));
    QCOMPARE(room.stored().back().error_code, std::string("device"));
  }

  void finishesRunningAnswersBeforeTheModelChanges() {
    Room room;
    QSignalSpy finished(room.service.get(), &ChatService::answerFinished);
    room.service->submit(room.id, -1, "Hi");
    room.engine->say(room.id, "by the old one");
    bool destroyed = false;
    room.engine->on_destroy = [&] { destroyed = true; };
    std::weak_ptr<FakeEngine> old = room.engine;
    room.engine = std::make_shared<FakeEngine>();
    room.service->setEngine(room.engine);
    QVERIFY(destroyed);
    QCOMPARE(finished.size(), 1);
    QVERIFY(finishedAnswer(finished).state == MessageState::stopped);
    QCOMPARE(finishedAnswer(finished).text, std::string("by the old one"));
    QCOMPARE(finishedAnswer(finished).stats->generated_tokens, 5);
    room.service->submit(room.id, -1, "next");
    QCOMPARE(room.engine->requests.size(), size_t(1));
  }

  void doesNotWaitForeverForAnEngineThatHangs() {
    Room room;
    QSignalSpy finished(room.service.get(), &ChatService::answerFinished);
    room.engine->obeys_cancel = false;
    room.service->submit(room.id, -1, "Hi");
    room.engine->say(room.id, "text");
    const auto old = room.engine;
    room.service->setEngine(nullptr);
    QCOMPARE(finishedAnswer(finished).text, std::string("text"));
    old->say(room.id, "too late");
    old->finish(room.id);
    QTest::qWait(50);
    QCOMPARE(finished.size(), 1);
  }

  void ignoresAnEngineThatSpeaksAfterTheServiceIsGone() {
    Room room;
    room.engine->obeys_cancel = false;
    room.service->submit(room.id, -1, "Hi");
    room.service.reset();
    room.engine->say(room.id, "hello?");
    room.engine->finish(room.id);
    QCoreApplication::processEvents();
    room.start();
    QVERIFY(room.stored().back().state == MessageState::stopped);
  }

  void deletesWithUndo() {
    Room room;
    room.service->submit(room.id, -1, "Hi");
    room.engine->say(room.id, "text");
    QSignalSpy deleted(room.service.get(), &ChatService::conversationDeleted);
    QSignalSpy restored(room.service.get(), &ChatService::conversationRestored);
    QSignalSpy listed(room.service.get(), &ChatService::conversationsListed);
    room.service->deleteConversation(room.id);
    QCOMPARE(deleted.at(0).at(1).toInt(), 60000);
    room.service->listConversations();
    QVERIFY(listed.at(0).at(0).value<std::vector<Conversation>>().empty());
    QVERIFY(room.engine->forgotten.empty());
    room.service->undoDelete(room.id);
    QCOMPARE(restored.size(), 1);
    QCOMPARE(room.stored().back().text, std::string("text"));
    QVERIFY(room.stored().back().state == MessageState::stopped);
  }

  void purgesWhenTheUndoHasRunOut() {
    Room room(/*undo_ms=*/100);
    room.service->submit(room.id, -1, "Hi");
    room.engine->finish(room.id);
    QSignalSpy purged(room.service.get(), &ChatService::conversationPurged);
    QSignalSpy failed(room.service.get(), &ChatService::failed);
    room.service->deleteConversation(room.id);
    QVERIFY(purged.wait(2000));
    QCOMPARE(room.engine->forgotten, std::vector<ConversationId>{room.id});
    room.service->undoDelete(room.id);
    QCOMPARE(errorOf(failed, 0).code, ErrorCode::not_found);
  }

  void purgesTheDeletedOfTheLastRun() {
    Room room;
    room.service->shutDown();
    room.service.reset();
    {
      auto store = *ConversationStore::open(room.file());
      QVERIFY(store->markDeleted(room.id));
    }
    room.start();
    QSignalSpy purged(room.service.get(), &ChatService::conversationPurged);
    QVERIFY(purged.wait(2000));
    QCOMPARE(purged.at(0).at(0).toLongLong(), room.id);
  }

  void keepsADeletionThatCanStillBeUndoneUntilTheNextStart() {
    Room room;
    QSignalSpy created(room.service.get(), &ChatService::conversationCreated);
    room.service->createConversation({});
    const auto expired = created.at(0).at(0).value<Conversation>().id;
    QTest::qWait(0);  // this start's purge is over
    QVERIFY((*ConversationStore::open(room.file()))->markDeleted(expired));
    room.service->deleteConversation(room.id);
    room.service->shutDown();
    room.service.reset();
    {
      const auto store = *ConversationStore::open(room.file());
      QCOMPARE(*store->deletedConversations(), std::vector<ConversationId>{room.id});
    }
    room.start();
    QSignalSpy purged(room.service.get(), &ChatService::conversationPurged);
    QVERIFY(purged.wait(2000));
    QCOMPARE(purged.at(0).at(0).toLongLong(), room.id);
  }

  void shutsDownWithEverythingStored() {
    Room room;
    room.service->submit(room.id, -1, "Hi");
    room.engine->say(room.id, "until the last moment");
    const MessageId answer = room.answerId();
    room.service->shutDown();
    QCOMPARE(onDisk(room, answer), std::string("until the last moment"));
    room.start();
    QVERIFY(room.stored().back().state == MessageState::stopped);
  }

  void showsARunningAnswerUpToWhereItIs() {
    Room room;
    QSignalSpy text(room.service.get(), &ChatService::answerText);
    room.service->submit(room.id, -1, "Hi");
    room.engine->say(room.id, "not yet checkpointed");
    QCoreApplication::processEvents();
    QCOMPARE(room.stored().back().text, std::string("not yet checkpointed"));
    room.engine->say(room.id, " more");
    QVERIFY(text.wait(1000));
    QCOMPARE(text.back().at(2).toString(), QString(" more"));
  }

  void leavesSettingsThatCannotBeStoredAsTheUserTypedThem() {
    Room room;
    QSignalSpy changed(room.service.get(), &ChatService::conversationChanged);
    QSignalSpy failed(room.service.get(), &ChatService::failed);
    GenerationSettings typed = Room::settings();
    typed.system_prompt = "Be long.";
    test::failAfter(0, Fault::disk_full);
    room.service->saveSettings(room.id, typed);
    test::stopFailing();
    QCOMPARE(errorOf(failed, 0).code, ErrorCode::disk_full);
    QVERIFY2(changed.isEmpty(), "the stored settings would replace the typed ones");
    room.service->saveSettings(room.id, typed);
    QCOMPARE(changed.at(0).at(0).value<Conversation>().settings.system_prompt, typed.system_prompt);
  }

  void namesAConversationAfterItsFirstMessage() {
    Room room;
    QSignalSpy changed(room.service.get(), &ChatService::conversationChanged);
    room.service->submit(room.id, -1, "  What is\na \"monad\"?  ");
    QCOMPARE(changed.back().at(0).value<Conversation>().title, std::string("What is a \"monad\"?"));
    room.service->renameConversation(room.id, "Monads");
    room.engine->finish(room.id);
    QTest::qWait(20);
    room.service->submit(room.id, -1, "next");
    QCOMPARE(changed.back().at(0).value<Conversation>().title, std::string("Monads"));
  }

  void cutsTitlesBetweenWordsAndCharacters() {
    QCOMPARE(titleFromText("short"), QString("short"));
    const QString long_title = titleFromText("The quick brown fox jumps over the lazy dog and then some");
    QCOMPARE(long_title, QString::fromUtf8("The quick brown fox jumps over the lazy dog and…"));
    const QString emoji = titleFromText(QString::fromUtf8("🙂").repeated(60));
    QVERIFY(emoji.size() <= 48 && emoji.toUtf8().endsWith("🙂…"));
    QCOMPARE(titleFromText(" \n "), QString());
  }

  void keepsSettingsOfTheApplication() {
    Room room;
    QSignalSpy loaded(room.service.get(), &ChatService::settingLoaded);
    room.service->loadSetting("last_model");
    QCOMPARE(loaded.at(0).at(1).toString(), QString());
    room.service->saveSetting("last_model", "/models/ä.gguf");
    room.service->loadSetting("last_model");
    QCOMPARE(loaded.at(1).at(1).toString(), QString("/models/ä.gguf"));
  }
};

QTEST_GUILESS_MAIN(ChatServiceTest)
#include "chat_service_test.moc"
