#include "inference/engine.h"

#include "inference/engine_worker.h"

namespace hearth {
namespace {

class EngineSession final : public Session {
 public:
  explicit EngineSession(EngineWorker& worker) : worker_(worker), slot_(worker.open()) {}
  ~EngineSession() override { worker_.close(slot_); }

  Status submit(GenerationRequest request, Listener listener) override {
    if (Status ok = checkPrompt(request.prompt_ids); !ok) return ok;
    return worker_.submit(slot_, std::move(request), std::move(listener));
  }
  void cancel() override { worker_.cancel(slot_); }
  void pause() override { worker_.setPaused(slot_, true); }
  void resume() override { worker_.setPaused(slot_, false); }

 private:
  Status checkPrompt(const std::vector<int32_t>& ids) const {
    const LanguageModel& model = worker_.model();
    if (ids.empty()) return fail(ErrorCode::invalid_argument, "the prompt is empty");
    if (ids.size() > static_cast<size_t>(model.contextLength())) {
      return fail(ErrorCode::invalid_argument,
                  "a prompt of {} tokens is longer than the context of {}", ids.size(),
                  model.contextLength());
    }
    for (const int32_t id : ids) {
      if (id < 0 || id >= model.config().n_vocab) {
        return fail(ErrorCode::invalid_argument, "token {} is outside the vocabulary of {}", id,
                    model.config().n_vocab);
      }
    }
    return {};
  }

  EngineWorker& worker_;
  SessionSlot& slot_;
};

}  // namespace

Result<std::unique_ptr<Engine>> Engine::create(std::unique_ptr<Device> device,
                                               std::shared_ptr<const ModelFile> file,
                                               const EngineOptions& options) {
  auto model = LanguageModel::load(*device, std::move(file), options.model);
  if (!model) return passOn(model);
  return std::unique_ptr<Engine>(new Engine(std::make_unique<EngineWorker>(
      std::move(device), std::move(*model), options.cache_limit_bytes)));
}

Engine::Engine(std::unique_ptr<EngineWorker> worker) : worker_(std::move(worker)) {}
Engine::~Engine() = default;

std::unique_ptr<Session> Engine::newSession() { return std::make_unique<EngineSession>(*worker_); }
const ModelConfig& Engine::config() const { return worker_->model().config(); }
int32_t Engine::contextLength() const { return worker_->model().contextLength(); }
DeviceInfo Engine::deviceInfo() const { return worker_->device().info(); }
EngineStatus Engine::status() const { return worker_->status(); }

}  // namespace hearth
