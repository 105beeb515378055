// The table of op cases: every op, at odd sizes and every type it takes, with random inputs. Each
// case runs on any device and is compared with the float64 reference. One table serves the CPU
// tests, the CUDA test program, `hearth-cli selftest` and the bench.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kernels/device.h"

namespace hearth {

/// A host tensor that a case owns: what `Constant::data` of its plan points to.
struct CaseTensor {
  Dtype dtype = Dtype::f32;
  int32_t rows = 0;
  int32_t cols = 0;
  std::vector<std::byte> bytes;
};

/// What a workspace value holds before the run: rows for all live tokens or outputs.
struct CaseInput {
  Value value;
  std::vector<std::byte> bytes;
};

/// One op on concrete data. Constants point at host memory owned here.
struct BuiltCase {
  Plan plan;                       // one op
  std::vector<std::unique_ptr<CaseTensor>> constants;
  std::vector<CaseInput> inputs;
  std::vector<Value> outputs;      // compared, live rows only
  std::vector<int32_t> token_ids;  // [n]
  std::vector<int32_t> positions;  // [n]
  std::vector<int32_t> out_rows;   // [m]
  int32_t first_row = 0;
  KvBinding kv;                    // shape only; data is null
  std::vector<std::byte> kv_bytes;  // [kvBytes(kv)] contents before the run
  double flops = 0;                // multiplications and additions, for the bench
  double bytes = 0;                // constants and KV that have to be read, for the bench
};

struct OpCase {
  std::string name;  // "linear/q8_0/a8/n1/64x100+bias"
  std::function<BuiltCase()> build;  // deterministic: the same bytes on every call
};

enum class CaseSet : uint8_t {
  quick,  // seconds on one core
  full,   // more shapes, real head sizes
  bench,  // few, as large as a 1B model's layers
};

std::vector<OpCase> opCases(CaseSet set);

struct CaseOutcome {
  bool passed = false;
  /// Empty when passed. Otherwise: the device's error, or how many elements differ and the worst
  /// one with place, both values and what was allowed.
  std::string message;
  size_t compared = 0;     // elements
  double worst_ratio = 0;  // largest difference, as a fraction of what was allowed
};

/// Runs the case on `device` and on the reference. Outputs are poisoned with NaN first, so that an
/// element nobody wrote fails. KV rows outside the step must stay as they were, bit for bit.
/// Tolerances follow from epsilon, the length of each reduction and the norms of its operands.
CaseOutcome runCase(const OpCase& op_case, Device& device);

/// `plan` with every constant's host pointer exchanged for what Device::upload made of it.
/// `uploaded` receives the owners; it must outlive the compiled plan.
/// Codes: those of Device::upload.
Result<Plan> planOnDevice(const Plan& plan, Device& device, std::vector<OwnedConstant>& uploaded);

}  // namespace hearth
