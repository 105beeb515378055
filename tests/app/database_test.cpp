#include "app/storage/database.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include "app/storage/conversation_store.h"

using namespace hearth;

namespace {

constexpr Migration kFirst = {"0001_first.sql", "CREATE TABLE a (id INTEGER PRIMARY KEY, text TEXT);"
                                                "CREATE TABLE b (a_id INTEGER REFERENCES a (id));"};

struct Place {
  QTemporaryDir folder;
  std::filesystem::path file = (folder.path() + "/test.db").toStdString();
};

int32_t number(Database& database, const char* sql) {
  return *database.read([&](SQLite::Database& db) -> Result<int32_t> {
    return db.execAndGet(sql).getInt();
  });
}

Status execute(Database& database, const char* sql) {
  return database.write([&](SQLite::Database& db) -> Status {
    db.exec(sql);
    return {};
  });
}

}  // namespace

class DatabaseTest : public QObject {
  Q_OBJECT

 private slots:
  void runsEveryMigrationOnceAndInOrder() {
    Place place;
    const Migration steps[] = {kFirst,
                               {"0002_more.sql", "INSERT INTO a (text) VALUES ('from 2');"},
                               {"0003_rest.sql", "UPDATE a SET text = text || ' and 3';"}};
    {
      const auto old = Database::open(place.file, std::span(steps).first(1));
      QVERIFY(old.has_value());
      QCOMPARE(number(**old, "PRAGMA user_version"), 1);
    }
    for (int i = 0; i < 2; ++i) {
      const auto now = Database::open(place.file, steps);
      QVERIFY2(now.has_value(), now ? "" : now.error().message.c_str());
      QCOMPARE(number(**now, "PRAGMA user_version"), 3);
      QCOMPARE(number(**now, "SELECT count(*) FROM a WHERE text = 'from 2 and 3'"), 1);
      QCOMPARE(number(**now, "PRAGMA foreign_keys"), 1);
      QCOMPARE(number(**now, "PRAGMA synchronous"), 2);
      QCOMPARE(number(**now, "PRAGMA secure_delete"), 1);
    }
    const auto too_old = Database::open(place.file, std::span(steps).first(2));
    QCOMPARE(too_old.error().code, ErrorCode::newer_version);
  }

  void leavesTheOldSchemaWhenAMigrationFails() {
    Place place;
    const Migration steps[] = {kFirst, {"0002_bad.sql", "CREATE TABLE c (x); INSERT INTO nowhere VALUES (1);"}};
    QVERIFY(Database::open(place.file, std::span(steps).first(1)).has_value());
    const auto failed = Database::open(place.file, steps);
    QVERIFY(!failed);
    QVERIFY2(failed.error().message.find("nowhere") != std::string::npos, failed.error().message.c_str());
    const auto old = Database::open(place.file, std::span(steps).first(1));
    QCOMPARE(number(**old, "SELECT count(*) FROM sqlite_schema WHERE name = 'c'"), 0);
    QCOMPARE(number(**old, "PRAGMA user_version"), 1);
  }

  void refusesAMigrationThatLosesWhatOthersPointAt() {
    Place place;
    const Migration steps[] = {kFirst, {"0002_bad.sql", "DELETE FROM a;"}};
    {
      const auto old = Database::open(place.file, std::span(steps).first(1));
      QVERIFY(execute(**old, "INSERT INTO a (id) VALUES (7); INSERT INTO b VALUES (7);"));
    }
    const auto failed = Database::open(place.file, steps);
    QVERIFY(!failed);
    QCOMPARE(failed.error().code, ErrorCode::bad_file);
    QVERIFY2(failed.error().message.find("0002_bad.sql") != std::string::npos, failed.error().message.c_str());
    const auto old = Database::open(place.file, std::span(steps).first(1));
    QCOMPARE(number(**old, "SELECT count(*) FROM a"), 1);
  }

  void undoesATransactionThatEndsInAnError() {
    Place place;
    const Migration steps[] = {kFirst};
    const auto database = Database::open(place.file, steps);
    const Status done = (*database)->write([](SQLite::Database& db) -> Status {
      db.exec("INSERT INTO a (text) VALUES ('x')");
      return fail(ErrorCode::not_found, "changed my mind");
    });
    QCOMPARE(done.error().code, ErrorCode::not_found);
    QCOMPARE(number(**database, "SELECT count(*) FROM a"), 0);
    const Status broken = execute(**database, "INSERT INTO b VALUES (12345)");
    QVERIFY(!broken);
    QCOMPARE(number(**database, "SELECT count(*) FROM b"), 0);
  }

  // tests/app/data/schema_N.db was written by the release that had schema N: one conversation with an
  // edited question, a regenerated, a failed and an interrupted answer, and a setting.
  void opensADatabaseOfEveryReleasedSchema() {
    for (size_t schema = 1; schema <= migrations().size(); ++schema) {
      Place place;
      const QString saved = QString(HEARTH_TEST_DATA "/../app/data/schema_%1.db").arg(schema);
      QVERIFY2(QFile::copy(saved, QString::fromStdString(place.file.string())), qPrintable(saved));
      QVERIFY(QFile::setPermissions(QString::fromStdString(place.file.string()),
                                    QFile::ReadOwner | QFile::WriteOwner));
      const auto store = ConversationStore::open(place.file);
      QVERIFY2(store.has_value(), store ? "" : store.error().message.c_str());
      const auto all = *(*store)->conversations();
      QCOMPARE(all.size(), size_t(1));
      QCOMPARE(all[0].title, std::string("Soup"));
      QCOMPARE(all[0].settings.system_prompt, std::string("You are a cook."));
      QVERIFY(all[0].settings.seed == 42u);
      const auto path = *(*store)->path(all[0].id);
      QCOMPARE(path.size(), size_t(4));
      QCOMPARE(path[0].text, std::string("How do I make soup?"));
      QCOMPARE(path[0].sibling_ids.size(), size_t(2));
      QCOMPARE(path[1].text, std::string("Boil water."));
      QCOMPARE(path[1].sibling_ids.size(), size_t(2));
      QCOMPARE(path[1].stats->generated_tokens, 3);
      QCOMPARE(path[1].stats->adapters, std::vector<std::string>{"chef"});
      QVERIFY(path[3].state == MessageState::interrupted);
      const Message failed = *(*store)->message(path[0].sibling_ids[0] + 1);
      QCOMPARE(failed.error, std::string("No model is open."));
      QCOMPARE(failed.error_code, std::string("not_found"));
      QCOMPARE(path[3].text, std::string("Then"));
      QCOMPARE(**(*store)->setting("last_model"), std::string("/models/stories.gguf"));
    }
  }
};

QTEST_GUILESS_MAIN(DatabaseTest)
#include "database_test.moc"
