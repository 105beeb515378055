// The CPU device with a say in what happens: slow steps, failing steps, memory that runs out.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "kernels/device.h"

namespace hearth::test {

/// Hooks run on the engine's worker thread. Set them before the engine starts.
struct DeviceScript {
  std::function<Status(const StepInputs&)> before_step = [](const StepInputs&) { return Status(); };
  std::function<Status(size_t)> before_allocate = [](size_t) { return Status(); };
};

class ScriptedDevice final : public Device {
 public:
  ScriptedDevice(std::unique_ptr<Device> inner, std::shared_ptr<const DeviceScript> script)
      : inner_(std::move(inner)), script_(std::move(script)) {}

  DeviceInfo info() const override { return inner_->info(); }

  Result<std::unique_ptr<Buffer>> allocate(size_t bytes) override {
    if (Status ok = script_->before_allocate(bytes); !ok) return passOn(ok);
    return inner_->allocate(bytes);
  }

  Result<OwnedConstant> upload(const TensorView& host) override { return inner_->upload(host); }

  Result<std::unique_ptr<CompiledPlan>> compile(Plan plan) override {
    auto compiled = inner_->compile(std::move(plan));
    if (!compiled) return passOn(compiled);
    return std::make_unique<Compiled>(std::move(*compiled), script_);
  }

 private:
  class Compiled final : public CompiledPlan {
   public:
    Compiled(std::unique_ptr<CompiledPlan> inner, std::shared_ptr<const DeviceScript> script)
        : inner_(std::move(inner)), script_(std::move(script)) {}
    Status run(const StepInputs& step) override {
      if (Status ok = script_->before_step(step); !ok) return ok;
      return inner_->run(step);
    }
    Status download(const Value& value, std::span<std::byte> bytes) const override {
      return inner_->download(value, bytes);
    }
    Status upload(const Value& value, std::span<const std::byte> bytes) override {
      return inner_->upload(value, bytes);
    }

   private:
    std::unique_ptr<CompiledPlan> inner_;
    std::shared_ptr<const DeviceScript> script_;
  };

  std::unique_ptr<Device> inner_;
  std::shared_ptr<const DeviceScript> script_;
};

}  // namespace hearth::test
