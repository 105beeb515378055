#include "kernels/cpu/thread_pool.h"

#include <QTest>
#include <chrono>
#include <ctime>
#include <vector>

using hearth::cpu::Barrier;
using hearth::cpu::ThreadPool;

class ThreadPoolTest : public QObject {
  Q_OBJECT

 private slots:
  void everyThreadWorksOnceInEachRun();
  void barrierHoldsEveryoneUntilTheLastArrives();
  void lastArrivalIsSeenByAll();
  void idleThreadsUseNoProcessorTime();
  void waitingForASlowThreadUsesLittleProcessorTime();
};

void ThreadPoolTest::everyThreadWorksOnceInEachRun() {
  for (const int n : {1, 2, 3, 7}) {
    ThreadPool pool(n);
    QCOMPARE(pool.size(), n);
    std::vector<std::atomic<int>> calls(static_cast<size_t>(n));
    for (int run = 1; run <= 200; ++run) {
      pool.run([&](int thread) { ++calls[static_cast<size_t>(thread)]; });
      for (const auto& count : calls) QCOMPARE(count.load(), run);
    }
  }
}

void ThreadPoolTest::barrierHoldsEveryoneUntilTheLastArrives() {
  constexpr int kThreads = 4, kRounds = 500;
  ThreadPool pool(kThreads);
  Barrier barrier(kThreads);
  std::atomic<int> arrivals{0}, too_early{0};
  pool.run([&](int) {
    for (int round = 1; round <= kRounds; ++round) {
      ++arrivals;
      barrier.arrive([] {});
      if (arrivals.load() < round * kThreads) ++too_early;
    }
  });
  QCOMPARE(too_early.load(), 0);
  QCOMPARE(arrivals.load(), kRounds * kThreads);
}

void ThreadPoolTest::lastArrivalIsSeenByAll() {
  constexpr int kThreads = 3, kRounds = 500;
  ThreadPool pool(kThreads);
  Barrier barrier(kThreads);
  int value = 0;  // not atomic: the barrier orders it
  std::atomic<int> wrong{0};
  pool.run([&](int) {
    for (int round = 1; round <= kRounds; ++round) {
      barrier.arrive([&] { value = round; });
      if (value != round) ++wrong;
      barrier.arrive([] {});
    }
  });
  QCOMPARE(wrong.load(), 0);
}

static double processSeconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

void ThreadPoolTest::idleThreadsUseNoProcessorTime() {
  ThreadPool pool(4);
  pool.run([](int) {});
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const double before = processSeconds();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  QVERIFY(processSeconds() - before < 0.02);
}

void ThreadPoolTest::waitingForASlowThreadUsesLittleProcessorTime() {
  ThreadPool pool(4);
  Barrier barrier(4);
  const double before = processSeconds();
  pool.run([&](int thread) {
    if (thread == 3) std::this_thread::sleep_for(std::chrono::milliseconds(200));
    barrier.arrive([] {});
  });
  QVERIFY(processSeconds() - before < 0.02);
}

QTEST_APPLESS_MAIN(ThreadPoolTest)
#include "thread_pool_test.moc"
