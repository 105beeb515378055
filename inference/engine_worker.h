// The thread behind the engine: whose turn it is, which caches stay, and how sessions come and go.
#pragma once

#include <atomic>
#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "inference/engine.h"
#include "inference/generation.h"

namespace hearth {

/// One session as the worker knows it. Guarded by the worker's mutex unless said otherwise.
struct SessionSlot {
  std::unique_ptr<Generation> generation;  // null: idle. Used unlocked by the thread in its turn
  std::unique_ptr<SequenceState> state;    // null: nothing cached. Used unlocked in its turn
  std::atomic<bool> cancel = false;        // also read by the device: StepInputs::cancel
  bool paused = false;
  uint64_t cache_bytes = 0;                // of `state`, after the last turn
  uint64_t last_turn = 0;                  // for least recently used
};

/// Verbs may be called from any thread; the device, the model and the states are used by the
/// worker's own thread only. Slots are taken by turns: a chunk of a prompt, or one token.
class EngineWorker {
 public:
  EngineWorker(std::unique_ptr<Device> device, std::unique_ptr<LanguageModel> model,
               uint64_t cache_limit_bytes);
  ~EngineWorker();  // every slot must be closed

  /// Starts the thread; once, before any other call. Codes: out_of_memory (no thread to be had).
  Status start();

  SessionSlot& open();
  /// Ends the slot's request, waits for its last event, and frees it. Not from a listener.
  void close(SessionSlot& slot);

  Status submit(SessionSlot& slot, GenerationRequest request, Listener listener);
  void cancel(SessionSlot& slot);
  void setPaused(SessionSlot& slot, bool paused);

  EngineStatus status() const;
  const LanguageModel& model() const { return *model_; }
  const Device& device() const { return *device_; }

 private:
  void run();
  SessionSlot* pickSlot();
  bool othersWaitFor(const SessionSlot& slot) const;
  void takeTurn(SessionSlot& slot, bool others_wait);
  std::optional<Event> advance(SessionSlot& slot, bool others_wait);
  Status ensureState(SessionSlot& slot);
  int32_t promptChunk(bool others_wait) const;
  void dropCachesOverLimit();
  void dropIdleCaches(uint64_t limit_bytes, const SessionSlot* spared);
  uint64_t cacheBytes() const;

  std::unique_ptr<Device> device_;
  std::unique_ptr<LanguageModel> model_;
  const uint64_t cache_limit_bytes_;
  double prompt_ms_per_token_ = 0;  // of the latest prompt, worker thread only; 0: not measured yet

  mutable std::mutex mutex_;  // guards all below
  std::condition_variable work_;      // something for the worker to do
  std::condition_variable let_go_;    // a turn has ended
  std::list<std::unique_ptr<SessionSlot>> slots_;  // next turn first
  std::vector<std::unique_ptr<SequenceState>> discarded_;  // freed by the worker: the device is its
  SessionSlot* in_turn_ = nullptr;
  uint64_t turns_ = 0;
  uint64_t caches_dropped_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace hearth
