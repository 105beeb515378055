// What one rendering has used so far, against its limits; and how the interpreter's inside reports
// a failure. Faults are thrown and caught inside models/chat_template only.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "kernels/base/error.h"
#include "models/chat_template/chat_template.h"

namespace hearth::jinja {

/// Why parsing or rendering stopped. Thrown; chat_template.cpp turns it into an Error.
struct Fault {
  ErrorCode code;
  std::string message;
  int line = 0;  // 0: where the runtime stood
};

class Runtime {
 public:
  explicit Runtime(const ChatTemplateLimits& limits) : limits_(limits) {}
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  /// Work done: one unit for each node evaluated, element visited or 64 bytes copied.
  void step(uint64_t units = 1) {
    steps_ += units;
    if (steps_ > limits_.max_steps) throwSteps();
  }
  void copied(size_t n_bytes) { step(1 + n_bytes / 64); }

  /// Bytes held by values that are alive.
  void hold(size_t n_bytes) {
    held_bytes_ += n_bytes;
    if (held_bytes_ > limits_.max_memory_bytes) {
      held_bytes_ -= n_bytes;
      throwMemory();
    }
  }
  void release(size_t n_bytes) { held_bytes_ -= n_bytes; }
  /// Fails before anything is allocated when `n_bytes` more could never be held.
  void expectRoom(size_t n_bytes) {
    if (n_bytes > limits_.max_memory_bytes - held_bytes_) throwMemory();
  }
  /// The same for `count` pieces of `each` bytes, whose product may not fit.
  void expectRoom(size_t count, size_t each) {
    if (each > 0 && count > limits_.max_memory_bytes / each) throwMemory();
    expectRoom(count * each);
  }
  void expectOutput(size_t n_bytes) const {
    if (n_bytes > limits_.max_output_bytes) throwOutput();
  }

  const ChatTemplateLimits& limits() const { return limits_; }

  int line = 1;   // of the node that is being evaluated
  int depth = 0;  // of nested evaluation

 private:
  [[noreturn]] void throwSteps() const;
  [[noreturn]] void throwMemory() const;
  [[noreturn]] void throwOutput() const;

  const ChatTemplateLimits& limits_;
  uint64_t steps_ = 0;
  size_t held_bytes_ = 0;
};

/// One level of nested evaluation, as long as it lives.
class Nesting {
 public:
  explicit Nesting(Runtime& runtime);
  ~Nesting() { --runtime_.depth; }
  Nesting(const Nesting&) = delete;
  Nesting& operator=(const Nesting&) = delete;

 private:
  Runtime& runtime_;
};

/// The template, or what it was given, does not allow what it asks for.
template <class... Args>
[[noreturn]] void raise(fmt::format_string<Args...> format, Args&&... args) {
  throw Fault{ErrorCode::invalid_argument, fmt::format(format, std::forward<Args>(args)...)};
}

}  // namespace hearth::jinja
