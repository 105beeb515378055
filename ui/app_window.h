// The window and everything behind it that lives on the UI thread.
#pragma once

#include <QObject>
#include <QQmlApplicationEngine>

#include "ui/bridge/chat_link.h"
#include "ui/bridge/model_link.h"
#include "ui/bridge/preferences.h"
#include "ui/bridge/trace.h"
#include "ui/models/notice_list_model.h"
#include "ui/viewmodels/appearance_view_model.h"
#include "ui/viewmodels/chat_view_model.h"
#include "ui/viewmodels/conversations_view_model.h"
#include "ui/viewmodels/model_picker_view_model.h"
#include "ui/viewmodels/settings_view_model.h"
#include "ui/viewmodels/window_state_view_model.h"

class QQuickWindow;

namespace hearth {

struct AppWindowOptions {
  QString model_path;        // opened at the start; empty: the one of the last time
  bool reopen_model = true;
};

/// Precondition: a QGuiApplication exists. The links must outlive the window.
class AppWindow : public QObject {
  Q_OBJECT

 public:
  AppWindow(ChatLink& chat, ModelLink& models, AppWindowOptions options);
  ~AppWindow() override;

  /// Loads the QML and asks the services for what is to be shown. False: the QML cannot be loaded.
  bool start();
  QQuickWindow* window() const;

  ChatViewModel& chat() { return chat_; }
  ConversationsViewModel& conversations() { return conversations_; }
  ModelPickerViewModel& models() { return picker_; }
  SettingsViewModel& settings() { return settings_; }
  AppearanceViewModel& appearance() { return appearance_; }
  NoticeListModel& notices() { return notices_; }
  WindowStateViewModel& state() { return state_; }
  QQmlApplicationEngine& engine() { return engine_; }

 private:
  void connectParts();
  void onPreferencesLoaded();
  void openFirstConversation();

  ChatLink& link_;
  const AppWindowOptions options_;
  Preferences preferences_;
  NoticeListModel notices_;
  ConversationsViewModel conversations_;
  SettingsViewModel settings_;
  ChatViewModel chat_;
  ModelPickerViewModel picker_;
  AppearanceViewModel appearance_;
  WindowStateViewModel state_;
  Trace trace_;
  bool listed_ = false;
  QQmlApplicationEngine engine_;  // last: the QML goes before what it is bound to
};

}  // namespace hearth
