// The engine: one worker thread that gives every session with work its turn.
#pragma once

#include <memory>

#include "inference/language_model.h"
#include "inference/session.h"

namespace hearth {

class EngineWorker;

struct EngineOptions {
  LanguageModelOptions model;
  /// Over it, idle caches are dropped, the least recently used first; the one used last stays.
  /// 0: a quarter of this machine's memory, at least 1 GiB.
  uint64_t cache_limit_bytes = 0;
};

struct EngineStatus {
  int32_t sessions = 0;
  int32_t running = 0;          // sessions with a request, paused ones too
  uint64_t cache_bytes = 0;
  uint64_t caches_dropped = 0;  // since the start
};

/// Any thread may call it. Sessions must be destroyed before their engine.
class Engine {
 public:
  /// Takes the device over. Codes: those of LanguageModel::load; out_of_memory (no thread either).
  static Result<std::unique_ptr<Engine>> create(std::unique_ptr<Device> device,
                                                std::shared_ptr<const ModelFile> file,
                                                const EngineOptions& options);
  ~Engine();

  std::unique_ptr<Session> newSession();

  const ModelConfig& config() const;
  int32_t contextLength() const;
  DeviceInfo deviceInfo() const;
  EngineStatus status() const;

 private:
  explicit Engine(std::unique_ptr<EngineWorker> worker);
  std::unique_ptr<EngineWorker> worker_;
};

}  // namespace hearth
