// Values of the template language, with Python's types. Everything but namespaces, iterators, loops,
// cyclers and joiners is immutable, so values share structure freely.
//
// Thread rule: constants of a parsed template are shared by threads; all others belong to one
// rendering and die with it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/chat_template/runtime.h"

namespace hearth::jinja {

enum class Kind : uint8_t {
  missing,    // a variable that was never set; never the result of an expression
  undefined,  // prints as nothing, fails when used
  none, boolean, integer, real, string, list, tuple, dict,
  view,       // dict.items(), .keys(), .values()
  iterator,   // can be gone through once: what map, select, reverse … give
  range, name_space, macro, function, method, loop, cycler, joiner,
};

struct Object {
  virtual ~Object() {
    if (owner != nullptr) owner->release(held_bytes);
  }
  Runtime* owner = nullptr;  // nullptr: a constant of the template
  size_t held_bytes = 0;
  int32_t depth = 0;         // of nested containers: bounded, so that recursion over values is
};

class Value {
 public:
  Value() = default;  // missing
  Value(Kind kind, std::shared_ptr<Object> object) : kind_(kind), object_(std::move(object)) {}

  static Value none() { return Value(Kind::none, nullptr); }
  static Value boolean(bool b) { Value v(Kind::boolean, nullptr); v.integer_ = b; return v; }
  static Value integer(int64_t i) { Value v(Kind::integer, nullptr); v.integer_ = i; return v; }
  static Value real(double d) { Value v(Kind::real, nullptr); v.real_ = d; return v; }

  Kind kind() const { return kind_; }
  bool is(Kind kind) const { return kind_ == kind; }
  bool isMissing() const { return kind_ == Kind::missing; }
  bool isUndefined() const { return kind_ == Kind::undefined; }
  bool isNone() const { return kind_ == Kind::none; }
  bool isString() const { return kind_ == Kind::string; }
  bool isWhole() const { return kind_ == Kind::integer || kind_ == Kind::boolean; }
  bool isNumber() const { return isWhole() || kind_ == Kind::real; }

  int64_t whole() const { return integer_; }  // of boolean and integer
  double number() const { return isWhole() ? static_cast<double>(integer_) : real_; }
  const std::shared_ptr<Object>& object() const { return object_; }
  template <class T> T& as() const { return static_cast<T&>(*object_); }
  std::string_view text() const;  // of a string

 private:
  Kind kind_ = Kind::missing;
  union {
    int64_t integer_ = 0;
    double real_;
  };
  std::shared_ptr<Object> object_;
};

using Values = std::vector<Value>;

struct StringObject : Object {
  std::string text;     // valid UTF-8
  int64_t n_points = 0; // code points
  bool markup = false;  // marked `safe`: what is joined to it is escaped for HTML
  bool ascii() const { return n_points == static_cast<int64_t>(text.size()); }
};
inline std::string_view Value::text() const { return as<StringObject>().text; }

struct UndefinedObject : Object {
  std::string message;  // raised on use
};

struct SequenceObject : Object {  // list and tuple
  Values items;
  bool is_group = false;          // of groupby: (grouper, list) with names
};

class DictObject : public Object {
 public:
  std::vector<std::pair<Value, Value>> items;  // in order of insertion
  /// Codes of failure are faults: unhashable key.
  const Value* find(Runtime& runtime, const Value& key) const;
  const Value* find(std::string_view key) const;
  void set(Runtime& runtime, Value key, Value value);

 private:
  size_t slotOf(Runtime& runtime, const Value& key, uint64_t hash) const;
  std::vector<uint32_t> slots_;  // open addressing: index of the item + 1, 0 free
  std::vector<uint64_t> hashes_; // of items
};

struct ViewObject : Object {
  enum class Part : uint8_t { keys, values, items } part = Part::items;
  Value dict;
};

struct IteratorObject : Object {
  const char* type = "generator";
  Values items;
  size_t next = 0;
  std::optional<Fault> fault;  // raised when the items are used up
};

struct RangeObject : Object {
  int64_t start = 0, stop = 0, step = 1;
  int64_t size() const;
};

struct NamespaceObject : Object {
  Value dict;  // DictObject, changed in place
};

struct CyclerObject : Object {
  Values items;
  size_t position = 0;
};

struct JoinerObject : Object {
  std::string separator;
  bool used = false;
};

struct Arguments {
  Values positional;
  std::vector<std::pair<std::string, Value>> named;
};

class Interpreter;
using Function = Value (*)(Interpreter&, Arguments&);
using Method = Value (*)(Interpreter&, const Value& self, Arguments&);

struct FunctionObject : Object {
  const char* name = "";
  Function function = nullptr;
};

struct MethodObject : Object {
  const char* name = "";
  Value self;
  Method method = nullptr;
};

/// Makes an object that counts against the limits as long as it lives. `depth`: of what it holds.
/// Without a runtime: a constant, which nothing counts.
template <class T>
std::shared_ptr<T> makeObject(Runtime* runtime, size_t extra_bytes, int32_t held_depth = 0);

Value makeString(Runtime* runtime, std::string text, bool markup = false);
Value makeList(Runtime* runtime, Values items);
Value makeTuple(Runtime* runtime, Values items);
Value makeIterator(Runtime* runtime, Values items, const char* type = "generator",
                   std::optional<Fault> fault = std::nullopt);
Value makeDict(Runtime& runtime, std::vector<std::pair<Value, Value>> items);
Value makeUndefined(Runtime* runtime, std::string message);

int32_t depthOf(const Value& value);
constexpr int32_t kDeepestValue = 150;
[[noreturn]] void throwTooDeep();

template <class T>
std::shared_ptr<T> makeObject(Runtime* runtime, size_t extra_bytes, int32_t held_depth) {
  if (held_depth >= kDeepestValue) throwTooDeep();
  auto object = std::make_shared<T>();
  object->depth = held_depth + 1;
  if (runtime != nullptr) {
    runtime->step();
    runtime->hold(sizeof(T) + extra_bytes);
    object->owner = runtime;
    object->held_bytes = sizeof(T) + extra_bytes;
  }
  return object;
}

/// type(x).__name__
const char* typeName(const Value& value);
/// What jinja2 calls an object in "'str object' has no attribute 'x'".
std::string describeType(const Value& value);

bool truthy(Interpreter& interpreter, const Value& value);
bool equal(Runtime& runtime, const Value& a, const Value& b);
/// a < b. Faults when the types have no order.
bool less(Runtime& runtime, const Value& a, const Value& b, const char* sign = "<");
uint64_t hashOf(Runtime& runtime, const Value& value);
/// len(), or nullopt for a type without one.
std::optional<int64_t> lengthOf(Interpreter& interpreter, const Value& value);

/// str() and repr(), appended. Undefined is "" for str() and "Undefined" inside containers.
void appendText(Interpreter& interpreter, const Value& value, std::string& text);
void appendRepr(Interpreter& interpreter, const Value& value, std::string& text);
std::string textOf(Interpreter& interpreter, const Value& value);
std::string reprOf(Interpreter& interpreter, const Value& value);

}  // namespace hearth::jinja
