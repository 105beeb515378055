// The CUDA device: memory, constants and plans on one GPU.
#pragma once

#include <memory>

#include "kernels/cuda/context.h"
#include "kernels/device.h"

namespace hearth::cuda {

/// Used from one thread at a time, except `info`, which any thread may call.
class CudaDevice final : public Device {
 public:
  explicit CudaDevice(std::shared_ptr<Context> context);

  DeviceInfo info() const override;
  Result<std::unique_ptr<Buffer>> allocate(size_t bytes) override;
  Result<OwnedConstant> upload(const TensorView& host) override;
  Result<std::unique_ptr<CompiledPlan>> compile(Plan plan) override;

 private:
  std::shared_ptr<Context> context_;
  std::string name_;
};

/// The first GPU of capability 7.5 or more, or the reason why there is none. Codes: device.
Result<std::unique_ptr<CudaDevice>> openFirstGpu();

/// Runs a small plan whose result is known: tells a GPU that only looks usable from one that is.
/// Codes: device and whatever the steps give.
Status selfTest(Device& device);

}  // namespace hearth::cuda
