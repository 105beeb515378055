#include "models/chat_template/operators.h"

#include <cmath>

#include "models/chat_template/interpreter.h"
#include "models/chat_template/text.h"

namespace hearth::jinja {

namespace {

const char* signOf(Operator op) {
  switch (op) {
    case Operator::add: return "+";
    case Operator::subtract: return "-";
    case Operator::multiply: return "*";
    case Operator::divide: return "/";
    case Operator::floor_divide: return "//";
    case Operator::modulo: return "%";
    case Operator::power: return "** or pow()";
    case Operator::less: return "<";
    case Operator::less_equal: return "<=";
    case Operator::greater: return ">";
    case Operator::greater_equal: return ">=";
    default: return "?";
  }
}

[[noreturn]] void raiseOperands(Operator op, const Value& left, const Value& right) {
  raise("unsupported operand type(s) for {}: '{}' and '{}'", signOf(op), typeName(left),
        typeName(right));
}

[[noreturn]] void raiseOverflow() { raise("integer overflow: numbers beyond 64 bits"); }

int64_t floorDivide(int64_t a, int64_t b) {
  if (b == 0) raise("integer division or modulo by zero");
  if (a == INT64_MIN && b == -1) raiseOverflow();
  const int64_t quotient = a / b;
  return quotient - ((a % b != 0 && (a < 0) != (b < 0)) ? 1 : 0);
}

int64_t wholePower(int64_t base, int64_t exponent) {
  int64_t result = 1;
  while (exponent > 0) {
    if ((exponent & 1) != 0 && __builtin_mul_overflow(result, base, &result)) raiseOverflow();
    exponent >>= 1;
    if (exponent > 0 && __builtin_mul_overflow(base, base, &base)) raiseOverflow();
  }
  return result;
}

double realPower(double base, double exponent) {
  if (base == 0 && exponent < 0) raise("0.0 cannot be raised to a negative power");
  if (base < 0 && std::isfinite(exponent) && exponent != std::floor(exponent)) {
    raise("complex numbers are not supported");
  }
  const double result = std::pow(base, exponent);
  if (std::isinf(result) && std::isfinite(base) && std::isfinite(exponent)) {
    raise("(34, 'Numerical result out of range')");
  }
  return result;
}

Value wholeArithmetic(Operator op, int64_t a, int64_t b) {
  int64_t result = 0;
  bool overflow = false;
  switch (op) {
    case Operator::add: overflow = __builtin_add_overflow(a, b, &result); break;
    case Operator::subtract: overflow = __builtin_sub_overflow(a, b, &result); break;
    case Operator::multiply: overflow = __builtin_mul_overflow(a, b, &result); break;
    case Operator::divide:
      if (b == 0) raise("division by zero");
      return Value::real(static_cast<double>(static_cast<long double>(a) / static_cast<long double>(b)));
    case Operator::floor_divide: return Value::integer(floorDivide(a, b));
    case Operator::modulo:
      if (b == 0) raise("integer division or modulo by zero");
      if (b == -1) return Value::integer(0);
      result = a % b;
      if (result != 0 && (result < 0) != (b < 0)) result += b;
      return Value::integer(result);
    default:
      if (b < 0) {
        if (a == 0) raise("0.0 cannot be raised to a negative power");
        return Value::real(std::pow(static_cast<double>(a), static_cast<double>(b)));
      }
      return Value::integer(wholePower(a, b));
  }
  if (overflow) raiseOverflow();
  return Value::integer(result);
}

/// Python's float_divmod (CPython, Objects/floatobject.c).
double realModulo(double a, double b) {
  double rest = std::fmod(a, b);
  if (rest != 0) {
    if ((b < 0) != (rest < 0)) rest += b;
  } else {
    rest = std::copysign(0.0, b);
  }
  return rest;
}

double realFloorDivide(double a, double b) {
  const double rest = std::fmod(a, b);
  double quotient = (a - rest) / b;
  if (rest != 0 && (b < 0) != (rest < 0)) quotient -= 1.0;
  if (quotient == 0) return std::copysign(0.0, a / b);
  const double floored = std::floor(quotient);
  return quotient - floored > 0.5 ? floored + 1.0 : floored;
}

Value realArithmetic(Operator op, double a, double b) {
  switch (op) {
    case Operator::add: return Value::real(a + b);
    case Operator::subtract: return Value::real(a - b);
    case Operator::multiply: return Value::real(a * b);
    case Operator::divide:
      if (b == 0) raise("float division by zero");
      return Value::real(a / b);
    case Operator::floor_divide:
      if (b == 0) raise("float floor division by zero");
      return Value::real(realFloorDivide(a, b));
    case Operator::modulo:
      if (b == 0) raise("float modulo");
      return Value::real(realModulo(a, b));
    default: return Value::real(realPower(a, b));
  }
}

/// str * n, list * n, tuple * n.
Value repeat(Interpreter& interpreter, const Value& sequence, int64_t times) {
  Runtime& runtime = interpreter.runtime();
  times = std::max<int64_t>(times, 0);
  const size_t unit = sequence.isString() ? sequence.text().size()
                                          : sequence.as<SequenceObject>().items.size() * sizeof(Value);
  size_t n_bytes = 0;
  if (__builtin_mul_overflow(unit, static_cast<size_t>(times), &n_bytes)) n_bytes = SIZE_MAX;
  runtime.expectRoom(n_bytes);
  if (unit == 0) times = 0;
  if (sequence.isString()) {
    std::string text;
    text.reserve(n_bytes);
    for (int64_t i = 0; i < times; ++i) text += sequence.text();
    return interpreter.text(std::move(text), sequence.as<StringObject>().markup);
  }
  Values items;
  runtime.step(n_bytes / sizeof(Value));
  const Values& once = sequence.as<SequenceObject>().items;
  for (int64_t i = 0; i < times; ++i) items.insert(items.end(), once.begin(), once.end());
  return sequence.is(Kind::list) ? makeList(&runtime, std::move(items))
                                 : makeTuple(&runtime, std::move(items));
}

bool isSequence(const Value& value) {
  return value.isString() || value.is(Kind::list) || value.is(Kind::tuple);
}

Value concatenate(Interpreter& interpreter, const Value& left, const Value& right) {
  Runtime& runtime = interpreter.runtime();
  if (left.isString() && right.isString()) {
    const bool left_safe = left.as<StringObject>().markup;
    const bool right_safe = right.as<StringObject>().markup;
    runtime.expectRoom(left.text().size() + right.text().size());
    if (left_safe == right_safe) {
      std::string text(left.text());
      text += right.text();
      return interpreter.text(std::move(text), left_safe);
    }
    std::string text = left_safe ? std::string(left.text()) : escapedForHtml(left.text());
    text += right_safe ? std::string(right.text()) : escapedForHtml(right.text());
    return interpreter.text(std::move(text), true);
  }
  if (left.isString()) {
    raise("can only concatenate str (not \"{}\") to str", typeName(right));
  }
  if (left.kind() == right.kind()) {
    Values items = left.as<SequenceObject>().items;
    const Values& more = right.as<SequenceObject>().items;
    items.insert(items.end(), more.begin(), more.end());
    return left.is(Kind::list) ? makeList(&runtime, std::move(items))
                               : makeTuple(&runtime, std::move(items));
  }
  raise("can only concatenate {} (not \"{}\") to {}", typeName(left), typeName(right), typeName(left));
}

bool containsText(const Value& container, const Value& item) {
  if (item.isString()) return findText(container.text(), item.text()) != std::string_view::npos;
  raise("'in <string>' requires string as left operand, not {}", typeName(item));
}

}  // namespace

Value binary(Interpreter& interpreter, Operator op, const Value& left, const Value& right) {
  if (left.isUndefined()) interpreter.raiseUndefined(left);
  if (op == Operator::modulo && left.isString()) {
    return interpreter.text(formatPercent(interpreter, left.text(), right), left.as<StringObject>().markup);
  }
  if (right.isUndefined()) interpreter.raiseUndefined(right);
  if (left.isNumber() && right.isNumber()) {
    return left.isWhole() && right.isWhole() ? wholeArithmetic(op, left.whole(), right.whole())
                                             : realArithmetic(op, left.number(), right.number());
  }
  if (op == Operator::add && isSequence(left)) return concatenate(interpreter, left, right);
  if (op == Operator::multiply && isSequence(left) && right.isWhole()) {
    return repeat(interpreter, left, right.whole());
  }
  if (op == Operator::multiply && left.isWhole() && isSequence(right)) {
    return repeat(interpreter, right, left.whole());
  }
  raiseOperands(op, left, right);
}

bool contains(Interpreter& interpreter, const Value& container, const Value& item) {
  Runtime& runtime = interpreter.runtime();
  switch (container.kind()) {
    case Kind::undefined: return false;
    case Kind::string:
      runtime.copied(container.text().size());
      return containsText(container, item);
    case Kind::dict: return container.as<DictObject>().find(runtime, item) != nullptr;
    case Kind::list:
    case Kind::tuple:
      for (const Value& other : container.as<SequenceObject>().items) {
        if (equal(runtime, other, item)) return true;
      }
      return false;
    case Kind::view:
    case Kind::range:
    case Kind::iterator: {
      ItemSource source(interpreter, container);
      for (Value other; source.next(other);) {
        if (equal(runtime, other, item)) return true;
      }
      return false;
    }
    default: raise("argument of type '{}' is not iterable", typeName(container));
  }
}

bool compare(Interpreter& interpreter, Operator op, const Value& left, const Value& right) {
  Runtime& runtime = interpreter.runtime();
  const auto lessOrEqual = [&](const Value& a, const Value& b) {
    if (a.isNumber() && b.isNumber()) return less(runtime, a, b) || equal(runtime, a, b);
    return !less(runtime, b, a, signOf(op));
  };
  switch (op) {
    case Operator::equal: return equal(runtime, left, right);
    case Operator::not_equal: return !equal(runtime, left, right);
    case Operator::less: return less(runtime, left, right, "<");
    case Operator::greater: return less(runtime, right, left, ">");
    case Operator::less_equal: return lessOrEqual(left, right);
    case Operator::greater_equal: return lessOrEqual(right, left);
    case Operator::in: return contains(interpreter, right, left);
    case Operator::not_in: return !contains(interpreter, right, left);
    default: return false;
  }
}

Value negate(const Value& value) {
  if (value.isUndefined()) raise("{}", value.as<UndefinedObject>().message);
  if (value.is(Kind::real)) return Value::real(-value.number());
  if (!value.isWhole()) raise("bad operand type for unary -: '{}'", typeName(value));
  if (value.whole() == INT64_MIN) raiseOverflow();
  return Value::integer(-value.whole());
}

Value plus(const Value& value) {
  if (value.isUndefined()) raise("{}", value.as<UndefinedObject>().message);
  if (value.is(Kind::real)) return value;
  if (!value.isWhole()) raise("bad operand type for unary +: '{}'", typeName(value));
  return Value::integer(value.whole());
}

}  // namespace hearth::jinja
