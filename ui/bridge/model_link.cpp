#include "ui/bridge/model_link.h"

#include <QMetaObject>

#include <utility>

namespace hearth {
namespace {

void handToChat(ChatService& chat, std::shared_ptr<ChatEngine> engine) {
  QMetaObject::invokeMethod(
      &chat, [&chat, engine = std::move(engine)]() mutable { chat.setEngine(std::move(engine)); },
      Qt::QueuedConnection);
}

}  // namespace

ServiceModelLink::ServiceModelLink(ModelService& models, QObject* parent)
    : ModelLink(parent), models_(models) {
  connect(&models_, &ModelService::loading, this, &ModelLink::loading, Qt::QueuedConnection);
  connect(&models_, &ModelService::closed, this, &ModelLink::closed, Qt::QueuedConnection);
  connect(&models_, &ModelService::failed, this, &ModelLink::failed, Qt::QueuedConnection);
  connect(
      &models_, &ModelService::ready, this,
      [this](const std::shared_ptr<ChatEngine>&, const ModelDescription& model) { emit ready(model); },
      Qt::QueuedConnection);
}

void ServiceModelLink::openModel(const QString& path) {
  QMetaObject::invokeMethod(
      &models_, [&models = models_, path] { models.openModel(path); }, Qt::QueuedConnection);
}

void ServiceModelLink::closeModel() {
  QMetaObject::invokeMethod(
      &models_, [&models = models_] { models.closeModel(); }, Qt::QueuedConnection);
}

FixedModelLink::FixedModelLink(std::shared_ptr<ChatEngine> engine, ChatService& chat,
                               QObject* parent)
    : ModelLink(parent) {
  const ModelDescription description = engine->describe();
  handToChat(chat, std::move(engine));
  // Queued, so that whoever made this object can connect first.
  QMetaObject::invokeMethod(
      this, [this, description] { emit ready(description); }, Qt::QueuedConnection);
}

void FixedModelLink::openModel(const QString& path) {
  emit failed(path, Error{ErrorCode::unsupported,
                          path.toStdString() + ": this program plays a script and opens no models"});
}

}  // namespace hearth
