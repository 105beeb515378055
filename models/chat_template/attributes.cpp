// object.name, object[key] and object[a:b:c], with the sandbox's rules (jinja2/sandbox.py).
#include "models/chat_template/arguments.h"
#include "models/chat_template/interpreter.h"
#include "models/chat_template/text.h"

namespace hearth::jinja {

namespace {

bool isDunder(std::string_view name) {
  return name.size() > 4 && name.starts_with("__") && name.ends_with("__");
}

std::string missingAttribute(const Value& object, std::string_view name) {
  return fmt::format("{} has no attribute {}", quoted(describeType(object)), quoted(name));
}

/// Python's index, from the end when negative; -1 when outside.
int64_t wrapIndex(int64_t index, int64_t size) {
  if (index < 0) index += size;
  return index >= 0 && index < size ? index : -1;
}

struct Bounds {
  int64_t start, stop, step;
};

/// slice.indices(size)
Bounds boundsOf(const Value& start, const Value& stop, const Value& step, int64_t size) {
  const auto whole = [](const Value& value) {
    if (value.isUndefined() || !value.isWhole()) {
      raise("slice indices must be integers or None or have an __index__ method");
    }
    return value.whole();
  };
  Bounds bounds{0, 0, step.isNone() ? 1 : whole(step)};
  if (bounds.step == 0) raise("slice step cannot be zero");
  const bool backwards = bounds.step < 0;
  const int64_t lowest = backwards ? -1 : 0;
  const int64_t highest = backwards ? size - 1 : size;
  const auto clamp = [&](const Value& value, int64_t otherwise) {
    if (value.isNone()) return otherwise;
    int64_t index = whole(value);
    if (index < 0) return index < -size ? lowest : index + size;
    return std::min(index, highest);
  };
  bounds.start = clamp(start, backwards ? highest : lowest);
  bounds.stop = clamp(stop, backwards ? lowest : highest);
  return bounds;
}

std::vector<int64_t> indicesOf(const Bounds& bounds) {
  std::vector<int64_t> indices;
  if (bounds.step > 0) {
    for (int64_t i = bounds.start; i < bounds.stop; ) {
      indices.push_back(i);
      if (bounds.step >= bounds.stop - i) break;
      i += bounds.step;
    }
  } else {
    for (int64_t i = bounds.start; i > bounds.stop; ) {
      indices.push_back(i);
      if (bounds.step <= bounds.stop - i) break;
      i += bounds.step;
    }
  }
  return indices;
}

std::string_view pointsBetween(const StringObject& string, int64_t from, int64_t to) {
  if (to <= from) return {};
  if (string.ascii()) {
    return std::string_view(string.text).substr(static_cast<size_t>(from), static_cast<size_t>(to - from));
  }
  const size_t begin = byteOffset(string.text, from);
  const std::string_view rest = std::string_view(string.text).substr(begin);
  return rest.substr(0, byteOffset(rest, to - from));
}

}  // namespace

Value Interpreter::unsafe(const Value& object, std::string_view name) {
  return undefined(fmt::format("access to attribute {} of {} object is unsafe.", quoted(name),
                               quoted(typeName(object))));
}

/// A method, an unsafe one's Undefined, or missing.
Value Interpreter::methodOf(const Value& object, std::string_view name) {
  const MethodEntry* entry = object.isString() ? findStringMethod(name)
                                               : findContainerMethod(object.kind(), name);
  if (entry == nullptr) return isDunder(name) ? unsafe(object, name) : Value();
  if (entry->method == nullptr) return unsafe(object, name);
  auto bound = makeObject<MethodObject>(&runtime_, 0, depthOf(object));
  bound->name = entry->name;
  bound->self = object;
  bound->method = entry->method;
  return {Kind::method, std::move(bound)};
}

namespace {

Value memberOf(Interpreter& interpreter, const Value& object, std::string_view name) {
  switch (object.kind()) {
    case Kind::name_space: {
      const Value* found = object.as<NamespaceObject>().dict.as<DictObject>().find(name);
      return found != nullptr ? *found : Value();
    }
    case Kind::tuple: {
      const auto& group = object.as<SequenceObject>();
      if (group.is_group && name == "grouper") return group.items[0];
      if (group.is_group && name == "list") return group.items[1];
      return {};
    }
    case Kind::macro: {
      const MacroPlan& plan = *object.as<MacroObject>().plan;
      if (name == "name") return plan.name.empty() ? Value::none() : interpreter.text(plan.name);
      if (name == "catch_kwargs") return Value::boolean(plan.takes_named);
      if (name == "catch_varargs") return Value::boolean(plan.takes_rest);
      if (name == "caller") return Value::boolean(plan.takes_caller);
      if (name != "arguments") return {};
      Values names;
      for (const ExprPtr& parameter : plan.parameters) names.push_back(interpreter.text(parameter->text));
      return makeTuple(&interpreter.runtime(), std::move(names));
    }
    case Kind::range: {
      const auto& range = object.as<RangeObject>();
      if (name == "start") return Value::integer(range.start);
      if (name == "stop") return Value::integer(range.stop);
      if (name == "step") return Value::integer(range.step);
      return {};
    }
    case Kind::cycler: {
      const auto& cycler = object.as<CyclerObject>();
      if (name == "current") return cycler.items[cycler.position];
      return {};
    }
    default: return {};
  }
}

/// The element at `index`, which may be one step beyond either end. True: it does not fit.
bool placeInRange(const RangeObject& range, int64_t index, int64_t& place) {
  return __builtin_mul_overflow(index, range.step, &place) ||
         __builtin_add_overflow(range.start, place, &place);
}

}  // namespace

Value Interpreter::getAttribute(const Value& object, std::string_view name) {
  if (object.isUndefined()) raiseUndefined(object);
  Value member = memberOf(*this, object, name);
  if (member.isMissing() && object.is(Kind::loop)) member = loopAttribute(object, name);
  if (!member.isMissing()) return member;
  Value method = methodOf(object, name);
  if (!method.isMissing()) return method;
  if (object.is(Kind::dict)) {
    if (const Value* item = object.as<DictObject>().find(name)) return *item;
  }
  return undefined(missingAttribute(object, name));
}

Value Interpreter::getItem(const Value& object, const Value& key) {
  switch (object.kind()) {
    case Kind::undefined: raiseUndefined(object);
    case Kind::dict: {
      const bool hashable = !key.is(Kind::list) && !key.is(Kind::dict);
      if (hashable) {
        const auto& dict = object.as<DictObject>();
        const Value* item = key.isString() ? dict.find(key.text()) : dict.find(runtime_, key);
        if (item != nullptr) return *item;
      }
      break;
    }
    case Kind::list:
    case Kind::tuple: {
      if (!key.isWhole()) break;
      const Values& values = object.as<SequenceObject>().items;
      const int64_t index = wrapIndex(key.whole(), static_cast<int64_t>(values.size()));
      if (index >= 0) return values[static_cast<size_t>(index)];
      break;
    }
    case Kind::string: {
      if (!key.isWhole()) break;
      const auto& string = object.as<StringObject>();
      const int64_t index = wrapIndex(key.whole(), string.n_points);
      runtime_.copied(string.ascii() ? 0 : string.text.size());
      if (index >= 0) return text(std::string(pointsBetween(string, index, index + 1)), string.markup);
      break;
    }
    case Kind::range: {
      if (!key.isWhole()) break;
      const auto& range = object.as<RangeObject>();
      const int64_t index = wrapIndex(key.whole(), range.size());
      if (index >= 0) return Value::integer(range.start + index * range.step);
      break;
    }
    default: break;
  }
  if (key.isString()) {
    Value member = memberOf(*this, object, key.text());
    if (member.isMissing() && object.is(Kind::loop)) member = loopAttribute(object, key.text());
    if (member.isMissing()) member = methodOf(object, key.text());
    return member.isMissing() ? undefined(missingAttribute(object, key.text())) : member;
  }
  return undefined(fmt::format("{} has no element {}", describeType(object), reprOf(*this, key)));
}

Value Interpreter::getSlice(const Value& object, const Value& start, const Value& stop,
                            const Value& step) {
  if (object.isUndefined()) raiseUndefined(object);
  if (object.isString()) {
    const auto& string = object.as<StringObject>();
    const Bounds bounds = boundsOf(start, stop, step, string.n_points);
    runtime_.copied(string.text.size());
    if (bounds.step == 1) return text(std::string(pointsBetween(string, bounds.start, bounds.stop)), string.markup);
    std::vector<size_t> offsets;  // of every code point
    for (size_t i = 0; i < string.text.size(); takeCodePoint(string.text, i)) offsets.push_back(i);
    offsets.push_back(string.text.size());
    std::string picked;
    for (const int64_t i : indicesOf(bounds)) {
      const auto k = static_cast<size_t>(i);
      picked += string.text.substr(offsets[k], offsets[k + 1] - offsets[k]);
    }
    return text(std::move(picked), string.markup);
  }
  if (object.is(Kind::list) || object.is(Kind::tuple)) {
    const Values& values = object.as<SequenceObject>().items;
    Values picked;
    for (const int64_t i : indicesOf(boundsOf(start, stop, step, static_cast<int64_t>(values.size())))) {
      picked.push_back(values[static_cast<size_t>(i)]);
    }
    return object.is(Kind::list) ? makeList(&runtime_, std::move(picked))
                                 : makeTuple(&runtime_, std::move(picked));
  }
  if (object.is(Kind::range)) {
    const auto& range = object.as<RangeObject>();
    const Bounds bounds = boundsOf(start, stop, step, range.size());
    auto part = makeObject<RangeObject>(&runtime_, 0);
    const bool overflow = placeInRange(range, bounds.start, part->start) ||
                          placeInRange(range, bounds.stop, part->stop) ||
                          __builtin_mul_overflow(range.step, bounds.step, &part->step);
    if (overflow) raise("the slice of a range is too large");
    return {Kind::range, std::move(part)};
  }
  if (object.is(Kind::dict)) raise("unhashable type: 'slice'");
  raise("'{}' object is not subscriptable", typeName(object));
}

}  // namespace hearth::jinja
