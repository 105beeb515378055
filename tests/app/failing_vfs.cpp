#include "tests/app/failing_vfs.h"

#include <sqlite3.h>

#include <atomic>
#include <cerrno>
#include <cstring>

namespace hearth::test {

namespace {

std::atomic<bool> armed = false;
std::atomic<int> passes_left = 0;
std::atomic<int> struck = 0;
std::atomic<Fault> current = Fault::disk_full;
int last_errno = 0;  // of the fault; SQLite asks for it at once, on the same thread

bool strikes(bool is_read) {
  if (!armed || is_read != (current == Fault::read_error)) return false;
  if (passes_left > 0) {
    --passes_left;
    return false;
  }
  ++struck;
  last_errno = current == Fault::disk_full ? ENOSPC : EIO;
  if (current != Fault::disk_full) armed = false;
  return true;
}

struct FailingFile {
  sqlite3_file base;  // must be first: SQLite sees this
  sqlite3_file* real;
};

sqlite3_vfs* root = nullptr;

sqlite3_file* realOf(sqlite3_file* file) { return reinterpret_cast<FailingFile*>(file)->real; }

int closeFile(sqlite3_file* file) { return realOf(file)->pMethods->xClose(realOf(file)); }
int readFile(sqlite3_file* file, void* to, int n, sqlite3_int64 at) {
  if (strikes(true)) return SQLITE_IOERR_READ;
  return realOf(file)->pMethods->xRead(realOf(file), to, n, at);
}
int writeFile(sqlite3_file* file, const void* from, int n, sqlite3_int64 at) {
  if (strikes(false)) return current == Fault::disk_full ? SQLITE_FULL : SQLITE_IOERR_WRITE;
  return realOf(file)->pMethods->xWrite(realOf(file), from, n, at);
}
int truncateFile(sqlite3_file* file, sqlite3_int64 size) {
  if (current != Fault::disk_full && strikes(false)) return SQLITE_IOERR_TRUNCATE;
  return realOf(file)->pMethods->xTruncate(realOf(file), size);
}
int syncFile(sqlite3_file* file, int flags) {
  if (current != Fault::disk_full && strikes(false)) return SQLITE_IOERR_FSYNC;
  return realOf(file)->pMethods->xSync(realOf(file), flags);
}
int fileSize(sqlite3_file* file, sqlite3_int64* size) {
  return realOf(file)->pMethods->xFileSize(realOf(file), size);
}
int lockFile(sqlite3_file* file, int level) { return realOf(file)->pMethods->xLock(realOf(file), level); }
int unlockFile(sqlite3_file* file, int level) {
  return realOf(file)->pMethods->xUnlock(realOf(file), level);
}
int checkReserved(sqlite3_file* file, int* reserved) {
  return realOf(file)->pMethods->xCheckReservedLock(realOf(file), reserved);
}
int fileControl(sqlite3_file* file, int op, void* argument) {
  return realOf(file)->pMethods->xFileControl(realOf(file), op, argument);
}
int sectorSize(sqlite3_file* file) { return realOf(file)->pMethods->xSectorSize(realOf(file)); }
int characteristics(sqlite3_file* file) {
  return realOf(file)->pMethods->xDeviceCharacteristics(realOf(file));
}
int shmMap(sqlite3_file* file, int page, int size, int extend, void volatile** memory) {
  if (extend && strikes(false)) return SQLITE_IOERR_SHMSIZE;
  return realOf(file)->pMethods->xShmMap(realOf(file), page, size, extend, memory);
}
int shmLock(sqlite3_file* file, int offset, int n, int flags) {
  return realOf(file)->pMethods->xShmLock(realOf(file), offset, n, flags);
}
void shmBarrier(sqlite3_file* file) { realOf(file)->pMethods->xShmBarrier(realOf(file)); }
int shmUnmap(sqlite3_file* file, int remove) {
  return realOf(file)->pMethods->xShmUnmap(realOf(file), remove);
}

constexpr sqlite3_io_methods kMethods = {
    2,        closeFile, readFile,      writeFile,   truncateFile, syncFile,        fileSize, lockFile,
    unlockFile, checkReserved, fileControl, sectorSize, characteristics, shmMap, shmLock,
    shmBarrier, shmUnmap, nullptr, nullptr};

int openFile(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  auto* failing = reinterpret_cast<FailingFile*>(file);
  failing->base.pMethods = nullptr;
  failing->real = reinterpret_cast<sqlite3_file*>(failing + 1);
  std::memset(failing->real, 0, static_cast<size_t>(root->szOsFile));
  const int opened = root->xOpen(root, name, failing->real, flags, out_flags);
  if (failing->real->pMethods) failing->base.pMethods = &kMethods;
  return opened;
}

int lastError(sqlite3_vfs*, int, char*) { return last_errno; }

}  // namespace

void installFailingVfs() {
  static sqlite3_vfs failing;
  if (root) return;
  root = sqlite3_vfs_find(nullptr);
  failing = *root;
  failing.zName = "failing";
  failing.szOsFile = root->szOsFile + static_cast<int>(sizeof(FailingFile));
  failing.xOpen = openFile;
  failing.xGetLastError = lastError;
  sqlite3_vfs_register(&failing, /*makeDflt=*/1);
}

void failAfter(int n, Fault fault) {
  current = fault;
  passes_left = n;
  struck = 0;
  armed = true;
}

void stopFailing() {
  armed = false;
  last_errno = 0;
}

int faultsStruck() { return struck; }

}  // namespace hearth::test
