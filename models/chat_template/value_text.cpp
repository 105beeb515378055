// str(), repr(), bool() and len() of values.
#include "models/chat_template/interpreter.h"
#include "models/chat_template/text.h"

namespace hearth::jinja {

std::optional<int64_t> lengthOf(Interpreter& interpreter, const Value& value) {
  switch (value.kind()) {
    case Kind::undefined: return 0;
    case Kind::string: return value.as<StringObject>().n_points;
    case Kind::list:
    case Kind::tuple: return static_cast<int64_t>(value.as<SequenceObject>().items.size());
    case Kind::dict: return static_cast<int64_t>(value.as<DictObject>().items.size());
    case Kind::view: return lengthOf(interpreter, value.as<ViewObject>().dict);
    case Kind::range: return value.as<RangeObject>().size();
    case Kind::loop: return interpreter.loopLength(value.as<LoopObject>());
    default: return std::nullopt;
  }
}

bool truthy(Interpreter& interpreter, const Value& value) {
  switch (value.kind()) {
    case Kind::missing:
    case Kind::undefined:
    case Kind::none: return false;
    case Kind::boolean:
    case Kind::integer: return value.whole() != 0;
    case Kind::real: return value.number() != 0;
    default: return lengthOf(interpreter, value).value_or(1) != 0;
  }
}

namespace {

void appendItems(Interpreter& interpreter, const Values& items, std::string& text) {
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) text += ", ";
    appendRepr(interpreter, items[i], text);
  }
}

void appendDict(Interpreter& interpreter, const DictObject& dict, std::string& text) {
  text += '{';
  for (size_t i = 0; i < dict.items.size(); ++i) {
    if (i > 0) text += ", ";
    appendRepr(interpreter, dict.items[i].first, text);
    text += ": ";
    appendRepr(interpreter, dict.items[i].second, text);
  }
  text += '}';
}

void appendView(Interpreter& interpreter, const Value& value, std::string& text) {
  text += typeName(value);
  text += "([";
  appendItems(interpreter, interpreter.items(value), text);
  text += "])";
}

void appendMacro(const Value& value, std::string& text) {
  const std::string& name = value.as<MacroObject>().plan->name;
  text += name.empty() ? "<Macro anonymous>" : fmt::format("<Macro {}>", quoted(name));
}

}  // namespace

void appendRepr(Interpreter& interpreter, const Value& value, std::string& text) {
  const Nesting nesting(interpreter.runtime());
  interpreter.runtime().step();
  interpreter.runtime().expectRoom(text.size());
  switch (value.kind()) {
    case Kind::missing:
    case Kind::undefined: text += "Undefined"; return;
    case Kind::none: text += "None"; return;
    case Kind::boolean: text += value.whole() != 0 ? "True" : "False"; return;
    case Kind::integer: text += std::to_string(value.whole()); return;
    case Kind::real: text += floatText(value.number()); return;
    case Kind::string:
      interpreter.runtime().copied(value.text().size());
      if (value.as<StringObject>().markup) text += "Markup(" + quoted(value.text()) + ")";
      else text += quoted(value.text());
      return;
    case Kind::list:
      text += '[';
      appendItems(interpreter, value.as<SequenceObject>().items, text);
      text += ']';
      return;
    case Kind::tuple: {
      const Values& items = value.as<SequenceObject>().items;
      text += '(';
      appendItems(interpreter, items, text);
      text += items.size() == 1 ? ",)" : ")";
      return;
    }
    case Kind::dict: return appendDict(interpreter, value.as<DictObject>(), text);
    case Kind::view: return appendView(interpreter, value, text);
    case Kind::range: {
      const auto& range = value.as<RangeObject>();
      text += fmt::format("range({}, {}", range.start, range.stop);
      text += range.step == 1 ? ")" : fmt::format(", {})", range.step);
      return;
    }
    case Kind::name_space:
      text += "<Namespace ";
      appendDict(interpreter, value.as<NamespaceObject>().dict.as<DictObject>(), text);
      text += '>';
      return;
    case Kind::macro: return appendMacro(value, text);
    case Kind::loop: {
      auto& loop = value.as<LoopObject>();
      const int64_t length = interpreter.loopLength(loop);
      text += fmt::format("<LoopContext {}/{}>", loop.index0 + 1, length);
      return;
    }
    default: text += fmt::format("<{} object>", typeName(value));
  }
}

void appendText(Interpreter& interpreter, const Value& value, std::string& text) {
  if (value.isUndefined()) return;
  if (!value.isString()) return appendRepr(interpreter, value, text);
  interpreter.runtime().copied(value.text().size());
  text += value.text();
}

std::string textOf(Interpreter& interpreter, const Value& value) {
  std::string text;
  appendText(interpreter, value, text);
  return text;
}

std::string reprOf(Interpreter& interpreter, const Value& value) {
  std::string text;
  appendRepr(interpreter, value, text);
  return text;
}

}  // namespace hearth::jinja
