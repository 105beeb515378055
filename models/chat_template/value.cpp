#include "models/chat_template/value.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>

#include "models/chat_template/text.h"

namespace hearth::jinja {

void throwTooDeep() {
  throw Fault{ErrorCode::bad_file, fmt::format("values nested deeper than {}", kDeepestValue)};
}

int32_t depthOf(const Value& value) { return value.object() ? value.object()->depth : 0; }

namespace {

int32_t deepest(const Values& items) {
  int32_t depth = 0;
  for (const Value& item : items) depth = std::max(depth, depthOf(item));
  return depth;
}

Value makeSequence(Runtime* runtime, Kind kind, Values items) {
  if (runtime != nullptr) runtime->step(items.size());
  auto object = makeObject<SequenceObject>(runtime, items.size() * sizeof(Value), deepest(items));
  object->items = std::move(items);
  return {kind, std::move(object)};
}

uint64_t mix(uint64_t seed, uint64_t value) {
  return (seed ^ value) * 0x9E3779B97F4A7C15ull + (seed << 6) + (seed >> 2);
}

}  // namespace

Value makeString(Runtime* runtime, std::string text, bool markup) {
  if (runtime != nullptr) runtime->copied(text.size());
  auto object = makeObject<StringObject>(runtime, text.size());
  object->text = std::move(text);
  object->n_points = countCodePoints(object->text);
  object->markup = markup;
  return {Kind::string, std::move(object)};
}

Value makeList(Runtime* runtime, Values items) {
  return makeSequence(runtime, Kind::list, std::move(items));
}
Value makeTuple(Runtime* runtime, Values items) {
  return makeSequence(runtime, Kind::tuple, std::move(items));
}

Value makeIterator(Runtime* runtime, Values items, const char* type, std::optional<Fault> fault) {
  auto object = makeObject<IteratorObject>(runtime, items.size() * sizeof(Value), deepest(items));
  object->items = std::move(items);
  object->type = type;
  object->fault = std::move(fault);
  return {Kind::iterator, std::move(object)};
}

Value makeDict(Runtime& runtime, std::vector<std::pair<Value, Value>> items) {
  int32_t depth = 0;
  for (const auto& item : items) {
    depth = std::max({depth, depthOf(item.first), depthOf(item.second)});
  }
  constexpr size_t kBytesPerItem = 2 * sizeof(Value) + 16;  // with its hash and slots
  auto object = makeObject<DictObject>(&runtime, items.size() * kBytesPerItem, depth);
  for (auto& [key, value] : items) object->set(runtime, std::move(key), std::move(value));
  return {Kind::dict, std::move(object)};
}

Value makeUndefined(Runtime* runtime, std::string message) {
  auto object = makeObject<UndefinedObject>(runtime, message.size());
  object->message = std::move(message);
  return {Kind::undefined, std::move(object)};
}

int64_t RangeObject::size() const {
  const auto distance = static_cast<__int128>(stop) - start;
  if ((step > 0 && distance <= 0) || (step < 0 && distance >= 0)) return 0;
  const __int128 magnitude = distance < 0 ? -distance : distance;
  const __int128 stride = step < 0 ? -static_cast<__int128>(step) : step;
  const __int128 n = (magnitude + stride - 1) / stride;
  return n > INT64_MAX ? INT64_MAX : static_cast<int64_t>(n);
}

// ---- dict: items in order, found through a table of open addresses

size_t DictObject::slotOf(Runtime& runtime, const Value& key, uint64_t hash) const {
  size_t slot = hash & (slots_.size() - 1);
  while (slots_[slot] != 0) {
    runtime.step();
    const uint32_t index = slots_[slot] - 1;
    if (hashes_[index] == hash && equal(runtime, items[index].first, key)) break;
    slot = (slot + 1) & (slots_.size() - 1);
  }
  return slot;
}

const Value* DictObject::find(Runtime& runtime, const Value& key) const {
  const uint64_t hash = hashOf(runtime, key);
  if (slots_.empty()) return nullptr;
  const size_t slot = slotOf(runtime, key, hash);
  return slots_[slot] == 0 ? nullptr : &items[slots_[slot] - 1].second;
}

const Value* DictObject::find(std::string_view key) const {
  if (slots_.empty()) return nullptr;
  const uint64_t hash = std::hash<std::string_view>{}(key);
  for (size_t slot = hash & (slots_.size() - 1); slots_[slot] != 0;
       slot = (slot + 1) & (slots_.size() - 1)) {
    const auto& item = items[slots_[slot] - 1];
    if (item.first.isString() && item.first.text() == key) return &item.second;
  }
  return nullptr;
}

void DictObject::set(Runtime& runtime, Value key, Value value) {
  const uint64_t hash = hashOf(runtime, key);
  if ((items.size() + 1) * 2 > slots_.size()) {
    slots_.assign(std::max<size_t>(8, slots_.size() * 2), 0);
    for (uint32_t i = 0; i < items.size(); ++i) {
      size_t slot = hashes_[i] & (slots_.size() - 1);
      while (slots_[slot] != 0) slot = (slot + 1) & (slots_.size() - 1);
      slots_[slot] = i + 1;
    }
  }
  const size_t slot = slotOf(runtime, key, hash);
  if (slots_[slot] != 0) {
    items[slots_[slot] - 1].second = std::move(value);
    return;
  }
  items.emplace_back(std::move(key), std::move(value));
  hashes_.push_back(hash);
  slots_[slot] = static_cast<uint32_t>(items.size());
}

// ---- types

const char* typeName(const Value& value) {
  switch (value.kind()) {
    case Kind::missing:
    case Kind::undefined: return "Undefined";
    case Kind::none: return "NoneType";
    case Kind::boolean: return "bool";
    case Kind::integer: return "int";
    case Kind::real: return "float";
    case Kind::string: return value.as<StringObject>().markup ? "Markup" : "str";
    case Kind::list: return "list";
    case Kind::tuple: return value.as<SequenceObject>().is_group ? "_GroupTuple" : "tuple";
    case Kind::dict: return "dict";
    case Kind::view:
      switch (value.as<ViewObject>().part) {
        case ViewObject::Part::keys: return "dict_keys";
        case ViewObject::Part::values: return "dict_values";
        case ViewObject::Part::items: break;
      }
      return "dict_items";
    case Kind::iterator: return value.as<IteratorObject>().type;
    case Kind::range: return "range";
    case Kind::name_space: return "Namespace";
    case Kind::macro: return "Macro";
    case Kind::function: return "function";
    case Kind::method: return "builtin_function_or_method";
    case Kind::loop: return "LoopContext";
    case Kind::cycler: return "Cycler";
    case Kind::joiner: return "Joiner";
  }
  return "object";
}

std::string describeType(const Value& value) {
  switch (value.kind()) {
    case Kind::none: return "None";
    case Kind::loop:
    case Kind::macro: return fmt::format("jinja2.runtime.{} object", typeName(value));
    case Kind::name_space:
    case Kind::cycler:
    case Kind::joiner: return fmt::format("jinja2.utils.{} object", typeName(value));
    default: return fmt::format("{} object", typeName(value));
  }
}

// ---- equality, order, hash

namespace {

[[noreturn]] void raiseUndefined(const Value& value) {
  raise("{}", value.as<UndefinedObject>().message);
}

bool equalItems(Runtime& runtime, const Values& a, const Values& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!equal(runtime, a[i], b[i])) return false;
  }
  return true;
}

bool equalDicts(Runtime& runtime, const DictObject& a, const DictObject& b) {
  if (a.items.size() != b.items.size()) return false;
  for (const auto& [key, value] : a.items) {
    const Value* other = b.find(runtime, key);
    if (other == nullptr || !equal(runtime, value, *other)) return false;
  }
  return true;
}

/// Exact for every pair: the mantissa of long double holds an int64.
int compareNumbers(const Value& a, const Value& b) {
  if (a.isWhole() && b.isWhole()) return a.whole() < b.whole() ? -1 : a.whole() > b.whole();
  const long double x = a.isWhole() ? static_cast<long double>(a.whole()) : a.number();
  const long double y = b.isWhole() ? static_cast<long double>(b.whole()) : b.number();
  return x < y ? -1 : x > y ? 1 : x == y ? 0 : 2;  // 2: not a number
}

}  // namespace

bool equal(Runtime& runtime, const Value& a, const Value& b) {
  runtime.step();
  if (a.isNumber() && b.isNumber()) return compareNumbers(a, b) == 0;
  if (a.kind() != b.kind()) return false;
  if (a.object() == b.object()) return true;
  switch (a.kind()) {
    case Kind::undefined: return true;
    case Kind::string:
      runtime.copied(std::min(a.text().size(), b.text().size()));
      return a.text() == b.text();
    case Kind::list:
    case Kind::tuple:
      return equalItems(runtime, a.as<SequenceObject>().items, b.as<SequenceObject>().items);
    case Kind::dict: return equalDicts(runtime, a.as<DictObject>(), b.as<DictObject>());
    case Kind::range: {
      const auto& x = a.as<RangeObject>();
      const auto& y = b.as<RangeObject>();
      return x.size() == y.size() && (x.size() == 0 || x.start == y.start) &&
             (x.size() < 2 || x.step == y.step);
    }
    case Kind::function: return a.as<FunctionObject>().function == b.as<FunctionObject>().function;
    default: return false;
  }
}

bool less(Runtime& runtime, const Value& a, const Value& b, const char* sign) {
  runtime.step();
  if (a.isUndefined()) raiseUndefined(a);
  if (b.isUndefined()) raiseUndefined(b);
  if (a.isNumber() && b.isNumber()) return compareNumbers(a, b) == -1;
  if (a.isString() && b.isString()) {
    runtime.copied(std::min(a.text().size(), b.text().size()));
    return a.text() < b.text();  // UTF-8 keeps the order of code points
  }
  if (a.kind() == b.kind() && (a.is(Kind::list) || a.is(Kind::tuple))) {
    const Values& x = a.as<SequenceObject>().items;
    const Values& y = b.as<SequenceObject>().items;
    for (size_t i = 0; i < x.size() && i < y.size(); ++i) {
      if (!equal(runtime, x[i], y[i])) return less(runtime, x[i], y[i], sign);
    }
    return x.size() < y.size();
  }
  raise("'{}' not supported between instances of '{}' and '{}'", sign, typeName(a), typeName(b));
}

uint64_t hashOf(Runtime& runtime, const Value& value) {
  runtime.step();
  switch (value.kind()) {
    case Kind::missing:
    case Kind::undefined:
    case Kind::none: return static_cast<uint64_t>(value.kind());
    case Kind::boolean:
    case Kind::integer: return std::hash<int64_t>{}(value.whole());
    case Kind::real: {
      const double d = value.number();
      if (d == std::floor(d) && std::fabs(d) < 9.0e18) {
        return std::hash<int64_t>{}(static_cast<int64_t>(d));  // equal numbers hash alike
      }
      return std::hash<double>{}(d);
    }
    case Kind::string:
      runtime.copied(value.text().size());
      return std::hash<std::string_view>{}(value.text());
    case Kind::tuple: {
      uint64_t hash = 0x345678;
      for (const Value& item : value.as<SequenceObject>().items) {
        hash = mix(hash, hashOf(runtime, item));
      }
      return hash;
    }
    case Kind::list:
    case Kind::dict:
    case Kind::view: raise("unhashable type: '{}'", typeName(value));
    case Kind::range: return static_cast<uint64_t>(value.as<RangeObject>().size());
    case Kind::function:
      return std::hash<const char*>{}(value.as<FunctionObject>().name);
    default: return std::hash<const void*>{}(value.object().get());
  }
}

}  // namespace hearth::jinja
