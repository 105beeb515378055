// The methods of list, tuple, dict and the like. Those that would change a value have no function:
// the sandbox refuses them.
#include <algorithm>

#include "models/chat_template/arguments.h"
#include "models/chat_template/interpreter.h"

namespace hearth::jinja {

namespace {

Value count(Interpreter& in, const Value& self, Arguments& arguments) {
  const Values bound = bind("count", arguments, {"value"}, 1);
  int64_t n = 0;
  for (const Value& item : in.items(self)) n += equal(in.runtime(), item, bound[0]);
  return Value::integer(n);
}

Value index(Interpreter& in, const Value& self, Arguments& arguments) {
  const Values bound = bind("index", arguments, {"value", "start", "stop"}, 1);
  const Values items = in.items(self);
  const auto size = static_cast<int64_t>(items.size());
  const auto limit = [&](const Value& value, int64_t otherwise) {
    int64_t i = wholeOr(value, otherwise);
    if (i < 0) i += size;
    return std::clamp<int64_t>(i, 0, size);
  };
  const int64_t stop = limit(bound[2], size);
  for (int64_t i = limit(bound[1], 0); i < stop; ++i) {
    if (equal(in.runtime(), items[static_cast<size_t>(i)], bound[0])) return Value::integer(i);
  }
  raise("{} is not in {}", reprOf(in, bound[0]), typeName(self));
}

Value copySelf(Interpreter& in, const Value& self, Arguments& arguments) {
  bind("copy", arguments, {});
  if (self.is(Kind::list)) return makeList(&in.runtime(), self.as<SequenceObject>().items);
  return makeDict(in.runtime(), self.as<DictObject>().items);
}

Value get(Interpreter& in, const Value& self, Arguments& arguments) {
  refuseNamed("dict.get", arguments);
  const Values bound = bind("get", arguments, {"key", "default"}, 1);
  const Value* found = self.as<DictObject>().find(in.runtime(), bound[0]);
  if (found != nullptr) return *found;
  return bound[1].isMissing() ? Value::none() : bound[1];
}

template <ViewObject::Part part>
Value view(Interpreter& in, const Value& self, Arguments& arguments) {
  bind("dict view", arguments, {});
  auto object = makeObject<ViewObject>(&in.runtime(), 0, depthOf(self));
  object->part = part;
  object->dict = self;
  return {Kind::view, std::move(object)};
}

Value fromKeys(Interpreter& in, const Value&, Arguments& arguments) {
  const Values bound = bind("fromkeys", arguments, {"iterable", "value"}, 1);
  std::vector<std::pair<Value, Value>> items;
  const Value value = bound[1].isMissing() ? Value::none() : bound[1];
  for (const Value& key : in.items(bound[0])) items.emplace_back(key, value);
  return makeDict(in.runtime(), std::move(items));
}

Value nextOfCycler(Interpreter&, const Value& self, Arguments& arguments) {
  bind("next", arguments, {});
  auto& cycler = self.as<CyclerObject>();
  const Value value = cycler.items[cycler.position];
  cycler.position = (cycler.position + 1) % cycler.items.size();
  return value;
}

Value resetCycler(Interpreter&, const Value& self, Arguments& arguments) {
  bind("reset", arguments, {});
  self.as<CyclerObject>().position = 0;
  return Value::none();
}

constexpr MethodEntry kListMethods[] = {
    {"count", count},    {"index", index},    {"copy", copySelf},   {"append", nullptr},
    {"clear", nullptr},  {"pop", nullptr},    {"reverse", nullptr}, {"insert", nullptr},
    {"sort", nullptr},   {"extend", nullptr}, {"remove", nullptr},
};
constexpr MethodEntry kTupleMethods[] = {{"count", count}, {"index", index}};
constexpr MethodEntry kDictMethods[] = {
    {"get", get},
    {"items", view<ViewObject::Part::items>},
    {"keys", view<ViewObject::Part::keys>},
    {"values", view<ViewObject::Part::values>},
    {"copy", copySelf},
    {"fromkeys", fromKeys},
    {"clear", nullptr},
    {"pop", nullptr},
    {"popitem", nullptr},
    {"setdefault", nullptr},
    {"update", nullptr},
};
constexpr MethodEntry kCyclerMethods[] = {{"next", nextOfCycler}, {"reset", resetCycler}};

template <size_t n>
const MethodEntry* find(const MethodEntry (&entries)[n], std::string_view name) {
  for (const MethodEntry& entry : entries) {
    if (name == entry.name) return &entry;
  }
  return nullptr;
}

}  // namespace

const MethodEntry* findContainerMethod(Kind kind, std::string_view name) {
  switch (kind) {
    case Kind::list: return find(kListMethods, name);
    case Kind::tuple:
    case Kind::range: return find(kTupleMethods, name);
    case Kind::dict: return find(kDictMethods, name);
    case Kind::cycler: return find(kCyclerMethods, name);
    default: return nullptr;
  }
}

}  // namespace hearth::jinja
