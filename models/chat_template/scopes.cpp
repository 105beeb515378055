#include "models/chat_template/scopes.h"

#include <map>
#include <set>

#include "kernels/base/check.h"
#include "models/chat_template/filters.h"

namespace hearth::jinja {

namespace {

/// The variables one scope knows, before they have places. `Ident` names are unique within a
/// function: a variable of nesting level 2 called x is "2 x" (siblings share it, as in jinja2).
using Ident = std::string;

struct PendingLoad {
  Load::From from = Load::From::nothing;
  std::string source;  // of outer: the ident; of context: the name
};

struct Symbols {
  /// Copying for branches is what a hostile template could make take forever.
  static constexpr size_t kMostCopies = 5'000'000;
  size_t* n_copied = nullptr;  // entries, in the whole template
  Symbols* parent = nullptr;
  FunctionScope* function = nullptr;
  int level = 0;
  std::map<std::string, Ident> refs;  // by name
  std::map<Ident, PendingLoad> loads;
  std::set<std::string> stores;

  const Ident* findRef(const std::string& name) const {
    for (const Symbols* s = this; s != nullptr; s = s->parent) {
      if (const auto it = s->refs.find(name); it != s->refs.end()) return &it->second;
    }
    return nullptr;
  }
  const Symbols* ownerOf(const std::string& name) const {
    const Symbols* s = this;
    while (s != nullptr && !s->refs.contains(name)) s = s->parent;
    return s;
  }
  void define(const std::string& name, PendingLoad load) {
    const Ident ident = std::to_string(level) + " " + name;
    refs[name] = ident;
    loads[ident] = std::move(load);
  }
  void load(const std::string& name) {
    if (findRef(name) == nullptr) define(name, {Load::From::context, name});
  }
  void declareParameter(const std::string& name) {
    stores.insert(name);
    define(name, {Load::From::parameter, {}});
  }
  void store(const std::string& name) {
    stores.insert(name);
    if (refs.contains(name)) return;
    const bool is_outer = parent != nullptr && parent->findRef(name) != nullptr;
    define(name, {is_outer ? Load::From::outer : Load::From::nothing, is_outer ? name : ""});
  }
  Symbols branch() const {
    *n_copied += 1 + refs.size() + loads.size() + stores.size();
    if (*n_copied <= kMostCopies) return *this;
    throw Fault{ErrorCode::bad_file, "too many variables in too many conditions", 1};
  }
  /// What the branches of a condition assign may stay unassigned: it then has its outer value.
  void mergeBranches(std::initializer_list<const Symbols*> branches) {
    std::set<std::string> assigned;
    for (const Symbols* branch : branches) {
      for (const std::string& name : branch->stores) {
        if (!stores.contains(name)) assigned.insert(name);
      }
    }
    for (const Symbols* branch : branches) {
      for (const auto& [name, ident] : branch->refs) refs[name] = ident;
      for (const auto& [ident, load] : branch->loads) loads[ident] = load;
      stores.insert(branch->stores.begin(), branch->stores.end());
    }
    for (const std::string& name : assigned) {
      const bool is_outer = parent != nullptr && parent->findRef(name) != nullptr;
      loads[*findRef(name)] = {is_outer ? Load::From::outer : Load::From::context, name};
    }
  }
};

// ---- which names a scope loads and stores

template <class Visit>
void forEachPart(const Expr& expr, Visit visit) {
  for (const ExprPtr& part : expr.parts) {
    if (part) visit(*part);
  }
  for (const auto& [name, part] : expr.named) visit(*part);
  if (expr.spread) visit(*expr.spread);
  if (expr.spread_named) visit(*expr.spread_named);
}

void collect(Symbols& symbols, const Expr* expr) {
  if (expr == nullptr) return;
  if (expr->kind == ExprKind::name) {
    if (expr->access == Access::load) symbols.load(expr->text);
    if (expr->access == Access::store) symbols.store(expr->text);
    if (expr->access == Access::parameter) symbols.declareParameter(expr->text);
    return;
  }
  if (expr->kind == ExprKind::attribute_target) return symbols.load(expr->text);
  forEachPart(*expr, [&](const Expr& part) { collect(symbols, &part); });
}

/// A loop's target: its names are set by the loop.
void collectAsParameters(Symbols& symbols, const Expr& target) {
  if (target.kind == ExprKind::name) symbols.declareParameter(target.text);
  for (const ExprPtr& part : target.parts) collectAsParameters(symbols, *part);
}

void collect(Symbols& symbols, const Body& body);

void collectIf(Symbols& symbols, const Stmt& stmt);

void collect(Symbols& symbols, const Stmt& stmt) {
  switch (stmt.kind) {
    case StmtKind::if_chain: return collectIf(symbols, stmt);
    case StmtKind::macro: return symbols.store(stmt.macro->name);
    case StmtKind::for_loop: return collect(symbols, stmt.exprs[1].get());
    case StmtKind::with:
      for (size_t i = 1; i < stmt.exprs.size(); i += 2) collect(symbols, stmt.exprs[i].get());
      return;
    case StmtKind::set:
      collect(symbols, stmt.exprs[1].get());
      return collect(symbols, stmt.exprs[0].get());
    case StmtKind::set_block: return collect(symbols, stmt.exprs[0].get());
    default:
      for (const ExprPtr& expr : stmt.exprs) collect(symbols, expr.get());
  }
}

void collect(Symbols& symbols, const Body& body) {
  for (const auto& stmt : body) collect(symbols, *stmt);
}

/// `elif` counts as an if of its own, side by side with the branch before it (jinja2 visits the
/// list of them from the first one's symbols).
void collectIf(Symbols& symbols, const Stmt& stmt) {
  collect(symbols, stmt.exprs[0].get());
  Symbols first = symbols.branch();
  collect(first, stmt.branches[0]);
  Symbols alternatives = symbols.branch();
  for (size_t i = 1; i < stmt.exprs.size(); ++i) {
    collect(alternatives, stmt.exprs[i].get());
    Symbols branch = alternatives.branch();
    collect(branch, stmt.branches[i]);
    alternatives.mergeBranches({&branch});
  }
  Symbols otherwise = symbols.branch();
  if (stmt.branches.size() > stmt.exprs.size()) collect(otherwise, stmt.branches.back());
  symbols.mergeBranches({&first, &alternatives, &otherwise});
}

// ---- names that a body uses before it sets them: caller, varargs, kwargs, loop

class UndeclaredNames {
 public:
  explicit UndeclaredNames(std::set<std::string> names) : names_(std::move(names)) {}

  void visit(const Body& body) {
    for (const auto& stmt : body) visit(*stmt);
  }
  bool found(const std::string& name) const { return found_.contains(name); }

 private:
  void visit(const Expr* expr) {
    if (expr == nullptr) return;
    if (expr->kind == ExprKind::name) {
      if (expr->access == Access::load && names_.contains(expr->text)) found_.insert(expr->text);
      else names_.erase(expr->text);
    }
    forEachPart(*expr, [&](const Expr& part) { visit(&part); });
  }

  void visit(const Stmt& stmt) {
    for (size_t i = 0; i < stmt.exprs.size(); ++i) {
      // A loop's filter comes after its bodies; the copy of its target does not count.
      if (stmt.kind == StmtKind::for_loop && i >= 2) break;
      if (stmt.kind == StmtKind::if_chain || stmt.kind == StmtKind::filter_block) break;
      visit(stmt.exprs[i].get());
    }
    if (stmt.macro) {
      for (const ExprPtr& parameter : stmt.macro->parameters) visit(parameter.get());
      for (const ExprPtr& value : stmt.macro->defaults) visit(value.get());
    }
    visit(stmt.body);
    visit(stmt.otherwise);
    if (stmt.kind == StmtKind::for_loop) visit(stmt.exprs[2].get());
    if (stmt.kind == StmtKind::filter_block) visit(stmt.exprs[0].get());
    for (size_t i = 0; i < stmt.branches.size(); ++i) {
      if (i < stmt.exprs.size()) visit(stmt.exprs[i].get());
      visit(stmt.branches[i]);
    }
  }

  std::set<std::string> names_, found_;
};

bool storesLoop(const Expr& target) {
  if (target.kind == ExprKind::name) return target.access == Access::store && target.text == "loop";
  for (const ExprPtr& part : target.parts) {
    if (storesLoop(*part)) return true;
  }
  return false;
}

bool storesLoop(const Body& body);
bool storesLoop(const Stmt& stmt) {
  const bool assigns = stmt.kind == StmtKind::set || stmt.kind == StmtKind::set_block ||
                       stmt.kind == StmtKind::for_loop;
  if (assigns && storesLoop(*stmt.exprs[0])) return true;
  if (storesLoop(stmt.body) || storesLoop(stmt.otherwise)) return true;
  for (const Body& branch : stmt.branches) {
    if (storesLoop(branch)) return true;
  }
  return false;
}
bool storesLoop(const Body& body) {
  for (const auto& stmt : body) {
    if (storesLoop(*stmt)) return true;
  }
  return false;
}

// ---- places

class Resolver {
 public:
  void resolveTemplate(Syntax& syntax) {
    Symbols root;
    root.n_copied = &n_copied_;
    root.function = &syntax.function;
    collect(root, syntax.body);
    resolve(syntax.body, root, false);
    finish(root, syntax.scope);
  }

 private:
  static Symbols inner(Symbols& outer, FunctionScope* function) {
    Symbols symbols;
    symbols.parent = &outer;
    symbols.n_copied = outer.n_copied;
    symbols.function = function;
    symbols.level = outer.level + 1;
    return symbols;
  }

  int indexOf(FunctionScope* function, const Ident& ident) {
    const auto [it, is_new] = indices_.try_emplace({function, ident}, function->n_places);
    if (is_new) ++function->n_places;
    return it->second;
  }

  Place placeOf(const Symbols& symbols, const std::string& name) {
    const Symbols* owner = symbols.ownerOf(name);
    CHECK(owner != nullptr);  // every name was collected
    int hops = 0;
    for (const FunctionScope* f = symbols.function; f != owner->function; f = f->parent) ++hops;
    return {hops, indexOf(owner->function, owner->refs.at(name))};
  }

  void finish(const Symbols& symbols, Scope& scope) {
    for (const auto& [ident, pending] : symbols.loads) {
      Load load{.from = pending.from, .index = indexOf(symbols.function, ident), .outer = {}, .name = {}};
      if (pending.from == Load::From::context) load.name = pending.source;
      if (pending.from == Load::From::outer) {
        load.outer = placeOf(*symbols.parent, pending.source);
        for (const FunctionScope* f = symbols.function; f != symbols.parent->function; f = f->parent) {
          ++load.outer.hops;
        }
      }
      scope.loads.push_back(std::move(load));
    }
  }

  void resolve(Expr* expr, Symbols& symbols, bool soft) {
    if (expr == nullptr) return;
    const bool is_name = expr->kind == ExprKind::name || expr->kind == ExprKind::attribute_target;
    if (is_name) expr->place = placeOf(symbols, expr->text);
    if (expr->kind == ExprKind::filter) expr->filter = findFilter(expr->text);
    if (expr->kind == ExprKind::test) expr->test = findTest(expr->text);
    const bool unknown = (expr->kind == ExprKind::filter && expr->filter == nullptr) ||
                         (expr->kind == ExprKind::test && expr->test == nullptr);
    if (unknown && !soft) {
      throw Fault{ErrorCode::bad_file,
                  fmt::format("No {} named '{}'.",
                              expr->kind == ExprKind::filter ? "filter" : "test", expr->text),
                  expr->line};
    }
    const bool soft_inside = soft || expr->kind == ExprKind::conditional;
    forEachPart(*expr, [&](const Expr& part) {
      resolve(const_cast<Expr*>(&part), symbols, soft_inside);
    });
  }

  void resolve(Body& body, Symbols& symbols, bool soft) {
    for (const auto& stmt : body) resolve(*stmt, symbols, soft);
  }

  void resolve(Stmt& stmt, Symbols& symbols, bool soft) {
    switch (stmt.kind) {
      case StmtKind::for_loop: return resolveFor(stmt, symbols, soft);
      case StmtKind::with: return resolveWith(stmt, symbols, soft);
      case StmtKind::macro:
        resolveMacro(stmt, symbols);
        stmt.place = placeOf(symbols, stmt.macro->name);
        return;
      case StmtKind::call_block:
        resolveMacro(stmt, symbols);
        return resolve(stmt.exprs[0].get(), symbols, soft);
      case StmtKind::generation: return resolveMacro(stmt, symbols);
      case StmtKind::set_block:
      case StmtKind::filter_block: return resolveBuffered(stmt, symbols, soft);
      case StmtKind::if_chain:
        for (const ExprPtr& test : stmt.exprs) resolve(test.get(), symbols, true);
        for (Body& branch : stmt.branches) resolve(branch, symbols, true);
        return;
      default:
        for (const ExprPtr& expr : stmt.exprs) resolve(expr.get(), symbols, soft);
    }
  }

  void resolveBuffered(Stmt& stmt, Symbols& symbols, bool soft) {
    Symbols block = inner(symbols, symbols.function);
    Expr* chain = stmt.exprs.back().get();
    collect(block, stmt.body);
    collect(block, chain);
    resolve(stmt.body, block, false);
    resolve(chain, block, false);
    if (stmt.kind == StmtKind::set_block) resolve(stmt.exprs[0].get(), symbols, soft);
    finish(block, stmt.scope);
  }

  void resolveWith(Stmt& stmt, Symbols& symbols, bool soft) {
    Symbols block = inner(symbols, symbols.function);
    for (size_t i = 0; i < stmt.exprs.size(); i += 2) collect(block, stmt.exprs[i].get());
    collect(block, stmt.body);
    for (size_t i = 0; i < stmt.exprs.size(); i += 2) {
      resolve(stmt.exprs[i].get(), block, false);
      resolve(stmt.exprs[i + 1].get(), symbols, soft);
    }
    resolve(stmt.body, block, false);
    finish(block, stmt.scope);
  }

  void resolveMacro(Stmt& stmt, Symbols& symbols) {
    MacroPlan& plan = *stmt.macro;
    plan.function.parent = symbols.function;
    Symbols inside = inner(symbols, &plan.function);
    for (const ExprPtr& parameter : plan.parameters) collect(inside, parameter.get());
    for (const ExprPtr& value : plan.defaults) collect(inside, value.get());
    collect(inside, stmt.body);
    declareSpecials(stmt, inside);
    for (const ExprPtr& parameter : plan.parameters) resolve(parameter.get(), inside, false);
    for (const ExprPtr& value : plan.defaults) resolve(value.get(), inside, false);
    resolve(stmt.body, inside, false);
    finish(inside, plan.scope);
  }

  void declareSpecials(Stmt& stmt, Symbols& inside) {
    MacroPlan& plan = *stmt.macro;
    std::set<std::string> named;
    for (const ExprPtr& parameter : plan.parameters) named.insert(parameter->text);
    UndeclaredNames used({"caller", "kwargs", "varargs"});
    used.visit(stmt.body);
    const auto declare = [&](const char* name, bool& takes, Place& place) {
      takes = used.found(name) && !named.contains(name);
      if (!takes) return;
      inside.declareParameter(name);
      place = placeOf(inside, name);
    };
    declare("caller", plan.takes_caller, plan.caller);
    declare("kwargs", plan.takes_named, plan.named);
    declare("varargs", plan.takes_rest, plan.rest);
    plan.explicit_caller = named.contains("caller");
    if (!used.found("caller") || !plan.explicit_caller) return;
    plan.takes_caller = true;
    const size_t first_default = plan.parameters.size() - plan.defaults.size();
    for (size_t i = 0; i < first_default; ++i) {
      if (plan.parameters[i]->text != "caller") continue;
      throw Fault{ErrorCode::bad_file,
                  "the special \"caller\" argument must be omitted or be given a default", stmt.line};
    }
  }

  void resolveFor(Stmt& stmt, Symbols& symbols, bool soft) {
    if (storesLoop(stmt)) {
      throw Fault{ErrorCode::bad_file, "Can't assign to special loop variable in for-loop target",
                  stmt.line};
    }
    UndeclaredNames used({"loop"});
    used.visit(stmt.body);
    stmt.sets_loop = stmt.recursive || used.found("loop");
    FunctionScope* function = symbols.function;
    if (stmt.recursive) {
      stmt.loop_function.parent = symbols.function;
      function = &stmt.loop_function;
    }
    resolve(stmt.exprs[1].get(), symbols, soft);
    Symbols body = inner(symbols, function);
    if (stmt.sets_loop) body.declareParameter("loop");
    collectAsParameters(body, *stmt.exprs[0]);
    collect(body, stmt.body);
    if (stmt.sets_loop) stmt.loop = placeOf(body, "loop");
    resolve(stmt.exprs[0].get(), body, false);
    resolve(stmt.body, body, false);
    finish(body, stmt.scope);
    if (stmt.exprs[2]) resolveFilter(stmt, symbols);
    Symbols otherwise = inner(symbols, function);
    collect(otherwise, stmt.otherwise);
    resolve(stmt.otherwise, otherwise, false);
    finish(otherwise, stmt.otherwise_scope);
  }

  void resolveFilter(Stmt& stmt, Symbols& symbols) {
    stmt.filter_function.parent = symbols.function;
    Symbols filter = inner(symbols, &stmt.filter_function);
    collectAsParameters(filter, *stmt.exprs[3]);
    collect(filter, stmt.exprs[2].get());
    resolve(stmt.exprs[3].get(), filter, false);
    resolve(stmt.exprs[2].get(), filter, false);
    finish(filter, stmt.filter_scope);
  }

  std::map<std::pair<FunctionScope*, Ident>, int> indices_;
  size_t n_copied_ = 0;
};

}  // namespace

void resolveScopes(Syntax& syntax) { Resolver().resolveTemplate(syntax); }

}  // namespace hearth::jinja
