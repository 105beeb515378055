#include "app/cli/interrupts.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>

#include "app/cli/failure.h"
#include "kernels/base/check.h"

namespace hearth::cli {

Interrupts::Interrupts() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
  CHECK(pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0);
  signals_ = signalfd(-1, &set, SFD_CLOEXEC);
  stop_ = eventfd(0, EFD_CLOEXEC);
  CHECK(signals_ >= 0 && stop_ >= 0);
  thread_ = std::thread([this] { listen(); });
}

Interrupts::~Interrupts() {
  eventfd_write(stop_, 1);
  thread_.join();
  close(signals_);
  close(stop_);
}

void Interrupts::listen() {
  std::array<pollfd, 2> watched{pollfd{signals_, POLLIN, 0}, pollfd{stop_, POLLIN, 0}};
  for (;;) {
    if (poll(watched.data(), watched.size(), -1) < 0) continue;
    if (watched[1].revents != 0) return;
    signalfd_siginfo info;
    if (read(signals_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      onSignal(static_cast<int>(info.ssi_signo));
    }
  }
}

void Interrupts::onSignal(int signal) {
  const std::lock_guard lock(mutex_);
  const bool again = flag_.exchange(true);
  if (!guarded_ || (again && !patient_)) {
    if (last_will_) last_will_();
    // No destructors: other threads are still at work on what they would take apart.
    _exit(static_cast<int>(Exit::interrupted));
  }
  if (action_) action_(signal);
}

Interrupts::LastWill::LastWill(Interrupts& interrupts, std::function<void()> will)
    : interrupts_(interrupts) {
  const std::lock_guard lock(interrupts_.mutex_);
  interrupts_.last_will_ = std::move(will);
}

Interrupts::LastWill::~LastWill() {
  const std::lock_guard lock(interrupts_.mutex_);
  interrupts_.last_will_ = nullptr;
}

Interrupts::Guard::Guard(Interrupts& interrupts, Action action, bool patient)
    : interrupts_(interrupts) {
  const std::lock_guard lock(interrupts_.mutex_);
  interrupts_.action_ = std::move(action);
  interrupts_.guarded_ = true;
  interrupts_.patient_ = patient;
}

Interrupts::Guard::~Guard() {
  const std::lock_guard lock(interrupts_.mutex_);
  interrupts_.action_ = nullptr;
  interrupts_.guarded_ = false;
  interrupts_.patient_ = false;
}

}  // namespace hearth::cli
