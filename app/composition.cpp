#include "app/composition.h"

#include <sys/stat.h>

#include <QFile>
#include <QLockFile>
#include <QMetaObject>
#include <cerrno>
#include <cstring>
#include <vector>

#include "app/storage/data_dir.h"

namespace hearth {

namespace {

namespace fs = std::filesystem;

ErrorCode codeOf(int system_errno) {
  switch (system_errno) {
    case EROFS:
    case EACCES:
    case EPERM: return ErrorCode::read_only;
    case ENOSPC:
    case EDQUOT: return ErrorCode::disk_full;
    default: return ErrorCode::io;
  }
}

/// Creates `folder` and what is missing above it, for this user only (XDG base directories).
/// Codes: read_only, disk_full, io.
Status createPrivateFolder(const fs::path& folder) {
  std::vector<fs::path> missing;
  std::error_code ignored;
  for (fs::path path = folder; !path.empty() && !fs::exists(path, ignored); path = path.parent_path()) {
    missing.push_back(path);
    if (path == path.parent_path()) break;
  }
  for (auto path = missing.rbegin(); path != missing.rend(); ++path) {
    if (::mkdir(path->c_str(), 0700) != 0 && errno != EEXIST)
      return fail(codeOf(errno), "{}: cannot create this folder: {}", path->string(), std::strerror(errno));
  }
  if (!fs::is_directory(folder, ignored))
    return fail(ErrorCode::io, "{}: is not a folder", folder.string());
  return {};
}

Error lockError(const fs::path& folder, const QLockFile& lock) {
  const std::string name = folder.string();
  std::error_code ignored;
  if (lock.error() == QLockFile::LockFailedError) {
    qint64 process = 0;
    QString host, program;
    const bool known = lock.getLockInfo(&process, &host, &program);
    return {ErrorCode::busy, fmt::format("{}: another Hearth uses this folder{}", name,
                                         known ? fmt::format(" (process {})", process) : "")};
  }
  if (lock.error() == QLockFile::PermissionError)
    return {ErrorCode::read_only, fmt::format("{}: the folder cannot be written to", name)};
  const bool is_full = fs::space(folder, ignored).available == 0 && !ignored;
  if (is_full) return {ErrorCode::disk_full, fmt::format("{}: the disk is full", name)};
  return {ErrorCode::io, fmt::format("{}: cannot lock this folder", name)};
}

/// What queued signals between the threads carry.
void registerTypes() {
  qRegisterMetaType<Conversation>();
  qRegisterMetaType<Message>();
  qRegisterMetaType<GenerationSettings>();
  qRegisterMetaType<Error>();
  qRegisterMetaType<std::vector<Conversation>>();
  qRegisterMetaType<std::vector<Message>>();
  qRegisterMetaType<std::shared_ptr<ChatEngine>>();
  qRegisterMetaType<ModelDescription>();
  qRegisterMetaType<ConversationId>("hearth::ConversationId");
  qRegisterMetaType<MessageId>("hearth::MessageId");
}

}  // namespace

Result<std::unique_ptr<Composition>> Composition::create(const CompositionOptions& options) {
  const fs::path folder = options.data_dir.empty() ? defaultDataDir() : options.data_dir;
  if (Status created = createPrivateFolder(folder); !created) return passOn(created);

  auto lock = std::make_unique<QLockFile>(
      QFile::decodeName((folder / "hearth.lock").string().c_str()));
  lock->setStaleLockTime(0);  // never by age: only the lock of a process that has ended is taken over
  if (!lock->tryLock(0)) return tl::unexpected<Error>(lockError(folder, *lock));

  auto store = ConversationStore::open(storeFile(folder));
  if (!store) return passOn(store);
  registerTypes();
  return std::unique_ptr<Composition>(
      new Composition(std::move(lock), std::move(*store), options));
}

Composition::Composition(std::unique_ptr<QLockFile> lock, std::unique_ptr<ConversationStore> store,
                         const CompositionOptions& options)
    : lock_(std::move(lock)),
      chat_(new ChatService(std::move(store))),
      models_(new ModelService(options.models)) {
  service_thread_.setObjectName("hearth-service");
  loader_thread_.setObjectName("hearth-loader");
  chat_->moveToThread(&service_thread_);
  models_->moveToThread(&loader_thread_);
  QObject::connect(&service_thread_, &QThread::finished, chat_, &QObject::deleteLater);
  QObject::connect(&loader_thread_, &QThread::finished, models_, &QObject::deleteLater);
  QObject::connect(models_, &ModelService::ready, chat_,
                   [chat = chat_](const std::shared_ptr<ChatEngine>& engine) { chat->setEngine(engine); });
  QObject::connect(models_, &ModelService::closed, chat_, [chat = chat_] { chat->setEngine(nullptr); });
  service_thread_.start();
  loader_thread_.start();
}

Composition::~Composition() {
  loader_thread_.quit();  // a load that is under way ends first
  QMetaObject::invokeMethod(chat_, &ChatService::shutDown, Qt::BlockingQueuedConnection);
  loader_thread_.wait();
  service_thread_.quit();
  service_thread_.wait();
}

}  // namespace hearth
