// The CUDA device on the host SIMT executor: the op table, races, bounds of steps, and its plans.
#include <QtTest>

#include <cstring>

#include "executor.h"
#include "kernels/cases/cases.h"
#include "kernels/cuda/device.h"

using namespace hearth;

namespace {

std::unique_ptr<cuda::CudaDevice> openExecutor() {
  auto context = cuda::Context::create(0);
  return context ? std::make_unique<cuda::CudaDevice>(*std::move(context)) : nullptr;
}

/// What a case leaves in its outputs and KV memory, byte for byte.
struct Bytes {
  std::vector<std::byte> outputs, kv;
  bool operator==(const Bytes&) const = default;
};

struct PreparedCase {
  BuiltCase built;
  std::vector<OwnedConstant> constants;
  std::unique_ptr<CompiledPlan> plan;
  std::unique_ptr<Buffer> kv;
  StepInputs step;
};

Result<PreparedCase> prepare(const OpCase& op_case, Device& device) {
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

Result<Bytes> run(PreparedCase& prepared) {
  const BuiltCase& built = prepared.built;
  StepInputs step = prepared.step;
  step.token_ids = built.token_ids;
  step.positions = built.positions;
  step.out_rows = built.out_rows;
  for (const CaseInput& input : built.inputs) {
    if (Status s = prepared.plan->upload(input.value, input.bytes); !s) return passOn(s);
  }
  if (Status s = prepared.kv->write(0, built.kv_bytes); !s) return passOn(s);
  if (Status s = prepared.plan->run(step); !s) return passOn(s);
  Bytes bytes;
  for (const Value& out : built.outputs) {
    const size_t rows = out.extent == Extent::tokens ? step.token_ids.size() : step.out_rows.size();
    std::vector<std::byte> part(rows * rowBytes(out.dtype, out.cols));
    if (Status s = prepared.plan->download(out, part); !s) return passOn(s);
    bytes.outputs.insert(bytes.outputs.end(), part.begin(), part.end());
  }
  bytes.kv.resize(built.kv_bytes.size());
  if (Status s = prepared.kv->read(0, bytes.kv); !s) return passOn(s);
  return bytes;
}

std::optional<OpCase> findCase(const char* prefix) {
  for (OpCase& op_case : opCases(CaseSet::quick)) {
    if (op_case.name.starts_with(prefix)) return op_case;
  }
  return std::nullopt;
}

}  // namespace

class SimtKernelsTest : public QObject {
  Q_OBJECT

 private slots:
  void init() { simt::setThreadOrder(simt::ThreadOrder::forward); }

  void everyOpMatchesTheReference_data() {
    QTest::addColumn<int>("index");
    const auto cases = opCases(CaseSet::quick);
    for (size_t i = 0; i < cases.size(); ++i) QTest::newRow(cases[i].name.c_str()) << int(i);
  }

  void everyOpMatchesTheReference() {
    QFETCH(int, index);
    static const auto cases = opCases(CaseSet::quick);
    const auto device = openExecutor();
    const CaseOutcome outcome = runCase(cases[static_cast<size_t>(index)], *device);
    QVERIFY2(outcome.passed, outcome.message.c_str());
    QVERIFY(outcome.compared > 0);
  }

  // Threads take their turns from the first to the last, then from the last to the first. A missing
  // barrier shows as a difference.
  void resultsDoNotDependOnTheOrderOfThreads() {
    const auto device = openExecutor();
    int n_compared = 0;
    for (const OpCase& op_case : opCases(CaseSet::quick)) {
      auto prepared = prepare(op_case, *device);
      QVERIFY2(prepared, prepared ? "" : prepared.error().message.c_str());
      simt::setThreadOrder(simt::ThreadOrder::forward);
      const auto forward = run(*prepared);
      simt::setThreadOrder(simt::ThreadOrder::backward);
      const auto backward = run(*prepared);
      QVERIFY2(forward && backward, op_case.name.c_str());
      QVERIFY2(*forward == *backward, op_case.name.c_str());
      ++n_compared;
    }
    QVERIFY(n_compared > 50);
  }

  void selfTestPasses() {
    const auto device = openExecutor();
    const Status tested = cuda::selfTest(*device);
    QVERIFY2(tested, tested ? "" : tested.error().message.c_str());
  }

  void refusesTokensOutsideTheTable() {
    const auto device = openExecutor();
    auto prepared = prepare(*findCase("embed/"), *device);
    QVERIFY(prepared);
    for (const int32_t id : {-1, 37, std::numeric_limits<int32_t>::max()}) {
      prepared->built.token_ids.back() = id;
      const auto ran = run(*prepared);
      QVERIFY(!ran);
      QCOMPARE(ran.error().code, ErrorCode::invalid_argument);
      QVERIFY(ran.error().message.find(std::to_string(id)) != std::string::npos);
    }
  }

  void refusesStepsThatDoNotFitThePlan() {
    const auto device = openExecutor();
    auto prepared = prepare(*findCase("embed/"), *device);
    QVERIFY(prepared);
    auto& built = prepared->built;
    const auto ids = built.token_ids;
    built.token_ids.assign(static_cast<size_t>(built.plan.max_tokens) + 1, 0);
    built.positions.assign(built.token_ids.size(), 0);
    QCOMPARE(run(*prepared).error().code, ErrorCode::invalid_argument);
    built.token_ids.clear();
    built.positions.clear();
    QCOMPARE(run(*prepared).error().code, ErrorCode::invalid_argument);
    built.token_ids = ids;
    QCOMPARE(run(*prepared).error().code, ErrorCode::invalid_argument);  // no positions
  }

  void refusesOutputRowsOutsideTheStep() {
    const auto device = openExecutor();
    auto prepared = prepare(*findCase("select"), *device);
    QVERIFY(prepared);
    prepared->built.out_rows.back() = static_cast<int32_t>(prepared->built.token_ids.size());
    QCOMPARE(run(*prepared).error().code, ErrorCode::invalid_argument);
    prepared->built.out_rows.back() = -1;
    QCOMPARE(run(*prepared).error().code, ErrorCode::invalid_argument);
  }

  void refusesKvMemoryThatDoesNotFit() {
    const auto device = openExecutor();
    auto prepared = prepare(*findCase("attention/"), *device);
    QVERIFY(prepared);
    const StepInputs good = prepared->step;
    const auto refused = [&](auto change) {
      prepared->step = good;
      change(prepared->step);
      const auto ran = run(*prepared);
      return !ran && ran.error().code == ErrorCode::invalid_argument;
    };
    QVERIFY(refused([](StepInputs& s) { s.kv.data = nullptr; }));
    QVERIFY(refused([](StepInputs& s) { s.kv.n_layers = 0; }));
    QVERIFY(refused([](StepInputs& s) { s.kv.head_dim += 2; }));
    QVERIFY(refused([](StepInputs& s) { s.kv.dtype = Dtype::q4_0; }));
    QVERIFY(refused([](StepInputs& s) { s.first_row = -1; }));
    QVERIFY(refused([](StepInputs& s) { s.first_row = s.kv.capacity_rows; }));
    QVERIFY(refused([](StepInputs& s) { s.kv.capacity_rows = s.first_row; }));
    prepared->step = good;
    QVERIFY(run(*prepared));
  }

  void cancelledStepChangesNothing() {
    const auto device = openExecutor();
    auto prepared = prepare(*findCase("rope_store/"), *device);
    QVERIFY(prepared);
    const std::atomic<bool> cancel = true;
    prepared->step.cancel = &cancel;
    const auto ran = run(*prepared);
    QVERIFY(!ran);
    QCOMPARE(ran.error().code, ErrorCode::cancelled);
    std::vector<std::byte> kv(prepared->built.kv_bytes.size());
    QVERIFY(prepared->kv->read(0, kv));
    QVERIFY(kv == prepared->built.kv_bytes);
  }

  void refusesMoreMemoryThanThereIs() {
    const auto device = openExecutor();
    const auto buffer = device->allocate(size_t{1} << 50);
    QVERIFY(!buffer);
    QCOMPARE(buffer.error().code, ErrorCode::out_of_memory);
  }

  void buffersRefuseRangesOutsideThem() {
    const auto device = openExecutor();
    auto buffer = device->allocate(100);
    QVERIFY(buffer);
    std::array<std::byte, 8> bytes{};
    QVERIFY((*buffer)->write(92, bytes));
    QVERIFY(!(*buffer)->write(93, bytes));
    QVERIFY(!(*buffer)->read(std::numeric_limits<size_t>::max(), bytes));
  }

  void refusesHeadsThatDoNotFitSharedMemory() {
    const auto device = openExecutor();
    Plan plan;
    plan.max_tokens = 1;
    AttentionOp op;
    op.n_heads = 1;
    op.kv = {0, 1, 512};
    op.q = op.out = {Space::workspace, Extent::tokens, Dtype::f32, 1, 512, 0};
    plan.workspace_bytes = 2048;
    plan.ops = {op};
    const auto compiled = device->compile(plan);
    QVERIFY(!compiled);
    QCOMPARE(compiled.error().code, ErrorCode::unsupported);
  }
};

QTEST_GUILESS_MAIN(SimtKernelsTest)
#include "simt_kernels_test.moc"
