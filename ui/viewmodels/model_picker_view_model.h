// The model picker: what is open, what is being opened, what was open before.
#pragma once

#include <QObject>
#include <QUrl>
#include <qqmlregistration.h>

#include "ui/bridge/model_link.h"
#include "ui/bridge/preferences.h"
#include "ui/models/notice_list_model.h"
#include "ui/models/recent_models_model.h"

namespace hearth {

class ModelPickerViewModel : public QObject {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("made by the window")
  Q_PROPERTY(hearth::RecentModelsModel* recent READ recent CONSTANT)
  Q_PROPERTY(bool ready READ ready NOTIFY changed)
  Q_PROPERTY(bool loading READ loading NOTIFY changed)
  Q_PROPERTY(QString name READ name NOTIFY changed)
  Q_PROPERTY(QString loadingName READ loadingName NOTIFY changed)
  Q_PROPERTY(QString device READ device NOTIFY changed)
  Q_PROPERTY(QString whyNotGpu READ whyNotGpu NOTIFY changed)
  Q_PROPERTY(QString facts READ facts NOTIFY changed)
  Q_PROPERTY(QUrl startFolder READ startFolder NOTIFY changed)

 public:
  ModelPickerViewModel(ModelLink& link, Preferences& preferences, NoticeListModel& notices,
                       QObject* parent = nullptr);

  RecentModelsModel* recent() { return &recent_; }
  bool ready() const { return ready_; }
  bool loading() const { return !loading_path_.isEmpty(); }
  QString name() const { return QString::fromStdString(model_.name); }
  QString loadingName() const;
  QString device() const { return QString::fromStdString(model_.device); }
  QString whyNotGpu() const { return QString::fromStdString(model_.why_not_gpu); }
  /// "llama · Q8_0 · 1.1 GB · context 2048"
  QString facts() const;
  /// Where the last model lies, or the user's home.
  QUrl startFolder() const;

  /// A file or a folder. A part of a Hugging Face folder stands for the folder.
  Q_INVOKABLE void open(const QString& path);
  Q_INVOKABLE void openUrl(const QUrl& url);
  Q_INVOKABLE void close();
  /// Opens the model of the last time, if it is still there. Preferences must be loaded.
  void reopenLast();

 signals:
  void changed();

 private:
  void onReady(const ModelDescription& model);
  void onFailed(const QString& path, const Error& error);

  ModelLink& link_;
  Preferences& preferences_;
  NoticeListModel& notices_;
  RecentModelsModel recent_;
  ModelDescription model_;
  QString loading_path_;
  bool ready_ = false;
};

}  // namespace hearth
