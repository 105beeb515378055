#include "ui/app_window.h"

#include <QQuickWindow>
#include <QTimer>

#include <utility>

namespace hearth {
namespace {
/// The window is shown without its preferences when the store has not answered by then.
constexpr int kPatienceMs = 1000;
}  // namespace

AppWindow::AppWindow(ChatLink& chat, ModelLink& models, AppWindowOptions options)
    : link_(chat),
      options_(std::move(options)),
      preferences_(chat),
      conversations_(chat),
      settings_(chat, *conversations_.list()),
      chat_(chat, notices_, [this] { return settings_.settings(); }),
      picker_(models, preferences_, notices_),
      appearance_(preferences_),
      state_(preferences_) {
  connectParts();
}

AppWindow::~AppWindow() = default;

void AppWindow::connectParts() {
  connect(&preferences_, &Preferences::loaded, this, &AppWindow::onPreferencesLoaded);
  connect(&picker_, &ModelPickerViewModel::changed, this,
          [this] {
            if (picker_.ready() && !chat_.modelReady()) trace_.write("model", 0, picker_.name());
            chat_.setModelReady(picker_.ready());
          });
  connect(&chat_, &ChatViewModel::conversationIdChanged, this, [this] {
    settings_.show(chat_.conversationId());
    conversations_.setCurrent(chat_.conversationId());
    if (preferences_.isLoaded())
      preferences_.set(Preferences::kLastConversation, QString::number(chat_.conversationId()));
  });
  connect(&chat_, &ChatViewModel::aboutToAnswer, &settings_, &SettingsViewModel::flush);
  connect(&conversations_, &ConversationsViewModel::leftForNeighbour, this,
          [this](qint64 deleted, qint64 neighbour) {
            if (chat_.conversationId() == deleted) chat_.open(neighbour);
          });
  connect(&conversations_, &ConversationsViewModel::restored, &chat_, &ChatViewModel::open);
  connect(&conversations_, &ConversationsViewModel::listed, this, [this] {
    listed_ = true;
    openFirstConversation();
  });
}

bool AppWindow::start() {
  engine_.addImportPath(QStringLiteral(":/qt/qml"));
  engine_.setInitialProperties({{QStringLiteral("chat"), QVariant::fromValue(&chat_)},
                                {QStringLiteral("conversations"), QVariant::fromValue(&conversations_)},
                                {QStringLiteral("models"), QVariant::fromValue(&picker_)},
                                {QStringLiteral("generation"), QVariant::fromValue(&settings_)},
                                {QStringLiteral("appearance"), QVariant::fromValue(&appearance_)},
                                {QStringLiteral("notices"), QVariant::fromValue(&notices_)},
                                {QStringLiteral("frame"), QVariant::fromValue(&state_)}});
  preferences_.load();
  chat_.loadDraft();
  link_.listConversations();
  engine_.load(QUrl(QStringLiteral("qrc:/qt/qml/Hearth/qml/Main.qml")));
  QTimer::singleShot(kPatienceMs, &state_, &WindowStateViewModel::setReady);
  if (!window()) return false;
  connect(window(), &QQuickWindow::frameSwapped, this, [this] { trace_.write("ready", 0, {}); },
          static_cast<Qt::ConnectionType>(Qt::AutoConnection | Qt::SingleShotConnection));
  return true;
}

QQuickWindow* AppWindow::window() const {
  return engine_.rootObjects().isEmpty() ? nullptr
                                         : qobject_cast<QQuickWindow*>(engine_.rootObjects().first());
}

void AppWindow::onPreferencesLoaded() {
  state_.setReady();
  openFirstConversation();
  if (!options_.model_path.isEmpty()) {
    picker_.open(options_.model_path);
  } else if (options_.reopen_model) {
    picker_.reopenLast();
  }
}

void AppWindow::openFirstConversation() {
  if (!listed_ || !preferences_.isLoaded() || chat_.conversationId() != 0) return;
  const qint64 last = preferences_.value(Preferences::kLastConversation).toLongLong();
  const ConversationListModel* list = conversations_.list();
  chat_.open(list->rowOf(last) >= 0 ? last : list->idAt(0));
}

}  // namespace hearth
