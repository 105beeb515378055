// The methods of str that templates may call.
#include <algorithm>

#include "models/chat_template/arguments.h"
#include "models/chat_template/format_spec.h"
#include "models/chat_template/interpreter.h"
#include "models/chat_template/operators.h"
#include "models/chat_template/text.h"

namespace hearth::jinja {

namespace {

bool isSafe(const Value& self) { return self.as<StringObject>().markup; }

/// A piece of `self`, safe if it was.
Value piece(Interpreter& in, const Value& self, std::string_view text) {
  return in.text(std::string(text), isSafe(self));
}

Value pieces(Interpreter& in, const Value& self, const std::vector<std::string_view>& texts) {
  Values values;
  for (const std::string_view text : texts) values.push_back(piece(in, self, text));
  return makeList(&in.runtime(), std::move(values));
}

template <std::string (*change)(std::string_view)>
Value changed(Interpreter& in, const Value& self, Arguments& arguments) {
  bind("str method", arguments, {});
  in.runtime().copied(self.text().size() * 8);
  return piece(in, self, change(self.text()));
}

template <Side side>
Value strip(Interpreter& in, const Value& self, Arguments& arguments) {
  const Values bound = bind("strip", arguments, {"chars"});
  if (!given(bound[0])) return piece(in, self, stripSpace(self.text(), side));
  const std::string_view characters = stringOf(bound[0], "strip arg");
  in.runtime().step(characters.size() + self.text().size() * (1 + characters.size() / 16));
  return piece(in, self, stripCharacters(self.text(), characters, side));
}

/// Searching from the right takes time by the product of both lengths in the worst case.
void backwards(Interpreter& in, std::string_view text, std::string_view wanted) {
  in.runtime().step(text.size() * wanted.size() / 1024);
}

/// Words; after `most` of them the rest as it is, trailing space included.
std::vector<std::string_view> splitSpace(std::string_view text, int64_t most) {
  std::vector<std::string_view> parts;
  text = stripSpace(text, Side::left);
  while (!text.empty()) {
    if (most >= 0 && static_cast<int64_t>(parts.size()) == most) {
      parts.push_back(text);
      break;
    }
    size_t end = 0;
    for (size_t i = 0; i < text.size();) {
      end = i;
      if (isSpace(takeCodePoint(text, i))) break;
      end = i;
    }
    parts.push_back(text.substr(0, end));
    text = stripSpace(text.substr(end), Side::left);
  }
  return parts;
}

/// The same from the right: the rest keeps its leading space.
std::vector<std::string_view> splitSpaceRight(std::string_view text, int64_t most) {
  std::vector<std::string_view> words = splitSpace(text, -1);
  if (most < 0 || static_cast<int64_t>(words.size()) <= most) return words;
  const size_t n_joined = words.size() - static_cast<size_t>(most);
  const std::string_view last = words[n_joined - 1];
  const auto end = static_cast<size_t>(last.data() + last.size() - text.data());
  words.erase(words.begin(), words.begin() + static_cast<ptrdiff_t>(n_joined));
  words.insert(words.begin(), text.substr(0, end));
  return words;
}

Value split(Interpreter& in, const Value& self, Arguments& arguments) {
  const Values bound = bind("split", arguments, {"sep", "maxsplit"});
  const int64_t most = wholeOr(bound[1], -1);
  std::string_view text = self.text();
  in.runtime().copied(text.size());
  if (!given(bound[0])) return pieces(in, self, splitSpace(text, most));
  const std::string_view separator = stringOf(bound[0], "split separator");
  if (separator.empty()) raise("empty separator");
  std::vector<std::string_view> parts;
  while (most < 0 || static_cast<int64_t>(parts.size()) < most) {
    const size_t found = findText(text, separator);
    if (found == std::string_view::npos) break;
    parts.push_back(text.substr(0, found));
    text.remove_prefix(found + separator.size());
  }
  parts.push_back(text);
  return pieces(in, self, parts);
}

Value splitRight(Interpreter& in, const Value& self, Arguments& arguments) {
  const Values bound = bind("rsplit", arguments, {"sep", "maxsplit"});
  const int64_t most = wholeOr(bound[1], -1);
  std::string_view text = self.text();
  in.runtime().copied(text.size());
  if (!given(bound[0])) return pieces(in, self, splitSpaceRight(text, most));
  const std::string_view separator = stringOf(bound[0], "rsplit separator");
  if (separator.empty()) raise("empty separator");
  backwards(in, text, separator);
  std::vector<std::string_view> parts;
  while (most < 0 || static_cast<int64_t>(parts.size()) < most) {
    const size_t found = text.rfind(separator);
    if (found == std::string_view::npos) break;
    parts.push_back(text.substr(found + separator.size()));
    text = text.substr(0, found);
  }
  parts.push_back(text);
  std::reverse(parts.begin(), parts.end());
  return pieces(in, self, parts);
}

Value lines(Interpreter& in, const Value& self, Arguments& arguments) {
  const Values bound = bind("splitlines", arguments, {"keepends"});
  return pieces(in, self, splitLines(self.text(), flagOr(in, bound[0], false)));
}

template <bool last>
Value partition(Interpreter& in, const Value& self, Arguments& arguments) {
  const Values bound = bind("partition", arguments, {"sep"}, 1);
  const std::string_view separator = stringOf(bound[0], "partition");
  if (separator.empty()) raise("empty separator");
  const std::string_view text = self.text();
  if (last) backwards(in, text, separator);
  const size_t at = last ? text.rfind(separator) : findText(text, separator);
  Values parts;
  if (at == std::string_view::npos) {
    parts = {piece(in, self, last ? "" : text), piece(in, self, ""), piece(in, self, last ? text : "")};
  } else {
    parts = {piece(in, self, text.substr(0, at)), bound[0],
             piece(in, self, text.substr(at + separator.size()))};
  }
  return makeTuple(&in.runtime(), std::move(parts));
}

Value join(Interpreter& in, const Value& self, Arguments& arguments) {
  const Values bound = bind("join", arguments, {"iterable"}, 1);
  std::string joined;
  size_t i = 0;
  for (const Value& item : in.items(bound[0])) {
    if (!item.isString()) {
      raise("sequence item {}: expected str instance, {} found", i, typeName(item));
    }
    if (i++ > 0) joined += self.text();
    joined += isSafe(self) && !isSafe(item) ? escapedForHtml(item.text()) : item.text();
    in.runtime().expectRoom(joined.size());
  }
  return in.text(std::move(joined), isSafe(self));
}

Value replace(Interpreter& in, const Value& self, Arguments& arguments) {
  const Values bound = bind("replace", arguments, {"old", "new", "count"}, 2);
  std::string escaped[2];
  std::string_view what[2];
  for (size_t k = 0; k < 2; ++k) {
    what[k] = stringOf(bound[k], "replace() argument");
    if (!isSafe(self) || isSafe(bound[k])) continue;
    escaped[k] = escapedForHtml(what[k]);
    what[k] = escaped[k];
  }
  return piece(in, self, replaced(in, self.text(), what[0], what[1], wholeOr(bound[2], -1)));
}

/// The part of the text between two optional bounds, as code points.
struct Window {
  std::string_view text;
  int64_t first = 0;  // its place in the whole
  bool outside = false;  // begins behind the end
};

Window window(const Value& self, const Value& start, const Value& end) {
  const auto& string = self.as<StringObject>();
  const auto bound = [&](const Value& value, int64_t otherwise) {
    if (!given(value)) return otherwise;
    const int64_t index = wholeOf(value);
    return index < 0 ? std::max<int64_t>(index + string.n_points, 0) : index;
  };
  const int64_t from = bound(start, 0);
  const int64_t to = std::min(bound(end, string.n_points), string.n_points);
  if (from > string.n_points || from > to) return {{}, from, true};
  const size_t begin = byteOffset(string.text, from);
  const std::string_view rest = std::string_view(string.text).substr(begin);
  return {rest.substr(0, byteOffset(rest, to - from)), from, false};
}

template <bool last>
int64_t findIn(Interpreter& in, const Value& self, Arguments& arguments) {
  const Values bound = bind("find", arguments, {"sub", "start", "end"}, 1);
  const std::string_view wanted = stringOf(bound[0], "find argument");
  in.runtime().copied(self.text().size());
  const Window part = window(self, bound[1], bound[2]);
  if (part.outside) return -1;
  if (last) backwards(in, part.text, wanted);
  const size_t found = last ? part.text.rfind(wanted) : findText(part.text, wanted);
  if (found == std::string_view::npos) return -1;
  return part.first + countCodePoints(part.text.substr(0, found));
}

template <bool last>
Value find(Interpreter& in, const Value& self, Arguments& arguments) {
  return Value::integer(findIn<last>(in, self, arguments));
}

template <bool last>
Value index(Interpreter& in, const Value& self, Arguments& arguments) {
  const int64_t found = findIn<last>(in, self, arguments);
  if (found < 0) raise("substring not found");
  return Value::integer(found);
}

Value count(Interpreter& in, const Value& self, Arguments& arguments) {
  const Values bound = bind("count", arguments, {"sub", "start", "end"}, 1);
  const std::string_view wanted = stringOf(bound[0], "count argument");
  in.runtime().copied(self.text().size());
  const Window part = window(self, bound[1], bound[2]);
  if (part.outside) return Value::integer(0);
  if (wanted.empty()) return Value::integer(countCodePoints(part.text) + 1);
  int64_t n = 0;
  for (size_t i = findText(part.text, wanted); i != std::string_view::npos;
       i = findText(part.text, wanted, i + wanted.size())) {
    ++n;
  }
  return Value::integer(n);
}

template <bool at_end>
Value beginsOrEnds(Interpreter& in, const Value& self, Arguments& arguments) {
  const char* name = at_end ? "endswith" : "startswith";
  const Values bound = bind(name, arguments, {"prefix", "start", "end"}, 1);
  const Window part = window(self, bound[1], bound[2]);
  in.runtime().copied(self.text().size());
  const auto fits = [&](const Value& wanted) {
    if (!wanted.isString()) {
      raise("{} first arg must be str or a tuple of str, not {}", name, typeName(wanted));
    }
    if (part.outside) return false;
    return at_end ? part.text.ends_with(wanted.text()) : part.text.starts_with(wanted.text());
  };
  if (!bound[0].is(Kind::tuple)) return Value::boolean(fits(bound[0]));
  bool any = false;
  for (const Value& wanted : bound[0].as<SequenceObject>().items) any = fits(wanted) || any;
  return Value::boolean(any);
}

template <bool at_end>
Value without(Interpreter& in, const Value& self, Arguments& arguments) {
  const Values bound = bind("removeprefix", arguments, {"prefix"}, 1);
  std::string_view text = self.text();
  const std::string_view affix = stringOf(bound[0], "removeprefix() argument");
  if (at_end && text.ends_with(affix)) text.remove_suffix(affix.size());
  if (!at_end && text.starts_with(affix)) text.remove_prefix(affix.size());
  return piece(in, self, text);
}

template <char align>
Value justify(Interpreter& in, const Value& self, Arguments& arguments) {
  const Values bound = bind("justify", arguments, {"width", "fillchar"}, 1);
  FormatSpec spec;
  spec.width = wholeOf(bound[0]);
  spec.align = align;
  if (!bound[1].isMissing()) spec.fill = std::string(stringOf(bound[1], "fill character"));
  if (countCodePoints(spec.fill) != 1) raise("The fill character must be exactly one character long");
  if (align != '^') return piece(in, self, padded(in, std::string(self.text()), spec, align));
  return piece(in, self, centred(in, self.text(), spec.width, spec.fill));
}

Value zeroFill(Interpreter& in, const Value& self, Arguments& arguments) {
  const Values bound = bind("zfill", arguments, {"width"}, 1);
  std::string text(self.text());
  const int64_t lacking =
      std::max<int64_t>(wholeOf(bound[0]), 0) - self.as<StringObject>().n_points;
  if (lacking <= 0) return piece(in, self, text);
  in.runtime().expectRoom(static_cast<size_t>(lacking));
  const bool is_signed = text.starts_with('+') || text.starts_with('-');
  text.insert(is_signed ? 1 : 0, static_cast<size_t>(lacking), '0');
  return piece(in, self, text);
}

Value expandTabs(Interpreter& in, const Value& self, Arguments& arguments) {
  const Values bound = bind("expandtabs", arguments, {"tabsize"});
  const int64_t width = wholeOr(bound[0], 8);
  std::string text;
  int64_t column = 0;
  for (size_t i = 0; i < self.text().size();) {
    const size_t start = i;
    const char32_t c = takeCodePoint(self.text(), i);
    if (c != '\t') {
      text += self.text().substr(start, i - start);
      column = c == '\n' || c == '\r' ? 0 : column + 1;
    } else if (width > 0) {
      const int64_t n = width - column % width;
      in.runtime().expectRoom(text.size() + static_cast<size_t>(n));
      text.append(static_cast<size_t>(n), ' ');
      column += n;
    }
  }
  return piece(in, self, text);
}

Value format(Interpreter& in, const Value& self, Arguments& arguments) {
  return piece(in, self, formatBraces(in, self.text(), arguments));
}

Value formatMap(Interpreter& in, const Value& self, Arguments& arguments) {
  const Values bound = bind("format_map", arguments, {"mapping"}, 1);
  if (!bound[0].is(Kind::dict)) raise("format_map() argument must be a mapping");
  Arguments from_mapping;
  for (const auto& [key, value] : bound[0].as<DictObject>().items) {
    if (key.isString()) from_mapping.named.emplace_back(std::string(key.text()), value);
  }
  return piece(in, self, formatBraces(in, self.text(), from_mapping));
}

template <bool (*belongs)(char32_t)>
Value all(Interpreter& in, const Value& self, Arguments& arguments) {
  bind("str method", arguments, {});
  in.runtime().copied(self.text().size() * 8);
  bool fits = !self.text().empty();
  for (size_t i = 0; fits && i < self.text().size();) fits = belongs(takeCodePoint(self.text(), i));
  return Value::boolean(fits);
}

bool isAlphanumeric(char32_t c) { return isAlpha(c) || isDecimal(c) || isDigit(c) || isNumeric(c); }

Value isAsciiText(Interpreter&, const Value& self, Arguments&) {
  return Value::boolean(self.as<StringObject>().ascii());
}

Value isPrintableText(Interpreter&, const Value& self, Arguments&) {
  for (size_t i = 0; i < self.text().size();) {
    if (!isPrintable(takeCodePoint(self.text(), i))) return Value::boolean(false);
  }
  return Value::boolean(true);
}

Value isLowerText(Interpreter&, const Value& self, Arguments&) {
  return Value::boolean(isAllLower(self.text()));
}
Value isUpperText(Interpreter&, const Value& self, Arguments&) {
  return Value::boolean(isAllUpper(self.text()));
}

Value isTitleText(Interpreter&, const Value& self, Arguments&) {
  bool in_word = false;
  bool any = false;
  for (size_t i = 0; i < self.text().size();) {
    const char32_t c = takeCodePoint(self.text(), i);
    const bool starts = isUpper(c) || isTitle(c);
    if ((starts && in_word) || (isLower(c) && !in_word)) return Value::boolean(false);
    in_word = starts || isLower(c);
    any = any || in_word;
  }
  return Value::boolean(any);
}

Value isIdentifierText(Interpreter&, const Value& self, Arguments&) {
  const std::string_view text = self.text();
  for (size_t i = 0; i < text.size();) {
    const bool first = i == 0;
    const char32_t c = takeCodePoint(text, i);
    if (!(first ? isIdentifierStart(c) : isIdentifierPart(c))) return Value::boolean(false);
  }
  return Value::boolean(!text.empty());
}

Value notSupported(Interpreter&, const Value&, Arguments&) {
  throw Fault{ErrorCode::unsupported, "this method of str is not supported in templates"};
}

constexpr MethodEntry kMethods[] = {
    {"capitalize", changed<toCapitalized>}, {"casefold", changed<toFolded>},
    {"center", justify<'^'>}, {"count", count}, {"encode", notSupported},
    {"endswith", beginsOrEnds<true>}, {"expandtabs", expandTabs}, {"find", find<false>},
    {"format", format}, {"format_map", formatMap}, {"index", index<false>},
    {"isalnum", all<isAlphanumeric>}, {"isalpha", all<isAlpha>}, {"isascii", isAsciiText},
    {"isdecimal", all<isDecimal>}, {"isdigit", all<isDigit>}, {"isidentifier", isIdentifierText},
    {"islower", isLowerText}, {"isnumeric", all<isNumeric>}, {"isprintable", isPrintableText},
    {"isspace", all<isSpace>}, {"istitle", isTitleText}, {"isupper", isUpperText},
    {"join", join}, {"ljust", justify<'<'>}, {"lower", changed<toLower>},
    {"lstrip", strip<Side::left>}, {"maketrans", notSupported}, {"partition", partition<false>},
    {"removeprefix", without<false>}, {"removesuffix", without<true>}, {"replace", replace},
    {"rfind", find<true>}, {"rindex", index<true>}, {"rjust", justify<'>'>},
    {"rpartition", partition<true>}, {"rsplit", splitRight}, {"rstrip", strip<Side::right>},
    {"split", split}, {"splitlines", lines}, {"startswith", beginsOrEnds<false>},
    {"strip", strip<Side::both>}, {"swapcase", changed<toSwappedCase>}, {"title", changed<toTitle>},
    {"translate", notSupported}, {"upper", changed<toUpper>}, {"zfill", zeroFill},
};

}  // namespace

std::string replaced(Interpreter& in, std::string_view text, std::string_view old,
                     std::string_view with, int64_t most) {
  std::string result;
  in.runtime().copied(text.size());
  const auto put = [&](std::string_view part) {
    result += part;
    in.runtime().expectRoom(result.size());
  };
  if (old.empty()) {  // between all code points
    for (size_t i = 0; most != 0; --most) {
      put(with);
      if (i >= text.size()) return result;
      const size_t start = i;
      takeCodePoint(text, i);
      put(text.substr(start, i - start));
      if (most == 1) return result += text.substr(i);
    }
    return std::string(text);
  }
  while (most != 0) {
    const size_t found = findText(text, old);
    if (found == std::string_view::npos) break;
    put(text.substr(0, found));
    put(with);
    text.remove_prefix(found + old.size());
    if (most > 0) --most;
  }
  put(text);
  return result;
}

std::string centred(Interpreter& in, std::string_view text, int64_t width, std::string_view fill) {
  const int64_t lacking = std::max<int64_t>(width, 0) - countCodePoints(text);
  if (lacking <= 0) return std::string(text);
  in.runtime().expectRoom(static_cast<size_t>(lacking), fill.size());
  // The odd one goes left when the width is odd (CPython, Objects/unicodeobject.c, pad).
  const int64_t left = lacking / 2 + (lacking & width & 1);
  std::string result;
  for (int64_t i = 0; i < left; ++i) result += fill;
  result += text;
  for (int64_t i = left; i < lacking; ++i) result += fill;
  return result;
}

bool isAllLower(std::string_view text) {
  bool any = false;
  for (size_t i = 0; i < text.size();) {
    const char32_t c = takeCodePoint(text, i);
    if (isUpper(c) || isTitle(c)) return false;
    any = any || isLower(c);
  }
  return any;
}

bool isAllUpper(std::string_view text) {
  bool any = false;
  for (size_t i = 0; i < text.size();) {
    const char32_t c = takeCodePoint(text, i);
    if (isLower(c) || isTitle(c)) return false;
    any = any || isUpper(c);
  }
  return any;
}

const MethodEntry* findStringMethod(std::string_view name) {
  for (const MethodEntry& entry : kMethods) {
    if (name == entry.name) return &entry;
  }
  return nullptr;
}

}  // namespace hearth::jinja
