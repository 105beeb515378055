#include "models/chat_template/arguments.h"

#include <algorithm>

namespace hearth::jinja {

Values bind(const char* function, Arguments& arguments, std::initializer_list<const char*> names,
            size_t n_required) {
  Values bound(names.size());
  if (arguments.positional.size() > names.size()) {
    raise("{}() takes at most {} arguments ({} given)", function, names.size(),
          arguments.positional.size());
  }
  std::move(arguments.positional.begin(), arguments.positional.end(), bound.begin());
  for (auto& [name, value] : arguments.named) {
    const auto it = std::find_if(names.begin(), names.end(),
                                 [&](const char* known) { return name == known; });
    if (it == names.end()) raise("{}() got an unexpected keyword argument '{}'", function, name);
    Value& place = bound[static_cast<size_t>(it - names.begin())];
    if (!place.isMissing()) raise("{}() got multiple values for argument '{}'", function, name);
    place = std::move(value);
  }
  for (size_t i = 0; i < n_required; ++i) {
    if (!bound[i].isMissing()) continue;
    raise("{}() missing required argument: '{}'", function, names.begin()[i]);
  }
  return bound;
}

void refuseNamed(const char* function, const Arguments& arguments) {
  if (!arguments.named.empty()) raise("{}() takes no keyword arguments", function);
}

bool given(const Value& value) { return !value.isMissing() && !value.isNone(); }

int64_t wholeOf(const Value& value) {
  if (value.isUndefined()) raise("{}", value.as<UndefinedObject>().message);
  if (!value.isWhole()) raise("'{}' object cannot be interpreted as an integer", typeName(value));
  return value.whole();
}

int64_t wholeOr(const Value& value, int64_t otherwise) {
  return value.isMissing() ? otherwise : wholeOf(value);
}

bool flagOr(Interpreter& interpreter, const Value& value, bool otherwise) {
  return value.isMissing() ? otherwise : truthy(interpreter, value);
}

std::string_view stringOf(const Value& value, const char* function) {
  if (!value.isString()) raise("{}: must be str, not {}", function, typeName(value));
  return value.text();
}

}  // namespace hearth::jinja
