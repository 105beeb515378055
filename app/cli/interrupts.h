// Ctrl+C (SIGINT), SIGTERM and SIGHUP, received on a thread of their own so that a command can end
// its work in order instead of being cut off.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>

namespace hearth::cli {

/// Create it before any other thread: threads inherit the blocked signals. One for each process.
/// While nothing is being guarded, an interrupt ends the process at once with exit code 130; the
/// second interrupt of a guarded piece of work does the same, so nobody is ever locked in.
class Interrupts {
 public:
  Interrupts();
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  using Action = std::function<void(int signal)>;

  /// Work that ends itself when `flag()` is set. `action` is called on the signal thread at each
  /// interrupt; with `patient`, further ones are also left to it.
  class Guard {
   public:
    Guard(Interrupts& interrupts, Action action, bool patient = false);
    ~Guard();
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    Interrupts& interrupts_;
  };

  const std::atomic<bool>& flag() const { return flag_; }

  /// What is called before an interrupt ends the process: puts a terminal back as it was.
  class LastWill {
   public:
    LastWill(Interrupts& interrupts, std::function<void()> will);
    ~LastWill();
    LastWill(const LastWill&) = delete;
    LastWill& operator=(const LastWill&) = delete;

   private:
    Interrupts& interrupts_;
  };

 private:
  void listen();
  void onSignal(int signal);

  std::atomic<bool> flag_ = false;
  std::mutex mutex_;
  Action action_;                    // guarded by mutex_
  std::function<void()> last_will_;  // guarded by mutex_
  bool guarded_ = false;             // guarded by mutex_
  bool patient_ = false;             // guarded by mutex_
  int signals_ = -1;                 // signalfd
  int stop_ = -1;                    // eventfd
  std::thread thread_;
};

}  // namespace hearth::cli
