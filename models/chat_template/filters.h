// The filters and tests that templates name, and the functions they may call.
#pragma once

#include <string_view>

#include "models/chat_template/value.h"

namespace hearth::jinja {

struct FilterEntry {
  const char* name;
  Method apply;
};

struct TestEntry {
  const char* name;
  bool (*holds)(Interpreter&, const Value& value, Arguments&);
};

/// nullptr when there is none of this name.
const FilterEntry* findFilter(std::string_view name);
const TestEntry* findTest(std::string_view name);
const FilterEntry* findTextFilter(std::string_view name);
const FilterEntry* findSequenceFilter(std::string_view name);

/// Sets range, dict, namespace, cycler, joiner, raise_exception and strftime_now.
void setGlobals(Interpreter& interpreter);

/// json.dumps with the arguments of Hugging Face's `tojson`.
Value toJson(Interpreter& interpreter, const Value& value, Arguments& arguments);

}  // namespace hearth::jinja
