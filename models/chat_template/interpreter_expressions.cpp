#include "models/chat_template/filters.h"
#include "models/chat_template/interpreter.h"
#include "models/chat_template/operators.h"

namespace hearth::jinja {

Value& Interpreter::place(const Place& place, const ActivationPtr& activation) {
  Activation* owner = activation.get();
  for (int i = 0; i < place.hops; ++i) owner = owner->parent.get();
  return owner->places[static_cast<size_t>(place.index)];
}

void Interpreter::raiseUndefined(const Value& value) {
  raise("{}", value.as<UndefinedObject>().message);
}

Values Interpreter::evaluateAll(const std::vector<ExprPtr>& parts, const ActivationPtr& activation) {
  Values values;
  values.reserve(parts.size());
  for (const ExprPtr& part : parts) values.push_back(evaluate(*part, activation));
  return values;
}

Value Interpreter::evaluate(const Expr& expr, const ActivationPtr& activation) {
  const Nesting nesting(runtime_);
  runtime_.step();
  const auto part = [&](size_t i) { return evaluate(*expr.parts[i], activation); };
  switch (expr.kind) {
    case ExprKind::constant: return expr.constant;
    case ExprKind::name: {
      runtime_.step(static_cast<uint64_t>(expr.place.hops) / 8);
      const Value& value = place(expr.place, activation);
      if (!value.isMissing()) return value;
      runtime_.line = expr.line;
      return undefined(fmt::format("'{}' is undefined", expr.text));
    }
    case ExprKind::attribute_target: break;
    case ExprKind::list: return makeList(&runtime_, evaluateAll(expr.parts, activation));
    case ExprKind::tuple: return makeTuple(&runtime_, evaluateAll(expr.parts, activation));
    case ExprKind::dict: return evaluateDict(expr, activation);
    case ExprKind::attribute: {
      const Value object = part(0);
      runtime_.line = expr.line;
      return getAttribute(object, expr.text);
    }
    case ExprKind::item: {
      const Value object = part(0);
      const Value key = part(1);
      runtime_.line = expr.line;
      return getItem(object, key);
    }
    case ExprKind::slice: {
      const Value object = part(0);
      const auto bound = [&](size_t i) { return expr.parts[i] ? part(i) : Value::none(); };
      const Value start = bound(1);
      const Value stop = bound(2);
      const Value step = bound(3);
      runtime_.line = expr.line;
      return getSlice(object, start, stop, step);
    }
    case ExprKind::call: return evaluateCall(expr, activation, nullptr);
    case ExprKind::filter: return evaluateFilter(expr, activation, nullptr);
    case ExprKind::test: return evaluateTest(expr, activation);
    case ExprKind::negate: return negate(part(0));
    case ExprKind::plus: return plus(part(0));
    case ExprKind::logical_not: return Value::boolean(!truthy(*this, part(0)));
    case ExprKind::logical_and: {
      Value left = part(0);
      return truthy(*this, left) ? part(1) : left;
    }
    case ExprKind::logical_or: {
      Value left = part(0);
      return truthy(*this, left) ? left : part(1);
    }
    case ExprKind::binary: {
      const Value left = part(0);
      const Value right = part(1);
      runtime_.line = expr.line;
      return binary(*this, expr.op, left, right);
    }
    case ExprKind::concat: return evaluateConcat(expr, activation);
    case ExprKind::compare: return evaluateCompare(expr, activation);
    case ExprKind::conditional:
      if (truthy(*this, part(0))) return part(1);
      if (expr.parts[2]) return part(2);
      return undefined(fmt::format("the inline if-expression on line {} evaluated to false and no "
                                   "else section was defined.", expr.line));
  }
  return Value::none();
}

/// a < b < c: every pair must hold, each operand is evaluated at most once.
Value Interpreter::evaluateCompare(const Expr& expr, const ActivationPtr& activation) {
  Value left = evaluate(*expr.parts[0], activation);
  for (size_t i = 0; i < expr.ops.size(); ++i) {
    Value right = evaluate(*expr.parts[i + 1], activation);
    runtime_.line = expr.line;
    if (!compare(*this, expr.ops[i], left, right)) return Value::boolean(false);
    left = std::move(right);
  }
  return Value::boolean(true);
}

Value Interpreter::evaluateDict(const Expr& expr, const ActivationPtr& activation) {
  std::vector<std::pair<Value, Value>> items;
  for (size_t i = 0; i < expr.parts.size(); i += 2) {
    Value key = evaluate(*expr.parts[i], activation);
    items.emplace_back(std::move(key), evaluate(*expr.parts[i + 1], activation));
  }
  runtime_.line = expr.line;
  return makeDict(runtime_, std::move(items));
}

Value Interpreter::evaluateConcat(const Expr& expr, const ActivationPtr& activation) {
  std::string joined;
  for (const Value& value : evaluateAll(expr.parts, activation)) {
    appendText(*this, value, joined);
    runtime_.expectRoom(joined.size());
  }
  return text(std::move(joined));
}

/// parts[1…], named, *spread and **spread_named; parts[0] is what they are given to.
Arguments Interpreter::evaluateArguments(const Expr& expr, const ActivationPtr& activation) {
  Arguments arguments;
  for (size_t i = 1; i < expr.parts.size(); ++i) {
    arguments.positional.push_back(evaluate(*expr.parts[i], activation));
  }
  for (const auto& [name, value] : expr.named) {
    arguments.named.emplace_back(name, evaluate(*value, activation));
  }
  if (expr.spread) {
    for (Value& item : items(evaluate(*expr.spread, activation))) {
      arguments.positional.push_back(std::move(item));
    }
  }
  if (expr.spread_named) {
    const Value more = evaluate(*expr.spread_named, activation);
    if (!more.is(Kind::dict)) raise("argument after ** must be a mapping, not {}", typeName(more));
    for (const auto& [key, value] : more.as<DictObject>().items) {
      if (!key.isString()) raise("keywords must be strings");
      runtime_.step(arguments.named.size());
      for (const auto& [name, other] : arguments.named) {
        if (name == key.text()) raise("got multiple values for keyword argument '{}'", name);
      }
      arguments.named.emplace_back(std::string(key.text()), value);
    }
  }
  return arguments;
}

Value Interpreter::evaluateCall(const Expr& expr, const ActivationPtr& activation,
                                const Value* caller) {
  const Value callee = evaluate(*expr.parts[0], activation);
  Arguments arguments = evaluateArguments(expr, activation);
  if (caller != nullptr) arguments.named.emplace_back("caller", *caller);
  runtime_.line = expr.line;
  return call(callee, arguments);
}

Value Interpreter::call(const Value& callee, Arguments& arguments) {
  const Nesting nesting(runtime_);
  runtime_.step();
  switch (callee.kind()) {
    case Kind::undefined: raiseUndefined(callee);
    case Kind::macro: return callMacro(callee.as<MacroObject>(), arguments);
    case Kind::function: return callee.as<FunctionObject>().function(*this, arguments);
    case Kind::method: {
      const auto& method = callee.as<MethodObject>();
      return method.method(*this, method.self, arguments);
    }
    case Kind::joiner: {
      auto& joiner = callee.as<JoinerObject>();
      return text(std::exchange(joiner.used, true) ? joiner.separator : "");
    }
    case Kind::loop: {
      const auto& loop = callee.as<LoopObject>();
      if (!loop.stmt->recursive) {
        raise("The loop must have the 'recursive' marker to be called recursively.");
      }
      if (arguments.positional.size() != 1 || !arguments.named.empty()) {
        raise("loop() takes one argument");
      }
      return text(runRecursiveLoop(*loop.stmt, arguments.positional[0], loop.closure,
                                   loop.depth0 + 1));
    }
    default: raise("'{}' object is not callable", typeName(callee));
  }
}

/// `input`: what a filter chain without a first operand starts from.
Value Interpreter::evaluateFilter(const Expr& expr, const ActivationPtr& activation,
                                  const Value* input) {
  const Nesting nesting(runtime_);
  Value value;
  if (!expr.parts[0]) value = *input;
  else if (input != nullptr && expr.parts[0]->kind == ExprKind::filter) value = evaluateFilter(*expr.parts[0], activation, input);
  else value = evaluate(*expr.parts[0], activation);
  Arguments arguments = evaluateArguments(expr, activation);
  runtime_.line = expr.line;
  runtime_.step();
  if (expr.filter == nullptr) raise("No filter named '{}' found.", expr.text);
  return expr.filter->apply(*this, value, arguments);
}

Value Interpreter::evaluateTest(const Expr& expr, const ActivationPtr& activation) {
  const Value value = evaluate(*expr.parts[0], activation);
  Arguments arguments = evaluateArguments(expr, activation);
  runtime_.line = expr.line;
  if (expr.test == nullptr) raise("No test named '{}' found.", expr.text);
  return Value::boolean(expr.test->holds(*this, value, arguments));
}

}  // namespace hearth::jinja
