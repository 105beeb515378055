#include "app/chat/chat_service.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>

#include "app/chat/conversation_title.h"
#include "inference/session.h"

namespace hearth {

namespace {

constexpr auto kLongestStop = std::chrono::milliseconds(2000);
constexpr const char* kNoModel = "No model is open. Open a model, then ask for the answer again.";

std::string toUtf8(const QString& text) { return text.toStdString(); }
QString toQt(const std::string& text) {
  return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

bool isEnd(const AnswerEvent& event) {
  return std::holds_alternative<AnswerFinished>(event) || std::holds_alternative<AnswerFailed>(event);
}

}  // namespace

struct ChatService::RunningAnswer {
  Message message;       // text: everything generated so far
  std::string unsent;    // its end, which answerText has not carried yet
  size_t stored_bytes = 0;
  struct End {
    MessageState state;
    std::optional<AnswerStats> stats;
    std::optional<Error> error;
  };
  std::optional<End> end;  // set while the finished answer waits to be stored
};

/// The engine's threads put events in; the service thread takes them out. It outlives the service
/// for as long as an engine still holds a listener.
class ChatService::Inbox {
 public:
  struct Letter {
    ConversationId conversation;
    MessageId answer;
    AnswerEvent event;
  };

  explicit Inbox(ChatService* service) : service_(service) {}

  void put(Letter letter) {
    const std::lock_guard lock(mutex_);
    if (!service_) return;
    if (isEnd(letter.event)) ended_.insert(letter.answer);
    letters_.push_back(std::move(letter));
    if (letters_.size() == 1)
      QMetaObject::invokeMethod(service_, [service = service_] { service->drainInbox(); },
                                Qt::QueuedConnection);
    changed_.notify_all();
  }

  std::deque<Letter> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(letters_, {});
  }

  /// Waits until the ends of all `answers` have come in, for at most kLongestStop.
  void waitForEnds(const std::vector<MessageId>& answers) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kLongestStop, [&] {
      return std::all_of(answers.begin(), answers.end(),
                         [&](MessageId answer) { return ended_.contains(answer); });
    });
  }

  void forget(MessageId answer) {
    const std::lock_guard lock(mutex_);
    ended_.erase(answer);
  }

  void close() {
    const std::lock_guard lock(mutex_);
    service_ = nullptr;
    letters_.clear();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  ChatService* service_;
  std::deque<Letter> letters_;
  std::set<MessageId> ended_;
};

ChatService::ChatService(std::unique_ptr<ConversationStore> store, QObject* parent, int undo_ms)
    : QObject(parent), store_(std::move(store)), inbox_(std::make_shared<Inbox>(this)),
      undo_ms_(undo_ms) {
  flush_timer_.setSingleShot(true);
  flush_timer_.setInterval(kCoalesceMs);
  flush_timer_.setTimerType(Qt::PreciseTimer);
  checkpoint_timer_.setInterval(kCheckpointMs);
  connect(&flush_timer_, &QTimer::timeout, this, &ChatService::flushAll);
  connect(&checkpoint_timer_, &QTimer::timeout, this, &ChatService::checkpointRunning);
  QMetaObject::invokeMethod(this, &ChatService::purgeLeftovers, Qt::QueuedConnection);
}

ChatService::~ChatService() {
  shutDown();
  inbox_->close();
}

void ChatService::setEngine(std::shared_ptr<ChatEngine> engine) {
  if (engine == engine_) return;
  stopAll();
  engine_ = std::move(engine);
}

void ChatService::listConversations() {
  auto all = store_->conversations();
  if (!all) return emit failed(all.error());
  emit conversationsListed(*all);
}

void ChatService::createConversation(const GenerationSettings& settings) {
  auto created = store_->createConversation(settings);
  if (!created) return emit failed(created.error());
  emit conversationCreated(*created);
}

void ChatService::renameConversation(ConversationId id, const QString& title) {
  if (Status renamed = store_->rename(id, toUtf8(title)); !renamed) emit failed(renamed.error());
  announce(id);  // after a failure too: the window goes back to what is stored
}

void ChatService::saveSettings(ConversationId id, const GenerationSettings& settings) {
  // Not announced after a failure: the window would replace what the user has typed.
  if (Status saved = store_->saveSettings(id, settings); !saved) return emit failed(saved.error());
  announce(id);
}

void ChatService::deleteConversation(ConversationId id) {
  stopAndWait({id});
  if (Status deleted = store_->markDeleted(id); !deleted) return emit failed(deleted.error());
  auto* timer = new QTimer(this);
  timer->setSingleShot(true);
  connect(timer, &QTimer::timeout, this, [this, id] { purge(id); });
  timer->start(undo_ms_);
  undo_timers_[id] = timer;
  emit conversationDeleted(id, undo_ms_);
}

void ChatService::undoDelete(ConversationId id) {
  if (Status restored = store_->restoreDeleted(id); !restored) return emit failed(restored.error());
  if (const auto timer = undo_timers_.find(id); timer != undo_timers_.end()) {
    timer->second->deleteLater();
    undo_timers_.erase(timer);
  }
  auto conversation = store_->conversation(id);
  if (!conversation) return emit failed(conversation.error());
  emit conversationRestored(*conversation);
}

void ChatService::openConversation(ConversationId id) { loadPath(id); }

void ChatService::submit(ConversationId id, qint64 parent, const QString& text) {
  if (Status idle = checkIdle(id); !idle) return emit submitFailed(id, text, idle.error());
  auto conversation = store_->conversation(id);
  if (!conversation) return emit submitFailed(id, text, conversation.error());
  const auto leaf = conversation->leaf_id;
  std::optional<MessageId> under;
  if (parent == -1) under = leaf;
  else if (parent != 0) under = parent;
  auto stored = store_->addExchange(id, under, toUtf8(text));
  if (!stored) return emit submitFailed(id, text, stored.error());
  if (under == leaf) emit messagesAdded(id, {stored->question, stored->answer});
  else loadPath(id);
  if (conversation->title.empty()) titleFromFirstMessage(id, text);
  announce(id);
  startAnswer(stored->answer);
}

void ChatService::regenerate(ConversationId id, MessageId answer) {
  if (Status idle = checkIdle(id); !idle) return emit failed(idle.error());
  auto old = store_->message(answer);
  if (!old) return emit failed(old.error());
  if (old->conversation_id != id || old->role != Role::assistant || !old->parent_id)
    return emit failed({ErrorCode::invalid_argument,
                        fmt::format("Message {} is not an answer in conversation {}.", answer, id)});
  auto added = store_->addMessage(id, old->parent_id, Role::assistant, "", MessageState::streaming);
  if (!added) return emit failed(added.error());
  loadPath(id);
  announce(id);
  startAnswer(*added);
}

void ChatService::edit(ConversationId id, MessageId question, const QString& text) {
  if (Status idle = checkIdle(id); !idle) return emit submitFailed(id, text, idle.error());
  auto old = store_->message(question);
  if (!old) return emit submitFailed(id, text, old.error());
  if (old->conversation_id != id || old->role != Role::user)
    return emit submitFailed(
        id, text, {ErrorCode::invalid_argument,
                   fmt::format("Message {} is not a question in conversation {}.", question, id)});
  auto stored = store_->addExchange(id, old->parent_id, toUtf8(text));
  if (!stored) return emit submitFailed(id, text, stored.error());
  loadPath(id);
  announce(id);
  startAnswer(stored->answer);
}

void ChatService::stop(ConversationId id) {
  const auto running = running_.find(id);
  if (running != running_.end() && !running->second->end && engine_) engine_->cancel(id);
}

void ChatService::showBranch(ConversationId id, MessageId message) {
  if (Status shown = store_->showBranch(id, message); !shown) return emit failed(shown.error());
  loadPath(id);
  announce(id);
}

void ChatService::loadSetting(const QString& key) {
  auto value = store_->setting(toUtf8(key));
  if (!value) return emit failed(value.error());
  emit settingLoaded(key, toQt(value->value_or("")));
}

void ChatService::saveSetting(const QString& key, const QString& value) {
  if (Status saved = store_->saveSetting(toUtf8(key), toUtf8(value)); !saved)
    emit failed(saved.error());
}

void ChatService::shutDown() {
  setEngine(nullptr);
  stopAll();  // what could not be stored before: one more try
  purgeLeftovers();
}

// --- answers -------------------------------------------------------------------------------------

void ChatService::startAnswer(const Message& answer) {
  const ConversationId id = answer.conversation_id;
  auto running = std::make_unique<RunningAnswer>();
  running->message = answer;
  running_[id] = std::move(running);
  checkpoint_timer_.start();
  if (Status asked = askEngine(answer); !asked)
    endAnswer(*running_[id], MessageState::failed, std::nullopt, asked.error());
}

/// Codes: those of ChatEngine::start and of the store; not_found when no model is open.
Status ChatService::askEngine(const Message& answer) {
  if (!engine_) return fail(ErrorCode::not_found, "{}", kNoModel);
  const ConversationId id = answer.conversation_id;
  const auto conversation = store_->conversation(id);
  if (!conversation) return passOn(conversation);
  const auto path = store_->path(id);
  if (!path) return passOn(path);
  AnswerRequest request{.conversation_id = id, .answer_id = answer.id, .turns = {},
                        .settings = conversation->settings};
  for (const Message& message : *path) {
    if (message.id == answer.id) break;
    if (message.role == Role::assistant && message.text.empty()) continue;  // failed or stopped early
    request.turns.push_back({message.id, message.role, message.text});
  }
  return engine_->start(std::move(request), [inbox = inbox_, id, answer_id = answer.id](AnswerEvent event) {
    inbox->put({id, answer_id, std::move(event)});
  });
}

/// Codes: busy; those of the store when the last answer has ended but cannot be stored.
Status ChatService::checkIdle(ConversationId id) {
  const auto running = running_.find(id);
  if (running == running_.end()) return {};
  if (running->second->end) return storeEnded(id);
  return fail(ErrorCode::busy, "The last message is still being answered.");
}

void ChatService::drainInbox() {
  for (const Inbox::Letter& letter : inbox_->take())
    onEvent(letter.conversation, letter.answer, letter.event);
}

void ChatService::onEvent(ConversationId id, MessageId answer, const AnswerEvent& event) {
  const auto found = running_.find(id);
  if (found == running_.end() || found->second->message.id != answer || found->second->end) return;
  RunningAnswer& running = *found->second;
  if (const auto* reading = std::get_if<AnswerReading>(&event)) {
    emit answerReading(id, answer, reading->done_tokens, reading->total_tokens);
  } else if (const auto* text = std::get_if<AnswerText>(&event)) {
    running.message.text += text->text;
    running.unsent += text->text;
    if (!flush_timer_.isActive()) flush_timer_.start();
  } else if (const auto* finished = std::get_if<AnswerFinished>(&event)) {
    const bool stopped = finished->stats.stop_reason == stopReasonName(StopReason::cancelled);
    endAnswer(running, stopped ? MessageState::stopped : MessageState::complete, finished->stats, std::nullopt);
  } else {
    endAnswer(running, MessageState::failed, std::nullopt, std::get<AnswerFailed>(event).error);
  }
}

void ChatService::flushText(RunningAnswer& running) {
  if (running.unsent.empty()) return;
  const QString text = toQt(std::exchange(running.unsent, {}));
  emit answerText(running.message.conversation_id, running.message.id, text);
}

void ChatService::flushAll() {
  for (const auto& [id, running] : running_) flushText(*running);
}

void ChatService::checkpointRunning() {
  std::vector<ConversationId> ended;
  for (const auto& [id, running] : running_) {
    if (running->end) {
      ended.push_back(id);
    } else if (running->stored_bytes != running->message.text.size()) {
      if (Status stored = store_->checkpoint(running->message.id, running->message.text); !stored) {
        reportStoring(stored.error());
        continue;
      }
      running->stored_bytes = running->message.text.size();
      storing_fails_ = false;
    }
  }
  for (const ConversationId id : ended) storeEnded(id);
}

void ChatService::endAnswer(RunningAnswer& running, MessageState state,
                            std::optional<AnswerStats> stats, const std::optional<Error>& error) {
  flushText(running);
  running.end = RunningAnswer::End{state, std::move(stats), error};
  storeEnded(running.message.conversation_id);
}

/// An ended answer that cannot be stored stays in memory, and the checkpoint timer tries again.
Status ChatService::storeEnded(ConversationId id) {
  RunningAnswer& running = *running_.at(id);
  const RunningAnswer::End& end = *running.end;
  const Status stored =
      store_->finish(running.message.id, running.message.text, end.state, end.stats, end.error);
  if (!stored) {
    reportStoring(stored.error());
    return stored;
  }
  storing_fails_ = false;
  Message answer = std::move(running.message);
  answer.state = end.state;
  answer.stats = end.stats;
  if (end.error) {
    answer.error = end.error->message;
    answer.error_code = errorCodeName(end.error->code);
  }
  inbox_->forget(answer.id);
  running_.erase(id);
  if (running_.empty()) checkpoint_timer_.stop();
  emit answerFinished(id, answer);
  return {};
}

void ChatService::stopAll() {
  std::vector<ConversationId> ids;
  for (const auto& [id, running] : running_) ids.push_back(id);
  stopAndWait(ids);
}

/// Stops these conversations' answers and takes in what the engine still has to say about them. An
/// engine that does not end them in time loses its say: they are stored as far as they came.
void ChatService::stopAndWait(const std::vector<ConversationId>& ids) {
  std::vector<MessageId> waiting;
  for (const ConversationId id : ids) {
    const auto running = running_.find(id);
    if (running == running_.end() || running->second->end) continue;
    waiting.push_back(running->second->message.id);
    if (engine_) engine_->cancel(id);
  }
  if (!waiting.empty()) inbox_->waitForEnds(waiting);
  drainInbox();
  for (const ConversationId id : ids) {
    const auto running = running_.find(id);
    if (running == running_.end()) continue;
    if (running->second->end) storeEnded(id);
    else endAnswer(*running->second, MessageState::stopped, std::nullopt, std::nullopt);
  }
}

// --- what the store has to say -------------------------------------------------------------------

void ChatService::titleFromFirstMessage(ConversationId id, const QString& text) {
  const QString title = titleFromText(text);
  if (title.isEmpty()) return;
  if (Status renamed = store_->rename(id, toUtf8(title)); !renamed) emit failed(renamed.error());
}

void ChatService::announce(ConversationId id) {
  auto conversation = store_->conversation(id);
  if (!conversation) return emit failed(conversation.error());
  emit conversationChanged(*conversation);
}

/// Running answers are shown as far as answerText has carried them, not as last checkpointed.
void ChatService::loadPath(ConversationId id) {
  auto path = store_->path(id);
  if (!path) return emit failed(path.error());
  if (const auto running = running_.find(id); running != running_.end()) {
    flushText(*running->second);
    for (Message& message : *path)
      if (message.id == running->second->message.id) message.text = running->second->message.text;
  }
  emit pathLoaded(id, *path);
}

void ChatService::purge(ConversationId id) {
  if (const auto timer = undo_timers_.find(id); timer != undo_timers_.end()) {
    timer->second->deleteLater();
    undo_timers_.erase(timer);
  }
  if (engine_) engine_->forget(id);
  running_.erase(id);  // an answer that could not be stored has nowhere to go any more
  if (Status purged = store_->purge(id); !purged) return emit failed(purged.error());
  emit conversationPurged(id);
}

/// Those whose undo has not run out in this session stay.
void ChatService::purgeLeftovers() {
  auto deleted = store_->deletedConversations();
  if (!deleted) return emit failed(deleted.error());
  for (const ConversationId id : *deleted)
    if (!undo_timers_.contains(id)) purge(id);
}

/// A disk that stays full is reported once, not at every try.
void ChatService::reportStoring(const Error& error) {
  if (!std::exchange(storing_fails_, true)) emit failed(error);
}

}  // namespace hearth
