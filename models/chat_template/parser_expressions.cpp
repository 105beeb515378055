#include <algorithm>

#include "models/chat_template/parser.h"

namespace hearth::jinja {

void Parser::checkDepth(Expr& node) const {
  int below = 0;
  const auto look = [&](const ExprPtr& part) {
    if (part) below = std::max(below, part->depth);
  };
  for (const ExprPtr& part : node.parts) look(part);
  for (const auto& [name, part] : node.named) look(part);
  look(node.spread);
  look(node.spread_named);
  node.depth = below + 1;
  if (node.depth > max_depth_) failHere(fmt::format("nested deeper than {} levels", max_depth_));
}

ExprPtr Parser::make(ExprKind kind, int line, std::vector<ExprPtr> parts) const {
  auto node = std::make_unique<Expr>();
  node->kind = kind;
  node->line = line;
  node->parts = std::move(parts);
  checkDepth(*node);
  return node;
}

ExprPtr Parser::makeConstant(Value value, int line) const {
  ExprPtr node = make(ExprKind::constant, line);
  node->constant = std::move(value);
  return node;
}

namespace {

template <class... Parts>
std::vector<ExprPtr> list(Parts... parts) {
  std::vector<ExprPtr> all;
  (all.push_back(std::move(parts)), ...);
  return all;
}

bool isConstantName(std::string_view name) {
  return name == "true" || name == "True" || name == "false" || name == "False" ||
         name == "none" || name == "None";
}

void setAccess(Expr& target, Access access) {
  target.access = access;
  for (const ExprPtr& part : target.parts) setAccess(*part, access);
}

bool canAssign(const Expr& target) {
  if (target.kind == ExprKind::name || target.kind == ExprKind::attribute_target) return true;
  return target.kind == ExprKind::tuple &&
         std::all_of(target.parts.begin(), target.parts.end(),
                     [](const ExprPtr& part) { return canAssign(*part); });
}

}  // namespace

ExprPtr Parser::parseTarget(std::string_view end_name, bool namespaces) {
  ExprPtr target = parseTuple({.targets_only = true, .namespace_targets = namespaces,
                               .end_name = end_name});
  if (!canAssign(*target)) failHere("can't assign to this");
  setAccess(*target, Access::store);
  return target;
}

ExprPtr Parser::parseNameTarget() {
  const int line = current().line;
  std::string name = expectAnyName();
  if (isConstantName(name)) failHere("can't assign to 'name'");
  ExprPtr target = make(ExprKind::name, line);
  target->text = std::move(name);
  target->access = Access::store;
  return target;
}

bool Parser::atTupleEnd(std::string_view end_name) const {
  return current().kind == TokenKind::variable_end || current().kind == TokenKind::block_end ||
         atSymbol(")") || (!end_name.empty() && atName(end_name));
}

ExprPtr Parser::parseTuple(const TupleStyle& style) {
  const int line = current().line;
  std::vector<ExprPtr> items;
  bool is_tuple = false;
  while (true) {
    if (!items.empty()) expectSymbol(",");
    if (atTupleEnd(style.end_name)) break;
    items.push_back(style.targets_only ? parsePrimary(style.namespace_targets)
                                       : parseExpression(style.conditional));
    if (!atSymbol(",")) break;
    is_tuple = true;
  }
  if (!is_tuple) {
    if (!items.empty()) return std::move(items[0]);
    if (!style.in_parentheses) failHere("Expected an expression");
  }
  return make(ExprKind::tuple, line, std::move(items));
}

ExprPtr Parser::parseExpression(bool conditional) {
  const Level level(*this);
  return conditional ? parseConditional() : parseOr();
}

ExprPtr Parser::parseConditional() {
  int line = current().line;
  ExprPtr value = parseOr();
  while (skipName("if")) {
    ExprPtr condition = parseOr();
    ExprPtr otherwise;
    if (skipName("else")) {
      const Level level(*this);
      otherwise = parseConditional();
    }
    value = make(ExprKind::conditional, line,
                 list(std::move(condition), std::move(value), std::move(otherwise)));
    line = current().line;
  }
  return value;
}

ExprPtr Parser::parseOr() {
  const int line = current().line;
  ExprPtr left = parseAnd();
  while (skipName("or")) {
    ExprPtr right = parseAnd();
    left = make(ExprKind::logical_or, line, list(std::move(left), std::move(right)));
  }
  return left;
}

ExprPtr Parser::parseAnd() {
  const int line = current().line;
  ExprPtr left = parseNot();
  while (skipName("and")) {
    ExprPtr right = parseNot();
    left = make(ExprKind::logical_and, line, list(std::move(left), std::move(right)));
  }
  return left;
}

ExprPtr Parser::parseNot() {
  if (!atName("not")) return parseCompare();
  const Level level(*this);
  const int line = take().line;
  return make(ExprKind::logical_not, line, list(parseNot()));
}

std::optional<Operator> Parser::takeComparison() {
  static constexpr std::pair<std::string_view, Operator> kSymbols[] = {
      {"==", Operator::equal}, {"!=", Operator::not_equal},
      {"<", Operator::less},   {"<=", Operator::less_equal},
      {">", Operator::greater}, {">=", Operator::greater_equal}};
  for (const auto& [symbol, op] : kSymbols) {
    if (skipSymbol(symbol)) return op;
  }
  if (skipName("in")) return Operator::in;
  if (atName("not") && following().kind == TokenKind::name && following().text == "in") {
    position_ += 2;
    return Operator::not_in;
  }
  return std::nullopt;
}

ExprPtr Parser::parseCompare() {
  const int line = current().line;
  ExprPtr first = parseSum();
  std::vector<ExprPtr> parts;
  std::vector<Operator> ops;
  while (const auto op = takeComparison()) {
    ops.push_back(*op);
    parts.push_back(parseSum());
  }
  if (ops.empty()) return first;
  parts.insert(parts.begin(), std::move(first));
  ExprPtr node = make(ExprKind::compare, line, std::move(parts));
  node->ops = std::move(ops);
  return node;
}

ExprPtr Parser::parseSum() {
  const int line = current().line;
  ExprPtr left = parseConcat();
  while (atSymbol("+") || atSymbol("-")) {
    const Operator op = take().text == "+" ? Operator::add : Operator::subtract;
    ExprPtr right = parseConcat();
    left = make(ExprKind::binary, line, list(std::move(left), std::move(right)));
    left->op = op;
  }
  return left;
}

ExprPtr Parser::parseConcat() {
  const int line = current().line;
  std::vector<ExprPtr> parts;
  parts.push_back(parseProduct());
  while (skipSymbol("~")) parts.push_back(parseProduct());
  if (parts.size() == 1) return std::move(parts[0]);
  return make(ExprKind::concat, line, std::move(parts));
}

ExprPtr Parser::parseProduct() {
  const int line = current().line;
  ExprPtr left = parsePower();
  while (atSymbol("*") || atSymbol("/") || atSymbol("//") || atSymbol("%")) {
    const std::string symbol = take().text;
    ExprPtr right = parsePower();
    left = make(ExprKind::binary, line, list(std::move(left), std::move(right)));
    left->op = symbol == "*"    ? Operator::multiply
               : symbol == "/"  ? Operator::divide
               : symbol == "//" ? Operator::floor_divide
                                : Operator::modulo;
  }
  return left;
}

ExprPtr Parser::parsePower() {
  const int line = current().line;
  ExprPtr left = parseUnary();
  while (skipSymbol("**")) {
    ExprPtr right = parseUnary();
    left = make(ExprKind::binary, line, list(std::move(left), std::move(right)));
    left->op = Operator::power;
  }
  return left;
}

ExprPtr Parser::parseUnary(bool with_filter) {
  const Level level(*this);
  const int line = current().line;
  ExprPtr node;
  if (skipSymbol("-")) node = make(ExprKind::negate, line, list(parseUnary(false)));
  else if (skipSymbol("+")) node = make(ExprKind::plus, line, list(parseUnary(false)));
  else node = parsePrimary();
  node = parsePostfix(std::move(node));
  return with_filter ? parseFilters(std::move(node)) : std::move(node);
}

ExprPtr Parser::parsePrimary(bool namespaces) {
  const Level level(*this);
  const int line = current().line;
  switch (current().kind) {
    case TokenKind::name: {
      std::string name = take().text;
      if (isConstantName(name)) {
        if (name.back() == 'e' && (name[0] | 0x20) == 'n') return makeConstant(Value::none(), line);
        return makeConstant(Value::boolean((name[0] | 0x20) == 't'), line);
      }
      const bool is_attribute = namespaces && skipSymbol(".");
      ExprPtr node = make(is_attribute ? ExprKind::attribute_target : ExprKind::name, line);
      if (is_attribute) node->constant = makeString(nullptr, expectAnyName());
      node->text = std::move(name);
      return node;
    }
    case TokenKind::string: {
      std::string text;
      while (current().kind == TokenKind::string) text += take().text;
      return makeConstant(makeString(nullptr, std::move(text)), line);
    }
    case TokenKind::integer:
    case TokenKind::real: return makeConstant(take().number, line);
    default: break;
  }
  if (skipSymbol("(")) {
    ExprPtr node = parseTuple({.in_parentheses = true});
    expectSymbol(")");
    return node;
  }
  if (skipSymbol("[")) return parseList();
  if (skipSymbol("{")) return parseDict();
  failHere("unexpected token");
}

ExprPtr Parser::parseList() {
  const int line = current().line;
  std::vector<ExprPtr> items;
  while (!atSymbol("]")) {
    if (!items.empty()) expectSymbol(",");
    if (atSymbol("]")) break;
    items.push_back(parseExpression());
  }
  expectSymbol("]");
  return make(ExprKind::list, line, std::move(items));
}

ExprPtr Parser::parseDict() {
  const int line = current().line;
  std::vector<ExprPtr> items;
  while (!atSymbol("}")) {
    if (!items.empty()) expectSymbol(",");
    if (atSymbol("}")) break;
    items.push_back(parseExpression());
    expectSymbol(":");
    items.push_back(parseExpression());
  }
  expectSymbol("}");
  return make(ExprKind::dict, line, std::move(items));
}

ExprPtr Parser::parsePostfix(ExprPtr node) {
  while (true) {
    if (atSymbol(".") || atSymbol("[")) node = parseSubscript(std::move(node));
    else if (atSymbol("(")) node = parseCall(std::move(node));
    else return node;
  }
}

ExprPtr Parser::parseFilters(ExprPtr node) {
  while (true) {
    if (atSymbol("|")) node = parseFilterChain(std::move(node), false);
    else if (atName("is")) node = parseTest(std::move(node));
    else if (atSymbol("(")) node = parseCall(std::move(node));
    else return node;
  }
}

ExprPtr Parser::parseSubscript(ExprPtr node) {
  const int line = current().line;
  if (skipSymbol("[")) return parseIndex(std::move(node), line);
  expectSymbol(".");
  if (current().kind == TokenKind::name) {
    ExprPtr attribute = make(ExprKind::attribute, line, list(std::move(node)));
    attribute->text = take().text;
    return attribute;
  }
  if (current().kind != TokenKind::integer) failHere("expected name or number");
  ExprPtr index = makeConstant(take().number, line);
  return make(ExprKind::item, line, list(std::move(node), std::move(index)));
}

ExprPtr Parser::parseIndex(ExprPtr node, int line) {
  std::vector<ExprPtr> bounds;  // start, stop, step as far as there are colons
  std::vector<ExprPtr> indices;
  bool is_slice = false;
  while (!atSymbol("]")) {
    if (!indices.empty() || is_slice) expectSymbol(",");
    if (is_slice) failHere("a slice is one of several subscripts");
    ExprPtr first;
    if (!atSymbol(":")) first = parseExpression();
    if (!skipSymbol(":")) {
      indices.push_back(std::move(first));
      continue;
    }
    if (!indices.empty()) failHere("a slice is one of several subscripts");
    is_slice = true;
    bounds = list(std::move(first), ExprPtr(), ExprPtr());
    const auto bound_follows = [&] { return !atSymbol(":") && !atSymbol("]") && !atSymbol(","); };
    if (bound_follows()) bounds[1] = parseExpression();
    if (skipSymbol(":") && bound_follows()) bounds[2] = parseExpression();
  }
  expectSymbol("]");
  if (is_slice) {
    bounds.insert(bounds.begin(), std::move(node));
    return make(ExprKind::slice, line, std::move(bounds));
  }
  ExprPtr index = indices.size() == 1 ? std::move(indices[0])
                                      : make(ExprKind::tuple, line, std::move(indices));
  return make(ExprKind::item, line, list(std::move(node), std::move(index)));
}

ExprPtr Parser::parseCall(ExprPtr node) {
  ExprPtr call = make(ExprKind::call, current().line, list(std::move(node)));
  parseArguments(*call);
  return call;
}

void Parser::parseArguments(Expr& call) {
  expectSymbol("(");
  const auto ensure = [&](bool holds) {
    if (!holds) failHere("invalid syntax for function call expression");
  };
  bool needs_comma = false;
  while (!atSymbol(")")) {
    if (needs_comma) {
      expectSymbol(",");
      if (atSymbol(")")) break;
    }
    if (skipSymbol("*")) {
      ensure(!call.spread && !call.spread_named);
      call.spread = parseExpression();
    } else if (skipSymbol("**")) {
      ensure(!call.spread_named);
      call.spread_named = parseExpression();
    } else if (current().kind == TokenKind::name && following().kind == TokenKind::symbol &&
               following().text == "=") {
      ensure(!call.spread_named);
      std::string name = take().text;
      take();
      if (call.named.size() >= kMostNamed) failHere("too many keyword arguments");
      for (const auto& [other, value] : call.named) {
        if (other == name) failHere(fmt::format("keyword argument repeated: {}", name));
      }
      ExprPtr value = parseExpression();
      call.named.emplace_back(std::move(name), std::move(value));
    } else {
      ensure(!call.spread && !call.spread_named && call.named.empty());
      call.parts.push_back(parseExpression());
    }
    needs_comma = true;
  }
  expectSymbol(")");
  checkDepth(call);
}

ExprPtr Parser::parseFilterChain(ExprPtr node, bool start_inline) {
  while (start_inline || skipSymbol("|")) {
    start_inline = false;
    const int line = current().line;
    std::string name = expectAnyName();
    while (skipSymbol(".")) name += "." + expectAnyName();
    node = make(ExprKind::filter, line, list(std::move(node)));
    node->text = std::move(name);
    if (atSymbol("(")) parseArguments(*node);
  }
  return node;
}

ExprPtr Parser::parseTest(ExprPtr node) {
  const int line = take().line;
  const bool negated = skipName("not");
  std::string name = expectAnyName();
  while (skipSymbol(".")) name += "." + expectAnyName();
  ExprPtr test = make(ExprKind::test, line, list(std::move(node)));
  test->text = std::move(name);
  const TokenKind next = current().kind;
  if (atSymbol("(")) {
    parseArguments(*test);
  } else if ((next == TokenKind::name || next == TokenKind::string || next == TokenKind::integer ||
              next == TokenKind::real || atSymbol("[") || atSymbol("{")) &&
             !atName("else") && !atName("or") && !atName("and")) {
    if (atName("is")) failHere("You cannot chain multiple tests with is");
    test->parts.push_back(parsePostfix(parsePrimary()));
    checkDepth(*test);
  }
  return negated ? make(ExprKind::logical_not, line, list(std::move(test))) : std::move(test);
}

}  // namespace hearth::jinja
