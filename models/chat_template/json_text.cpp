// tojson: Python's json.dumps with the arguments that Hugging Face passes on.
#include <algorithm>
#include <cmath>

#include "models/chat_template/arguments.h"
#include "models/chat_template/filters.h"
#include "models/chat_template/interpreter.h"
#include "models/chat_template/text.h"

namespace hearth::jinja {

namespace {

class JsonWriter {
 public:
  explicit JsonWriter(Interpreter& interpreter) : in_(interpreter) {}

  bool ascii = false, sorted = false, indented = false;
  std::string indent, item_separator = ", ", key_separator = ": ";
  std::string text;

  void write(const Value& value, int level) {
    const Nesting nesting(in_.runtime());
    in_.runtime().step();
    in_.runtime().expectRoom(text.size());
    switch (value.kind()) {
      case Kind::none: text += "null"; return;
      case Kind::boolean: text += value.whole() != 0 ? "true" : "false"; return;
      case Kind::integer: text += std::to_string(value.whole()); return;
      case Kind::real: text += realText(value.number()); return;
      case Kind::string: return writeString(value.text());
      case Kind::list:
      case Kind::tuple: return writeList(value.as<SequenceObject>().items, level);
      case Kind::dict: return writeDict(value.as<DictObject>(), level);
      default: raise("Object of type {} is not JSON serializable", typeName(value));
    }
  }

 private:
  static std::string realText(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
    return floatText(value);
  }

  void newLine(int level) {
    if (!indented) return;
    text += '\n';
    for (int i = 0; i < level; ++i) text += indent;
  }

  void writeString(std::string_view string) {
    in_.runtime().copied(string.size());
    text += '"';
    for (size_t i = 0; i < string.size();) {
      const size_t start = i;
      const char32_t c = takeCodePoint(string, i);
      switch (c) {
        case '"': text += "\\\""; break;
        case '\\': text += "\\\\"; break;
        case '\n': text += "\\n"; break;
        case '\r': text += "\\r"; break;
        case '\t': text += "\\t"; break;
        case '\f': text += "\\f"; break;
        case '\b': text += "\\b"; break;
        default:
          if (c < 0x20 || (ascii && c > 0x7E && c != 0x7F)) escape(c);
          else text += string.substr(start, i - start);
      }
    }
    text += '"';
  }

  void escape(char32_t c) {
    if (c >= 0x10000) {  // as a pair of surrogates
      escape(0xD800 + ((c - 0x10000) >> 10));
      c = 0xDC00 + ((c - 0x10000) & 0x3FF);
    }
    text += fmt::format("\\u{:04x}", static_cast<uint32_t>(c));
  }

  void writeList(const Values& items, int level) {
    if (items.empty()) {
      text += "[]";
      return;
    }
    text += '[';
    for (size_t i = 0; i < items.size(); ++i) {
      if (i > 0) text += item_separator;
      newLine(level + 1);
      write(items[i], level + 1);
    }
    newLine(level);
    text += ']';
  }

  void writeKey(const Value& key) {
    switch (key.kind()) {
      case Kind::string: return writeString(key.text());
      case Kind::none: text += "\"null\""; return;
      case Kind::boolean: text += key.whole() != 0 ? "\"true\"" : "\"false\""; return;
      case Kind::integer: text += '"' + std::to_string(key.whole()) + '"'; return;
      case Kind::real: text += '"' + realText(key.number()) + '"'; return;
      default:
        raise("keys must be str, int, float, bool or None, not {}", typeName(key));
    }
  }

  void writeDict(const DictObject& dict, int level) {
    if (dict.items.empty()) {
      text += "{}";
      return;
    }
    std::vector<const std::pair<Value, Value>*> items;
    for (const auto& item : dict.items) items.push_back(&item);
    if (sorted) {
      std::stable_sort(items.begin(), items.end(), [&](const auto* a, const auto* b) {
        return less(in_.runtime(), a->first, b->first);
      });
    }
    text += '{';
    for (size_t i = 0; i < items.size(); ++i) {
      if (i > 0) text += item_separator;
      newLine(level + 1);
      writeKey(items[i]->first);
      text += key_separator;
      write(items[i]->second, level + 1);
    }
    newLine(level);
    text += '}';
  }

  Interpreter& in_;
};

}  // namespace

Value toJson(Interpreter& in, const Value& value, Arguments& arguments) {
  const Values bound =
      bind("tojson", arguments, {"ensure_ascii", "indent", "separators", "sort_keys"});
  JsonWriter writer(in);
  writer.ascii = flagOr(in, bound[0], false);
  writer.sorted = flagOr(in, bound[3], false);
  if (given(bound[1])) {
    writer.indented = true;
    writer.item_separator = ",";
    if (bound[1].isString()) {
      writer.indent = bound[1].text();
    } else {
      const int64_t width = std::max<int64_t>(wholeOf(bound[1]), 0);
      in.runtime().expectRoom(static_cast<size_t>(width));
      writer.indent.assign(static_cast<size_t>(width), ' ');
    }
  }
  if (given(bound[2])) {
    const Values separators = in.items(bound[2]);
    if (separators.size() != 2) raise("tojson: separators are a pair");
    writer.item_separator = stringOf(separators[0], "separator");
    writer.key_separator = stringOf(separators[1], "separator");
  }
  writer.write(value, 0);
  return in.text(std::move(writer.text));
}

}  // namespace hearth::jinja
