#include "kernels/cpu/thread_pool.h"

#include <sched.h>
#include <sys/resource.h>

#include <QTest>
#include <chrono>
#include <ctime>
#include <fstream>
#include <random>
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
  void goesOnWithTheThreadsThatStarted();
  void neverSleepsThroughARing_data();
  void neverSleepsThroughARing();
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

// A limit on address space leaves no room for the stacks of 512 threads. (One on processes would not
// bind root.)
void ThreadPoolTest::goesOnWithTheThreadsThatStarted() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  QSKIP("sanitizers reserve more address space than a limit could leave");
#endif
  size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  if (pages == 0) QSKIP("no /proc here");
  rlimit before{};
  QCOMPARE(getrlimit(RLIMIT_AS, &before), 0);
  rlimit tight = before;
  tight.rlim_cur = pages * 4096 + (size_t{128} << 20);
  QCOMPARE(setrlimit(RLIMIT_AS, &tight), 0);
  int size = 0, calls = 0;
  {
    ThreadPool pool(512);
    size = pool.size();
    std::atomic<int> called{0};
    pool.run([&](int) { ++called; });
    calls = called;
  }
  QCOMPARE(setrlimit(RLIMIT_AS, &before), 0);
  QVERIFY2(size >= 1 && size < 512, qPrintable(QString::number(size)));
  QCOMPARE(calls, size);
}

/// Ends the process when nothing moves for a long time: a test that waits for ever says nothing.
class Watchdog {
 public:
  explicit Watchdog(const std::atomic<int>& progress) : thread_([this, &progress] { watch(progress); }) {}
  ~Watchdog() {
    done_ = true;
    thread_.join();
  }

 private:
  static constexpr int kPatience = 600;  // looks of 50 ms: the machine may be busy
  void watch(const std::atomic<int>& progress) {
    for (int last = -1, still = 0; !done_;) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      const int now = progress;
      still = now == last ? still + 1 : 0;
      last = now;
      if (still > kPatience) qFatal("no thread has moved for 30 s, after %d meetings", now);
    }
  }

  std::atomic<bool> done_{false};
  std::thread thread_;
};

void ThreadPoolTest::neverSleepsThroughARing_data() {
  QTest::addColumn<int>("n_threads");
  QTest::addRow("a processor each") << 2;
  QTest::addRow("eight on two processors") << 8;
}

// On at most two processors, so that every kind of waiting happens: seen at once, after some looks,
// after a sleep.
void ThreadPoolTest::neverSleepsThroughARing() {
  QFETCH(int, n_threads);
  constexpr int kRuns = 20000;
  cpu_set_t all, two;
  QCOMPARE(sched_getaffinity(0, sizeof all, &all), 0);
  CPU_ZERO(&two);
  for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&two) < 2; ++i) {
    if (CPU_ISSET(i, &all)) CPU_SET(i, &two);
  }
  QCOMPARE(sched_setaffinity(0, sizeof two, &two), 0);
  std::atomic<int> meetings{0}, arrivals{0}, too_early{0};
  int expected = 0, runs = 0;
  {
    const Watchdog watchdog(meetings);
    ThreadPool pool(n_threads);
    Barrier barrier(n_threads);
    std::vector<std::minstd_rand> random;
    for (int i = 1; i <= n_threads; ++i) random.emplace_back(static_cast<unsigned>(i));
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(2);
    while (runs < kRuns && std::chrono::steady_clock::now() < end) {
      const int n_barriers = runs++ % 4, before = expected;
      pool.run([&](int thread) {
        auto& draw = random[static_cast<size_t>(thread)];
        for (int b = 1; b <= n_barriers; ++b) {
          if (draw() % 64 == 0) std::this_thread::sleep_for(std::chrono::microseconds(draw() % 50));
          ++arrivals;
          barrier.arrive([&] { ++meetings; });
          if (arrivals < before + b * n_threads) ++too_early;
        }
        if (draw() % 64 == 0) std::this_thread::sleep_for(std::chrono::microseconds(draw() % 50));
      });
      expected += n_barriers * n_threads;
      if (arrivals != expected) ++too_early;
      ++meetings;
    }
  }
  QCOMPARE(sched_setaffinity(0, sizeof all, &all), 0);
  qInfo("%d runs, %d meetings", runs, meetings.load());
  QVERIFY(runs >= 20);
  QCOMPARE(too_early.load(), 0);
  QCOMPARE(arrivals.load(), expected);
}

QTEST_APPLESS_MAIN(ThreadPoolTest)
#include "thread_pool_test.moc"
