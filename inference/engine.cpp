#include "inference/engine.h"

#include <unistd.h>

#include <algorithm>

#include "inference/engine_worker.h"

namespace hearth {
namespace {

class EngineSession final : public Session {
 public:
  explicit EngineSession(EngineWorker& worker) : worker_(worker), slot_(worker.open()) {}
  ~EngineSession() override { worker_.close(slot_); }

  Status submit(GenerationRequest request, Listener listener) override {
    const LanguageModel& model = worker_.model();
    if (Status ok = model.checkIds(request.prompt_ids, model.contextLength()); !ok) return ok;
    return worker_.submit(slot_, std::move(request), std::move(listener));
  }
  void cancel() override { worker_.cancel(slot_); }
  void pause() override { worker_.setPaused(slot_, true); }
  void resume() override { worker_.setPaused(slot_, false); }

 private:
  EngineWorker& worker_;
  SessionSlot& slot_;
};

uint64_t defaultCacheLimit() {
  const uint64_t physical = static_cast<uint64_t>(std::max(0l, sysconf(_SC_PHYS_PAGES))) *
                            static_cast<uint64_t>(std::max(0l, sysconf(_SC_PAGE_SIZE)));
  return std::max(physical / 4, uint64_t{1} << 30);
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::create(std::unique_ptr<Device> device,
                                               std::shared_ptr<const ModelFile> file,
                                               const EngineOptions& options) {
  auto model = LanguageModel::load(*device, std::move(file), options.model);
  if (!model) return passOn(model);
  const uint64_t limit =
      options.cache_limit_bytes != 0 ? options.cache_limit_bytes : defaultCacheLimit();
  auto worker = std::make_unique<EngineWorker>(std::move(device), std::move(*model), limit);
  if (Status started = worker->start(); !started) return passOn(started);
  return std::unique_ptr<Engine>(new Engine(std::move(worker)));
}

Engine::Engine(std::unique_ptr<EngineWorker> worker) : worker_(std::move(worker)) {}
Engine::~Engine() = default;

std::unique_ptr<Session> Engine::newSession() { return std::make_unique<EngineSession>(*worker_); }
const ModelConfig& Engine::config() const { return worker_->model().config(); }
int32_t Engine::contextLength() const { return worker_->model().contextLength(); }
DeviceInfo Engine::deviceInfo() const { return worker_->device().info(); }
EngineStatus Engine::status() const { return worker_->status(); }

}  // namespace hearth
