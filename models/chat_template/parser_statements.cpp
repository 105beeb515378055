#include "models/chat_template/parser.h"

namespace hearth::jinja {

namespace {

constexpr std::string_view kTagsThatNeedOtherFiles[] = {"extends", "include", "import", "from",
                                                        "block", "autoescape"};

std::string describe(const Token& token) {
  switch (token.kind) {
    case TokenKind::data: return "template data / text";
    case TokenKind::variable_begin: return "begin of print statement";
    case TokenKind::variable_end: return "end of print statement";
    case TokenKind::block_begin: return "begin of statement block";
    case TokenKind::block_end: return "end of statement block";
    case TokenKind::name:
    case TokenKind::symbol: return token.text;
    case TokenKind::string: return "string";
    case TokenKind::integer: return "integer";
    case TokenKind::real: return "float";
    case TokenKind::end: return "end of template";
  }
  return "token";
}

std::unique_ptr<Stmt> makeStmt(StmtKind kind, int line) {
  auto stmt = std::make_unique<Stmt>();
  stmt->kind = kind;
  stmt->line = line;
  return stmt;
}

/// A second tree for an assignment target: a loop filter has variables of its own.
ExprPtr cloneTarget(const Expr& target) {
  auto copy = std::make_unique<Expr>();
  copy->kind = target.kind;
  copy->access = target.access;
  copy->line = target.line;
  copy->text = target.text;
  copy->constant = target.constant;
  for (const ExprPtr& part : target.parts) copy->parts.push_back(cloneTarget(*part));
  return copy;
}

}  // namespace

void Parser::enter() {
  if (depth_ >= max_depth_) failHere(fmt::format("nested deeper than {} levels", max_depth_));
  ++depth_;
}

Token Parser::take() {
  Token token = tokens_[position_];
  if (position_ + 1 < tokens_.size()) ++position_;
  return token;
}

bool Parser::atSymbol(std::string_view symbol) const {
  return current().kind == TokenKind::symbol && current().text == symbol;
}

bool Parser::atName(std::string_view name) const {
  return current().kind == TokenKind::name && current().text == name;
}

bool Parser::skipSymbol(std::string_view symbol) {
  if (!atSymbol(symbol)) return false;
  take();
  return true;
}

bool Parser::skipName(std::string_view name) {
  if (!atName(name)) return false;
  take();
  return true;
}

void Parser::expectSymbol(std::string_view symbol) {
  if (!skipSymbol(symbol)) failHere(fmt::format("expected '{}'", symbol));
}

void Parser::expectName(std::string_view name) {
  if (!skipName(name)) failHere(fmt::format("expected '{}'", name));
}

void Parser::expectEnd(TokenKind kind) {
  if (current().kind != kind) {
    Token wanted;
    wanted.kind = kind;
    failHere("expected " + describe(wanted));
  }
  take();
}

std::string Parser::expectAnyName() {
  if (current().kind != TokenKind::name) failHere("expected a name");
  return take().text;
}

void Parser::failHere(std::string message) const {
  throw Fault{ErrorCode::bad_file, fmt::format("{}, got '{}'", message, describe(current())),
              current().line};
}

Body Parser::parse() { return parseUntil({}); }

Body Parser::parseUntil(const EndTags& ends) {
  const Level level(*this);
  Body body;
  Stmt* output = nullptr;  // the one that text and expressions are added to
  const auto out = [&](ExprPtr expr) {
    if (output == nullptr) {
      body.push_back(makeStmt(StmtKind::output, expr->line));
      output = body.back().get();
    }
    output->exprs.push_back(std::move(expr));
  };
  while (current().kind != TokenKind::end) {
    const int line = current().line;
    if (current().kind == TokenKind::data) {
      out(makeConstant(makeString(nullptr, take().text), line));
    } else if (current().kind == TokenKind::variable_begin) {
      take();
      out(parseTuple({}));
      expectEnd(TokenKind::variable_end);
    } else {
      output = nullptr;
      expectEnd(TokenKind::block_begin);
      for (const std::string_view end : ends) {
        if (atName(end)) return body;
      }
      body.push_back(parseStatement());
      expectEnd(TokenKind::block_end);
    }
  }
  if (!ends.empty()) failUnclosed(ends);
  return body;
}

/// The body of a tag, from its end to one of `ends`, which stays the current token.
Body Parser::parseBody(const EndTags& ends) {
  skipSymbol(":");
  expectEnd(TokenKind::block_end);
  return parseUntil(ends);
}

std::unique_ptr<Stmt> Parser::parseStatement() {
  if (current().kind != TokenKind::name) failHere("tag name expected");
  const int line = current().line;
  const std::string tag = current().text;
  for (const std::string_view other : kTagsThatNeedOtherFiles) {
    if (tag == other) {
      throw Fault{ErrorCode::unsupported, fmt::format("the tag '{}' is not supported", tag), line};
    }
  }
  open_tags_.push_back(tag);
  take();
  std::unique_ptr<Stmt> stmt;
  if (tag == "for") stmt = parseFor(line);
  else if (tag == "if") stmt = parseIf(line);
  else if (tag == "set") stmt = parseSet(line);
  else if (tag == "macro") stmt = parseMacro(line);
  else if (tag == "call") stmt = parseCallBlock(line);
  else if (tag == "filter") stmt = parseFilterBlock(line);
  else if (tag == "with") stmt = parseWith(line);
  else if (tag == "print") stmt = parsePrint(line);
  else if (tag == "generation") stmt = parseGeneration(line);
  else if (tag == "break") stmt = parseLoopControl(line, StmtKind::break_loop);
  else if (tag == "continue") stmt = parseLoopControl(line, StmtKind::continue_loop);
  else failUnknownTag(tag);
  open_tags_.pop_back();
  return stmt;
}

void Parser::failUnknownTag(const std::string& name) const {
  const bool inside = open_tags_.size() > 1;
  throw Fault{ErrorCode::bad_file,
              fmt::format("Encountered unknown tag '{}'{}", name,
                          inside ? fmt::format("; the innermost block that needs to be closed is '{}'",
                                               open_tags_[open_tags_.size() - 2])
                                 : ""),
              current().line};
}

void Parser::failUnclosed(const EndTags& ends) const {
  throw Fault{ErrorCode::bad_file,
              fmt::format("Unexpected end of template: looking for '{}'", ends.back()),
              current().line};
}

std::unique_ptr<Stmt> Parser::parseFor(int line) {
  auto stmt = makeStmt(StmtKind::for_loop, line);
  stmt->exprs.push_back(parseTarget("in"));
  expectName("in");
  stmt->exprs.push_back(parseTuple({.conditional = false, .end_name = "recursive"}));
  const bool filtered = skipName("if");
  stmt->exprs.push_back(filtered ? parseExpression() : nullptr);
  stmt->exprs.push_back(filtered ? cloneTarget(*stmt->exprs[0]) : nullptr);
  stmt->recursive = skipName("recursive");
  ++loops_;
  stmt->body = parseBody({"endfor", "else"});
  --loops_;
  if (take().text == "else") {
    stmt->otherwise = parseBody({"endfor"});
    take();
  }
  return stmt;
}

std::unique_ptr<Stmt> Parser::parseIf(int line) {
  auto stmt = makeStmt(StmtKind::if_chain, line);
  while (true) {
    stmt->exprs.push_back(parseTuple({.conditional = false}));
    stmt->branches.push_back(parseBody({"elif", "else", "endif"}));
    const std::string tag = take().text;
    if (tag == "elif") continue;
    if (tag == "else") {
      stmt->branches.push_back(parseBody({"endif"}));
      take();
    }
    return stmt;
  }
}

std::unique_ptr<Stmt> Parser::parseSet(int line) {
  auto stmt = makeStmt(StmtKind::set, line);
  stmt->exprs.push_back(parseTarget({}, true));
  if (skipSymbol("=")) {
    stmt->exprs.push_back(parseTuple({}));
    return stmt;
  }
  stmt->kind = StmtKind::set_block;
  stmt->exprs.push_back(parseFilterChain(nullptr, false));
  stmt->body = parseBody({"endset"});
  take();
  return stmt;
}

void Parser::parseSignature(MacroPlan& plan) {
  expectSymbol("(");
  while (!atSymbol(")")) {
    if (!plan.parameters.empty()) expectSymbol(",");
    ExprPtr parameter = parseNameTarget();
    parameter->access = Access::parameter;
    if (plan.parameters.size() >= kMostNamed) failHere("too many parameters");
    for (const ExprPtr& other : plan.parameters) {
      if (other->text == parameter->text) {
        failHere(fmt::format("duplicate argument '{}'", parameter->text));
      }
    }
    if (skipSymbol("=")) plan.defaults.push_back(parseExpression());
    else if (!plan.defaults.empty()) failHere("non-default argument follows default argument");
    plan.parameters.push_back(std::move(parameter));
  }
  expectSymbol(")");
}

std::unique_ptr<Stmt> Parser::parseMacro(int line) {
  auto stmt = makeStmt(StmtKind::macro, line);
  stmt->macro = std::make_unique<MacroPlan>();
  stmt->macro->name = parseNameTarget()->text;
  parseSignature(*stmt->macro);
  const int loops = std::exchange(loops_, 0);
  stmt->body = parseBody({"endmacro"});
  loops_ = loops;
  take();
  return stmt;
}

std::unique_ptr<Stmt> Parser::parseCallBlock(int line) {
  auto stmt = makeStmt(StmtKind::call_block, line);
  stmt->macro = std::make_unique<MacroPlan>();
  if (atSymbol("(")) parseSignature(*stmt->macro);
  stmt->exprs.push_back(parseExpression());
  if (stmt->exprs[0]->kind != ExprKind::call) failHere("expected call");
  const int loops = std::exchange(loops_, 0);
  stmt->body = parseBody({"endcall"});
  loops_ = loops;
  take();
  return stmt;
}

std::unique_ptr<Stmt> Parser::parseGeneration(int line) {
  auto stmt = makeStmt(StmtKind::generation, line);
  stmt->macro = std::make_unique<MacroPlan>();
  const int loops = std::exchange(loops_, 0);
  stmt->body = parseBody({"endgeneration"});
  loops_ = loops;
  take();
  return stmt;
}

std::unique_ptr<Stmt> Parser::parseFilterBlock(int line) {
  auto stmt = makeStmt(StmtKind::filter_block, line);
  stmt->exprs.push_back(parseFilterChain(nullptr, true));
  stmt->body = parseBody({"endfilter"});
  take();
  return stmt;
}

std::unique_ptr<Stmt> Parser::parseWith(int line) {
  auto stmt = makeStmt(StmtKind::with, line);
  while (current().kind != TokenKind::block_end) {
    if (!stmt->exprs.empty()) expectSymbol(",");
    ExprPtr target = parseTarget();
    const auto declare = [](auto&& self, Expr& node) -> void {
      node.access = Access::parameter;
      for (const ExprPtr& part : node.parts) self(self, *part);
    };
    declare(declare, *target);
    expectSymbol("=");
    stmt->exprs.push_back(std::move(target));
    stmt->exprs.push_back(parseExpression());
  }
  stmt->body = parseBody({"endwith"});
  take();
  return stmt;
}

std::unique_ptr<Stmt> Parser::parsePrint(int line) {
  auto stmt = makeStmt(StmtKind::output, line);
  while (current().kind != TokenKind::block_end) {
    if (!stmt->exprs.empty()) expectSymbol(",");
    stmt->exprs.push_back(parseExpression());
  }
  return stmt;
}

std::unique_ptr<Stmt> Parser::parseLoopControl(int line, StmtKind kind) {
  if (loops_ == 0) {
    throw Fault{ErrorCode::bad_file,
                fmt::format("'{}' outside of a loop",
                            kind == StmtKind::break_loop ? "break" : "continue"),
                line};
  }
  return makeStmt(kind, line);
}

}  // namespace hearth::jinja
