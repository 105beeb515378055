// A compute device: memory, constants, and plans compiled for it. No CUDA type appears here.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "kernels/base/error.h"
#include "kernels/base/tensor.h"
#include "kernels/plan.h"

namespace hearth {

enum class DeviceKind : uint8_t { cpu, cuda };

struct DeviceInfo {
  DeviceKind kind = DeviceKind::cpu;
  std::string name;           // "AMD EPYC 9454, AVX-512 with VNNI, 2 threads"
  uint64_t memory_total = 0;  // bytes
  uint64_t memory_free = 0;   // bytes, now
};

/// Device memory, freed with the object. Must not outlive its Device.
class Buffer {
 public:
  virtual ~Buffer() = default;
  virtual void* data() = 0;  ///< device pointer; on the CPU also a host pointer
  virtual size_t size() const = 0;
  virtual Status write(size_t offset, std::span<const std::byte> bytes) = 0;
  virtual Status read(size_t offset, std::span<std::byte> bytes) const = 0;
};

/// A constant and, where the device had to copy it, the memory that holds it.
struct OwnedConstant {
  Constant constant;
  std::unique_ptr<Buffer> memory;  ///< null: `constant` points at the caller's host memory
};

/// A plan made ready for one device, with its own workspace. Runs from one thread at a time.
class CompiledPlan {
 public:
  virtual ~CompiledPlan() = default;

  /// Runs every op and waits for the result.
  /// Codes: invalid_argument (a step that breaks StepInputs' bounds), cancelled, device.
  virtual Status run(const StepInputs& step) = 0;

  /// Copies the first `bytes.size()` bytes of a workspace value. For logits, and for tests.
  virtual Status download(const Value& value, std::span<std::byte> bytes) const = 0;
  virtual Status upload(const Value& value, std::span<const std::byte> bytes) = 0;
};

/// Used from one thread at a time, except `info`, which any thread may call.
class Device {
 public:
  virtual ~Device() = default;

  virtual DeviceInfo info() const = 0;

  /// Zeroed memory. On the CPU untouched pages cost nothing. Codes: out_of_memory.
  virtual Result<std::unique_ptr<Buffer>> allocate(size_t bytes) = 0;

  /// Makes a host tensor usable in plans. The CPU may keep pointing at `host`, which then has to
  /// stay mapped; others copy. Either must outlive every compiled plan that uses it.
  /// Codes: out_of_memory, unsupported (shape beyond int32, type).
  virtual Result<OwnedConstant> upload(const TensorView& host) = 0;

  /// Codes: unsupported (an op, shape or type), out_of_memory.
  virtual Result<std::unique_ptr<CompiledPlan>> compile(Plan plan) = 0;
};

enum class Isa : uint8_t { best, scalar, avx2, avx512 };

struct CpuOptions {
  int n_threads = 0;  // 0: one for each core this process may use
  Isa isa = Isa::best;
};

/// Codes: unsupported (an instruction set that this processor lacks).
Result<std::unique_ptr<Device>> openCpuDevice(const CpuOptions& options);

/// Loads the CUDA module and opens the first usable GPU. The message of a failure is the honest
/// reason a user is told: no module, no driver, too old, self-test failed. Codes: device.
Result<std::unique_ptr<Device>> openCudaDevice();

/// Whether this version's CUDA kernels have passed their tests on a GPU. While false, `automatic`
/// does not choose the GPU (DESIGN rule 7); asking for `cuda` still does.
bool cudaIsVerified();

enum class DeviceChoice : uint8_t { automatic, cpu, cuda };

struct OpenedDevice {
  std::unique_ptr<Device> device;
  std::string why_not_gpu;  // empty when a GPU is used or was not asked for
};

/// `automatic` falls back to the CPU and keeps the reason; `cuda` fails instead.
Result<OpenedDevice> openDevice(DeviceChoice choice, const CpuOptions& cpu);

}  // namespace hearth
