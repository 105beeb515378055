// Arguments of a call given to named parameters, as Python binds them.
#pragma once

#include <initializer_list>
#include <string_view>

#include "models/chat_template/value.h"

namespace hearth::jinja {

/// One value for each of `names`; missing where nothing was given. The first `n_required` must be.
/// Faults: too many, unknown, doubled or lacking arguments.
Values bind(const char* function, Arguments& arguments, std::initializer_list<const char*> names,
            size_t n_required = 0);
void refuseNamed(const char* function, const Arguments& arguments);

bool given(const Value& value);  // neither missing nor None
int64_t wholeOf(const Value& value);                         // faults unless an int or bool
int64_t wholeOr(const Value& value, int64_t otherwise);
bool flagOr(Interpreter& interpreter, const Value& value, bool otherwise);
std::string_view stringOf(const Value& value, const char* function);  // faults unless a str

}  // namespace hearth::jinja
