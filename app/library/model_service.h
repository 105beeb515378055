// Opens model files for the window. Lives on its own thread, since reading a model may take seconds.
#pragma once

#include <QObject>
#include <QString>

#include <memory>

#include "app/chat/chat_engine.h"

namespace hearth {

struct ModelServiceOptions {
  int n_threads = 0;             // 0: automatic
  bool exact = false;
  uint64_t cache_limit_bytes = 2ull << 30;
};

class ModelService : public QObject {
  Q_OBJECT

 public:
  explicit ModelService(ModelServiceOptions options, QObject* parent = nullptr);
  ~ModelService() override;

 public slots:
  /// A GGUF file or a Hugging Face folder. Emits loading, then ready or failed.
  void openModel(const QString& path);
  void closeModel();

 signals:
  void loading(const QString& path);
  void ready(const std::shared_ptr<hearth::ChatEngine>& engine, const hearth::ModelDescription& model);
  /// `error.message` is the plain reason: which file, and what about it.
  void failed(const QString& path, const hearth::Error& error);

 private:
  ModelServiceOptions options_;
};

}  // namespace hearth

Q_DECLARE_METATYPE(hearth::ModelDescription)
