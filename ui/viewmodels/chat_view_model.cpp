#include "ui/viewmodels/chat_view_model.h"

#include <QClipboard>
#include <QGuiApplication>

#include <utility>

#include "ui/models/error_text.h"

namespace hearth {
namespace {

constexpr int kDraftSaveMs = 500;
const QString kDraftPrefix = QStringLiteral("draft:");

QString draftKey(ConversationId id) { return kDraftPrefix + QString::number(id); }

}  // namespace

ChatViewModel::ChatViewModel(ChatLink& link, NoticeListModel& notices, SettingsSource new_settings,
                             QObject* parent)
    : QObject(parent),
      link_(link),
      notices_(notices),
      new_settings_(std::move(new_settings)),
      messages_(this) {
  draft_timer_.setSingleShot(true);
  draft_timer_.setInterval(kDraftSaveMs);
  connect(&draft_timer_, &QTimer::timeout, this, &ChatViewModel::saveDraft);
  connect(&link_, &ChatLink::conversationCreated, this, &ChatViewModel::onCreated);
  connect(&link_, &ChatLink::pathLoaded, this, &ChatViewModel::onPathLoaded);
  connect(&link_, &ChatLink::messagesAdded, this, &ChatViewModel::onMessagesAdded);
  connect(&link_, &ChatLink::submitFailed, this, &ChatViewModel::onSubmitFailed);
  connect(&link_, &ChatLink::answerText, this, &ChatViewModel::onAnswerText);
  connect(&link_, &ChatLink::answerFinished, this, &ChatViewModel::onAnswerFinished);
  connect(&link_, &ChatLink::failed, this, &ChatViewModel::onFailed);
  connect(&link_, &ChatLink::answerReading, this,
          [this](ConversationId id, MessageId answer, int done, int total) {
            if (id == id_) messages_.setReading(answer, done, total);
          });
  connect(&link_, &ChatLink::settingLoaded, this, [this](const QString& key, const QString& value) {
    if (!key.startsWith(kDraftPrefix) || value.isEmpty()) return;
    const ConversationId id = key.mid(kDraftPrefix.size()).toLongLong();
    // What was typed while the old draft was on its way counts more.
    if (!drafts_.value(id).isEmpty()) return;
    drafts_.insert(id, value);
    if (id == id_) emit draftChanged();
  });
}

ChatViewModel::~ChatViewModel() {
  if (draft_timer_.isActive()) saveDraft();
}

void ChatViewModel::setModelReady(bool ready) {
  model_ready_ = ready;
  emit stateChanged();
}

void ChatViewModel::setDraft(const QString& text) {
  if (drafts_.value(id_) == text) return;
  drafts_.insert(id_, text);
  draft_timer_.start();
  emit draftChanged();
}

void ChatViewModel::saveDraft() {
  draft_timer_.stop();
  link_.saveSetting(draftKey(id_), drafts_.value(id_));
}

void ChatViewModel::startNew() {
  cancelEdit();
  if ((id_ == 0 || messages_.count() > 0) && !creating_) {
    creating_ = true;
    link_.createConversation(new_settings_());
  }
  emit focusComposerRequested();
}

void ChatViewModel::onCreated(const Conversation& conversation) {
  if (!std::exchange(creating_, false)) return;
  // What was typed before there was a conversation belongs to the first one.
  if (id_ == 0 && !drafts_.value(0).isEmpty()) {
    drafts_.insert(conversation.id, drafts_.take(0));
    link_.saveSetting(draftKey(0), {});
  }
  show(conversation.id);
  messages_.setPath({});
  if (const auto text = std::exchange(pending_text_, std::nullopt)) submit(conversation.id, *text);
}

void ChatViewModel::open(qint64 id) {
  if (id == id_) return;
  show(id);
  messages_.setPath({});
  if (id == 0) return;
  if (!drafts_.contains(id)) link_.loadSetting(draftKey(id));
  link_.openConversation(id);
}

void ChatViewModel::show(ConversationId id) {
  cancelEdit();
  if (draft_timer_.isActive()) saveDraft();
  id_ = id;
  emit conversationIdChanged();
  emit draftChanged();
  emit stateChanged();
}

void ChatViewModel::send() {
  const QString text = draft().trimmed();
  if (text.isEmpty() || !canSend()) return;
  setDraft({});
  if (id_ != 0) {
    submit(id_, text);
  } else {
    pending_text_ = text;
    if (!std::exchange(creating_, true)) link_.createConversation(new_settings_());
    emit stateChanged();
  }
  emit sent();
}

void ChatViewModel::submit(ConversationId id, const QString& text) {
  unacknowledged_.insert(id);
  emit aboutToAnswer();
  link_.submit(id, -1, text);
  emit stateChanged();
}

void ChatViewModel::onPathLoaded(ConversationId id, const std::vector<Message>& path) {
  const bool streaming = !path.empty() && path.back().state == MessageState::streaming;
  if (streaming) answering_.insert(id);
  if (id == id_) {
    if (!messages_.find(editing_id_)) cancelEdit();
    messages_.setPath(path);
    if (streaming && path.size() > 1) {
      const Message& question = path[path.size() - 2];
      trace_.write("sent", question.id, QString::fromStdString(question.text));
    }
  }
  emit stateChanged();
}

void ChatViewModel::onMessagesAdded(ConversationId id, const std::vector<Message>& messages) {
  unacknowledged_.remove(id);
  if (!messages.empty() && messages.back().state == MessageState::streaming) answering_.insert(id);
  if (id == id_) messages_.add(messages);
  for (const Message& message : messages)
    if (message.role == Role::user)
      trace_.write("sent", message.id, QString::fromStdString(message.text));
  emit stateChanged();
}

void ChatViewModel::onSubmitFailed(ConversationId id, const QString& text, const Error& error) {
  unacknowledged_.remove(id);
  handBack(id, text);
  notices_.post(noticeForSubmit(error));
  emit stateChanged();
}

void ChatViewModel::handBack(ConversationId id, const QString& text) {
  const QString typed_since = drafts_.value(id);
  drafts_.insert(id, typed_since.isEmpty() ? text : text + QLatin1Char('\n') + typed_since);
  link_.saveSetting(draftKey(id), drafts_.value(id));
  if (id == id_) emit draftChanged();
}

void ChatViewModel::onAnswerText(ConversationId id, MessageId answer, const QString& text) {
  if (id != id_ || !messages_.find(answer)) return;
  messages_.appendText(answer, text);
  trace_.write("text", answer, text);
}

void ChatViewModel::onAnswerFinished(ConversationId id, const Message& answer) {
  answering_.remove(id);
  if (id == id_) {
    messages_.replace(answer);
    announce(answer.state == MessageState::failed ? QCoreApplication::translate("Chat", "The answer failed.")
                                                  : QString::fromStdString(answer.text));
  }
  trace_.write("finished", answer.id, QString::fromStdString(answer.text));
  emit stateChanged();
}

void ChatViewModel::onFailed(const Error& error) {
  notices_.post(noticeFor(error));
  // A conversation that could not be created leaves its first message behind.
  if (!std::exchange(creating_, false)) return;
  if (const auto text = std::exchange(pending_text_, std::nullopt)) handBack(id_, *text);
  emit stateChanged();
}

void ChatViewModel::stop() {
  if (answering()) link_.stop(id_);
}

void ChatViewModel::regenerate(qint64 answer) {
  if (!canSend() || !messages_.find(answer)) return;
  emit aboutToAnswer();
  link_.regenerate(id_, answer);
  emit sent();
}

void ChatViewModel::beginEdit(qint64 question) {
  const Message* message = messages_.find(question);
  if (!message || message->role != Role::user || answering()) return;
  editing_id_ = question;
  edit_text_ = QString::fromStdString(message->text);
  emit editTextChanged();
  emit editingChanged();
}

void ChatViewModel::beginEditLast() {
  if (const Message* message = messages_.lastOf(Role::user)) beginEdit(message->id);
}

void ChatViewModel::setEditText(const QString& text) {
  if (edit_text_ == text) return;
  edit_text_ = text;
  emit editTextChanged();
}

void ChatViewModel::commitEdit() {
  const QString text = edit_text_.trimmed();
  if (editing_id_ == 0 || text.isEmpty() || !canSend()) return;
  emit aboutToAnswer();
  link_.edit(id_, editing_id_, text);
  cancelEdit();
  emit sent();
}

void ChatViewModel::cancelEdit() {
  if (std::exchange(editing_id_, 0) == 0) return;
  edit_text_.clear();
  emit editingChanged();
  emit focusComposerRequested();
}

void ChatViewModel::showVersion(qint64 message, int step) {
  const MessageId version = messages_.versionBeside(message, step);
  if (version != 0 && !answering()) link_.showBranch(id_, version);
}

void ChatViewModel::copy(const QString& text) { QGuiApplication::clipboard()->setText(text); }

void ChatViewModel::announce(const QString& text) {
  announcement_ = text;
  emit announcementChanged();
}

}  // namespace hearth
