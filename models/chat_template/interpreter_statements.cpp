#include <algorithm>

#include "models/chat_template/interpreter.h"

namespace hearth::jinja {

Interpreter::Interpreter(const Syntax& syntax, const ChatTemplateLimits& limits, const std::tm& now)
    : syntax_(syntax), runtime_(limits), now_(now) {}

Interpreter::~Interpreter() {
  // Namespaces and closures can hold themselves or each other, in chains of any length: take each
  // apart while all others are still held.
  for (const Value& space : namespaces_) {
    auto& dict = space.as<NamespaceObject>().dict.as<DictObject>();
    for (auto& [key, value] : dict.items) value = Value();
  }
  for (const Value& loop : changing_loops_) loop.as<LoopObject>().last_changed.reset();
  for (const ActivationPtr& activation : activations_) {
    for (Value& value : activation->places) value = Value();
  }
}

std::string Interpreter::run() {
  const ActivationPtr root = begin(syntax_.function, nullptr);
  std::string out;
  enter(syntax_.scope, root);
  execute(syntax_.body, root, out);
  return out;
}

ActivationPtr Interpreter::begin(const FunctionScope& function, const ActivationPtr& outer) {
  const auto n_places = static_cast<size_t>(function.n_places);
  runtime_.step(n_places);
  runtime_.hold(sizeof(Activation) + n_places * sizeof(Value));
  activations_.push_back(std::make_shared<Activation>(n_places, outer));
  return activations_.back();
}

/// Forgets the activation of a call that is over, unless a macro still refers to it.
void Interpreter::end(const ActivationPtr& activation) {
  constexpr long kOurs = 2;  // the caller's and activations_'
  if (activations_.back() != activation || activation.use_count() > kOurs) return;
  runtime_.release(sizeof(Activation) + activation->places.size() * sizeof(Value));
  activations_.pop_back();
}

void Interpreter::append(std::string_view text, std::string& out) {
  runtime_.expectOutput(out.size() + text.size());
  runtime_.copied(text.size());
  out += text;
}

void Interpreter::write(const Value& value, std::string& out) {
  if (value.isString()) return append(value.text(), out);
  append(textOf(*this, value), out);
}

void Interpreter::enter(const Scope& scope, const ActivationPtr& activation) {
  runtime_.step(scope.loads.size());
  for (const Load& load : scope.loads) {
    Value& target = activation->places[static_cast<size_t>(load.index)];
    switch (load.from) {
      case Load::From::parameter: break;
      case Load::From::nothing: target = Value(); break;
      case Load::From::outer: target = place(load.outer, activation); break;
      case Load::From::context: {
        const auto it = context_.find(load.name);
        target = it != context_.end() ? it->second : Value();
        break;
      }
    }
  }
}

void Interpreter::leave(const Scope& scope, const ActivationPtr& activation) {
  for (const Load& load : scope.loads) activation->places[static_cast<size_t>(load.index)] = Value();
}

/// Namespaces are checked before the value is computed, as jinja2 does.
void Interpreter::checkTarget(const Expr& target, const ActivationPtr& activation) {
  if (target.kind == ExprKind::attribute_target &&
      !place(target.place, activation).is(Kind::name_space)) {
    raise("cannot assign attribute on non-namespace object");
  }
  for (const ExprPtr& part : target.parts) checkTarget(*part, activation);
}

void Interpreter::assign(const Expr& target, const Value& value, const ActivationPtr& activation) {
  runtime_.step();
  if (target.kind == ExprKind::name) {
    place(target.place, activation) = value;
    return;
  }
  if (target.kind == ExprKind::attribute_target) {
    const Value space = place(target.place, activation);
    if (!space.is(Kind::name_space)) raise("cannot assign attribute on non-namespace object");
    auto& dict = space.as<NamespaceObject>().dict.as<DictObject>();
    runtime_.hold(sizeof(Value) * 2);  // released with the dict
    dict.held_bytes += sizeof(Value) * 2;
    dict.set(runtime_, target.constant, value);
    return;
  }
  const Values unpacked = items(value);
  if (unpacked.size() < target.parts.size()) {
    raise("not enough values to unpack (expected {}, got {})", target.parts.size(), unpacked.size());
  }
  if (unpacked.size() > target.parts.size()) {
    raise("too many values to unpack (expected {})", target.parts.size());
  }
  for (size_t i = 0; i < unpacked.size(); ++i) assign(*target.parts[i], unpacked[i], activation);
}

Interpreter::Flow Interpreter::execute(const Body& body, const ActivationPtr& activation,
                                       std::string& out) {
  for (const auto& stmt : body) {
    const Flow flow = execute(*stmt, activation, out);
    if (flow != Flow::normal) return flow;
  }
  return Flow::normal;
}

Interpreter::Flow Interpreter::execute(const Stmt& stmt, const ActivationPtr& activation,
                                       std::string& out) {
  const Nesting nesting(runtime_);
  runtime_.step();
  runtime_.line = stmt.line;
  switch (stmt.kind) {
    case StmtKind::output:
      for (const ExprPtr& expr : stmt.exprs) write(evaluate(*expr, activation), out);
      return Flow::normal;
    case StmtKind::if_chain: return executeIf(stmt, activation, out);
    case StmtKind::for_loop: return executeFor(stmt, activation, out);
    case StmtKind::set:
      checkTarget(*stmt.exprs[0], activation);
      assign(*stmt.exprs[0], evaluate(*stmt.exprs[1], activation), activation);
      return Flow::normal;
    case StmtKind::set_block:
    case StmtKind::filter_block: return executeBuffered(stmt, activation, out);
    case StmtKind::macro:
      place(stmt.place, activation) = makeMacro(stmt, activation);
      return Flow::normal;
    case StmtKind::call_block: {
      const Value caller = makeMacro(stmt, activation);
      write(evaluateCall(*stmt.exprs[0], activation, &caller), out);
      return Flow::normal;
    }
    case StmtKind::generation: {
      Arguments none;
      write(call(makeMacro(stmt, activation), none), out);
      return Flow::normal;
    }
    case StmtKind::with: return executeWith(stmt, activation, out);
    case StmtKind::break_loop: return Flow::break_loop;
    case StmtKind::continue_loop: return Flow::continue_loop;
  }
  return Flow::normal;
}

Interpreter::Flow Interpreter::executeIf(const Stmt& stmt, const ActivationPtr& activation,
                                         std::string& out) {
  for (size_t i = 0; i < stmt.branches.size(); ++i) {
    if (i < stmt.exprs.size() && !truthy(*this, evaluate(*stmt.exprs[i], activation))) continue;
    return execute(stmt.branches[i], activation, out);
  }
  return Flow::normal;
}

/// set and filter blocks: the body is written aside first.
Interpreter::Flow Interpreter::executeBuffered(const Stmt& stmt, const ActivationPtr& activation,
                                               std::string& out) {
  enter(stmt.scope, activation);
  std::string aside;
  const Flow flow = execute(stmt.body, activation, aside);
  if (flow != Flow::normal) return flow;  // what was written so far is lost
  Value value = text(std::move(aside));
  if (const Expr* chain = stmt.exprs.back().get(); chain != nullptr && chain->kind == ExprKind::filter) {
    value = evaluateFilter(*chain, activation, &value);
  }
  if (stmt.kind == StmtKind::set_block) assign(*stmt.exprs[0], value, activation);
  else write(value, out);
  leave(stmt.scope, activation);
  return Flow::normal;
}

Interpreter::Flow Interpreter::executeWith(const Stmt& stmt, const ActivationPtr& activation,
                                           std::string& out) {
  enter(stmt.scope, activation);
  for (size_t i = 0; i < stmt.exprs.size(); i += 2) {
    assign(*stmt.exprs[i], evaluate(*stmt.exprs[i + 1], activation), activation);
  }
  const Flow flow = execute(stmt.body, activation, out);
  if (flow == Flow::normal) leave(stmt.scope, activation);
  return flow;
}

Value Interpreter::makeMacro(const Stmt& stmt, const ActivationPtr& activation) {
  auto macro = makeObject<MacroObject>(&runtime_, 0);
  macro->plan = stmt.macro.get();
  macro->body = &stmt.body;
  macro->closure = activation;
  return {Kind::macro, std::move(macro)};
}

/// Arguments in the order of jinja2's Macro.__call__ (jinja2/runtime.py).
void Interpreter::bindMacro(const MacroObject& macro, Arguments& arguments,
                            const ActivationPtr& inside) {
  const MacroPlan& plan = *macro.plan;
  const auto takeNamed = [&](std::string_view name) {
    Value taken;
    runtime_.step(arguments.named.size());
    for (auto it = arguments.named.begin(); it != arguments.named.end(); ++it) {
      if (it->first != name) continue;
      taken = std::move(it->second);
      arguments.named.erase(it);
      break;
    }
    return taken;
  };
  const size_t n_parameters = plan.parameters.size();
  const size_t n_given = std::min(n_parameters, arguments.positional.size());
  bool found_caller = n_given == n_parameters && plan.explicit_caller;
  for (size_t i = 0; i < n_parameters; ++i) {
    const Expr& parameter = *plan.parameters[i];
    Value value = i < n_given ? arguments.positional[i] : takeNamed(parameter.text);
    if (i >= n_given && parameter.text == "caller") found_caller = true;
    inside->places[static_cast<size_t>(parameter.place.index)] = std::move(value);
  }
  if (plan.takes_caller && !found_caller) {
    Value caller = takeNamed("caller");
    if (caller.isMissing() || caller.isNone()) caller = undefined("No caller defined");
    inside->places[static_cast<size_t>(plan.caller.index)] = std::move(caller);
  }
  if (plan.takes_named) {
    std::vector<std::pair<Value, Value>> rest;
    for (auto& [name, value] : arguments.named) rest.emplace_back(text(name), std::move(value));
    inside->places[static_cast<size_t>(plan.named.index)] = makeDict(runtime_, std::move(rest));
  } else if (!arguments.named.empty()) {
    for (const auto& [name, value] : arguments.named) {
      if (name == "caller") {
        raise("macro '{}' was invoked with two values for the special caller argument", plan.name);
      }
    }
    raise("macro '{}' takes no keyword argument '{}'", plan.name, arguments.named[0].first);
  }
  if (plan.takes_rest) {
    const auto first = arguments.positional.begin() + static_cast<ptrdiff_t>(n_given);
    inside->places[static_cast<size_t>(plan.rest.index)] =
        makeTuple(&runtime_, Values(first, arguments.positional.end()));
  } else if (arguments.positional.size() > n_parameters) {
    raise("macro '{}' takes not more than {} argument(s)", plan.name, n_parameters);
  }
}

Value Interpreter::callMacro(const MacroObject& macro, Arguments& arguments) {
  const MacroPlan& plan = *macro.plan;
  const ActivationPtr inside = begin(plan.function, macro.closure);
  bindMacro(macro, arguments, inside);
  enter(plan.scope, inside);
  const size_t n_parameters = plan.parameters.size();
  const size_t first_default = n_parameters - plan.defaults.size();
  for (size_t i = 0; i < n_parameters; ++i) {
    const Expr& parameter = *plan.parameters[i];
    Value& target = inside->places[static_cast<size_t>(parameter.place.index)];
    if (!target.isMissing()) continue;
    target = i >= first_default
                 ? evaluate(*plan.defaults[i - first_default], inside)
                 : undefined(fmt::format("parameter '{}' was not provided", parameter.text));
  }
  std::string out;
  execute(*macro.body, inside, out);
  end(inside);
  return text(std::move(out));
}

}  // namespace hearth::jinja
