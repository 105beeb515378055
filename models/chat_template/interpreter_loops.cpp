#include <algorithm>

#include "models/chat_template/arguments.h"
#include "models/chat_template/interpreter.h"
#include "models/chat_template/text.h"

namespace hearth::jinja {

namespace {

Values codePoints(Interpreter& interpreter, std::string_view text) {
  Values points;
  for (size_t i = 0; i < text.size();) {
    const size_t start = i;
    takeCodePoint(text, i);
    points.push_back(interpreter.text(std::string(text.substr(start, i - start))));
  }
  return points;
}

Values dictItems(Interpreter& interpreter, const DictObject& dict, ViewObject::Part part) {
  Values items;
  interpreter.runtime().step(dict.items.size());
  for (const auto& [key, value] : dict.items) {
    if (part == ViewObject::Part::keys) items.push_back(key);
    else if (part == ViewObject::Part::values) items.push_back(value);
    else items.push_back(makeTuple(&interpreter.runtime(), {key, value}));
  }
  return items;
}

}  // namespace

ItemSource::ItemSource(Interpreter& interpreter, const Value& iterable) : iterable_(iterable) {
  switch (iterable.kind()) {
    case Kind::list:
    case Kind::tuple:
    case Kind::iterator:
    case Kind::undefined: return;
    case Kind::string: items_ = codePoints(interpreter, iterable.text()); return;
    case Kind::dict:
      items_ = dictItems(interpreter, iterable.as<DictObject>(), ViewObject::Part::keys);
      return;
    case Kind::view: {
      const auto& view = iterable.as<ViewObject>();
      items_ = dictItems(interpreter, view.dict.as<DictObject>(), view.part);
      return;
    }
    case Kind::range: {
      const auto& range = iterable.as<RangeObject>();
      interpreter.runtime().step(static_cast<uint64_t>(range.size()));
      for (int64_t i = 0; i < range.size(); ++i) {
        items_.push_back(Value::integer(range.start + i * range.step));
      }
      return;
    }
    default: raise("'{}' object is not iterable", typeName(iterable));
  }
}

bool ItemSource::next(Value& item) {
  if (iterable_.isUndefined()) return false;
  if (iterable_.is(Kind::iterator)) {
    auto& iterator = iterable_.as<IteratorObject>();
    if (iterator.next < iterator.items.size()) {
      item = iterator.items[iterator.next++];
      return true;
    }
    if (iterator.fault) throw Fault(*iterator.fault);
    return false;
  }
  const bool is_sequence = iterable_.is(Kind::list) || iterable_.is(Kind::tuple);
  const Values& items = is_sequence ? iterable_.as<SequenceObject>().items : items_;
  if (position_ >= items.size()) return false;
  item = items[position_++];
  return true;
}

Values Interpreter::items(const Value& iterable) {
  Values all;
  ItemSource source(*this, iterable);
  Value item;
  while (source.next(item)) {
    runtime_.step();
    all.push_back(std::move(item));
  }
  return all;
}

// ---- for

Interpreter::Flow Interpreter::executeFor(const Stmt& stmt, const ActivationPtr& activation,
                                          std::string& out) {
  const Value iterable = evaluate(*stmt.exprs[1], activation);
  if (!stmt.recursive) return runLoop(stmt, iterable, activation, activation, 0, out);
  append(runRecursiveLoop(stmt, iterable, activation, 0), out);
  return Flow::normal;
}

std::string Interpreter::runRecursiveLoop(const Stmt& stmt, const Value& iterable,
                                          const ActivationPtr& closure, int64_t depth0) {
  const ActivationPtr inside = begin(stmt.loop_function, closure);
  std::string out;
  runLoop(stmt, iterable, closure, inside, depth0, out);
  end(inside);
  return out;
}

Interpreter::Flow Interpreter::runLoop(const Stmt& stmt, const Value& iterable,
                                       const ActivationPtr& closure,
                                       const ActivationPtr& activation, int64_t depth0,
                                       std::string& out) {
  runtime_.line = stmt.line;
  auto loop = makeObject<LoopObject>(&runtime_, 0, depthOf(iterable));
  loop->stmt = &stmt;
  loop->closure = closure;
  loop->depth0 = depth0;
  loop->source = std::make_unique<ItemSource>(*this, iterable);
  if (!stmt.exprs[2]) loop->length = loop->source->remaining();
  const Value as_value(Kind::loop, loop);
  bool completed = false;  // some pass reached its end: no else
  Value item;
  while (takeItem(*loop, item)) {
    if (stmt.sets_loop) place(stmt.loop, activation) = as_value;
    assign(*stmt.exprs[0], item, activation);
    enter(stmt.scope, activation);
    const Flow flow = execute(stmt.body, activation, out);
    if (flow == Flow::break_loop) break;
    if (flow == Flow::normal) completed = true;
    runtime_.line = stmt.line;
  }
  leave(stmt.scope, activation);
  if (loop->filter) end(std::exchange(loop->filter, nullptr));
  return completed ? Flow::normal : runElse(stmt, activation, out);
}

Interpreter::Flow Interpreter::runElse(const Stmt& stmt, const ActivationPtr& activation,
                                       std::string& out) {
  if (stmt.otherwise.empty()) return Flow::normal;
  enter(stmt.otherwise_scope, activation);
  const Flow flow = execute(stmt.otherwise, activation, out);
  if (flow == Flow::normal) leave(stmt.otherwise_scope, activation);
  return flow;
}

std::optional<int64_t> ItemSource::remaining() const {
  if (iterable_.isUndefined()) return 0;
  if (iterable_.is(Kind::iterator)) return std::nullopt;
  const bool is_sequence = iterable_.is(Kind::list) || iterable_.is(Kind::tuple);
  return static_cast<int64_t>(is_sequence ? iterable_.as<SequenceObject>().items.size()
                                          : items_.size());
}

/// The next item that passes the loop's filter.
bool Interpreter::fetch(LoopObject& loop, Value& item) {
  const Stmt& stmt = *loop.stmt;
  while (!loop.ended && loop.source->next(item)) {
    runtime_.step();
    if (!stmt.exprs[2]) return true;
    if (!loop.filter) {
      loop.filter = begin(stmt.filter_function, loop.closure);
      enter(stmt.filter_scope, loop.filter);
    }
    assign(*stmt.exprs[3], item, loop.filter);
    if (truthy(*this, evaluate(*stmt.exprs[2], loop.filter))) return true;
  }
  loop.ended = true;
  return false;
}

bool Interpreter::peek(LoopObject& loop) {
  if (loop.ahead_position < loop.ahead.size()) return true;
  Value item;
  if (!fetch(loop, item)) return false;
  loop.ahead.assign(1, std::move(item));
  loop.ahead_position = 0;
  return true;
}

bool Interpreter::takeItem(LoopObject& loop, Value& item) {
  if (loop.ahead_position < loop.ahead.size()) item = loop.ahead[loop.ahead_position++];
  else if (!fetch(loop, item)) return false;
  ++loop.index0;
  loop.previous = std::move(loop.current);
  loop.current = item;
  return true;
}

int64_t Interpreter::loopLength(LoopObject& loop) {
  if (!loop.length) {
    Values rest(loop.ahead.begin() + static_cast<ptrdiff_t>(loop.ahead_position), loop.ahead.end());
    for (Value item; fetch(loop, item);) rest.push_back(std::move(item));
    loop.ahead = std::move(rest);
    loop.ahead_position = 0;
    loop.length = static_cast<int64_t>(loop.ahead.size()) + loop.index0 + 1;
  }
  return *loop.length;
}

namespace {

constexpr const char* kLoopMethods[] = {"cycle", "changed"};

Value loopCycle(Interpreter&, const Value& self, Arguments& arguments) {
  refuseNamed("cycle", arguments);
  if (arguments.positional.empty()) raise("no items for cycling given");
  const auto n = static_cast<int64_t>(arguments.positional.size());
  return arguments.positional[static_cast<size_t>(self.as<LoopObject>().index0 % n)];
}

Value loopChanged(Interpreter& interpreter, const Value& self, Arguments& arguments) {
  refuseNamed("changed", arguments);
  auto& loop = self.as<LoopObject>();
  bool same = loop.last_changed && loop.last_changed->size() == arguments.positional.size();
  for (size_t i = 0; same && i < arguments.positional.size(); ++i) {
    same = equal(interpreter.runtime(), (*loop.last_changed)[i], arguments.positional[i]);
  }
  if (same) return Value::boolean(false);
  if (!loop.last_changed) interpreter.rememberLoop(self);
  loop.last_changed = arguments.positional;
  return Value::boolean(true);
}

}  // namespace

/// missing: `loop` has no such attribute.
Value Interpreter::loopAttribute(const Value& value, std::string_view name) {
  auto& loop = value.as<LoopObject>();
  if (name == "index") return Value::integer(loop.index0 + 1);
  if (name == "index0") return Value::integer(loop.index0);
  if (name == "first") return Value::boolean(loop.index0 == 0);
  if (name == "last") return Value::boolean(!peek(loop));
  if (name == "length") return Value::integer(loopLength(loop));
  if (name == "revindex") return Value::integer(loopLength(loop) - loop.index0);
  if (name == "revindex0") return Value::integer(loopLength(loop) - loop.index0 - 1);
  if (name == "depth") return Value::integer(loop.depth0 + 1);
  if (name == "depth0") return Value::integer(loop.depth0);
  if (name == "previtem") {
    return loop.index0 == 0 ? undefined("there is no previous item") : loop.previous;
  }
  if (name == "nextitem") {
    return peek(loop) ? loop.ahead[loop.ahead_position] : undefined("there is no next item");
  }
  for (const char* method : kLoopMethods) {
    if (name != method) continue;
    auto bound = makeObject<MethodObject>(&runtime_, 0, depthOf(value));
    bound->name = method;
    bound->self = value;
    bound->method = name == "cycle" ? loopCycle : loopChanged;
    return {Kind::method, std::move(bound)};
  }
  return {};
}

}  // namespace hearth::jinja
