// The chat in the middle: the open conversation, what is being typed, and what can be done to it.
#pragma once

#include <QHash>
#include <QObject>
#include <QSet>
#include <QTimer>
#include <qqmlregistration.h>

#include <functional>
#include <optional>

#include "ui/bridge/chat_link.h"
#include "ui/bridge/trace.h"
#include "ui/models/message_list_model.h"
#include "ui/models/notice_list_model.h"

namespace hearth {

class ChatViewModel : public QObject {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("made by the window")
  Q_PROPERTY(hearth::MessageListModel* messages READ messages CONSTANT)
  Q_PROPERTY(qint64 conversationId READ conversationId NOTIFY conversationIdChanged)
  Q_PROPERTY(bool answering READ answering NOTIFY stateChanged)
  Q_PROPERTY(bool modelReady READ modelReady NOTIFY stateChanged)
  Q_PROPERTY(bool canSend READ canSend NOTIFY stateChanged)
  Q_PROPERTY(QString draft READ draft WRITE setDraft NOTIFY draftChanged)
  Q_PROPERTY(qint64 editingId READ editingId NOTIFY editingChanged)
  Q_PROPERTY(QString editText READ editText WRITE setEditText NOTIFY editTextChanged)
  Q_PROPERTY(QString announcement READ announcement NOTIFY announcementChanged)

 public:
  using SettingsSource = std::function<GenerationSettings()>;

  /// `new_settings` gives the settings of a conversation that is about to be created.
  ChatViewModel(ChatLink& link, NoticeListModel& notices, SettingsSource new_settings,
                QObject* parent = nullptr);
  ~ChatViewModel() override;

  MessageListModel* messages() { return &messages_; }
  qint64 conversationId() const { return id_; }
  bool answering() const { return answering_.contains(id_); }
  bool modelReady() const { return model_ready_; }
  bool canSend() const { return model_ready_ && !answering() && !sending(); }
  QString draft() const { return drafts_.value(id_); }
  void setDraft(const QString& text);
  qint64 editingId() const { return editing_id_; }
  QString editText() const { return edit_text_; }
  void setEditText(const QString& text);
  /// For screen readers: what has just happened.
  QString announcement() const { return announcement_; }

  void setModelReady(bool ready);

  /// An empty conversation: the open one if it is empty, otherwise a new one.
  Q_INVOKABLE void startNew();
  Q_INVOKABLE void open(qint64 id);
  /// Sends the draft. Does nothing while !canSend or when there is only white space.
  Q_INVOKABLE void send();
  Q_INVOKABLE void stop();
  Q_INVOKABLE void regenerate(qint64 answer);
  Q_INVOKABLE void beginEdit(qint64 question);
  Q_INVOKABLE void beginEditLast();
  Q_INVOKABLE void commitEdit();
  Q_INVOKABLE void cancelEdit();
  Q_INVOKABLE void showVersion(qint64 message, int step);
  Q_INVOKABLE void copy(const QString& text);

 signals:
  void conversationIdChanged();
  void stateChanged();
  void draftChanged();
  void editingChanged();
  void editTextChanged();
  void announcementChanged();
  void focusComposerRequested();
  /// The user has sent something: show the end of the chat.
  void sent();
  /// The model will be asked: settings that are not stored yet must be, now.
  void aboutToAnswer();

 private:
  bool sending() const { return pending_text_.has_value() || unacknowledged_.contains(id_); }
  void show(ConversationId id);
  void submit(ConversationId id, const QString& text);
  void onCreated(const Conversation& conversation);
  void onPathLoaded(ConversationId id, const std::vector<Message>& path);
  void onMessagesAdded(ConversationId id, const std::vector<Message>& messages);
  void onSubmitFailed(ConversationId id, const QString& text, const Error& error);
  void onAnswerText(ConversationId id, MessageId answer, const QString& text);
  void onAnswerFinished(ConversationId id, const Message& answer);
  void onFailed(const Error& error);
  void handBack(ConversationId id, const QString& text);
  void saveDraft();
  void announce(const QString& text);

  ChatLink& link_;
  NoticeListModel& notices_;
  SettingsSource new_settings_;
  MessageListModel messages_;
  Trace trace_;
  ConversationId id_ = 0;                      // 0: none is open
  QSet<ConversationId> answering_;
  QSet<ConversationId> unacknowledged_;        // a message is on its way to the disk
  QHash<ConversationId, QString> drafts_;      // typed and not sent
  QTimer draft_timer_;
  std::optional<QString> pending_text_;        // to be sent in a conversation that is being created
  bool creating_ = false;
  bool model_ready_ = false;
  qint64 editing_id_ = 0;
  QString edit_text_;
  QString announcement_;
};

}  // namespace hearth
