#include "app/storage/conversation_store.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>

#include "app/storage/database.h"

namespace hearth {

namespace {

constexpr std::string_view kDraftPrefix = "draft:";  // SCHEMA.md, settings
constexpr std::array<std::string_view, 2> kRoles = {"user", "assistant"};
constexpr std::array<std::string_view, 5> kStates = {"complete", "streaming", "interrupted",
                                                     "stopped", "failed"};

/// The index of `name`; the schema's CHECKs let no other name in.
template <class Enum, size_t n>
Enum fromName(const std::array<std::string_view, n>& names, const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  return static_cast<Enum>(found == names.end() ? 0 : found - names.begin());
}

std::string toName(Role role) { return std::string(kRoles.at(static_cast<size_t>(role))); }
std::string toName(MessageState state) { return std::string(kStates.at(static_cast<size_t>(state))); }

constexpr const char* kConversationColumns =
    "SELECT id, title, created_at_ms, updated_at_ms, leaf_id, settings_json FROM conversations ";

Conversation readConversation(SQLite::Statement& row) {
  Conversation conversation;
  conversation.id = row.getColumn(0).getInt64();
  conversation.title = row.getColumn(1).getString();
  conversation.created_at_ms = row.getColumn(2).getInt64();
  conversation.updated_at_ms = row.getColumn(3).getInt64();
  if (!row.isColumnNull(4)) conversation.leaf_id = row.getColumn(4).getInt64();
  conversation.settings = settingsFromJson(row.getColumn(5).getString());
  return conversation;
}

constexpr const char* kMessageColumns =
    "SELECT m.id, m.conversation_id, m.parent_id, m.role, m.state, m.created_at_ms, m.error,"
    " m.error_code, m.text,"
    " s.message_id, s.prompt_tokens, s.cached_tokens, s.generated_tokens, s.time_to_first_token_ms,"
    " s.prompt_tokens_per_s, s.generated_tokens_per_s, s.stop_reason, s.dropped_messages, s.model,"
    " s.device, s.settings_json, s.adapters_json"
    " FROM messages m LEFT JOIN answer_stats s ON s.message_id = m.id ";

AnswerStats readStats(SQLite::Statement& row) {
  AnswerStats stats;
  stats.prompt_tokens = row.getColumn(10).getInt();
  stats.cached_tokens = row.getColumn(11).getInt();
  stats.generated_tokens = row.getColumn(12).getInt();
  stats.time_to_first_token_ms = row.getColumn(13).getDouble();
  stats.prompt_tokens_per_s = row.getColumn(14).getDouble();
  stats.generated_tokens_per_s = row.getColumn(15).getDouble();
  stats.stop_reason = row.getColumn(16).getString();
  stats.dropped_messages = row.getColumn(17).getInt();
  stats.model = row.getColumn(18).getString();
  stats.device = row.getColumn(19).getString();
  stats.settings_json = row.getColumn(20).getString();
  const auto adapters = nlohmann::json::parse(row.getColumn(21).getString(), nullptr, false);
  if (adapters.is_array())
    for (const auto& adapter : adapters)
      if (adapter.is_string()) stats.adapters.push_back(adapter.get<std::string>());
  return stats;
}

Message readMessage(SQLite::Statement& row) {
  Message message;
  message.id = row.getColumn(0).getInt64();
  message.conversation_id = row.getColumn(1).getInt64();
  if (!row.isColumnNull(2)) message.parent_id = row.getColumn(2).getInt64();
  message.role = fromName<Role>(kRoles, row.getColumn(3).getString());
  message.state = fromName<MessageState>(kStates, row.getColumn(4).getString());
  message.created_at_ms = row.getColumn(5).getInt64();
  message.error = row.getColumn(6).getString();
  message.error_code = row.getColumn(7).getString();
  message.text = row.getColumn(8).getString();
  if (!row.isColumnNull(9)) message.stats = readStats(row);
  return message;
}

void bindParent(SQLite::Statement& statement, int index, std::optional<MessageId> parent) {
  if (parent) statement.bind(index, *parent);
  else statement.bind(index);
}

std::vector<MessageId> siblings(SQLite::Database& db, const Message& message) {
  SQLite::Statement rows(
      db, "SELECT id FROM messages WHERE conversation_id = ? AND parent_id IS ? ORDER BY id");
  rows.bind(1, message.conversation_id);
  bindParent(rows, 2, message.parent_id);
  std::vector<MessageId> ids;
  while (rows.executeStep()) ids.push_back(rows.getColumn(0).getInt64());
  return ids;
}

Result<Conversation> findConversation(SQLite::Database& db, ConversationId id) {
  SQLite::Statement row(db, std::string(kConversationColumns) + "WHERE id = ? AND deleted_at_ms IS NULL");
  row.bind(1, id);
  if (!row.executeStep()) return fail(ErrorCode::not_found, "There is no conversation {}.", id);
  return readConversation(row);
}

Result<Message> findMessage(SQLite::Database& db, MessageId id) {
  SQLite::Statement row(db, std::string(kMessageColumns) + "WHERE m.id = ?");
  row.bind(1, id);
  if (!row.executeStep()) return fail(ErrorCode::not_found, "There is no message {}.", id);
  Message message = readMessage(row);
  message.sibling_ids = siblings(db, message);
  return message;
}

std::optional<std::string> findSetting(SQLite::Database& db, const std::string& key) {
  SQLite::Statement row(db, "SELECT value FROM settings WHERE key = ?");
  row.bind(1, key);
  if (!row.executeStep()) return std::nullopt;
  return row.getColumn(0).getString();
}

Status changedOne(int n_rows, const char* what, int64_t id) {
  if (n_rows == 0) return fail(ErrorCode::not_found, "There is no {} {}.", what, id);
  return {};
}

void setLeaf(SQLite::Database& db, ConversationId id, MessageId leaf, int64_t now_ms) {
  SQLite::Statement update(db, "UPDATE conversations SET leaf_id = ?, updated_at_ms = ? WHERE id = ?");
  update.bind(1, leaf);
  update.bind(2, now_ms);
  update.bind(3, id);
  update.exec();
}

struct NewMessage {
  ConversationId conversation_id;
  std::optional<MessageId> parent_id;
  Role role;
  const std::string& text;
  MessageState state;
  int64_t created_at_ms;
};

/// The caller has made sure that conversation and parent belong together.
MessageId insertMessage(SQLite::Database& db, const NewMessage& message) {
  SQLite::Statement insert(db,
                           "INSERT INTO messages (conversation_id, parent_id, role, state,"
                           " created_at_ms, text) VALUES (?, ?, ?, ?, ?, ?)");
  insert.bind(1, message.conversation_id);
  bindParent(insert, 2, message.parent_id);
  insert.bind(3, toName(message.role));
  insert.bind(4, toName(message.state));
  insert.bind(5, message.created_at_ms);
  insert.bindNoCopy(6, message.text);
  insert.exec();
  return db.getLastInsertRowid();
}

/// A parent has to be a message of the same conversation.
Status checkParent(SQLite::Database& db, ConversationId id, std::optional<MessageId> parent) {
  if (const auto conversation = findConversation(db, id); !conversation) return passOn(conversation);
  if (!parent) return {};
  SQLite::Statement row(db, "SELECT 1 FROM messages WHERE conversation_id = ? AND id = ?");
  row.bind(1, id);
  row.bind(2, *parent);
  if (row.executeStep()) return {};
  return fail(ErrorCode::not_found, "There is no message {} in conversation {}.", *parent, id);
}

void storeStats(SQLite::Database& db, MessageId answer, const AnswerStats& stats) {
  SQLite::Statement insert(
      db, "INSERT OR REPLACE INTO answer_stats VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  insert.bind(1, answer);
  insert.bind(2, stats.prompt_tokens);
  insert.bind(3, stats.cached_tokens);
  insert.bind(4, stats.generated_tokens);
  insert.bind(5, stats.time_to_first_token_ms);
  insert.bind(6, stats.prompt_tokens_per_s);
  insert.bind(7, stats.generated_tokens_per_s);
  insert.bind(8, stats.stop_reason);
  insert.bind(9, stats.dropped_messages);
  insert.bind(10, stats.model);
  insert.bind(11, stats.device);
  insert.bind(12, stats.settings_json);
  using Json = nlohmann::json;
  insert.bind(13, Json(stats.adapters).dump(-1, ' ', false, Json::error_handler_t::replace));
  insert.exec();
}

}  // namespace

class ConversationStore::Connection {
 public:
  explicit Connection(std::unique_ptr<Database> database) : db(std::move(database)) {}

  /// Unix time, never twice the same: "most recently used first" needs an order.
  int64_t nowMs() {
    using namespace std::chrono;
    const int64_t now =
        duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
    last_ms_ = std::max(now, last_ms_ + 1);
    return last_ms_;
  }

  /// An UPDATE or DELETE of one row, by id.
  template <class Bind>
  Status changeOne(const char* sql, const char* what, int64_t id, Bind&& bind) {
    return db->write([&](SQLite::Database& sqlite) -> Status {
      SQLite::Statement statement(sqlite, sql);
      bind(statement);
      return changedOne(statement.exec(), what, id);
    });
  }

  const std::unique_ptr<Database> db;

 private:
  int64_t last_ms_ = 0;
};

ConversationStore::ConversationStore(std::unique_ptr<Connection> connection)
    : connection_(std::move(connection)) {}
ConversationStore::~ConversationStore() = default;

Result<std::unique_ptr<ConversationStore>> ConversationStore::open(
    const std::filesystem::path& file) {
  auto database = Database::open(file);
  if (!database) return passOn(database);
  const Status marked = (*database)->write([](SQLite::Database& db) -> Status {
    db.exec("UPDATE messages SET state = 'interrupted' WHERE state = 'streaming'");
    return {};
  });
  if (!marked) return passOn(marked);
  return std::unique_ptr<ConversationStore>(
      new ConversationStore(std::make_unique<Connection>(std::move(*database))));
}

Result<std::optional<std::string>> ConversationStore::peekSetting(
    const std::filesystem::path& file, const std::string& key) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return std::nullopt;
  auto database = Database::openToRead(file);
  if (!database) return passOn(database);
  return (*database)->read([&](SQLite::Database& db) -> Result<std::optional<std::string>> {
    if (!db.tableExists("settings")) return std::nullopt;  // ended before its first transaction
    return findSetting(db, key);
  });
}

Result<std::vector<Conversation>> ConversationStore::conversations() {
  return connection_->db->read([](SQLite::Database& db) -> Result<std::vector<Conversation>> {
    SQLite::Statement rows(db, std::string(kConversationColumns) +
                                   "WHERE deleted_at_ms IS NULL ORDER BY updated_at_ms DESC, id DESC");
    std::vector<Conversation> all;
    while (rows.executeStep()) all.push_back(readConversation(rows));
    return all;
  });
}

Result<Conversation> ConversationStore::conversation(ConversationId id) {
  return connection_->db->read([&](SQLite::Database& db) { return findConversation(db, id); });
}

Result<Conversation> ConversationStore::createConversation(const GenerationSettings& settings) {
  return connection_->db->write([&](SQLite::Database& db) -> Result<Conversation> {
    SQLite::Statement insert(db,
                             "INSERT INTO conversations (created_at_ms, updated_at_ms, settings_json)"
                             " VALUES (?1, ?1, ?2)");
    insert.bind(1, connection_->nowMs());
    insert.bind(2, settingsToJson(settings));
    insert.exec();
    return findConversation(db, db.getLastInsertRowid());
  });
}

Status ConversationStore::rename(ConversationId id, const std::string& title) {
  return connection_->changeOne(
      "UPDATE conversations SET title = ? WHERE id = ? AND deleted_at_ms IS NULL", "conversation", id,
      [&](SQLite::Statement& update) {
        update.bind(1, title);
        update.bind(2, id);
      });
}

Status ConversationStore::saveSettings(ConversationId id, const GenerationSettings& settings) {
  return connection_->changeOne(
      "UPDATE conversations SET settings_json = ? WHERE id = ? AND deleted_at_ms IS NULL",
      "conversation", id, [&](SQLite::Statement& update) {
        update.bind(1, settingsToJson(settings));
        update.bind(2, id);
      });
}

Status ConversationStore::markDeleted(ConversationId id) {
  return connection_->changeOne(
      "UPDATE conversations SET deleted_at_ms = ? WHERE id = ? AND deleted_at_ms IS NULL",
      "conversation", id, [&](SQLite::Statement& update) {
        update.bind(1, connection_->nowMs());
        update.bind(2, id);
      });
}

Status ConversationStore::restoreDeleted(ConversationId id) {
  return connection_->changeOne(
      "UPDATE conversations SET deleted_at_ms = NULL WHERE id = ? AND deleted_at_ms IS NOT NULL",
      "deleted conversation", id, [&](SQLite::Statement& update) { update.bind(1, id); });
}

Status ConversationStore::purge(ConversationId id) {
  const Status gone = connection_->db->write([&](SQLite::Database& db) -> Status {
    // Messages in one statement, not by a cascade along the parents: that is as deep as the chat is
    // long, and SQLite gives up at 1000.
    SQLite::Statement messages(db, "DELETE FROM messages WHERE conversation_id = ?");
    messages.bind(1, id);
    messages.exec();
    SQLite::Statement draft(db, "DELETE FROM settings WHERE key = ?");
    draft.bind(1, fmt::format("{}{}", kDraftPrefix, id));
    draft.exec();
    SQLite::Statement conversation(db, "DELETE FROM conversations WHERE id = ?");
    conversation.bind(1, id);
    return changedOne(conversation.exec(), "conversation", id);
  });
  // A log that another program is reading now is emptied when the store is closed at the latest.
  if (gone) (void)connection_->db->emptyLog();
  return gone;
}

Result<std::vector<ConversationId>> ConversationStore::deletedConversations() {
  return connection_->db->read([](SQLite::Database& db) -> Result<std::vector<ConversationId>> {
    SQLite::Statement rows(
        db, "SELECT id FROM conversations WHERE deleted_at_ms IS NOT NULL ORDER BY deleted_at_ms");
    std::vector<ConversationId> ids;
    while (rows.executeStep()) ids.push_back(rows.getColumn(0).getInt64());
    return ids;
  });
}

Result<std::vector<Message>> ConversationStore::path(ConversationId id) {
  return connection_->db->read([&](SQLite::Database& db) -> Result<std::vector<Message>> {
    const auto conversation = findConversation(db, id);
    if (!conversation) return passOn(conversation);
    std::map<std::optional<MessageId>, std::vector<MessageId>> children;
    SQLite::Statement tree(
        db, "SELECT parent_id, id FROM messages WHERE conversation_id = ? ORDER BY parent_id, id");
    tree.bind(1, id);
    while (tree.executeStep()) {
      std::optional<MessageId> parent;
      if (!tree.isColumnNull(0)) parent = tree.getColumn(0).getInt64();
      children[parent].push_back(tree.getColumn(1).getInt64());
    }
    SQLite::Statement one(db, std::string(kMessageColumns) + "WHERE m.id = ?");
    std::vector<Message> path;
    for (auto next = conversation->leaf_id; next; next = path.back().parent_id) {
      one.reset();
      one.bind(1, *next);
      if (!one.executeStep()) return fail(ErrorCode::bad_file, "Message {} is missing.", *next);
      path.push_back(readMessage(one));
      path.back().sibling_ids = children[path.back().parent_id];
    }
    std::reverse(path.begin(), path.end());
    return path;
  });
}

Result<Message> ConversationStore::message(MessageId id) {
  return connection_->db->read([&](SQLite::Database& db) { return findMessage(db, id); });
}

Result<Message> ConversationStore::addMessage(ConversationId id, std::optional<MessageId> parent,
                                              Role role, const std::string& text,
                                              MessageState state) {
  return connection_->db->write([&](SQLite::Database& db) -> Result<Message> {
    if (const Status fits = checkParent(db, id, parent); !fits) return passOn(fits);
    const int64_t now_ms = connection_->nowMs();
    const MessageId added = insertMessage(db, {id, parent, role, text, state, now_ms});
    setLeaf(db, id, added, now_ms);
    return findMessage(db, added);
  });
}

Result<ConversationStore::Exchange> ConversationStore::addExchange(ConversationId id,
                                                                   std::optional<MessageId> parent,
                                                                   const std::string& question) {
  return connection_->db->write([&](SQLite::Database& db) -> Result<Exchange> {
    if (const Status fits = checkParent(db, id, parent); !fits) return passOn(fits);
    const int64_t now_ms = connection_->nowMs();
    const MessageId question_id =
        insertMessage(db, {id, parent, Role::user, question, MessageState::complete, now_ms});
    const MessageId answer_id =
        insertMessage(db, {id, question_id, Role::assistant, "", MessageState::streaming, now_ms});
    setLeaf(db, id, answer_id, now_ms);
    auto stored_question = findMessage(db, question_id);
    if (!stored_question) return passOn(stored_question);
    auto stored_answer = findMessage(db, answer_id);
    if (!stored_answer) return passOn(stored_answer);
    return Exchange{std::move(*stored_question), std::move(*stored_answer)};
  });
}

Status ConversationStore::showBranch(ConversationId id, MessageId message) {
  return connection_->db->write([&](SQLite::Database& db) -> Status {
    if (const Status fits = checkParent(db, id, message); !fits) return fits;
    // Ids grow, so the newest descendant has no children: it is a leaf.
    SQLite::Statement newest(db,
                             "WITH RECURSIVE below (id) AS (VALUES (?1) UNION ALL"
                             " SELECT m.id FROM messages m JOIN below"
                             " ON m.conversation_id = ?2 AND m.parent_id = below.id)"
                             " SELECT max(id) FROM below");
    newest.bind(1, message);
    newest.bind(2, id);
    newest.executeStep();
    SQLite::Statement update(db, "UPDATE conversations SET leaf_id = ? WHERE id = ?");
    update.bind(1, newest.getColumn(0).getInt64());
    update.bind(2, id);
    return changedOne(update.exec(), "conversation", id);
  });
}

Status ConversationStore::checkpoint(MessageId answer, const std::string& text) {
  return connection_->changeOne("UPDATE messages SET text = ? WHERE id = ?", "message", answer,
                                [&](SQLite::Statement& update) {
                                  update.bindNoCopy(1, text);
                                  update.bind(2, answer);
                                });
}

Status ConversationStore::finish(MessageId answer, const std::string& text, MessageState state,
                                 const std::optional<AnswerStats>& stats,
                                 const std::optional<Error>& error) {
  return connection_->db->write([&](SQLite::Database& db) -> Status {
    SQLite::Statement update(
        db, "UPDATE messages SET text = ?, state = ?, error = ?, error_code = ? WHERE id = ?");
    update.bindNoCopy(1, text);
    update.bind(2, toName(state));
    update.bind(3, error ? error->message : "");
    update.bind(4, error ? errorCodeName(error->code) : "");
    update.bind(5, answer);
    if (const Status found = changedOne(update.exec(), "message", answer); !found) return found;
    if (stats) storeStats(db, answer, *stats);
    return {};
  });
}

Result<std::optional<std::string>> ConversationStore::setting(const std::string& key) {
  return connection_->db->read([&](SQLite::Database& db) -> Result<std::optional<std::string>> {
    return findSetting(db, key);
  });
}

Status ConversationStore::saveSetting(const std::string& key, const std::string& value) {
  return connection_->db->write([&](SQLite::Database& db) -> Status {
    SQLite::Statement insert(db, "INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)");
    insert.bind(1, key);
    insert.bind(2, value);
    insert.exec();
    return {};
  });
}

}  // namespace hearth
