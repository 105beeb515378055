// The window's end of the model service.
#pragma once

#include <QObject>

#include <memory>

#include "app/chat/chat_service.h"
#include "app/library/model_service.h"

namespace hearth {

/// Lives on the UI thread. When `ready` is emitted, the model is on its way to the chat service, ahead
/// of everything that is asked of it afterwards.
class ModelLink : public QObject {
  Q_OBJECT

 public:
  using QObject::QObject;

  virtual void openModel(const QString& path) = 0;
  virtual void closeModel() = 0;

 signals:
  void loading(const QString& path);
  void ready(const hearth::ModelDescription& model);
  void closed();
  void failed(const QString& path, const hearth::Error& error);
};

/// The link to the real service, which must outlive it.
class ServiceModelLink final : public ModelLink {
  Q_OBJECT

 public:
  explicit ServiceModelLink(ModelService& models, QObject* parent = nullptr);

  void openModel(const QString& path) override;
  void closeModel() override;

 private:
  ModelService& models_;
};

/// For hearth-offline: one engine, there from the start; every path is refused.
class FixedModelLink final : public ModelLink {
  Q_OBJECT

 public:
  FixedModelLink(std::shared_ptr<ChatEngine> engine, ChatService& chat, QObject* parent = nullptr);

  void openModel(const QString& path) override;
  void closeModel() override {}
};

}  // namespace hearth
