// An engine on a fixture model, and a listener that remembers what it heard.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "inference/engine.h"
#include "tests/inference/scripted_device.h"
#include "tests/inference/test_model.h"

namespace hearth::test {

inline constexpr const char* kEngineModel = "stories260K-f32.gguf";
inline const std::vector<int32_t> kOnceUponATime = {1, 403, 407, 261, 378};

inline SamplingOptions greedy() {
  SamplingOptions options;
  options.temperature = 0;
  return options;
}

inline SamplingOptions seeded(uint64_t seed) {
  SamplingOptions options;
  options.temperature = 1;
  options.seed = seed;
  return options;
}

inline std::unique_ptr<Engine> testEngine(EngineOptions options = {.model = kExact},
                                          std::shared_ptr<const DeviceScript> script = nullptr) {
  auto device = cpuDevice({.n_threads = 1});
  if (script) device = std::make_unique<ScriptedDevice>(std::move(device), script);
  auto engine = Engine::create(std::move(device), openFixture(kEngineModel), options);
  if (!engine) qFatal("%s", engine.error().message.c_str());
  return std::move(*engine);
}

/// What one request's listener heard. Must outlive the session's request.
class Heard {
 public:
  /// `react` runs on the worker thread after the event is written down.
  explicit Heard(std::function<void(const Event&)> react = {}) : react_(std::move(react)) {}

  Listener listener() {
    return [this](const Event& event) {
      {
        const std::lock_guard lock(mutex_);
        write(event);
      }
      if (react_) react_(event);
      changed_.notify_all();
    };
  }

  /// False after 30 s without it.
  bool waitUntilEnded() {
    return waitUntil([](const Heard& heard) { return heard.ends_ > 0; });
  }
  bool waitForTokens(size_t n) {
    return waitUntil([n](const Heard& heard) { return heard.ids_.size() >= n; });
  }

  std::vector<int32_t> ids() const { return read(ids_); }
  std::vector<PromptProgress> progress() const { return read(progress_); }
  GenerationStats stats() const { return read(stats_); }
  std::optional<Error> error() const { return read(error_); }
  int ends() const { return read(ends_); }
  bool heardAfterEnd() const { return read(after_end_); }

 private:
  template <class T>
  T read(const T& member) const {
    const std::lock_guard lock(mutex_);
    return member;
  }

  bool waitUntil(const std::function<bool(const Heard&)>& reached) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30), [&] { return reached(*this); });
  }

  void write(const Event& event) {
    after_end_ = after_end_ || ends_ > 0;
    if (const auto* tokens = std::get_if<TokensGenerated>(&event)) {
      ids_.insert(ids_.end(), tokens->ids.begin(), tokens->ids.end());
    } else if (const auto* progress = std::get_if<PromptProgress>(&event)) {
      progress_.push_back(*progress);
    } else if (const auto* finished = std::get_if<GenerationFinished>(&event)) {
      stats_ = finished->stats;
      ++ends_;
    } else {
      error_ = std::get<GenerationFailed>(event).error;
      ++ends_;
    }
  }

  std::function<void(const Event&)> react_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<int32_t> ids_;
  std::vector<PromptProgress> progress_;
  GenerationStats stats_;
  std::optional<Error> error_;
  int ends_ = 0;
  bool after_end_ = false;
};

inline GenerationRequest request(std::vector<int32_t> prompt, int32_t max_tokens,
                                 SamplingOptions sampling = greedy()) {
  GenerationRequest made;
  made.prompt_ids = std::move(prompt);
  made.max_tokens = max_tokens;
  made.sampling = std::move(sampling);
  return made;
}

/// Submits, waits, and returns what was heard of it.
inline std::unique_ptr<Heard> answer(Session& session, GenerationRequest made) {
  auto heard = std::make_unique<Heard>();
  const Status submitted = session.submit(std::move(made), heard->listener());
  if (!submitted) qFatal("%s", submitted.error().message.c_str());
  if (!heard->waitUntilEnded()) qFatal("no answer within 30 s");
  return heard;
}

/// The same answer without an engine: one forward step a token.
inline std::vector<int32_t> answerWithoutEngine(const GenerationRequest& made) {
  TestModel m(kEngineModel);
  const auto state = m.newSequence();
  Sampler sampler(made.sampling);
  std::vector<int32_t> ids = made.prompt_ids, next = ids;
  for (int32_t i = 0; i < made.max_tokens; ++i) {
    next = {sampler.sample(m.last(*state, next), ids, ids.size())};
    ids.push_back(next[0]);
  }
  return {ids.begin() + static_cast<ptrdiff_t>(made.prompt_ids.size()), ids.end()};
}

/// `n` ids that start like every other such prompt and differ later on by `variant`.
inline std::vector<int32_t> longPrompt(size_t n, int32_t variant = 0) {
  std::vector<int32_t> ids = {1};
  while (ids.size() < n)
    ids.push_back(260 + static_cast<int32_t>(ids.size() * 7 + ids.size() / 9) % 200);
  if (variant != 0) ids[n / 2] = 460 + variant;
  return ids;
}

}  // namespace hearth::test
