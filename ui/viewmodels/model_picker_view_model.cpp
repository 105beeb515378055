#include "ui/viewmodels/model_picker_view_model.h"

#include <QCoreApplication>
#include <QDir>
#include <QFileInfo>
#include <QLocale>

#include "ui/models/error_text.h"

namespace hearth {
namespace {

/// A Hugging Face folder is opened as a whole, whichever of its files was chosen.
QString modelPathFor(const QString& path) {
  const QFileInfo info(path);
  const QString suffix = info.suffix().toLower();
  const bool part = info.isFile() && (suffix == QLatin1String("safetensors") ||
                                      suffix == QLatin1String("json") ||
                                      info.fileName() == QLatin1String("tokenizer.model"));
  return QDir::cleanPath(part ? info.absolutePath() : info.absoluteFilePath());
}

}  // namespace

ModelPickerViewModel::ModelPickerViewModel(ModelLink& link, Preferences& preferences,
                                           NoticeListModel& notices, QObject* parent)
    : QObject(parent), link_(link), preferences_(preferences), notices_(notices), recent_(this) {
  connect(&link_, &ModelLink::ready, this, &ModelPickerViewModel::onReady);
  connect(&link_, &ModelLink::failed, this, &ModelPickerViewModel::onFailed);
  connect(&link_, &ModelLink::loading, this, [this](const QString& path) {
    loading_path_ = path;
    emit changed();
  });
  connect(&link_, &ModelLink::closed, this, [this] {
    ready_ = false;
    model_ = {};
    loading_path_.clear();  // it is not announced any more
    emit changed();
  });
  connect(&preferences_, &Preferences::loaded, this, [this] {
    recent_.reset(preferences_.value(Preferences::kRecentModels).split(QLatin1Char('\n'), Qt::SkipEmptyParts));
  });
}

QString ModelPickerViewModel::loadingName() const { return QFileInfo(loading_path_).fileName(); }

QString ModelPickerViewModel::facts() const {
  QStringList parts;
  if (!model_.architecture.empty()) parts << QString::fromStdString(model_.architecture);
  if (!model_.weight_type.empty()) parts << QString::fromStdString(model_.weight_type);
  if (model_.file_bytes > 0)
    parts << QLocale().formattedDataSize(static_cast<qint64>(model_.file_bytes));
  if (model_.context_length > 0) parts << QCoreApplication::translate("Models", "context %1").arg(model_.context_length);
  return parts.join(QStringLiteral(" · "));
}

QUrl ModelPickerViewModel::startFolder() const {
  const QString folder = recent_.count() > 0 ? QFileInfo(recent_.paths().first()).path() : QString();
  return QUrl::fromLocalFile(QFileInfo(folder).isDir() ? folder : QDir::homePath());
}

void ModelPickerViewModel::open(const QString& path) {
  if (path.isEmpty()) return;
  const QString model_path = modelPathFor(path);
  loading_path_ = model_path;
  emit changed();
  link_.openModel(model_path);
}

void ModelPickerViewModel::openUrl(const QUrl& url) {
  if (url.isLocalFile()) open(url.toLocalFile());
}

void ModelPickerViewModel::close() {
  link_.closeModel();
  preferences_.set(Preferences::kLastModel, {});
}

void ModelPickerViewModel::reopenLast() {
  const QString path = preferences_.value(Preferences::kLastModel);
  if (!path.isEmpty()) open(path);
}

void ModelPickerViewModel::onReady(const ModelDescription& model) {
  model_ = model;
  ready_ = true;
  loading_path_.clear();  // of a second one that waits, `loading` is still to come
  const QString path = QString::fromStdString(model.path);
  if (!path.isEmpty()) {
    recent_.touch(path);
    preferences_.set(Preferences::kRecentModels, recent_.paths().join(QLatin1Char('\n')));
    preferences_.set(Preferences::kLastModel, path);
  }
  emit changed();
}

void ModelPickerViewModel::onFailed(const QString& path, const Error& error) {
  loading_path_.clear();
  if (error.code == ErrorCode::not_found && !QFileInfo::exists(path)) {
    recent_.remove(path);
    preferences_.set(Preferences::kRecentModels, recent_.paths().join(QLatin1Char('\n')));
  }
  notices_.post(noticeForModel(path, error));
  emit changed();
}

}  // namespace hearth
