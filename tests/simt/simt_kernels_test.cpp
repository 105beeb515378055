// The CUDA device on the host SIMT executor: the op table, races, bounds of steps, and its plans.
#include <QtTest>

#include <array>
#include <atomic>
#include <limits>
#include <optional>

#include "executor.h"
#include "kernels/cases/cases.h"
#include "kernels/cuda/device.h"
#include "tests/gpu/prepared_case.h"

using namespace hearth;
using hearth::gpu::CaseBytes;
using hearth::gpu::PreparedCase;

namespace {

std::unique_ptr<cuda::CudaDevice> openExecutor() {
  auto context = cuda::Context::create(0);
  return context ? std::make_unique<cuda::CudaDevice>(*std::move(context)) : nullptr;
}

Result<PreparedCase> prepare(const OpCase& op_case, Device& device) {
  return PreparedCase::create(op_case, device);
}

Result<CaseBytes> run(PreparedCase& prepared) { return prepared.run(); }

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
    built.positions.assign(ids.size(), -1);
    QCOMPARE(run(*prepared).error().code, ErrorCode::invalid_argument);
    built.positions.assign(ids.size(), 0);
    QVERIFY(run(*prepared));
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
