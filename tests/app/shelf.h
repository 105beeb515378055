// A conversation store in a folder of its own, and ways to look at it from outside.
#pragma once

#include <sqlite3.h>

#include <QFile>
#include <QTemporaryDir>

#include "app/storage/conversation_store.h"

namespace hearth::test {

/// A store in a folder of its own.
class Shelf {
 public:
  Shelf() { reopen(); }

  void reopen() {
    store_.reset();
    auto opened = ConversationStore::open(file());
    if (!opened) qFatal("%s", opened.error().message.c_str());
    store_ = std::move(*opened);
  }
  void close() { store_.reset(); }

  std::filesystem::path file() const { return (folder_.path() + "/hearth.db").toStdString(); }
  ConversationStore* operator->() { return store_.get(); }

  QByteArray allBytes() const {
    QByteArray all;
    for (const char* suffix : {"", "-wal", "-journal"}) {
      QFile part(QString::fromStdString(file().string()) + suffix);
      if (part.open(QIODevice::ReadOnly)) all += part.readAll();
    }
    return all;
  }

 private:
  QTemporaryDir folder_;
  std::unique_ptr<ConversationStore> store_;
};

/// One value from the file, through a connection of its own.
inline std::string sqlValue(const std::filesystem::path& file, const char* sql) {
  sqlite3* db = nullptr;
  sqlite3_stmt* statement = nullptr;
  std::string value = "no row";
  if (sqlite3_open(file.c_str(), &db) != SQLITE_OK ||
      sqlite3_prepare_v2(db, sql, -1, &statement, nullptr) != SQLITE_OK) {
    value = sqlite3_errmsg(db);
  } else if (sqlite3_step(statement) == SQLITE_ROW) {
    const auto* text = sqlite3_column_text(statement, 0);
    value = text ? reinterpret_cast<const char*>(text) : "null";
  }
  sqlite3_finalize(statement);
  sqlite3_close(db);
  return value;
}

inline AnswerStats someStats() {
  AnswerStats stats;
  stats.prompt_tokens = 12;
  stats.cached_tokens = 7;
  stats.generated_tokens = 99;
  stats.time_to_first_token_ms = 41.5;
  stats.prompt_tokens_per_s = 310.25;
  stats.generated_tokens_per_s = 57.125;
  stats.stop_reason = "max_tokens";
  stats.dropped_messages = 4;
  stats.model = "stories260K@0123abcd";
  stats.device = "CPU, 2 threads";
  stats.settings_json = settingsToJson({});
  stats.adapters = {"pirate", "a \"quoted\" one"};
  return stats;
}

/// Everything that can be read from a store, as one text, to compare before and after a failure.
inline std::string contents(ConversationStore& store) {
  std::string all;
  const auto conversations = store.conversations();
  if (!conversations) return conversations.error().message;
  for (const Conversation& conversation : *conversations) {
    all += fmt::format("C{} '{}' leaf {} {}\n", conversation.id, conversation.title,
                       conversation.leaf_id.value_or(0), settingsToJson(conversation.settings));
    const auto path = store.path(conversation.id);
    if (!path) return path.error().message;
    for (const Message& message : *path)
      all += fmt::format("  M{} '{}' {} of {} {}\n", message.id, message.text,
                         static_cast<int>(message.state), message.sibling_ids.size(),
                         message.stats ? message.stats->generated_tokens : -1);
  }
  const auto deleted = store.deletedConversations();
  if (!deleted) return deleted.error().message;
  for (const ConversationId id : *deleted) all += fmt::format("D{}\n", id);
  const auto setting = store.setting("key");
  if (!setting) return setting.error().message;
  return all + "key=" + setting->value_or("-");
}

}  // namespace hearth::test
