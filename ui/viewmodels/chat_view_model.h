// The chat in the middle: the open conversation, what is being typed, and what can be done to it.
#pragma once

#include <QHash>
#include <QObject>
#include <QSet>
#include <QTimer>
#include <qqmlregistration.h>

#include <functional>

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
  qint64 editingId() const { return editing_.value(id_); }
  QString editText() const { return edit_texts_.value(editingId()); }
  void setEditText(const QString& text);
  /// For screen readers: what has just happened.
  QString announcement() const { return announcement_; }

  void setModelReady(bool ready);
  /// Asks for what was typed while no conversation was open. Call before the first open().
  void loadDraft();

  /// An empty conversation: the open one if it is empty, otherwise a new one.
  Q_INVOKABLE void startNew();
  Q_INVOKABLE void open(qint64 id);
  /// Sends the draft. Does nothing while !canSend or when there is only white space.
  Q_INVOKABLE void send();
  Q_INVOKABLE void stop();
  Q_INVOKABLE void regenerate(qint64 answer);
  /// Opens the editor with what was left in it, or with the message.
  Q_INVOKABLE void beginEdit(qint64 question);
  Q_INVOKABLE void beginEditLast();
  Q_INVOKABLE void commitEdit();
  /// Closes the editor and drops what is in it.
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
  /// What was asked of the service, until it answers.
  struct Request {
    QString text;       // empty: a new answer is wanted, nothing was typed
    qint64 edited = 0;  // the message that `text` replaces
  };

  bool sending() const { return requests_.contains(id_); }
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
  void acknowledge(ConversationId id);
  QString unsent(ConversationId id) const;
  void saveDraft(ConversationId id);
  void adoptDraft(ConversationId id);
  void dropArrivedDraft(ConversationId id);
  void openEditor(qint64 question, const QString& text);
  void closeEditor();
  void announce(const QString& text);

  ChatLink& link_;
  NoticeListModel& notices_;
  SettingsSource new_settings_;
  MessageListModel messages_;
  Trace trace_;
  ConversationId id_ = 0;                      // 0: none is open
  QSet<ConversationId> answering_;
  QHash<ConversationId, Request> requests_;    // of 0: waits for its conversation to be created
  QHash<ConversationId, QString> drafts_;      // typed and not sent
  QSet<ConversationId> loaded_drafts_;         // not yet compared with what was sent
  QTimer draft_timer_;
  bool creating_ = false;
  bool model_ready_ = false;
  QHash<ConversationId, qint64> editing_;      // the message whose editor is open
  QHash<qint64, QString> edit_texts_;          // by message: begun and neither sent nor cancelled
  QString announcement_;
};

}  // namespace hearth
