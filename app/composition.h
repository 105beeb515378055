// Builds the application's objects and hands out references. The only place that knows them all.
#pragma once

#include <QThread>

#include <filesystem>
#include <memory>

#include "app/chat/chat_service.h"
#include "app/library/model_service.h"

class QLockFile;

namespace hearth {

struct CompositionOptions {
  std::filesystem::path data_dir;  // empty: defaultDataDir()
  ModelServiceOptions models;
};

/// Owns the service threads. Created and destroyed on the main thread. A model that the model service
/// has opened (or closed) is handed to the chat service here; a ready-made engine can be set with
/// chat().setEngine, queued.
class Composition {
 public:
  /// Creates the data folder, takes its lock and opens the store.
  /// Codes: busy (another Hearth uses this folder), read_only, disk_full, newer_version, bad_file, io.
  static Result<std::unique_ptr<Composition>> create(const CompositionOptions& options);
  /// Stops answers, stores them, ends the threads.
  ~Composition();

  ChatService& chat() { return *chat_; }      // lives on the service thread
  ModelService& models() { return *models_; } // lives on the loader thread

 private:
  Composition(std::unique_ptr<QLockFile> lock, std::unique_ptr<ConversationStore> store,
              const CompositionOptions& options);

  std::unique_ptr<QLockFile> lock_;
  QThread service_thread_, loader_thread_;
  ChatService* chat_ = nullptr;      // owned; deleted on its thread
  ModelService* models_ = nullptr;   // owned; deleted on its thread
};

}  // namespace hearth
