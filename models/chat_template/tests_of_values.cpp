// What may stand behind `is` (jinja2/tests.py).
#include "models/chat_template/arguments.h"
#include "models/chat_template/filters.h"
#include "models/chat_template/interpreter.h"
#include "models/chat_template/operators.h"

namespace hearth::jinja {

namespace {

template <Kind kind>
bool isKind(Interpreter&, const Value& value, Arguments& arguments) {
  bind("test", arguments, {});
  return value.is(kind);
}

bool isDefined(Interpreter&, const Value& value, Arguments&) { return !value.isUndefined(); }
bool isTrue(Interpreter&, const Value& value, Arguments&) { return value.is(Kind::boolean) && value.whole() != 0; }
bool isFalse(Interpreter&, const Value& value, Arguments&) { return value.is(Kind::boolean) && value.whole() == 0; }
bool isNumber(Interpreter&, const Value& value, Arguments&) { return value.isNumber(); }
bool isEscaped(Interpreter&, const Value& value, Arguments&) { return value.isString() && value.as<StringObject>().markup; }
bool isLower(Interpreter& in, const Value& value, Arguments&) { return isAllLower(textOf(in, value)); }
bool isUpper(Interpreter& in, const Value& value, Arguments&) { return isAllUpper(textOf(in, value)); }

bool restIs(Interpreter& in, const Value& value, const Value& divisor, int64_t rest) {
  return equal(in.runtime(), binary(in, Operator::modulo, value, divisor), Value::integer(rest));
}
bool isOdd(Interpreter& in, const Value& value, Arguments&) { return restIs(in, value, Value::integer(2), 1); }
bool isEven(Interpreter& in, const Value& value, Arguments&) { return restIs(in, value, Value::integer(2), 0); }
bool isDivisible(Interpreter& in, const Value& value, Arguments& arguments) {
  const Values bound = bind("divisibleby", arguments, {"num"}, 1);
  return restIs(in, value, bound[0], 0);
}

bool isSequence(Interpreter&, const Value& value, Arguments&) {
  switch (value.kind()) {
    case Kind::undefined:
    case Kind::string:
    case Kind::list:
    case Kind::tuple:
    case Kind::dict:
    case Kind::range: return true;
    default: return false;
  }
}

bool isIterable(Interpreter& in, const Value& value, Arguments& arguments) {
  return isSequence(in, value, arguments) || value.is(Kind::view) || value.is(Kind::iterator) ||
         value.is(Kind::loop);
}

bool isCallable(Interpreter&, const Value& value, Arguments&) {
  switch (value.kind()) {
    case Kind::undefined:
    case Kind::macro:
    case Kind::function:
    case Kind::method:
    case Kind::loop:
    case Kind::joiner: return true;
    default: return false;
  }
}

bool isSame(Interpreter&, const Value& value, Arguments& arguments) {
  const Values bound = bind("sameas", arguments, {"other"}, 1);
  const Value& other = bound[0];
  if (value.kind() != other.kind()) return false;
  if (value.isString()) return value.text() == other.text();
  if (value.isWhole()) return value.whole() == other.whole();
  if (value.is(Kind::real)) return value.number() == other.number();
  return value.object() == other.object();
}

bool isFilter(Interpreter&, const Value& value, Arguments&) {
  return value.isString() && findFilter(value.text()) != nullptr;
}
bool isTest(Interpreter&, const Value& value, Arguments&) {
  return value.isString() && findTest(value.text()) != nullptr;
}

template <Operator op>
bool compares(Interpreter& in, const Value& value, Arguments& arguments) {
  const Values bound = bind("comparison", arguments, {"other"}, 1);
  return compare(in, op, value, bound[0]);
}

constexpr TestEntry kTests[] = {
    {"boolean", isKind<Kind::boolean>}, {"callable", isCallable}, {"defined", isDefined},
    {"divisibleby", isDivisible}, {"escaped", isEscaped}, {"even", isEven}, {"false", isFalse},
    {"filter", isFilter}, {"float", isKind<Kind::real>}, {"in", compares<Operator::in>},
    {"integer", isKind<Kind::integer>}, {"iterable", isIterable}, {"lower", isLower},
    {"mapping", isKind<Kind::dict>}, {"none", isKind<Kind::none>}, {"number", isNumber},
    {"odd", isOdd}, {"sameas", isSame}, {"sequence", isSequence}, {"string", isKind<Kind::string>},
    {"test", isTest}, {"true", isTrue}, {"undefined", isKind<Kind::undefined>}, {"upper", isUpper},
    {"==", compares<Operator::equal>}, {"eq", compares<Operator::equal>},
    {"equalto", compares<Operator::equal>}, {"!=", compares<Operator::not_equal>},
    {"ne", compares<Operator::not_equal>}, {">", compares<Operator::greater>},
    {"gt", compares<Operator::greater>}, {"greaterthan", compares<Operator::greater>},
    {">=", compares<Operator::greater_equal>}, {"ge", compares<Operator::greater_equal>},
    {"<", compares<Operator::less>}, {"lt", compares<Operator::less>},
    {"lessthan", compares<Operator::less>}, {"<=", compares<Operator::less_equal>},
    {"le", compares<Operator::less_equal>},
};

}  // namespace

const TestEntry* findTest(std::string_view name) {
  for (const TestEntry& entry : kTests) {
    if (name == entry.name) return &entry;
  }
  return nullptr;
}

}  // namespace hearth::jinja
