// A case of the op table, uploaded and compiled once, to be run as often as wanted.
#pragma once

#include <memory>
#include <vector>

#include "kernels/cases/cases.h"

namespace hearth::gpu {

/// What a case leaves in its outputs and KV memory.
struct CaseBytes {
  std::vector<std::byte> outputs, kv;
  bool operator==(const CaseBytes&) const = default;
};

/// `built` and `step` may be changed between runs; the device must outlive it.
struct PreparedCase {
  BuiltCase built;
  std::vector<OwnedConstant> constants;
  std::unique_ptr<CompiledPlan> plan;
  std::unique_ptr<Buffer> kv;
  StepInputs step;  // ids, positions and rows are taken from `built` at each run

  static Result<PreparedCase> create(const OpCase& op_case, Device& device) {
    PreparedCase prepared{op_case.build(), {}, {}, {}, {}};
    const BuiltCase& built = prepared.built;
    auto on_device = planOnDevice(built.plan, device, prepared.constants);
    if (!on_device) return passOn(on_device);
    auto plan = device.compile(*std::move(on_device));
    if (!plan) return passOn(plan);
    prepared.plan = *std::move(plan);
    auto kv = device.allocate(built.kv_bytes.size() + 64);
    if (!kv) return passOn(kv);
    prepared.kv = *std::move(kv);
    prepared.step.first_row = built.first_row;
    prepared.step.kv = built.kv;
    prepared.step.kv.data = prepared.kv->data();
    return prepared;
  }

  /// Inputs and KV memory as the case wants them before a run.
  Status reset() {
    for (const CaseInput& input : built.inputs) {
      if (Status s = plan->upload(input.value, input.bytes); !s) return s;
    }
    return kv->write(0, built.kv_bytes);
  }

  Status runOnce() {
    step.token_ids = built.token_ids;
    step.positions = built.positions;
    step.out_rows = built.out_rows;
    return plan->run(step);
  }

  Result<CaseBytes> run() {
    if (Status s = reset(); !s) return passOn(s);
    if (Status s = runOnce(); !s) return passOn(s);
    CaseBytes bytes;
    for (const Value& out : built.outputs) {
      const size_t rows = out.extent == Extent::tokens ? built.token_ids.size() : built.out_rows.size();
      std::vector<std::byte> part(rows * rowBytes(out.dtype, out.cols));
      if (Status s = plan->download(out, part); !s) return passOn(s);
      bytes.outputs.insert(bytes.outputs.end(), part.begin(), part.end());
    }
    bytes.kv.resize(built.kv_bytes.size());
    if (Status s = kv->read(0, bytes.kv); !s) return passOn(s);
    return bytes;
  }
};

}  // namespace hearth::gpu
