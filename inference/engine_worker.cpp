#include "inference/engine_worker.h"

#include <algorithm>
#include <system_error>

#include "kernels/base/check.h"

namespace hearth {
namespace {

// A chunk of a prompt takes about this long, so that other sessions keep moving and a new request
// gets its first turn soon, on a slow machine with a large model as on a fast one.
constexpr double kChunkMsAlone = 500;
constexpr double kChunkMsWithOthers = 150;
constexpr int32_t kLeastChunkTokens = 8;  // also before the speed is known
constexpr int32_t kMostChunkTokens = 512;

}  // namespace

EngineWorker::EngineWorker(std::unique_ptr<Device> device, std::unique_ptr<LanguageModel> model,
                           uint64_t cache_limit_bytes)
    : device_(std::move(device)),
      model_(std::move(model)),
      cache_limit_bytes_(cache_limit_bytes) {}

Status EngineWorker::start() {
  CHECK(!thread_.joinable());
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error& error) {
    return fail(ErrorCode::out_of_memory, "the engine's thread cannot be started: {}",
                error.what());
  }
  return {};
}

EngineWorker::~EngineWorker() {
  {
    const std::lock_guard lock(mutex_);
    CHECK(slots_.empty());
    stopping_ = true;
  }
  work_.notify_one();
  if (thread_.joinable()) thread_.join();
}

SessionSlot& EngineWorker::open() {
  const std::lock_guard lock(mutex_);
  return *slots_.emplace_back(std::make_unique<SessionSlot>());
}

void EngineWorker::close(SessionSlot& slot) {
  CHECK(std::this_thread::get_id() != thread_.get_id());
  std::unique_lock lock(mutex_);
  slot.cancel = true;
  work_.notify_one();
  let_go_.wait(lock, [&] { return !slot.generation && in_turn_ != &slot; });
  if (slot.state) discarded_.push_back(std::move(slot.state));
  slots_.remove_if([&](const auto& other) { return other.get() == &slot; });
  work_.notify_one();
}

Status EngineWorker::submit(SessionSlot& slot, GenerationRequest request, Listener listener) {
  CHECK(listener != nullptr);
  auto generation = std::make_unique<Generation>(std::move(request), std::move(listener));
  const std::lock_guard lock(mutex_);
  if (slot.generation) return fail(ErrorCode::busy, "this conversation is being answered");
  slot.generation = std::move(generation);
  slot.cancel = false;
  work_.notify_one();
  return {};
}

void EngineWorker::cancel(SessionSlot& slot) {
  const std::lock_guard lock(mutex_);
  if (!slot.generation) return;
  slot.cancel = true;
  work_.notify_one();
}

void EngineWorker::setPaused(SessionSlot& slot, bool paused) {
  const std::lock_guard lock(mutex_);
  slot.paused = paused;
  work_.notify_one();
}

EngineStatus EngineWorker::status() const {
  const std::lock_guard lock(mutex_);
  const auto running = std::count_if(slots_.begin(), slots_.end(),
                                     [](const auto& slot) { return slot->generation != nullptr; });
  return {.sessions = static_cast<int32_t>(slots_.size()),
          .running = static_cast<int32_t>(running),
          .cache_bytes = cacheBytes(),
          .caches_dropped = caches_dropped_};
}

void EngineWorker::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    if (!discarded_.empty()) {
      auto discarded = std::move(discarded_);
      discarded_.clear();
      lock.unlock();
      discarded.clear();
      lock.lock();
      continue;
    }
    SessionSlot* slot = pickSlot();
    if (!slot && stopping_) return;
    if (!slot) {
      work_.wait(lock);
      continue;
    }
    in_turn_ = slot;
    const bool others_wait = othersWaitFor(*slot);
    lock.unlock();
    takeTurn(*slot, others_wait);
    lock.lock();
    slot->cache_bytes = slot->state ? slot->state->bytesUsed() : 0;
    slot->last_turn = ++turns_;
    in_turn_ = nullptr;
    dropCachesOverLimit();
    let_go_.notify_all();
  }
}

/// A cancelled request first, because ending it costs nothing; else the one that has waited
/// longest.
SessionSlot* EngineWorker::pickSlot() {
  const auto cancelled = [](const auto& slot) { return slot->generation && slot->cancel; };
  const auto ready = [](const auto& slot) { return slot->generation && !slot->paused; };
  auto picked = std::find_if(slots_.begin(), slots_.end(), cancelled);
  if (picked == slots_.end()) picked = std::find_if(slots_.begin(), slots_.end(), ready);
  if (picked == slots_.end()) return nullptr;
  slots_.splice(slots_.end(), slots_, picked);
  return slots_.back().get();
}

bool EngineWorker::othersWaitFor(const SessionSlot& slot) const {
  return std::any_of(slots_.begin(), slots_.end(), [&](const auto& other) {
    return other.get() != &slot && other->generation && !other->paused;
  });
}

void EngineWorker::takeTurn(SessionSlot& slot, bool others_wait) {
  const std::optional<Event> last = advance(slot, others_wait);
  if (!last) return;
  std::unique_ptr<Generation> ended;
  {
    const std::lock_guard lock(mutex_);  // idle from here on: the next request may be submitted
    ended = std::move(slot.generation);
    slot.cancel = false;
  }
  ended->listener()(*last);
}

std::optional<Event> EngineWorker::advance(SessionSlot& slot, bool others_wait) {
  Generation& generation = *slot.generation;
  if (slot.cancel) return generation.finish(StopReason::cancelled);
  if (Status ok = ensureState(slot); !ok) return GenerationFailed{ok.error()};
  if (!generation.readsPrompt()) return generation.advance(*model_, *slot.state, 1, slot.cancel);

  auto last = generation.advance(*model_, *slot.state, promptChunk(others_wait), slot.cancel);
  if (const double measured = generation.promptMsPerToken(); measured > 0) {
    prompt_ms_per_token_ = measured;
  }
  return last;
}

/// Memory for the slot's sequence; when there is none left, at the price of every idle cache.
Status EngineWorker::ensureState(SessionSlot& slot) {
  if (slot.state) return {};
  auto state = model_->newSequence();
  if (!state && state.error().code == ErrorCode::out_of_memory) {
    {
      const std::lock_guard lock(mutex_);
      dropIdleCaches(0, nullptr);
      discarded_.clear();
    }
    state = model_->newSequence();
  }
  if (!state) return passOn(state);
  slot.state = std::move(*state);
  return {};
}

int32_t EngineWorker::promptChunk(bool others_wait) const {
  if (prompt_ms_per_token_ <= 0) return kLeastChunkTokens;
  const double tokens = (others_wait ? kChunkMsWithOthers : kChunkMsAlone) / prompt_ms_per_token_;
  return static_cast<int32_t>(
      std::clamp(tokens, double{kLeastChunkTokens}, double{kMostChunkTokens}));
}

/// Never the idle cache used last: the conversation that the user is in would be read again from its
/// beginning at every turn once it alone is larger than the limit.
void EngineWorker::dropCachesOverLimit() {
  const SessionSlot* latest = nullptr;
  for (const auto& slot : slots_) {
    const bool idle = slot->state && !slot->generation;
    if (idle && (!latest || slot->last_turn > latest->last_turn)) latest = slot.get();
  }
  dropIdleCaches(cache_limit_bytes_, latest);
}

/// Drops idle caches, the least recently used first, until the rest fits or none is left to drop.
void EngineWorker::dropIdleCaches(uint64_t limit_bytes, const SessionSlot* spared) {
  uint64_t total = cacheBytes();
  while (total > limit_bytes) {
    SessionSlot* oldest = nullptr;
    for (const auto& slot : slots_) {
      const bool idle = slot->state && !slot->generation && in_turn_ != slot.get();
      if (idle && slot.get() != spared && (!oldest || slot->last_turn < oldest->last_turn)) oldest = slot.get();
    }
    if (!oldest) return;
    total -= oldest->cache_bytes;
    oldest->cache_bytes = 0;
    discarded_.push_back(std::move(oldest->state));
    ++caches_dropped_;
  }
}

uint64_t EngineWorker::cacheBytes() const {
  uint64_t total = 0;
  for (const auto& slot : slots_) total += slot->cache_bytes;
  return total;
}

}  // namespace hearth
