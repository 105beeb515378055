#include "app/storage/conversation_store.h"

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include "tests/app/shelf.h"

using namespace hearth;
using namespace hearth::test;

namespace {

constexpr const char* kMark = "xyzzy-plugh-7531";

std::vector<MessageId> idsOf(const std::vector<Message>& path) {
  std::vector<MessageId> ids;
  for (const Message& message : path) ids.push_back(message.id);
  return ids;
}

QStringList filesIn(const std::filesystem::path& folder) {
  return QDir(QString::fromStdString(folder.string())).entryList(QDir::Files, QDir::Name);
}

}  // namespace

class ConversationStoreTest : public QObject {
  Q_OBJECT

 private slots:
  void startsEmptyWithTheRightFile() {
    Shelf shelf;
    QVERIFY(shelf->conversations()->empty());
    QCOMPARE(sqlValue(shelf.file(), "PRAGMA journal_mode"), std::string("wal"));
    QCOMPARE(sqlValue(shelf.file(), "PRAGMA user_version"), std::string("1"));
    QCOMPARE(sqlValue(shelf.file(), "PRAGMA application_id"), std::to_string(0x48525448));
  }

  void keepsConversationsOverAReopen() {
    Shelf shelf;
    GenerationSettings settings;
    settings.system_prompt = "You are a \"cook\".\n";
    settings.temperature = 0.1f;
    settings.top_k = 7;
    settings.top_p = 0.33f;
    settings.min_p = 0.0f;
    settings.repetition_penalty = 1.7f;
    settings.presence_penalty = -0.5f;
    settings.frequency_penalty = 0.25f;
    settings.seed = 18446744073709551615ull;
    settings.max_tokens = -1;
    settings.stop = {"\n\n", "User:", ""};
    const auto created = shelf->createConversation(settings);
    QVERIFY(created && shelf->rename(created->id, "Soup"));
    shelf.reopen();
    const auto all = shelf->conversations();
    QCOMPARE(all->size(), size_t(1));
    QCOMPARE(all->front().title, std::string("Soup"));
    QCOMPARE(all->front().created_at_ms, created->created_at_ms);
    QVERIFY(all->front().settings == settings);
    QVERIFY(!all->front().leaf_id);
  }

  void ignoresDamagedSettings() {
    QVERIFY(settingsFromJson("{broken") == GenerationSettings{});
    QVERIFY(settingsFromJson("[1, 2]") == GenerationSettings{});
    QVERIFY(settingsFromJson(R"({"top_k": "many", "seed": "x", "stop": 7, "later": {}})") ==
            GenerationSettings{});
  }

  void listsTheMostRecentlyUsedFirst() {
    Shelf shelf;
    const auto first = shelf->createConversation({})->id;
    const auto second = shelf->createConversation({})->id;
    QCOMPARE(shelf->conversations()->front().id, second);
    QVERIFY(shelf->addExchange(first, std::nullopt, "hello"));
    QCOMPARE(shelf->conversations()->front().id, first);
    QVERIFY(shelf->rename(second, "a new name is no use"));
    QCOMPARE(shelf->conversations()->front().id, first);
  }

  void keepsAnyBytes_data() {
    QTest::addColumn<QByteArray>("text");
    QTest::newRow("empty") << QByteArray("");
    QTest::newRow("NULs") << QByteArray("a\0b\0", 4);
    QTest::newRow("only a NUL") << QByteArray("\0", 1);
    QTest::newRow("invalid UTF-8") << QByteArray("\xff\xfe\xc3(\xf0\x9f");
    QTest::newRow("quotes") << QByteArray("'; DROP TABLE messages; --");
    QTest::newRow("Chinese and emoji") << QByteArray("你好 🙂");
    QByteArray large(10 * 1000 * 1000, 'x');
    for (int i = 0; i < large.size(); i += 97) large[i] = static_cast<char>(i);
    QTest::newRow("10 MB") << large;
  }
  void keepsAnyBytes() {
    QFETCH(QByteArray, text);
    Shelf shelf;
    const auto id = shelf->createConversation({})->id;
    const auto exchange = shelf->addExchange(id, std::nullopt, text.toStdString());
    QVERIFY(exchange.has_value());
    QVERIFY(shelf->finish(exchange->answer.id, text.toStdString(), MessageState::complete, {}, {}));
    QVERIFY(shelf->rename(id, text.left(100).toStdString()));
    shelf.reopen();
    const auto path = shelf->path(id);
    QCOMPARE(path->size(), size_t(2));
    QVERIFY(path->at(0).text == text.toStdString());
    QVERIFY(path->at(1).text == text.toStdString());
    QVERIFY(shelf->conversation(id)->title == text.left(100).toStdString());
  }

  void keepsStatisticsWithTheAnswer() {
    Shelf shelf;
    const auto id = shelf->createConversation({})->id;
    const auto exchange = shelf->addExchange(id, std::nullopt, "q");
    const AnswerStats stats = someStats();
    QVERIFY(shelf->finish(exchange->answer.id, "a", MessageState::failed, stats,
                          Error{ErrorCode::device, "the cable"}));
    shelf.reopen();
    const Message answer = *shelf->message(exchange->answer.id);
    QVERIFY(answer.state == MessageState::failed);
    QCOMPARE(answer.error, std::string("the cable"));
    QCOMPARE(answer.error_code, std::string("device"));
    QCOMPARE(shelf->message(exchange->question.id)->error_code, std::string());
    QVERIFY(answer.stats.has_value());
    QCOMPARE(answer.stats->prompt_tokens, 12);
    QCOMPARE(answer.stats->cached_tokens, 7);
    QCOMPARE(answer.stats->generated_tokens, 99);
    QCOMPARE(answer.stats->time_to_first_token_ms, 41.5);
    QCOMPARE(answer.stats->prompt_tokens_per_s, 310.25);
    QCOMPARE(answer.stats->generated_tokens_per_s, 57.125);
    QCOMPARE(answer.stats->stop_reason, std::string("max_tokens"));
    QCOMPARE(answer.stats->dropped_messages, 4);
    QCOMPARE(answer.stats->model, stats.model);
    QCOMPARE(answer.stats->device, stats.device);
    QCOMPARE(answer.stats->settings_json, stats.settings_json);
    QVERIFY(answer.stats->adapters == stats.adapters);
    QVERIFY(!shelf->message(exchange->question.id)->stats);
  }

  void keepsVersionsAsSiblings() {
    Shelf shelf;
    const auto id = shelf->createConversation({})->id;
    const auto first = *shelf->addExchange(id, std::nullopt, "one");
    const auto again = *shelf->addMessage(id, first.question.id, Role::assistant, "other",
                                          MessageState::complete);
    QCOMPARE(again.sibling_ids, (std::vector<MessageId>{first.answer.id, again.id}));
    const auto follow_up = *shelf->addExchange(id, again.id, "two");
    const auto edited = *shelf->addExchange(id, std::nullopt, "one, edited");
    QCOMPARE(edited.question.sibling_ids,
             (std::vector<MessageId>{first.question.id, edited.question.id}));
    QCOMPARE(idsOf(*shelf->path(id)), (std::vector<MessageId>{edited.question.id, edited.answer.id}));

    QVERIFY(shelf->showBranch(id, first.question.id));
    QCOMPARE(idsOf(*shelf->path(id)),
             (std::vector<MessageId>{first.question.id, again.id, follow_up.question.id,
                                     follow_up.answer.id}));
    QVERIFY(shelf->showBranch(id, first.answer.id));
    const auto path = *shelf->path(id);
    QCOMPARE(idsOf(path), (std::vector<MessageId>{first.question.id, first.answer.id}));
    QCOMPARE(path[0].sibling_ids, edited.question.sibling_ids);
    QCOMPARE(path[1].sibling_ids, again.sibling_ids);
  }

  void refusesWhatDoesNotBelongTogether() {
    Shelf shelf;
    const auto mine = shelf->createConversation({})->id;
    const auto other = shelf->createConversation({})->id;
    const auto exchange = *shelf->addExchange(mine, std::nullopt, "q");
    const std::string before = contents(*shelf.operator->());
    const auto code = [](const auto& result) { return result ? ErrorCode::io : result.error().code; };
    QCOMPARE(code(shelf->addExchange(other, exchange.answer.id, "x")), ErrorCode::not_found);
    QCOMPARE(code(shelf->addExchange(mine, 4711, "x")), ErrorCode::not_found);
    QCOMPARE(code(shelf->addExchange(4711, std::nullopt, "x")), ErrorCode::not_found);
    QCOMPARE(code(shelf->showBranch(other, exchange.answer.id)), ErrorCode::not_found);
    QCOMPARE(code(shelf->rename(4711, "x")), ErrorCode::not_found);
    QCOMPARE(code(shelf->saveSettings(4711, {})), ErrorCode::not_found);
    QCOMPARE(code(shelf->markDeleted(4711)), ErrorCode::not_found);
    QCOMPARE(code(shelf->restoreDeleted(mine)), ErrorCode::not_found);
    QCOMPARE(code(shelf->purge(4711)), ErrorCode::not_found);
    QCOMPARE(code(shelf->path(4711)), ErrorCode::not_found);
    QCOMPARE(code(shelf->message(4711)), ErrorCode::not_found);
    QCOMPARE(code(shelf->checkpoint(4711, "x")), ErrorCode::not_found);
    QCOMPARE(code(shelf->finish(4711, "x", MessageState::complete, {}, {})), ErrorCode::not_found);
    QCOMPARE(contents(*shelf.operator->()), before);
  }

  void marksAnAnswerThatWasBeingWrittenAsInterrupted() {
    Shelf shelf;
    const auto id = shelf->createConversation({})->id;
    const auto exchange = *shelf->addExchange(id, std::nullopt, "q");
    QVERIFY(shelf->checkpoint(exchange.answer.id, "half an ans"));
    shelf.reopen();
    const Message answer = *shelf->message(exchange.answer.id);
    QVERIFY(answer.state == MessageState::interrupted);
    QCOMPARE(answer.text, std::string("half an ans"));
    QVERIFY(shelf->message(exchange.question.id)->state == MessageState::complete);
  }

  void hidesDeletedOnesUntilTheyComeBack() {
    Shelf shelf;
    const auto id = shelf->createConversation({})->id;
    QVERIFY(shelf->addExchange(id, std::nullopt, "q"));
    QVERIFY(shelf->markDeleted(id));
    QVERIFY(shelf->conversations()->empty());
    QVERIFY(!shelf->path(id) && !shelf->addExchange(id, std::nullopt, "x") && !shelf->markDeleted(id));
    shelf.reopen();
    QCOMPARE(*shelf->deletedConversations(), std::vector<ConversationId>{id});
    QVERIFY(shelf->restoreDeleted(id));
    QCOMPARE(shelf->path(id)->size(), size_t(2));
    QVERIFY(shelf->deletedConversations()->empty());
  }

  void leavesNoByteOfAPurgedConversation() {
    Shelf shelf;
    const auto kept = shelf->createConversation({})->id;
    QVERIFY(shelf->addExchange(kept, std::nullopt, "kept-kept-kept"));
    GenerationSettings settings;
    settings.system_prompt = kMark;
    const auto id = shelf->createConversation(settings)->id;
    QVERIFY(shelf->rename(id, kMark));
    std::optional<MessageId> leaf;
    for (int i = 0; i < 20; ++i) {
      const auto exchange = *shelf->addExchange(id, leaf, kMark);
      leaf = exchange.answer.id;
      std::string text;
      for (int n = 0; n < 400; ++n) text += kMark;  // spills over into pages of its own
      QVERIFY(shelf->checkpoint(*leaf, text.substr(0, text.size() / 3)));
      QVERIFY(shelf->checkpoint(*leaf, text));
      AnswerStats stats = someStats();
      stats.settings_json = settingsToJson(settings);
      QVERIFY(shelf->finish(*leaf, text + text, MessageState::complete, stats,
                            Error{ErrorCode::io, kMark}));
    }
    QVERIFY(shelf.allBytes().contains(kMark));
    QVERIFY(shelf->markDeleted(id));
    QVERIFY(shelf->purge(id));
    QVERIFY2(!shelf.allBytes().contains(kMark), "with the store open");
    shelf.close();
    QVERIFY2(!shelf.allBytes().contains(kMark), "with the store closed");
    QVERIFY(shelf.allBytes().contains("kept-kept-kept"));
  }

  void leavesNoByteOfAPurgedConversationsDraft() {
    Shelf shelf;
    const auto draftOf = [](ConversationId id) { return "draft:" + std::to_string(id); };
    for (int i = 0; i < 10; ++i) QVERIFY(shelf->createConversation({}));
    const auto id = shelf->createConversation({})->id;  // has a neighbour's number as its beginning
    QVERIFY(shelf->saveSetting(draftOf(1), "kept-kept-kept"));
    for (const int n : {1, 40, 900, 2}) {  // longer, over pages of its own, shorter again
      std::string text;
      for (int i = 0; i < n; ++i) text += kMark;
      QVERIFY(shelf->saveSetting(draftOf(id), text));
    }
    QVERIFY(shelf.allBytes().contains(kMark));
    QVERIFY(shelf->markDeleted(id));
    QVERIFY(shelf->purge(id));
    QVERIFY(!shelf->setting(draftOf(id))->has_value());
    QVERIFY2(!shelf.allBytes().contains(kMark), "with the store open");
    shelf.close();
    QVERIFY2(!shelf.allBytes().contains(kMark), "with the store closed");
    shelf.reopen();
    QCOMPARE(**shelf->setting(draftOf(1)), std::string("kept-kept-kept"));
  }

  void purgesAChatOfAnyLength() {
    Shelf shelf;
    const auto id = shelf->createConversation({})->id;
    std::optional<MessageId> leaf;
    for (int i = 0; i < 1200; ++i)  // SQLite nests triggers and cascades 1000 deep at most
      leaf = shelf->addMessage(id, leaf, Role::user, "x", MessageState::complete)->id;
    QCOMPARE(shelf->path(id)->size(), size_t(1200));
    QVERIFY(shelf->purge(id));
    QCOMPARE(sqlValue(shelf.file(), "SELECT count(*) FROM messages"), std::string("0"));
  }

  void neverGivesAnIdTwice() {
    Shelf shelf;
    const auto id = shelf->createConversation({})->id;
    const auto exchange = *shelf->addExchange(id, std::nullopt, "q");
    QVERIFY(shelf->purge(id));
    const auto next = shelf->createConversation({})->id;
    QVERIFY(next > id);
    QVERIFY(shelf->addExchange(next, std::nullopt, "q")->question.id > exchange.answer.id);
  }

  void keepsApplicationSettings() {
    Shelf shelf;
    QVERIFY(!shelf->setting("last_model")->has_value());
    QVERIFY(shelf->saveSetting("last_model", "/a"));
    QVERIFY(shelf->saveSetting("last_model", "/b"));
    shelf.reopen();
    QCOMPARE(**shelf->setting("last_model"), std::string("/b"));
  }

  void letsOthersReadASettingWithoutATrace() {
    Shelf shelf;
    const auto folder = shelf.file().parent_path();
    QVERIFY(shelf->saveSetting("last_model", "/old"));
    shelf.close();
    QCOMPARE(filesIn(folder), QStringList{"hearth.db"});
    const QByteArray before = shelf.allBytes();
    QCOMPARE(**ConversationStore::peekSetting(shelf.file(), "last_model"), std::string("/old"));
    QVERIFY(!ConversationStore::peekSetting(shelf.file(), "wings")->has_value());
    QVERIFY(shelf.allBytes() == before);
    QCOMPARE(filesIn(folder), QStringList{"hearth.db"});

    shelf.reopen();  // in use, with the news in the log
    QVERIFY(shelf->saveSetting("last_model", "/new"));
    QCOMPARE(**ConversationStore::peekSetting(shelf.file(), "last_model"), std::string("/new"));
    QVERIFY(shelf->saveSetting("last_model", "/newest"));
    QCOMPARE(**ConversationStore::peekSetting(shelf.file(), "last_model"), std::string("/newest"));

    const auto copy = folder / "a copy? 50% #1" / "hearth.db";  // of a program that was killed
    std::filesystem::create_directory(copy.parent_path());
    std::filesystem::copy_file(shelf.file(), copy);
    std::filesystem::copy_file(shelf.file().string() + "-wal", copy.string() + "-wal");
    QCOMPARE(**ConversationStore::peekSetting(copy, "last_model"), std::string("/old"));
    QCOMPARE(filesIn(copy.parent_path()), (QStringList{"hearth.db", "hearth.db-wal"}));
  }

  void findsNoSettingWhereNoStoreIs() {
    QTemporaryDir folder;
    const std::filesystem::path file = (folder.path() + "/hearth.db").toStdString();
    QVERIFY(!ConversationStore::peekSetting(file, "last_model")->has_value());
    QVERIFY(filesIn(file.parent_path()).isEmpty());
    QVERIFY(QFile(QString::fromStdString(file.string())).open(QIODevice::WriteOnly));  // empty
    QVERIFY(!ConversationStore::peekSetting(file, "last_model")->has_value());
    sqlValue(file, "CREATE TABLE bookmarks (url TEXT)");
    const auto other = ConversationStore::peekSetting(file, "last_model");
    QVERIFY(!other);
    QCOMPARE(other.error().code, ErrorCode::bad_file);
  }

  void refusesTheFileOfANewerVersion() {
    Shelf shelf;
    QVERIFY(shelf->createConversation({}));
    shelf.close();
    QCOMPARE(sqlValue(shelf.file(), "PRAGMA user_version = 7"), std::string("no row"));
    const QByteArray before = shelf.allBytes();
    const auto opened = ConversationStore::open(shelf.file());
    QVERIFY(!opened);
    QCOMPARE(opened.error().code, ErrorCode::newer_version);
    QVERIFY(opened.error().message.find(shelf.file().string()) != std::string::npos);
    QVERIFY(shelf.allBytes() == before);
  }

  void refusesWhatIsNotItsDatabase_data() {
    QTest::addColumn<QByteArray>("bytes");
    QTest::newRow("text") << QByteArray(9000, 'T');
    QTest::newRow("a picture") << QByteArray("\x89PNG\r\n\x1a\n some more");
    QTest::newRow("header only") << QByteArray("SQLite format 3\0", 16);
  }
  void refusesWhatIsNotItsDatabase() {
    QFETCH(QByteArray, bytes);
    Shelf shelf;
    shelf.close();
    QFile file(QString::fromStdString(shelf.file().string()));
    QVERIFY(file.open(QIODevice::WriteOnly | QIODevice::Truncate));
    file.write(bytes);
    file.close();
    const auto opened = ConversationStore::open(shelf.file());
    QVERIFY(!opened);
    QCOMPARE(opened.error().code, ErrorCode::bad_file);
    QVERIFY(shelf.allBytes() == bytes);
  }

  void refusesTheDatabaseOfAnotherProgram() {
    QTemporaryDir folder;
    const std::filesystem::path file = (folder.path() + "/other.db").toStdString();
    sqlValue(file, "CREATE TABLE bookmarks (url TEXT)");
    const auto opened = ConversationStore::open(file);
    QVERIFY(!opened);
    QCOMPARE(opened.error().code, ErrorCode::bad_file);
    QCOMPARE(sqlValue(file, "PRAGMA journal_mode"), std::string("delete"));
  }

  void refusesAFolderAndAMissingFolder() {
    QTemporaryDir folder;
    const std::filesystem::path path = folder.path().toStdString();
    QCOMPARE(ConversationStore::open(path).error().code, ErrorCode::bad_file);
    QCOMPARE(ConversationStore::open(path / "no" / "hearth.db").error().code, ErrorCode::io);
  }

  void survivesDamageAnywhere() {
    Shelf shelf;
    const auto id = shelf->createConversation({})->id;
    std::optional<MessageId> leaf;
    for (int i = 0; i < 30; ++i) leaf = shelf->addExchange(id, leaf, std::string(500, 'q'))->answer.id;
    shelf.close();
    const QString name = QString::fromStdString(shelf.file().string());
    QFile file(name);
    QVERIFY(file.open(QIODevice::ReadOnly));
    const QByteArray good = file.readAll();
    file.close();
    int n_refused = 0;
    for (qsizetype at = 0; at < good.size(); at += 509) {
      QByteArray bad = good;
      for (qsizetype i = at; i < std::min(at + 64, bad.size()); ++i) bad[i] = static_cast<char>(~bad[i]);
      QVERIFY(file.open(QIODevice::WriteOnly | QIODevice::Truncate));
      file.write(bad);
      file.close();
      auto opened = ConversationStore::open(shelf.file());
      if (!opened) {
        ++n_refused;
        continue;
      }
      for (const auto& outcome : {(*opened)->path(id).map([](auto&&) {}), (*opened)->purge(id)})
        if (!outcome) {
          ++n_refused;
          QVERIFY(!outcome.error().message.empty());
        }
    }
    QVERIFY2(n_refused > 0, "no damage was noticed at all");
  }

  void saysBusyWhenAnotherProgramWrites() {
    Shelf shelf;
    const auto id = shelf->createConversation({})->id;
    sqlite3* other = nullptr;
    QCOMPARE(sqlite3_open(shelf.file().c_str(), &other), SQLITE_OK);
    QCOMPARE(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
    const Status renamed = shelf->rename(id, "x");
    QVERIFY(!renamed);
    QCOMPARE(renamed.error().code, ErrorCode::busy);
    sqlite3_close(other);
    QVERIFY(shelf->rename(id, "y"));
  }
};

QTEST_GUILESS_MAIN(ConversationStoreTest)
#include "conversation_store_test.moc"
