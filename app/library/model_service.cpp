#include "app/library/model_service.h"

#include <filesystem>
#include <map>

#include "app/chat/model_chat_engine.h"
#include "kernels/device.h"
#include "models/model_file.h"
#include "models/tokenizer/tokenizer.h"

namespace hearth {

namespace {

/// The type that most of the model's bytes have.
std::string commonWeightType(const ModelFile& file) {
  std::map<Dtype, uint64_t> bytes;
  for (const auto& [name, tensor] : file.tensors) bytes[tensor.dtype] += tensor.bytes();
  const auto most = std::max_element(bytes.begin(), bytes.end(), [](const auto& a, const auto& b) {
    return a.second < b.second;
  });
  return most == bytes.end() ? "" : dtypeName(most->first);
}

ModelDescription describe(const ModelFile& file) {
  return {.name = file.config.name.empty() ? file.path.stem().string() : file.config.name,
          .path = file.path.string(),
          .architecture = file.config.architecture,
          .weight_type = commonWeightType(file),
          .device = {},
          .why_not_gpu = {},
          .context_length = 0,
          .file_bytes = file.tensor_bytes};
}

Error aboutFile(const std::string& path, const Error& error) {
  const bool names_it = error.message.find(path) != std::string::npos;
  return names_it ? error : Error{error.code, fmt::format("{}: {}", path, error.message)};
}

}  // namespace

Result<std::shared_ptr<ChatEngine>> openChatEngine(const std::string& path,
                                                   const ModelServiceOptions& options) {
  auto opened = openModelFile(path);
  if (!opened) return tl::unexpected<Error>(aboutFile(path, opened.error()));
  const auto file = std::make_shared<const ModelFile>(std::move(*opened));

  auto tokenizer = loadTokenizer(file->tokenizer);
  if (!tokenizer) return tl::unexpected<Error>(aboutFile(path, tokenizer.error()));
  auto device = openDevice(DeviceChoice::automatic, {.n_threads = options.n_threads, .isa = Isa::best});
  if (!device) return passOn(device);

  EngineOptions engine_options;
  engine_options.model.precision = options.exact ? Precision::exact : Precision::fast;
  engine_options.cache_limit_bytes = options.cache_limit_bytes;
  auto engine = Engine::create(std::move(device->device), file, engine_options);
  if (!engine) return tl::unexpected<Error>(aboutFile(path, engine.error()));

  ModelDescription description = describe(*file);
  description.device = (*engine)->deviceInfo().name;
  description.why_not_gpu = device->why_not_gpu;
  description.context_length = (*engine)->contextLength();
  return std::make_shared<ModelChatEngine>(ModelChatEngine::Parts{
      std::move(*engine), std::move(*tokenizer), std::move(description), file->content_key});
}

ModelService::ModelService(ModelServiceOptions options, QObject* parent)
    : QObject(parent), options_(options) {}

ModelService::~ModelService() = default;

// Loading blocks this thread. Requests that come in meanwhile wait in its event queue, so both the
// start of a load and its result go through the queue as well: whatever came before them is seen.
void ModelService::openModel(const QString& path) {
  const qint64 request = ++latest_request_;
  QMetaObject::invokeMethod(this, [this, request, path] { load(request, path); }, Qt::QueuedConnection);
}

void ModelService::load(qint64 request, const QString& path) {
  if (request != latest_request_) return;
  emit loading(path);
  const auto engine = openChatEngine(path.toStdString(), options_);
  QMetaObject::invokeMethod(this, [this, request, path, engine] {
    if (request != latest_request_) return;
    if (engine) emit ready(*engine, (*engine)->describe());
    else emit failed(path, engine.error());
  }, Qt::QueuedConnection);
}

void ModelService::closeModel() {
  ++latest_request_;
  emit closed();
}

}  // namespace hearth
