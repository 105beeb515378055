// From tokens to the syntax tree (grammar: jinja2/parser.py).
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/chat_template/lexer.h"
#include "models/chat_template/syntax.h"

namespace hearth::jinja {

class Parser {
 public:
  static constexpr size_t kMostNamed = 500;  // parameters of a macro, keyword arguments of a call

  Parser(std::vector<Token> tokens, int max_depth)
      : tokens_(std::move(tokens)), max_depth_(max_depth) {}

  /// Faults: syntax errors, nesting deeper than `max_depth`, tags that need other templates.
  Body parse();

 private:
  /// One level of nesting while it lives.
  class Level {
   public:
    explicit Level(Parser& parser) : parser_(parser) { parser.enter(); }
    ~Level() { --parser_.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    Parser& parser_;
  };
  void enter();

  // tokens
  const Token& current() const { return tokens_[position_]; }
  const Token& following() const { return tokens_[std::min(position_ + 1, tokens_.size() - 1)]; }
  Token take();
  bool atSymbol(std::string_view symbol) const;
  bool atName(std::string_view name) const;
  bool skipSymbol(std::string_view symbol);
  bool skipName(std::string_view name);
  void expectSymbol(std::string_view symbol);
  void expectName(std::string_view name);
  void expectEnd(TokenKind kind);
  std::string expectAnyName();
  [[noreturn]] void failHere(std::string message) const;

  // statements
  using EndTags = std::vector<std::string_view>;
  Body parseUntil(const EndTags& ends);
  Body parseBody(const EndTags& ends);
  std::unique_ptr<Stmt> parseStatement();
  std::unique_ptr<Stmt> parseFor(int line);
  std::unique_ptr<Stmt> parseIf(int line);
  std::unique_ptr<Stmt> parseSet(int line);
  std::unique_ptr<Stmt> parseMacro(int line);
  std::unique_ptr<Stmt> parseCallBlock(int line);
  std::unique_ptr<Stmt> parseFilterBlock(int line);
  std::unique_ptr<Stmt> parseWith(int line);
  std::unique_ptr<Stmt> parsePrint(int line);
  std::unique_ptr<Stmt> parseGeneration(int line);
  std::unique_ptr<Stmt> parseLoopControl(int line, StmtKind kind);
  void parseSignature(MacroPlan& plan);
  [[noreturn]] void failUnknownTag(const std::string& name) const;
  [[noreturn]] void failUnclosed(const EndTags& ends) const;

  // expressions
  struct TupleStyle {
    bool targets_only = false;     // names and literals
    bool conditional = true;       // a if b else c
    bool in_parentheses = false;   // may be empty
    bool namespace_targets = false;
    std::string_view end_name{};   // also ends the tuple
  };
  ExprPtr parseTarget(std::string_view end_name = {}, bool namespaces = false);
  ExprPtr parseNameTarget();
  ExprPtr parseTuple(const TupleStyle& style);
  bool atTupleEnd(std::string_view end_name) const;
  ExprPtr parseExpression(bool conditional = true);
  ExprPtr parseConditional();
  ExprPtr parseOr();
  ExprPtr parseAnd();
  ExprPtr parseNot();
  ExprPtr parseCompare();
  std::optional<Operator> takeComparison();
  ExprPtr parseSum();
  ExprPtr parseConcat();
  ExprPtr parseProduct();
  ExprPtr parsePower();
  ExprPtr parseUnary(bool with_filter = true);
  ExprPtr parsePrimary(bool namespaces = false);
  ExprPtr parseList();
  ExprPtr parseDict();
  ExprPtr parsePostfix(ExprPtr node);
  ExprPtr parseFilters(ExprPtr node);
  ExprPtr parseSubscript(ExprPtr node);
  ExprPtr parseIndex(ExprPtr node, int line);
  ExprPtr parseCall(ExprPtr node);
  ExprPtr parseFilterChain(ExprPtr node, bool start_inline);
  ExprPtr parseTest(ExprPtr node);
  void parseArguments(Expr& call);
  ExprPtr make(ExprKind kind, int line, std::vector<ExprPtr> parts = {}) const;
  ExprPtr makeConstant(Value value, int line) const;
  void checkDepth(Expr& node) const;

  std::vector<Token> tokens_;
  size_t position_ = 0;
  int max_depth_;
  int depth_ = 0;
  int loops_ = 0;  // around the current statement, within its function
  std::vector<std::string> open_tags_;
};

}  // namespace hearth::jinja
