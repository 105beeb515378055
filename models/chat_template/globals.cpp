// The functions that templates may call without being given them.
#include "models/chat_template/arguments.h"
#include "models/chat_template/filters.h"
#include "models/chat_template/interpreter.h"
#include "models/chat_template/text.h"
#include "models/chat_template/time_text.h"

namespace hearth::jinja {

namespace {

constexpr int64_t kLongestRange = 100000;  // the sandbox's MAX_RANGE

Value makeRange(Interpreter& in, Arguments& arguments) {
  refuseNamed("range", arguments);
  const Values& given_values = arguments.positional;
  if (given_values.empty() || given_values.size() > 3) {
    raise("range expected 1 to 3 arguments, got {}", given_values.size());
  }
  auto range = makeObject<RangeObject>(&in.runtime(), 0);
  const bool has_start = given_values.size() > 1;
  range->start = has_start ? wholeOf(given_values[0]) : 0;
  range->stop = wholeOf(given_values[has_start ? 1 : 0]);
  range->step = given_values.size() > 2 ? wholeOf(given_values[2]) : 1;
  if (range->step == 0) raise("range() arg 3 must not be zero");
  if (range->size() > kLongestRange) {
    raise("Range too big. The sandbox blocks ranges larger than MAX_RANGE ({}).", kLongestRange);
  }
  return {Kind::range, std::move(range)};
}

Value makeDictionary(Interpreter& in, Arguments& arguments) {
  if (arguments.positional.size() > 1) {
    raise("dict expected at most 1 argument, got {}", arguments.positional.size());
  }
  std::vector<std::pair<Value, Value>> items;
  if (!arguments.positional.empty()) {
    const Value& from = arguments.positional[0];
    if (from.is(Kind::dict)) {
      items = from.as<DictObject>().items;
    } else {
      for (const Value& pair : in.items(from)) {
        const Values both = in.items(pair);
        if (both.size() != 2) raise("dictionary update sequence element has length {}; 2 is required", both.size());
        items.emplace_back(both[0], both[1]);
      }
    }
  }
  for (const auto& [name, value] : arguments.named) items.emplace_back(in.text(name), value);
  return makeDict(in.runtime(), std::move(items));
}

Value makeNamespace(Interpreter& in, Arguments& arguments) {
  return in.newNamespace(makeDictionary(in, arguments));
}

Value makeCycler(Interpreter& in, Arguments& arguments) {
  refuseNamed("cycler", arguments);
  if (arguments.positional.empty()) raise("at least one item has to be provided");
  int32_t depth = 0;
  for (const Value& item : arguments.positional) depth = std::max(depth, depthOf(item));
  auto cycler = makeObject<CyclerObject>(&in.runtime(), arguments.positional.size() * sizeof(Value), depth);
  cycler->items = arguments.positional;
  return {Kind::cycler, std::move(cycler)};
}

Value makeJoiner(Interpreter& in, Arguments& arguments) {
  const Values bound = bind("joiner", arguments, {"sep"});
  auto joiner = makeObject<JoinerObject>(&in.runtime(), 0);
  joiner->separator = bound[0].isMissing() ? ", " : textOf(in, bound[0]);
  return {Kind::joiner, std::move(joiner)};
}

Value raiseException(Interpreter& in, Arguments& arguments) {
  const Values bound = bind("raise_exception", arguments, {"message"}, 1);
  raise("{}", textOf(in, bound[0]));
}

Value timeNow(Interpreter& in, Arguments& arguments) {
  const Values bound = bind("strftime_now", arguments, {"format"}, 1);
  std::string text = timeText(in.now(), stringOf(bound[0], "strftime() argument 1"));
  return in.text(std::move(text));
}

constexpr struct {
  const char* name;
  Function function;
} kGlobals[] = {
    {"range", makeRange},          {"dict", makeDictionary},
    {"namespace", makeNamespace},  {"cycler", makeCycler},
    {"joiner", makeJoiner},        {"raise_exception", raiseException},
    {"strftime_now", timeNow},
};

}  // namespace

void setGlobals(Interpreter& in) {
  for (const auto& global : kGlobals) {
    auto function = makeObject<FunctionObject>(&in.runtime(), 0);
    function->name = global.name;
    function->function = global.function;
    in.setVariable(global.name, Value(Kind::function, std::move(function)));
  }
}

Value Interpreter::newNamespace(Value dict) {
  auto space = makeObject<NamespaceObject>(&runtime_, 0);
  space->dict = std::move(dict);
  namespaces_.emplace_back(Kind::name_space, std::move(space));
  return namespaces_.back();
}

}  // namespace hearth::jinja
