#include "app/storage/database.h"

#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>

namespace hearth {

namespace {

namespace fs = std::filesystem;

constexpr int32_t kApplicationId = 0x48525448;  // "HRTH", in the file's header
constexpr int kBusyTimeoutMs = 2000;
constexpr int kLogLimitBytes = 4 << 20;  // the log is cut back to this after a checkpoint

/// Why the file could not be opened, from the folder it should be in: SQLite only says "cannot open".
Error openingError(const fs::path& file, const SQLite::Exception& thrown) {
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  std::error_code ignored;
  if (fs::is_directory(file, ignored))
    return {ErrorCode::bad_file, fmt::format("{}: is a folder, not a database", file.string())};
  if (!fs::is_directory(folder, ignored))
    return {ErrorCode::io, fmt::format("{}: its folder does not exist", file.string())};
  if (::access(folder.c_str(), W_OK) != 0 && (errno == EROFS || errno == EACCES))
    return {ErrorCode::read_only,
            fmt::format("{}: the folder cannot be written to", file.string())};
  if (fs::exists(file, ignored) && ::access(file.c_str(), R_OK | W_OK) != 0)
    return {ErrorCode::read_only, fmt::format("{}: the file cannot be written to", file.string())};
  if (fs::space(folder, ignored).available == 0 && !ignored)
    return {ErrorCode::disk_full, fmt::format("{}: the disk is full", file.string())};
  return {ErrorCode::io, fmt::format("{}: {}", file.string(), thrown.getErrorStr())};
}

/// SQLite does not keep errno of every failure (of a commit, for instance), so the disk is asked too.
bool isOutOfSpace(int system_errno, const fs::path& file) {
  if (system_errno == ENOSPC || system_errno == EDQUOT) return true;
  std::error_code failed;
  const fs::space_info space = fs::space(file, failed);
  return !failed && space.available == 0;
}

/// True when transactions are in the log that are not in the file yet: it is in use, or its program
/// ended badly.
bool hasLog(const fs::path& file) {
  std::error_code ignored;
  const fs::path log = file.string() + "-wal";
  return fs::exists(log, ignored) && fs::file_size(log, ignored) > 0;
}

/// As an SQLite URI, in which ?, # and % have a meaning.
std::string uriOf(const fs::path& file) {
  std::error_code ignored;
  std::string uri = "file://";
  for (const char byte : fs::absolute(file, ignored).string()) {
    const bool is_plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                          (byte >= '0' && byte <= '9') || byte == '/' || byte == '.' ||
                          byte == '-' || byte == '_';
    uri += is_plain ? std::string(1, byte) : fmt::format("%{:02X}", static_cast<uint8_t>(byte));
  }
  return uri;
}

}  // namespace

Database::Database(fs::path file, std::unique_ptr<SQLite::Database> sqlite)
    : file_(std::move(file)), sqlite_(std::move(sqlite)) {}

Result<std::unique_ptr<Database>> Database::open(const fs::path& file,
                                                 std::span<const Migration> steps) {
  const bool ended_badly = hasLog(file);
  std::unique_ptr<Database> database;
  try {
    auto sqlite = std::make_unique<SQLite::Database>(
        file, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, kBusyTimeoutMs);
    database.reset(new Database(file, std::move(sqlite)));
  } catch (const SQLite::Exception& thrown) {
    return tl::unexpected<Error>(openingError(file, thrown));
  }
  const Status opened = database->attempt([&]() -> Status {
    if (Status known = database->recognise(steps); !known) return known;
    if (sqlite3_db_readonly(database->sqlite_->getHandle(), "main") == 1)
      return fail(ErrorCode::read_only, "{}: the file cannot be written to", file.string());
    if (Status configured = database->configure(); !configured) return configured;
    if (ended_badly) {  // the log was replayed just now; a power cut may have left worse
      const std::string verdict = database->sqlite_->execAndGet("PRAGMA quick_check(1)").getString();
      if (verdict != "ok") return fail(ErrorCode::bad_file, "{}: is damaged: {}", file.string(), verdict);
    }
    return database->migrate(steps);
  });
  if (!opened) return passOn(opened);
  return database;
}

Result<std::unique_ptr<Database>> Database::openToRead(const fs::path& file,
                                                       std::span<const Migration> steps) {
  std::error_code ignored;
  const bool log_in_use = hasLog(file) && fs::exists(file.string() + "-shm", ignored);
  std::unique_ptr<Database> database;
  try {
    auto sqlite = std::make_unique<SQLite::Database>(
        uriOf(file) + (log_in_use ? "?mode=ro" : "?immutable=1"),
        SQLite::OPEN_READONLY | SQLite::OPEN_URI, kBusyTimeoutMs);
    database.reset(new Database(file, std::move(sqlite)));
  } catch (const SQLite::Exception& thrown) {
    return tl::unexpected<Error>(openingError(file, thrown));
  }
  const Status known = database->attempt([&] { return database->recognise(steps); });
  if (!known) return passOn(known);
  return database;
}

/// Decides whether the file is ours and of a schema we know, before anything is written to it.
Status Database::recognise(std::span<const Migration> steps) {
  const int32_t id = sqlite_->execAndGet("PRAGMA application_id").getInt();
  const int32_t schema = sqlite_->execAndGet("PRAGMA user_version").getInt();
  const int32_t n_objects = sqlite_->execAndGet("SELECT count(*) FROM sqlite_schema").getInt();
  const bool is_new = id == 0 && schema == 0 && n_objects == 0;
  if (id != kApplicationId && !is_new)
    return fail(ErrorCode::bad_file, "{}: is a database, but not one of Hearth's", file_.string());
  if (schema < 0 || static_cast<size_t>(schema) > steps.size())
    return fail(ErrorCode::newer_version,
                "{}: was written by a newer Hearth (schema {}, this one knows {}); nothing was changed",
                file_.string(), schema, steps.size());
  return {};
}

Status Database::configure() {
  const std::string mode = sqlite_->execAndGet("PRAGMA journal_mode = WAL").getString();
  if (mode != "wal")
    return fail(ErrorCode::io, "{}: no write-ahead log is possible in this folder", file_.string());
  sqlite_->exec("PRAGMA synchronous = FULL");
  sqlite_->exec("PRAGMA secure_delete = ON");
  sqlite_->exec("PRAGMA trusted_schema = OFF");
  sqlite_->exec("PRAGMA cell_size_check = ON");
  sqlite_->exec(fmt::format("PRAGMA journal_size_limit = {}", kLogLimitBytes));
  return {};
}

/// Foreign keys are off while a step runs, since a step may rebuild a table that others point at,
/// and are checked as a whole before it is committed.
Status Database::migrate(std::span<const Migration> steps) {
  sqlite_->exec("PRAGMA foreign_keys = OFF");
  const auto schema = static_cast<size_t>(sqlite_->execAndGet("PRAGMA user_version").getInt());
  for (size_t step = schema; step < steps.size(); ++step) {
    SQLite::Transaction transaction(*sqlite_, SQLite::TransactionBehavior::IMMEDIATE);
    sqlite_->exec(steps[step].sql);
    SQLite::Statement broken(*sqlite_, "PRAGMA foreign_key_check");
    if (broken.executeStep())
      return fail(ErrorCode::bad_file, "{}: {} leaves a row of {} without the row it belongs to",
                  file_.string(), steps[step].name, broken.getColumn(0).getString());
    broken.reset();
    sqlite_->exec(fmt::format("PRAGMA application_id = {}", kApplicationId));
    sqlite_->exec(fmt::format("PRAGMA user_version = {}", step + 1));
    transaction.commit();
  }
  sqlite_->exec("PRAGMA foreign_keys = ON");
  return {};
}

Status Database::emptyLog() {
  return attempt([&]() -> Status {
    SQLite::Statement checkpoint(*sqlite_, "PRAGMA wal_checkpoint(TRUNCATE)");
    if (checkpoint.executeStep() && checkpoint.getColumn(0).getInt() != 0)
      return fail(ErrorCode::busy, "{}: its log is in use by another program", file_.string());
    return {};
  });
}

Error Database::errorOf(const SQLite::Exception& thrown) const {
  const std::string file = file_.string();
  const int code = thrown.getErrorCode() & 0xff;
  // SQLite keeps errno for these two only; for others it would be that of an older failure.
  const bool has_errno = code == SQLITE_IOERR || code == SQLITE_CANTOPEN;
  const int system_errno = has_errno ? sqlite3_system_errno(sqlite_->getHandle()) : 0;
  if (code == SQLITE_FULL || (has_errno && isOutOfSpace(system_errno, file_)))
    return {ErrorCode::disk_full, fmt::format("{}: the disk is full", file)};
  if (system_errno == EROFS)
    return {ErrorCode::read_only, fmt::format("{}: the disk cannot be written to", file)};
  switch (code) {
    case SQLITE_NOTADB:
      return {ErrorCode::bad_file, fmt::format("{}: is not a database", file)};
    case SQLITE_CORRUPT:
      return {ErrorCode::bad_file, fmt::format("{}: is damaged: {}", file, thrown.getErrorStr())};
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return {ErrorCode::read_only, fmt::format("{}: the file cannot be written to", file)};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {ErrorCode::busy, fmt::format("{}: is in use by another program", file)};
    case SQLITE_CANTOPEN:
      return openingError(file_, thrown);
    case SQLITE_NOMEM:
      return {ErrorCode::out_of_memory, fmt::format("{}: not enough memory", file)};
    case SQLITE_TOOBIG:
      return {ErrorCode::invalid_argument, fmt::format("{}: the text is too long to store", file)};
    default:
      return {ErrorCode::io, fmt::format("{}: {} (SQLite {})", file, thrown.what(),
                                         thrown.getExtendedErrorCode())};
  }
}

}  // namespace hearth
