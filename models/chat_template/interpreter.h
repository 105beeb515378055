// Executes a template once. Lives on one thread for one rendering.
#pragma once

#include <ctime>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "models/chat_template/syntax.h"

namespace hearth::jinja {

/// The variables of one call of a function; inner functions see those of outer ones.
struct Activation {
  Activation(size_t n_places, std::shared_ptr<Activation> outer)
      : places(n_places), parent(std::move(outer)) {}
  Values places;
  std::shared_ptr<Activation> parent;
};
using ActivationPtr = std::shared_ptr<Activation>;

struct MacroObject : Object {
  const MacroPlan* plan = nullptr;
  const Body* body = nullptr;
  ActivationPtr closure;
};

/// Gives the items of anything that can be iterated, one at a time.
class ItemSource {
 public:
  /// Faults when `iterable` is none.
  ItemSource(Interpreter& interpreter, const Value& iterable);
  bool next(Value& item);
  std::optional<int64_t> remaining() const;  // nullopt: not known before the end

 private:
  Value iterable_;
  Values items_;      // of what is no list: taken out beforehand
  size_t position_ = 0;
};

/// `loop` inside of a for.
struct LoopObject : Object {
  const Stmt* stmt = nullptr;
  ActivationPtr closure;  // where the loop stands
  ActivationPtr filter;   // variables of its filter
  std::unique_ptr<ItemSource> source;
  Values ahead;           // taken from the source, not yet given
  size_t ahead_position = 0;
  bool ended = false;     // the source is used up
  int64_t index0 = -1, depth0 = 0;
  std::optional<int64_t> length;
  Value previous, current;
  std::optional<Values> last_changed;
};

class Interpreter {
 public:
  Interpreter(const Syntax& syntax, const ChatTemplateLimits& limits, const std::tm& now);
  ~Interpreter();
  Interpreter(const Interpreter&) = delete;
  Interpreter& operator=(const Interpreter&) = delete;

  void setVariable(std::string name, Value value) { context_[std::move(name)] = std::move(value); }
  std::string run();

  Runtime& runtime() { return runtime_; }
  const std::tm& now() const { return now_; }

  // For filters, tests, methods and functions:
  Value text(std::string text, bool markup = false) {
    return makeString(&runtime_, std::move(text), markup);
  }
  Value undefined(std::string message) { return makeUndefined(&runtime_, std::move(message)); }
  Value call(const Value& callee, Arguments& arguments);
  Value getAttribute(const Value& object, std::string_view name);  // object.name
  Value getItem(const Value& object, const Value& key);            // object[key]
  Value getSlice(const Value& object, const Value& start, const Value& stop, const Value& step);
  Values items(const Value& iterable);  // list(iterable)
  Value newNamespace(Value dict);
  [[noreturn]] void raiseUndefined(const Value& value);
  int64_t loopLength(LoopObject& loop);
  void rememberLoop(const Value& loop) { changing_loops_.push_back(loop); }

 private:
  enum class Flow : uint8_t { normal, break_loop, continue_loop };

  // statements
  Flow execute(const Body& body, const ActivationPtr& activation, std::string& out);
  Flow execute(const Stmt& stmt, const ActivationPtr& activation, std::string& out);
  Flow executeIf(const Stmt& stmt, const ActivationPtr& activation, std::string& out);
  Flow executeFor(const Stmt& stmt, const ActivationPtr& activation, std::string& out);
  Flow executeBuffered(const Stmt& stmt, const ActivationPtr& activation, std::string& out);
  Flow executeWith(const Stmt& stmt, const ActivationPtr& activation, std::string& out);
  Flow runLoop(const Stmt& stmt, const Value& iterable, const ActivationPtr& closure,
               const ActivationPtr& activation, int64_t depth0, std::string& out);
  std::string runRecursiveLoop(const Stmt& stmt, const Value& iterable,
                               const ActivationPtr& closure, int64_t depth0);
  Flow runElse(const Stmt& stmt, const ActivationPtr& activation, std::string& out);
  void write(const Value& value, std::string& out);
  void append(std::string_view text, std::string& out);
  void enter(const Scope& scope, const ActivationPtr& activation);
  void leave(const Scope& scope, const ActivationPtr& activation);
  void assign(const Expr& target, const Value& value, const ActivationPtr& activation);
  void checkTarget(const Expr& target, const ActivationPtr& activation);
  Value makeMacro(const Stmt& stmt, const ActivationPtr& activation);
  ActivationPtr begin(const FunctionScope& function, const ActivationPtr& outer);
  void end(const ActivationPtr& activation);

  // loops
  bool takeItem(LoopObject& loop, Value& item);
  bool fetch(LoopObject& loop, Value& item);
  bool peek(LoopObject& loop);
  Value loopAttribute(const Value& loop, std::string_view name);

  // expressions
  Value evaluate(const Expr& expr, const ActivationPtr& activation);
  Value evaluateCompare(const Expr& expr, const ActivationPtr& activation);
  Value evaluateDict(const Expr& expr, const ActivationPtr& activation);
  Value evaluateConcat(const Expr& expr, const ActivationPtr& activation);
  Value evaluateCall(const Expr& expr, const ActivationPtr& activation, const Value* caller);
  Value evaluateFilter(const Expr& expr, const ActivationPtr& activation, const Value* input);
  Value evaluateTest(const Expr& expr, const ActivationPtr& activation);
  Arguments evaluateArguments(const Expr& expr, const ActivationPtr& activation);
  Values evaluateAll(const std::vector<ExprPtr>& parts, const ActivationPtr& activation);
  Value& place(const Place& place, const ActivationPtr& activation);
  Value callMacro(const MacroObject& macro, Arguments& arguments);
  void bindMacro(const MacroObject& macro, Arguments& arguments, const ActivationPtr& inside);
  Value methodOf(const Value& object, std::string_view name);
  Value unsafe(const Value& object, std::string_view name);

  const Syntax& syntax_;
  Runtime runtime_;
  std::tm now_;
  std::map<std::string, Value, std::less<>> context_;
  // What may hold itself: emptied at the end.
  std::vector<Value> namespaces_;
  std::vector<Value> changing_loops_;
  std::vector<ActivationPtr> activations_;  // of calls under way, and those that a macro refers to
};

/// Methods of str, list, tuple and dict by name; nullptr when there is none.
struct MethodEntry {
  const char* name;
  Method method;  // nullptr: Python has it, templates may not use it
};
// What methods and filters of text share:
std::string replaced(Interpreter& interpreter, std::string_view text, std::string_view old,
                     std::string_view with, int64_t most);  // most < 0: all
std::string centred(Interpreter& interpreter, std::string_view text, int64_t width,
                    std::string_view fill);
bool isAllLower(std::string_view text);
bool isAllUpper(std::string_view text);

const MethodEntry* findStringMethod(std::string_view name);
const MethodEntry* findContainerMethod(Kind kind, std::string_view name);

}  // namespace hearth::jinja
