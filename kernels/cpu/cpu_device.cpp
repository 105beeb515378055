#include <algorithm>
#include <limits>

#include "kernels/cpu/cpu_plan.h"
#include "kernels/cpu/host_memory.h"
#include "kernels/cpu/instruction_sets.h"
#include "kernels/device.h"

namespace hearth {
namespace {

/// Bytes at which an element of the type may start. Files keep this for whole tensors nearly always.
size_t alignmentOf(Dtype dtype) {
  switch (dtype) {
    case Dtype::f64: return alignof(double);
    case Dtype::f32:
    case Dtype::i32:
    case Dtype::a8: return alignof(float);
    default: return alignof(uint16_t);
  }
}

class CpuDevice final : public Device {
 public:
  CpuDevice(const cpu::KernelTable& kernels, int n_threads) : kernels_(kernels), pool_(n_threads) {}

  DeviceInfo info() const override {
    const cpu::SystemMemory memory = cpu::systemMemory();
    return {DeviceKind::cpu,
            fmt::format("{}, {}, {} thread{}", cpu::processorName(), kernels_.name, pool_.size(),
                        pool_.size() == 1 ? "" : "s"),
            memory.total, memory.free};
  }

  Result<std::unique_ptr<Buffer>> allocate(size_t bytes) override {
    return cpu::allocatePages(bytes);
  }

  Result<OwnedConstant> upload(const TensorView& host) override {
    constexpr int64_t kLongest = std::numeric_limits<int32_t>::max();
    if (host.rows < 1 || host.cols < 1 || host.rows > kLongest || host.cols > kLongest) {
      return fail(ErrorCode::unsupported, "a tensor of {} × {} elements", host.rows, host.cols);
    }
    if (host.cols % traitsOf(host.dtype).block_length != 0) {
      return fail(ErrorCode::unsupported, "{} columns of {}, which come in blocks of {}", host.cols,
                  dtypeName(host.dtype), traitsOf(host.dtype).block_length);
    }
    OwnedConstant out{{host.data, host.dtype, static_cast<int32_t>(host.rows),
                       static_cast<int32_t>(host.cols)},
                      nullptr};
    if (reinterpret_cast<uintptr_t>(host.data) % alignmentOf(host.dtype) == 0) return out;
    auto copy = cpu::allocatePages(host.bytes());
    if (!copy) return passOn(copy);
    const std::span bytes(static_cast<const std::byte*>(host.data), host.bytes());
    if (auto written = (*copy)->write(0, bytes); !written) return passOn(written);
    out.constant.data = (*copy)->data();
    out.memory = *std::move(copy);
    return out;
  }

  Result<std::unique_ptr<CompiledPlan>> compile(Plan plan) override {
    auto compiled = cpu::CpuPlan::create(std::move(plan), kernels_, pool_);
    if (!compiled) return passOn(compiled);
    return std::unique_ptr<CompiledPlan>(*std::move(compiled));
  }

 private:
  const cpu::KernelTable& kernels_;
  cpu::ThreadPool pool_;
};

}  // namespace

Result<std::unique_ptr<Device>> openCpuDevice(const CpuOptions& options) {
  constexpr int kMostThreads = 256;
  auto kernels = cpu::kernelsFor(options.isa);
  if (!kernels) return passOn(kernels);
  const int wanted = options.n_threads > 0 ? options.n_threads : cpu::usableProcessors();
  return std::unique_ptr<Device>(
      std::make_unique<CpuDevice>(**kernels, std::clamp(wanted, 1, kMostThreads)));
}

}  // namespace hearth
