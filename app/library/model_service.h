// Opens model files for the window. Lives on its own thread, since reading a model may take seconds.
#pragma once

#include <QObject>
#include <QString>

#include <memory>
#include <string>

#include "app/chat/chat_engine.h"

namespace hearth {

struct ModelServiceOptions {
  int n_threads = 0;             // 0: automatic
  bool exact = false;
  uint64_t cache_limit_bytes = 0;  // 0: automatic, see EngineOptions
};

class ModelService : public QObject {
  Q_OBJECT

 public:
  explicit ModelService(ModelServiceOptions options, QObject* parent = nullptr);
  ~ModelService() override;

 public slots:
  /// A GGUF file or a Hugging Face folder. Emits loading, then ready or failed. The latest request
  /// wins: one that was overtaken while it loaded is answered by the later one's signals alone.
  void openModel(const QString& path);
  /// Emits closed. A model that is being loaded is not announced any more.
  void closeModel();

 signals:
  void loading(const QString& path);
  void ready(const std::shared_ptr<hearth::ChatEngine>& engine, const hearth::ModelDescription& model);
  void closed();
  /// `error.message` is the plain reason: which file, and what about it.
  void failed(const QString& path, const hearth::Error& error);

 private:
  void load(qint64 request, const QString& path);

  ModelServiceOptions options_;
  qint64 latest_request_ = 0;
};

/// Opens a model for chatting, with everything it needs. Takes as long as reading the file does.
/// Codes: those of openModelFile, loadTokenizer (not_found: no tokenizer) and Engine::create.
Result<std::shared_ptr<ChatEngine>> openChatEngine(const std::string& path,
                                                   const ModelServiceOptions& options);

}  // namespace hearth

Q_DECLARE_METATYPE(hearth::ModelDescription)
