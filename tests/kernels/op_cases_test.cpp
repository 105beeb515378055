// The op table on every instruction set of the CPU device, against the float64 reference.
#include <QTest>
#include <map>

#include "kernels/cases/cases.h"

using namespace hearth;

struct Setting {
  const char* name;
  Isa isa;
  int n_threads;
};

constexpr Setting kSettings[] = {
    {"scalar, 1 thread", Isa::scalar, 1},  {"AVX2, 1 thread", Isa::avx2, 1},
    {"AVX2, 3 threads", Isa::avx2, 3},     {"AVX-512, 1 thread", Isa::avx512, 1},
    {"AVX-512, 2 threads", Isa::avx512, 2}, {"AVX-512, 4 threads", Isa::avx512, 4},
};

class OpCasesTest : public QObject {
  Q_OBJECT

 private slots:
  void everyOpMatchesTheReference_data();
  void everyOpMatchesTheReference();
  void namesAreUnique();
  void buildsTheSameBytesEachTime();

 private:
  // Opening a device starts its threads; once for each setting is enough.
  std::map<QByteArray, std::unique_ptr<Device>> devices_;
  std::map<std::string, OpCase> cases_;
};

void OpCasesTest::everyOpMatchesTheReference_data() {
  QTest::addColumn<QByteArray>("setting");
  QTest::addColumn<QByteArray>("case_name");
  for (OpCase& op_case : opCases(CaseSet::quick)) cases_.emplace(op_case.name, op_case);
  for (const Setting& setting : kSettings) {
    auto device = openCpuDevice({setting.n_threads, setting.isa});
    if (device) devices_[setting.name] = *std::move(device);
    for (const auto& [name, op_case] : cases_) {
      QTest::addRow("%s: %s", setting.name, name.c_str())
          << QByteArray(setting.name) << QByteArray::fromStdString(name);
      if (!device) break;  // one visible skip instead of one for each case
    }
  }
}

void OpCasesTest::everyOpMatchesTheReference() {
  QFETCH(QByteArray, setting);
  QFETCH(QByteArray, case_name);
  if (!devices_.contains(setting)) QSKIP("this processor lacks the instruction set");
  const CaseOutcome outcome = runCase(cases_.at(case_name.toStdString()), *devices_.at(setting));
  QVERIFY2(outcome.passed, outcome.message.c_str());
}

void OpCasesTest::namesAreUnique() {
  for (const CaseSet set : {CaseSet::quick, CaseSet::full, CaseSet::bench}) {
    std::map<std::string, int> seen;
    for (const OpCase& op_case : opCases(set)) {
      QVERIFY2(seen[op_case.name]++ == 0, op_case.name.c_str());
    }
  }
}

void OpCasesTest::buildsTheSameBytesEachTime() {
  for (const OpCase& op_case : opCases(CaseSet::quick)) {
    const BuiltCase a = op_case.build(), b = op_case.build();
    QCOMPARE(a.inputs.size(), b.inputs.size());
    for (size_t i = 0; i < a.inputs.size(); ++i) QVERIFY(a.inputs[i].bytes == b.inputs[i].bytes);
    QVERIFY(a.kv_bytes == b.kv_bytes);
  }
}

QTEST_APPLESS_MAIN(OpCasesTest)
#include "op_cases_test.moc"
