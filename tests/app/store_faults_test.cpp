// The store on a disk that fails.

#include <QTemporaryDir>
#include <QTest>

#include <functional>

#include "app/storage/conversation_store.h"
#include "tests/app/failing_vfs.h"
#include "tests/app/shelf.h"

using namespace hearth;
using namespace hearth::test;

class StoreFaultsTest : public QObject {
  Q_OBJECT

 private slots:
  void initTestCase() { test::installFailingVfs(); }
  void cleanup() { test::stopFailing(); }

  // Every verb meets a fault at each of its writes, then at each of its reads. It has to say so with
  // the right code, and leave everything as it was, in memory and after a reopen; without the fault
  // it has to work again.
  void undoesAVerbThatFailsAnywhere_data() {
    QTest::addColumn<int>("fault");
    QTest::newRow("disk full") << static_cast<int>(Fault::disk_full);
    QTest::newRow("write error") << static_cast<int>(Fault::write_error);
    QTest::newRow("read error") << static_cast<int>(Fault::read_error);
  }
  void undoesAVerbThatFailsAnywhere() {
    QFETCH(int, fault);
    Shelf shelf;
    const auto id = shelf->createConversation({})->id;
    const auto gone = shelf->createConversation({})->id;
    QVERIFY(shelf->markDeleted(gone));
    const auto exchange = *shelf->addExchange(id, std::nullopt, "q");
    const auto other = *shelf->addMessage(id, exchange.question.id, Role::assistant, "other",
                                          MessageState::complete);
    const std::string large(20000, 'z');
    GenerationSettings long_settings;
    long_settings.system_prompt = large;
    const MessageId answer = exchange.answer.id;
    const auto drop = [](auto&& result) -> Status { return std::move(result).map([](auto&&) {}); };
    const std::vector<std::pair<const char*, std::function<Status()>>> verbs = {
        {"create", [&] { return drop(shelf->createConversation({})); }},
        {"rename", [&] { return shelf->rename(id, "renamed"); }},
        {"saveSettings", [&] { return shelf->saveSettings(id, long_settings); }},
        {"markDeleted", [&] { return shelf->markDeleted(id); }},
        {"restoreDeleted", [&] { return shelf->restoreDeleted(id); }},
        {"addExchange", [&] { return drop(shelf->addExchange(id, other.id, large)); }},
        {"addMessage", [&] {
           return drop(shelf->addMessage(id, exchange.question.id, Role::assistant, large,
                                         MessageState::streaming));
         }},
        {"showBranch", [&] { return shelf->showBranch(id, answer); }},
        {"checkpoint", [&] { return shelf->checkpoint(answer, large); }},
        {"finish", [&] { return shelf->finish(answer, large, MessageState::failed, someStats(), Error{ErrorCode::io, "e"}); }},
        {"saveSetting", [&] { return shelf->saveSetting("key", large); }},
        {"purge", [&] { return shelf->purge(gone); }},
    };
    for (const auto& [name, verb] : verbs) {
      const std::string before = contents(*shelf.operator->());
      int n_struck = 0;
      for (int n = 0; n < 300; ++n) {
        shelf.reopen();  // drops SQLite's page cache, so that there is something to read
        const std::string settled = contents(*shelf.operator->());
        test::failAfter(n, static_cast<Fault>(fault));
        const Status done = verb();
        const bool was_struck = test::faultsStruck() > 0;
        test::stopFailing();
        n_struck += was_struck;
        if (done) break;
        QVERIFY2(was_struck, name);
        const ErrorCode code = done.error().code;
        QVERIFY2(code == (static_cast<Fault>(fault) == Fault::disk_full ? ErrorCode::disk_full
                                                                         : ErrorCode::io),
                 done.error().message.c_str());
        QVERIFY(done.error().message.find("hearth.db") != std::string::npos);
        QCOMPARE(contents(*shelf.operator->()), settled);
      }
      if (static_cast<Fault>(fault) != Fault::read_error) QVERIFY2(n_struck > 0, name);
      QVERIFY2(contents(*shelf.operator->()) != before || std::string_view(name) == "purge", name);
      QCOMPARE(sqlValue(shelf.file(), "PRAGMA integrity_check"), std::string("ok"));
    }
  }

  void opensOrSaysWhyNotUnderAnyFault() {
    for (const Fault fault : {Fault::disk_full, Fault::write_error, Fault::read_error}) {
      for (int n = 0; n < 200; ++n) {
        QTemporaryDir folder;
        const std::filesystem::path file = (folder.path() + "/hearth.db").toStdString();
        test::failAfter(n, fault);
        const auto opened = ConversationStore::open(file);
        const bool was_struck = test::faultsStruck() > 0;
        test::stopFailing();
        if (!opened) QVERIFY(opened.error().message.find("hearth.db") != std::string::npos);
        if (!opened && fault == Fault::disk_full) QCOMPARE(opened.error().code, ErrorCode::disk_full);
        const auto again = ConversationStore::open(file);
        QVERIFY2(again.has_value(), again ? "" : again.error().message.c_str());
        if (!was_struck) break;
      }
    }
  }
};

QTEST_GUILESS_MAIN(StoreFaultsTest)
#include "store_faults_test.moc"
