// Python's operators on values.
#pragma once

#include "models/chat_template/syntax.h"

namespace hearth::jinja {

Value binary(Interpreter& interpreter, Operator op, const Value& left, const Value& right);
bool compare(Interpreter& interpreter, Operator op, const Value& left, const Value& right);
bool contains(Interpreter& interpreter, const Value& container, const Value& item);
Value negate(const Value& value);
Value plus(const Value& value);

/// str % arguments (a tuple, a dict or one value).
std::string formatPercent(Interpreter& interpreter, std::string_view format, const Value& arguments);
/// str.format
std::string formatBraces(Interpreter& interpreter, std::string_view format, const Arguments& arguments);

}  // namespace hearth::jinja
