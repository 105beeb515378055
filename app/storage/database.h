// The one SQLite connection: opening, settings, migrations, and exceptions turned into errors.
// Private to app/storage: SQLiteCpp throws, and nothing outside may see that.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

#include "app/storage/migrations.h"
#include "kernels/base/error.h"

namespace hearth {

/// Used from one thread.
class Database {
 public:
  /// Opens or creates `file` and brings it to the last of `steps`.
  /// Codes: newer_version, bad_file, read_only, disk_full, busy, io.
  static Result<std::unique_ptr<Database>> open(const std::filesystem::path& file,
                                                std::span<const Migration> steps = migrations());

  /// For another program than the one that keeps the store, such as the command line: creates and
  /// changes nothing, also no file beside it. Only while a log is in use are SQLite's shared locks
  /// taken, for as long as a read() lasts. A log without its index (`-shm`) is not looked into: it
  /// would have to be created. Codes: newer_version, bad_file, read_only, io.
  static Result<std::unique_ptr<Database>> openToRead(
      const std::filesystem::path& file, std::span<const Migration> steps = migrations());

  /// Runs `work(SQLite::Database&)`, which returns a Result, as one transaction: committed when it
  /// has a value, rolled back when it is an error or throws.
  template <class Work>
  auto write(Work&& work) -> std::invoke_result_t<Work, SQLite::Database&> {
    return attempt([&]() -> std::invoke_result_t<Work, SQLite::Database&> {
      SQLite::Transaction transaction(*sqlite_, SQLite::TransactionBehavior::IMMEDIATE);
      auto result = work(*sqlite_);
      if (result) transaction.commit();
      return result;
    });
  }

  /// The same for work that only reads, on one snapshot of the file.
  template <class Work>
  auto read(Work&& work) -> std::invoke_result_t<Work, SQLite::Database&> {
    return attempt([&]() -> std::invoke_result_t<Work, SQLite::Database&> {
      SQLite::Transaction transaction(*sqlite_, SQLite::TransactionBehavior::DEFERRED);
      return work(*sqlite_);
    });
  }

  /// Copies the write-ahead log into the file and empties it, so that overwritten text is in
  /// neither. Codes: busy when somebody else is reading.
  Status emptyLog();

 private:
  Database(std::filesystem::path file, std::unique_ptr<SQLite::Database> sqlite);

  template <class Work>
  auto attempt(Work&& work) -> std::invoke_result_t<Work> {
    try {
      return work();
    } catch (const SQLite::Exception& thrown) {
      return tl::unexpected<Error>(errorOf(thrown));
    } catch (const std::bad_alloc&) {
      return fail(ErrorCode::out_of_memory, "{}: not enough memory", file_.string());
    }
  }

  Error errorOf(const SQLite::Exception& thrown) const;
  Status recognise(std::span<const Migration> steps);
  Status configure();
  Status migrate(std::span<const Migration> steps);

  std::filesystem::path file_;
  std::unique_ptr<SQLite::Database> sqlite_;
};

}  // namespace hearth
