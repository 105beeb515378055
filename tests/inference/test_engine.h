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

/// What one request's listener heard.
class Heard {
 public:
  /// `react` runs on the worker thread before the event is written down.
  explicit Heard(std::function<void(const Event&)> react = {}) : react_(std::move(react)) {}

  /// May outlive this object, as the worker's last step out of it does.
  Listener listener() {
    return [record = record_, react = react_](const Event& event) {
      if (react) react(event);
      const std::lock_guard lock(record->mutex);
      record->write(event);
      record->changed.notify_all();
    };
  }

  /// False after 30 s without it.
  bool waitUntilEnded() {
    return waitUntil([](const Record& record) { return record.ends > 0; });
  }
  bool waitForTokens(size_t n) {
    return waitUntil([n](const Record& record) { return record.ids.size() >= n; });
  }

  std::vector<int32_t> ids() const { return read(record_->ids); }
  std::vector<PromptProgress> progress() const { return read(record_->progress); }
  GenerationStats stats() const { return read(record_->stats); }
  std::optional<Error> error() const { return read(record_->error); }
  int ends() const { return read(record_->ends); }
  bool heardAfterEnd() const { return read(record_->after_end); }

 private:
  struct Record {
    std::mutex mutex;  // guards all below
    std::condition_variable changed;
    std::vector<int32_t> ids;
    std::vector<PromptProgress> progress;
    GenerationStats stats;
    std::optional<Error> error;
    int ends = 0;
    bool after_end = false;

    void write(const Event& event) {
      after_end = after_end || ends > 0;
      if (const auto* tokens = std::get_if<TokensGenerated>(&event)) {
        ids.insert(ids.end(), tokens->ids.begin(), tokens->ids.end());
      } else if (const auto* read = std::get_if<PromptProgress>(&event)) {
        progress.push_back(*read);
      } else if (const auto* finished = std::get_if<GenerationFinished>(&event)) {
        stats = finished->stats;
        ++ends;
      } else {
        error = std::get<GenerationFailed>(event).error;
        ++ends;
      }
    }
  };

  template <class T>
  T read(const T& member) const {
    const std::lock_guard lock(record_->mutex);
    return member;
  }

  bool waitUntil(const std::function<bool(const Record&)>& reached) {
    std::unique_lock lock(record_->mutex);
    return record_->changed.wait_for(lock, std::chrono::seconds(30),
                                     [&] { return reached(*record_); });
  }

  std::function<void(const Event&)> react_;
  std::shared_ptr<Record> record_ = std::make_shared<Record>();
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
