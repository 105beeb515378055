// The syntax tree of a template. Immutable once scopes.cpp has given every name its place.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "models/chat_template/value.h"

namespace hearth::jinja {

struct FilterEntry;
struct TestEntry;

/// Where a variable lives: in the activation `hops` functions out, at `index`.
struct Place {
  int hops = 0;
  int index = -1;
};

/// How a scope gets a variable when it is entered. Jinja scopes copy what they may change
/// (jinja2/idtracking.py).
struct Load {
  enum class From : uint8_t { context, outer, nothing, parameter } from = From::nothing;
  int index = -1;    // in the activation
  Place outer;       // of From::outer
  std::string name;  // of From::context
};

struct Scope {
  std::vector<Load> loads;  // every variable is cleared again when the scope ends
};

/// The variables of a template, macro, recursive loop or loop filter: one activation for each call.
struct FunctionScope {
  FunctionScope* parent = nullptr;
  int n_places = 0;
};

enum class ExprKind : uint8_t {
  constant,     // constant
  name,         // text, place
  attribute_target,  // text.constant of `set`: a namespace's attribute; place
  list, tuple,  // parts: items
  dict,         // parts: key, value, key, value …
  attribute,    // parts[0].text
  item,         // parts[0][parts[1]]
  slice,        // parts[0][parts[1]:parts[2]:parts[3]], any of the last three null
  call,         // parts[0](parts[1] …)
  filter,       // parts[0] | text(parts[1] …); parts[0] null: the body of a filter block
  test,         // parts[0] is text(parts[1] …)
  negate, plus, logical_not,  // parts[0]
  logical_and, logical_or,    // parts[0], parts[1]
  binary,       // parts[0] op parts[1]
  concat,       // parts, joined as text
  compare,      // parts[0] ops[0] parts[1] ops[1] parts[2] …
  conditional,  // parts: condition, then, otherwise (may be null)
};

enum class Access : uint8_t { load, store, parameter };  // of a name

enum class Operator : uint8_t {
  add, subtract, multiply, divide, floor_divide, modulo, power,
  equal, not_equal, less, less_equal, greater, greater_equal, in, not_in,
};

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

struct Expr {
  ExprKind kind = ExprKind::constant;
  Access access = Access::load;
  Operator op = Operator::add;
  int line = 1;
  int depth = 1;  // of the tree below
  std::string text;
  Value constant;
  Place place;
  std::vector<ExprPtr> parts;
  std::vector<Operator> ops;
  // Arguments of call, filter and test beside parts:
  std::vector<std::pair<std::string, ExprPtr>> named;
  ExprPtr spread, spread_named;  // *x, **x
  const FilterEntry* filter = nullptr;
  const TestEntry* test = nullptr;
};

enum class StmtKind : uint8_t {
  output,        // exprs: text and expressions in turn
  if_chain,      // exprs[i] guards branches[i]; one branch more: else
  for_loop,      // exprs: target, iterable, filter (or null), target for the filter (or null)
  set,           // exprs: target, value
  set_block,     // exprs: target, filter chain (or null); body
  macro,         // name; parameters in exprs, defaults of the last ones; body
  call_block,    // exprs[0]: the call; callee is `macro`
  filter_block,  // exprs[0]: filter chain; body
  with,          // exprs: target, value, target, value …; body
  generation,    // body: what the model wrote
  break_loop, continue_loop,
};

struct Stmt;
using Body = std::vector<std::unique_ptr<Stmt>>;

/// What is called: a macro's or call block's signature and body.
struct MacroPlan {
  std::string name;                 // empty: a call block
  std::vector<ExprPtr> parameters;  // names
  std::vector<ExprPtr> defaults;    // of the last parameters
  bool takes_caller = false, takes_named = false, takes_rest = false;
  bool explicit_caller = false;     // `caller` is among the parameters
  Place caller, named, rest;
  FunctionScope function;
  Scope scope;
};

struct Stmt {
  StmtKind kind = StmtKind::output;
  int line = 1;
  std::vector<ExprPtr> exprs;
  Body body;
  Body otherwise;               // of for_loop
  std::vector<Body> branches;   // of if_chain
  Place place;                  // of macro: where its name is kept
  Scope scope, otherwise_scope, filter_scope;
  FunctionScope filter_function, loop_function;  // of for_loop
  bool recursive = false;
  bool sets_loop = false;       // the body looks at `loop`
  Place loop;
  std::unique_ptr<MacroPlan> macro;
};

struct Syntax {
  Body body;
  FunctionScope function;
  Scope scope;
};

}  // namespace hearth::jinja
