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
  connect(&draft_timer_, &QTimer::timeout, this, [this] { saveDraft(id_); });
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
    loaded_drafts_.insert(id);
    if (id == id_) emit draftChanged();
  });
}

// What was asked for last may not be on disk yet, and nobody will be here to take it back.
ChatViewModel::~ChatViewModel() {
  if (draft_timer_.isActive()) saveDraft(id_);
  for (auto request = requests_.cbegin(); request != requests_.cend(); ++request)
    if (request->edited == 0 && !request->text.isEmpty()) saveDraft(request.key());
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

void ChatViewModel::loadDraft() { link_.loadSetting(draftKey(0)); }

/// What is kept as the draft: a message on its way stays in it until it is known to be stored.
QString ChatViewModel::unsent(ConversationId id) const {
  const auto request = requests_.constFind(id);
  const bool waits = request != requests_.cend() && request->edited == 0 && !request->text.isEmpty();
  const QString typed = drafts_.value(id);
  if (!waits) return typed;
  return typed.isEmpty() ? request->text : request->text + QLatin1Char('\n') + typed;
}

void ChatViewModel::saveDraft(ConversationId id) {
  if (id == id_) draft_timer_.stop();
  link_.saveSetting(draftKey(id), unsent(id));
}

/// What was typed before there was a conversation belongs to the first one that is empty.
void ChatViewModel::adoptDraft(ConversationId id) {
  if (unsent(0).isEmpty() || !drafts_.value(id).isEmpty()) return;
  if (id_ == 0) draft_timer_.stop();
  drafts_.insert(id, drafts_.take(0));
  if (requests_.contains(0)) requests_.insert(id, requests_.take(0));
  saveDraft(id);
  saveDraft(0);
  if (id == id_) emit draftChanged();
}

/// Hearth may have ended after a message was stored and before its draft was cleared.
void ChatViewModel::dropArrivedDraft(ConversationId id) {
  if (!loaded_drafts_.remove(id)) return;
  const Message* question = messages_.lastOf(Role::user);
  if (!question || drafts_.value(id).trimmed() != QString::fromStdString(question->text).trimmed()) return;
  drafts_.insert(id, {});
  saveDraft(id);
  emit draftChanged();
}

void ChatViewModel::startNew() {
  if ((id_ == 0 || messages_.count() > 0) && !creating_) {
    creating_ = true;
    link_.createConversation(new_settings_());
  }
  emit focusComposerRequested();
}

void ChatViewModel::onCreated(const Conversation& conversation) {
  if (!std::exchange(creating_, false)) return;
  adoptDraft(conversation.id);
  show(conversation.id);
  messages_.setPath({});
  if (requests_.contains(conversation.id)) submit(conversation.id, requests_.value(conversation.id).text);
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
  if (draft_timer_.isActive()) saveDraft(id_);
  const bool was_editing = editingId() != 0;
  id_ = id;
  emit conversationIdChanged();
  emit draftChanged();
  emit editTextChanged();
  emit editingChanged();
  emit stateChanged();
  if (was_editing) emit focusComposerRequested();
}

void ChatViewModel::send() {
  const QString text = draft().trimmed();
  if (text.isEmpty() || !canSend()) return;
  draft_timer_.stop();
  drafts_.insert(id_, {});
  requests_.insert(id_, {.text = text});
  if (id_ != 0) {
    submit(id_, text);
  } else {
    saveDraft(0);
    if (!std::exchange(creating_, true)) link_.createConversation(new_settings_());
  }
  emit draftChanged();
  emit stateChanged();
  emit sent();
}

void ChatViewModel::submit(ConversationId id, const QString& text) {
  emit aboutToAnswer();
  link_.submit(id, -1, text);
}

/// The service has done what was asked of it.
void ChatViewModel::acknowledge(ConversationId id) {
  const Request request = requests_.take(id);
  if (request.edited != 0) edit_texts_.remove(request.edited);
  else if (!request.text.isEmpty()) saveDraft(id);
}

void ChatViewModel::onPathLoaded(ConversationId id, const std::vector<Message>& path) {
  const bool streaming = !path.empty() && path.back().state == MessageState::streaming;
  if (streaming) {
    answering_.insert(id);
    acknowledge(id);
  }
  if (id == id_) {
    messages_.setPath(path);
    if (editingId() != 0 && !messages_.find(editingId())) closeEditor();
    dropArrivedDraft(id);
    if (path.empty() && !creating_) adoptDraft(id);
    if (streaming && path.size() > 1) {
      const Message& question = path[path.size() - 2];
      trace_.write("sent", question.id, QString::fromStdString(question.text));
    }
  }
  emit stateChanged();
}

void ChatViewModel::onMessagesAdded(ConversationId id, const std::vector<Message>& messages) {
  acknowledge(id);
  if (!messages.empty() && messages.back().state == MessageState::streaming) answering_.insert(id);
  if (id == id_) messages_.add(messages);
  for (const Message& message : messages)
    if (message.role == Role::user)
      trace_.write("sent", message.id, QString::fromStdString(message.text));
  emit stateChanged();
}

void ChatViewModel::onSubmitFailed(ConversationId id, const QString& text, const Error& error) {
  const Request request = requests_.take(id);
  if (request.edited != 0) {
    editing_.insert(id, request.edited);
    if (id == id_) openEditor(request.edited, text);
    notices_.post(noticeForEdit(error));
  } else {
    handBack(id, text);
    notices_.post(noticeForSubmit(error));
  }
  emit stateChanged();
}

void ChatViewModel::handBack(ConversationId id, const QString& text) {
  const QString typed_since = drafts_.value(id);
  drafts_.insert(id, typed_since.isEmpty() ? text : text + QLatin1Char('\n') + typed_since);
  saveDraft(id);
  if (id == id_) emit draftChanged();
}

void ChatViewModel::onAnswerText(ConversationId id, MessageId answer, const QString& text) {
  if (id != id_ || !messages_.find(answer)) return;
  messages_.appendText(answer, text);
  trace_.write("text", answer, text);
}

void ChatViewModel::onAnswerFinished(ConversationId id, const Message& answer) {
  answering_.remove(id);
  acknowledge(id);
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
  // A new answer is refused without saying where.
  requests_.removeIf([](QHash<ConversationId, Request>::iterator request) { return request->text.isEmpty(); });
  // A conversation that could not be created leaves its first message behind.
  if (std::exchange(creating_, false) && requests_.contains(0)) handBack(0, requests_.take(0).text);
  emit stateChanged();
}

void ChatViewModel::stop() {
  if (answering()) link_.stop(id_);
}

void ChatViewModel::regenerate(qint64 answer) {
  if (!canSend() || !messages_.find(answer)) return;
  requests_.insert(id_, {});
  emit aboutToAnswer();
  link_.regenerate(id_, answer);
  emit stateChanged();
  emit sent();
}

void ChatViewModel::beginEdit(qint64 question) {
  const Message* message = messages_.find(question);
  if (!message || message->role != Role::user || answering() || sending()) return;
  openEditor(question, edit_texts_.value(question, QString::fromStdString(message->text)));
}

void ChatViewModel::beginEditLast() {
  if (const Message* message = messages_.lastOf(Role::user)) beginEdit(message->id);
}

void ChatViewModel::openEditor(qint64 question, const QString& text) {
  editing_.insert(id_, question);
  edit_texts_.insert(question, text);
  emit editTextChanged();
  emit editingChanged();
}

void ChatViewModel::setEditText(const QString& text) {
  if (editingId() == 0 || editText() == text) return;
  edit_texts_.insert(editingId(), text);
  emit editTextChanged();
}

void ChatViewModel::commitEdit() {
  const qint64 question = editingId();
  const QString text = editText().trimmed();
  if (question == 0 || text.isEmpty() || !canSend()) return;
  requests_.insert(id_, {.text = text, .edited = question});
  emit aboutToAnswer();
  link_.edit(id_, question, text);
  closeEditor();
  emit stateChanged();
  emit sent();
}

void ChatViewModel::cancelEdit() {
  if (editingId() == 0) return;
  edit_texts_.remove(editingId());
  closeEditor();
}

/// What is in it stays, for the next time.
void ChatViewModel::closeEditor() {
  editing_.remove(id_);
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
