// Conversations between the window, the store and the model. Lives on the service thread: call its
// slots with queued connections (or QMetaObject::invokeMethod) and listen to its signals.
#pragma once

#include <QObject>
#include <QTimer>

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "app/chat/chat_engine.h"
#include "app/chat/chat_types.h"
#include "app/storage/conversation_store.h"

namespace hearth {

/// Every request that changes something is answered by its signal only after it is on disk.
class ChatService : public QObject {
  Q_OBJECT

 public:
  /// A deleted conversation can be brought back for `undo_ms`. Conversations that were deleted before
  /// the last end of Hearth are purged as soon as the thread's event loop runs.
  explicit ChatService(std::unique_ptr<ConversationStore> store, QObject* parent = nullptr,
                       int undo_ms = kUndoMs);
  ~ChatService() override;

 public slots:
  /// Replaces the model; running answers are stopped first and kept. Null: no model.
  void setEngine(std::shared_ptr<hearth::ChatEngine> engine);

  void listConversations();
  void createConversation(const hearth::GenerationSettings& settings);
  void renameConversation(hearth::ConversationId id, const QString& title);
  /// → conversationChanged, or failed() alone: what the user has typed then stays as it is.
  void saveSettings(hearth::ConversationId id, const hearth::GenerationSettings& settings);
  void deleteConversation(hearth::ConversationId id);       // undo possible for kUndoMs
  void undoDelete(hearth::ConversationId id);
  void openConversation(hearth::ConversationId id);         // → pathLoaded

  /// Stores the message, then asks the model. `parent` -1: after the leaf; 0: as a new root.
  /// Without a model the message is kept and its answer fails; regenerate() asks again.
  void submit(hearth::ConversationId id, qint64 parent, const QString& text);
  /// A new answer beside `answer`.
  void regenerate(hearth::ConversationId id, hearth::MessageId answer);
  /// A new version of the user's message `question`, with an answer of its own.
  void edit(hearth::ConversationId id, hearth::MessageId question, const QString& text);
  void stop(hearth::ConversationId id);
  void showBranch(hearth::ConversationId id, hearth::MessageId message);

  void loadSetting(const QString& key);                     // → settingLoaded
  void saveSetting(const QString& key, const QString& value);

  /// Stops answers, stores what they have and purges expired deletions. Those that can still be
  /// undone are purged at the next start. Call before quitting.
  void shutDown();

 signals:
  void conversationsListed(const std::vector<hearth::Conversation>& conversations);
  void conversationCreated(const hearth::Conversation& conversation);
  void conversationChanged(const hearth::Conversation& conversation);
  void conversationDeleted(hearth::ConversationId id, int undo_ms);
  void conversationRestored(const hearth::Conversation& conversation);
  void conversationPurged(hearth::ConversationId id);

  /// The shown path has changed as a whole (opened, branch switched, edited, regenerated).
  void pathLoaded(hearth::ConversationId id, const std::vector<hearth::Message>& path);
  /// Two rows to append: the user's message, durable now, and its empty answer.
  void messagesAdded(hearth::ConversationId id, const std::vector<hearth::Message>& messages);
  /// The message could not be stored; the text is handed back so that nothing is lost.
  void submitFailed(hearth::ConversationId id, const QString& text, const hearth::Error& error);

  void answerReading(hearth::ConversationId id, hearth::MessageId answer, int done, int total);
  /// Text to append; several tokens may come at once (at most one signal in 16 ms).
  void answerText(hearth::ConversationId id, hearth::MessageId answer, const QString& text);
  /// Final text, state and statistics, after they are stored.
  void answerFinished(hearth::ConversationId id, const hearth::Message& answer);

  void settingLoaded(const QString& key, const QString& value);  // empty when there is none
  /// Something else failed (listing, renaming, checkpointing …).
  void failed(const hearth::Error& error);

 public:
  static constexpr int kUndoMs = 8000;
  static constexpr int kCheckpointMs = 500;
  static constexpr int kCoalesceMs = 16;

 private:
  struct RunningAnswer;
  class Inbox;  // engine events on their way to this thread

  void startAnswer(const Message& answer);
  Status askEngine(const Message& answer);
  Status checkIdle(ConversationId id);
  void titleFromFirstMessage(ConversationId id, const QString& text);
  void announce(ConversationId id);
  void loadPath(ConversationId id);

  void drainInbox();
  void onEvent(ConversationId id, MessageId answer, const AnswerEvent& event);
  void flushText(RunningAnswer& running);
  void flushAll();
  void checkpointRunning();
  void endAnswer(RunningAnswer& running, MessageState state, std::optional<AnswerStats> stats,
                 const std::optional<Error>& error);
  Status storeEnded(ConversationId id);
  void stopAll();
  void stopAndWait(const std::vector<ConversationId>& ids);
  void purge(ConversationId id);
  void purgeLeftovers();
  void reportStoring(const Error& error);

  std::unique_ptr<ConversationStore> store_;
  std::shared_ptr<ChatEngine> engine_;
  std::shared_ptr<Inbox> inbox_;
  std::map<ConversationId, std::unique_ptr<RunningAnswer>> running_;
  std::map<ConversationId, QTimer*> undo_timers_;
  QTimer flush_timer_{this};       // single shot, kCoalesceMs
  QTimer checkpoint_timer_{this};  // kCheckpointMs, while something runs or waits to be stored
  int undo_ms_;
  bool storing_fails_ = false;     // already reported
};

}  // namespace hearth

Q_DECLARE_METATYPE(hearth::Conversation)
Q_DECLARE_METATYPE(hearth::Message)
Q_DECLARE_METATYPE(hearth::GenerationSettings)
Q_DECLARE_METATYPE(hearth::Error)
Q_DECLARE_METATYPE(std::vector<hearth::Conversation>)
Q_DECLARE_METATYPE(std::vector<hearth::Message>)
Q_DECLARE_METATYPE(std::shared_ptr<hearth::ChatEngine>)
