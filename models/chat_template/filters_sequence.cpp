// Filters that work on lists, dicts and whatever else can be gone through (jinja2/filters.py).
#include <algorithm>

#include "models/chat_template/arguments.h"
#include "models/chat_template/filters.h"
#include "models/chat_template/interpreter.h"
#include "models/chat_template/operators.h"
#include "models/chat_template/text.h"

namespace hearth::jinja {

namespace {

/// "a.b.0" as the steps of a look-up.
Values attributePath(Interpreter& in, const Value& attribute) {
  if (!given(attribute)) return {};
  if (!attribute.isString()) return {attribute};
  Values path;
  std::string_view rest = attribute.text();
  while (true) {
    const std::string_view part = rest.substr(0, rest.find('.'));
    const bool is_number = !part.empty() && part.size() < 10 &&
                           part.find_first_not_of("0123456789") == std::string_view::npos;
    path.push_back(is_number ? Value::integer(std::stoll(std::string(part)))
                             : in.text(std::string(part)));
    if (part.size() == rest.size()) return path;
    rest.remove_prefix(part.size() + 1);
  }
}

/// An item's attribute, as make_attrgetter finds it.
class AttributeGetter {
 public:
  AttributeGetter(Interpreter& in, const Value& attribute, bool ignore_case = false, Value fallback = {})
      : in_(in), path_(attributePath(in, attribute)), ignore_case_(ignore_case),
        fallback_(std::move(fallback)) {}

  Value operator()(Value item) const {
    for (const Value& part : path_) {
      item = in_.getItem(item, part);
      if (given(fallback_) && item.isUndefined()) item = fallback_;
    }
    if (ignore_case_ && item.isString()) return in_.text(toLower(item.text()));
    return item;
  }

 private:
  Interpreter& in_;
  Values path_;
  bool ignore_case_;
  Value fallback_;
};

/// Runs `fill`, and keeps a fault for when the items before it are used up: Python's generators
/// fail as late as that.
template <class Fill>
Value lazily(Interpreter& in, Fill fill) {
  Values items;
  std::optional<Fault> fault;
  try {
    fill(items);
  } catch (const Fault& failed) {
    if (failed.code == ErrorCode::bad_file) throw;  // a limit
    fault = failed;
  }
  return makeIterator(&in.runtime(), std::move(items), "generator", std::move(fault));
}

// ---- one item of many

Value first(Interpreter& in, const Value& value, Arguments& arguments) {
  bind("first", arguments, {});
  ItemSource source(in, value);
  Value item;
  return source.next(item) ? item : in.undefined("No first item, sequence was empty.");
}

Value last(Interpreter& in, const Value& value, Arguments& arguments) {
  bind("last", arguments, {});
  if (value.is(Kind::iterator)) raise("'{}' object is not reversible", typeName(value));
  const Values items = in.items(value);
  return items.empty() ? in.undefined("No last item, sequence was empty.") : items.back();
}

template <bool largest>
Value extreme(Interpreter& in, const Value& value, Arguments& arguments) {
  const Values bound = bind("min", arguments, {"case_sensitive", "attribute"});
  const AttributeGetter key(in, bound[1], !flagOr(in, bound[0], false));
  const Values items = in.items(value);
  if (items.empty()) return in.undefined("No aggregated item, sequence was empty.");
  size_t best = 0;
  Value best_key = key(items[0]);
  for (size_t i = 1; i < items.size(); ++i) {
    Value other = key(items[i]);
    const bool better = largest ? less(in.runtime(), best_key, other, ">")
                                : less(in.runtime(), other, best_key);
    if (better) best = i, best_key = std::move(other);
  }
  return items[best];
}

Value sum(Interpreter& in, const Value& value, Arguments& arguments) {
  const Values bound = bind("sum", arguments, {"attribute", "start"});
  const AttributeGetter attribute(in, bound[0]);
  Value total = bound[1].isMissing() ? Value::integer(0) : bound[1];
  if (total.isString()) raise("sum() can't sum strings [use ''.join(seq) instead]");
  for (const Value& item : in.items(value)) {
    total = binary(in, Operator::add, total, attribute(item));
  }
  return total;
}

Value length(Interpreter& in, const Value& value, Arguments& arguments) {
  bind("length", arguments, {});
  const auto n = lengthOf(in, value);
  if (!n) raise("object of type '{}' has no len()", typeName(value));
  return Value::integer(*n);
}

Value defaulted(Interpreter& in, const Value& value, Arguments& arguments) {
  const Values bound = bind("default", arguments, {"default_value", "boolean"});
  const bool use = value.isUndefined() || (flagOr(in, bound[1], false) && !truthy(in, value));
  if (!use) return value;
  return bound[0].isMissing() ? in.text("") : bound[0];
}

Value attribute(Interpreter& in, const Value& value, Arguments& arguments) {
  const Values bound = bind("attr", arguments, {"name"}, 1);
  if (value.isUndefined()) in.raiseUndefined(value);
  // Unlike a dot, never an item.
  const std::string_view name = stringOf(bound[0], "attr");
  const Value found = in.getAttribute(value, name);
  const bool is_item = value.is(Kind::dict) && !found.is(Kind::method) &&
                       value.as<DictObject>().find(name) != nullptr;
  if (!is_item) return found;
  return in.undefined(fmt::format("'dict object' has no attribute {}", quoted(name)));
}

// ---- text of many

Value join(Interpreter& in, const Value& value, Arguments& arguments) {
  const Values bound = bind("join", arguments, {"d", "attribute"});
  const AttributeGetter attribute_of(in, bound[1]);
  const std::string separator = bound[0].isMissing() ? "" : textOf(in, bound[0]);
  std::string joined;
  bool is_first = true;
  for (const Value& item : in.items(value)) {
    if (!is_first) joined += separator;
    is_first = false;
    appendText(in, attribute_of(item), joined);
    in.runtime().expectRoom(joined.size());
  }
  return in.text(std::move(joined));
}

// ---- many from many

Value list(Interpreter& in, const Value& value, Arguments& arguments) {
  bind("list", arguments, {});
  return makeList(&in.runtime(), in.items(value));
}

Value items(Interpreter& in, const Value& value, Arguments& arguments) {
  bind("items", arguments, {});
  return lazily(in, [&](Values& pairs) {
    if (value.isUndefined()) return;
    if (!value.is(Kind::dict)) raise("Can only get item pairs from a mapping.");
    for (const auto& [key, item] : value.as<DictObject>().items) {
      pairs.push_back(makeTuple(&in.runtime(), {key, item}));
    }
  });
}

Value reverse(Interpreter& in, const Value& value, Arguments& arguments) {
  bind("reverse", arguments, {});
  if (value.isString()) {
    return in.getSlice(value, Value::none(), Value::none(), Value::integer(-1));
  }
  Values reversed = in.items(value);
  std::reverse(reversed.begin(), reversed.end());
  if (value.is(Kind::iterator)) return makeList(&in.runtime(), std::move(reversed));
  return makeIterator(&in.runtime(), std::move(reversed), "list_reverseiterator");
}

/// One key is compared as it is; several as Python compares lists, where equal ones (two Undefined,
/// two None) need no order.
struct Keyed {
  Values keys;
  Value item;
};

Value sorted(Interpreter& in, std::vector<Keyed>& keyed, bool reversed, bool as_lists = false) {
  std::stable_sort(keyed.begin(), keyed.end(), [&](const Keyed& a, const Keyed& b) {
    const Keyed& x = reversed ? b : a;
    const Keyed& y = reversed ? a : b;
    if (!as_lists) return less(in.runtime(), x.keys[0], y.keys[0]);
    for (size_t i = 0; i < x.keys.size(); ++i) {
      if (!equal(in.runtime(), x.keys[i], y.keys[i])) return less(in.runtime(), x.keys[i], y.keys[i]);
    }
    return false;
  });
  Values result;
  for (Keyed& entry : keyed) result.push_back(std::move(entry.item));
  return makeList(&in.runtime(), std::move(result));
}

Value sort(Interpreter& in, const Value& value, Arguments& arguments) {
  const Values bound = bind("sort", arguments, {"reverse", "case_sensitive", "attribute"});
  const bool ignore_case = !flagOr(in, bound[1], false);
  std::vector<AttributeGetter> getters;
  if (bound[2].isString()) {
    std::string_view rest = bound[2].text();
    while (true) {
      const std::string_view part = rest.substr(0, rest.find(','));
      getters.emplace_back(in, in.text(std::string(part)), ignore_case);
      if (part.size() == rest.size()) break;
      rest.remove_prefix(part.size() + 1);
    }
  } else {
    getters.emplace_back(in, bound[2], ignore_case);
  }
  std::vector<Keyed> keyed;
  for (const Value& item : in.items(value)) {
    Keyed entry{.keys = {}, .item = item};
    for (const AttributeGetter& getter : getters) entry.keys.push_back(getter(item));
    keyed.push_back(std::move(entry));
  }
  return sorted(in, keyed, flagOr(in, bound[0], false), true);
}

Value dictSort(Interpreter& in, const Value& value, Arguments& arguments) {
  const Values bound = bind("dictsort", arguments, {"case_sensitive", "by", "reverse"});
  const std::string_view by = bound[1].isMissing() ? "key" : stringOf(bound[1], "dictsort");
  if (by != "key" && by != "value") raise("You can only sort by either \"key\" or \"value\"");
  if (value.isUndefined()) in.raiseUndefined(value);
  if (!value.is(Kind::dict)) raise("'{}' object has no attribute 'items'", typeName(value));
  const AttributeGetter key_of(in, Value(), !flagOr(in, bound[0], false));
  std::vector<Keyed> keyed;
  for (const auto& [key, item] : value.as<DictObject>().items) {
    keyed.push_back({{key_of(by == "key" ? key : item)}, makeTuple(&in.runtime(), {key, item})});
  }
  return sorted(in, keyed, flagOr(in, bound[2], false));
}

Value unique(Interpreter& in, const Value& value, Arguments& arguments) {
  const Values bound = bind("unique", arguments, {"case_sensitive", "attribute"});
  const AttributeGetter key_of(in, bound[1], !flagOr(in, bound[0], false));
  return lazily(in, [&](Values& kept) {
    DictObject seen;
    for (const Value& item : in.items(value)) {
      const Value key = key_of(item);
      if (seen.find(in.runtime(), key) != nullptr) continue;
      seen.set(in.runtime(), key, Value::none());
      kept.push_back(item);
    }
  });
}

Value groupBy(Interpreter& in, const Value& value, Arguments& arguments) {
  const Values bound = bind("groupby", arguments, {"attribute", "default", "case_sensitive"}, 1);
  const bool ignore_case = !flagOr(in, bound[2], false);
  const AttributeGetter key_of(in, bound[0], ignore_case, bound[1]);
  const AttributeGetter shown_key(in, bound[0], false, bound[1]);
  std::vector<Keyed> keyed;
  for (const Value& item : in.items(value)) keyed.push_back({{key_of(item)}, item});
  const Values ordered = sorted(in, keyed, false).as<SequenceObject>().items;
  Values groups;
  for (size_t i = 0; i < ordered.size();) {
    const Value key = key_of(ordered[i]);
    Values members;
    size_t end = i;
    while (end < ordered.size() && equal(in.runtime(), key_of(ordered[end]), key)) {
      members.push_back(ordered[end++]);
    }
    Value grouper = ignore_case ? shown_key(ordered[i]) : key;
    Value group = makeTuple(&in.runtime(), {std::move(grouper), makeList(&in.runtime(), std::move(members))});
    group.as<SequenceObject>().is_group = true;
    groups.push_back(std::move(group));
    i = end;
  }
  return makeList(&in.runtime(), std::move(groups));
}

Value batch(Interpreter& in, const Value& value, Arguments& arguments) {
  const Values bound = bind("batch", arguments, {"linecount", "fill_with"}, 1);
  return lazily(in, [&](Values& batches) {
    const Values all = in.items(value);
    const int64_t n = wholeOf(bound[0]);
    Values current;
    for (const Value& item : all) {
      if (static_cast<int64_t>(current.size()) == n) {
        batches.push_back(makeList(&in.runtime(), std::move(current)));
        current = {};
      }
      current.push_back(item);
    }
    if (current.empty()) return;
    if (given(bound[1])) {
      const int64_t lacking = n - static_cast<int64_t>(current.size());
      if (lacking > 0) {
        in.runtime().expectRoom(static_cast<size_t>(std::min<int64_t>(lacking, INT64_MAX / 64)) * sizeof(Value));
        current.resize(static_cast<size_t>(n), bound[1]);
      }
    }
    batches.push_back(makeList(&in.runtime(), std::move(current)));
  });
}

Value slice(Interpreter& in, const Value& value, Arguments& arguments) {
  const Values bound = bind("slice", arguments, {"slices", "fill_with"}, 1);
  return lazily(in, [&](Values& slices) {
    const Values all = in.items(value);
    const int64_t n = wholeOf(bound[0]);
    if (n == 0) raise("integer division or modulo by zero");
    if (n < 0) return;
    const auto size = static_cast<int64_t>(all.size());
    int64_t begin = 0;
    for (int64_t i = 0; i < n; ++i) {
      const bool longer = i < size % n;
      const int64_t end = begin + size / n + (longer ? 1 : 0);
      Values part(all.begin() + begin, all.begin() + end);
      if (given(bound[1]) && !longer) part.push_back(bound[1]);
      slices.push_back(makeList(&in.runtime(), std::move(part)));
      begin = end;
    }
  });
}

Value map(Interpreter& in, const Value& value, Arguments& arguments) {
  if (!truthy(in, value)) return makeIterator(&in.runtime(), {});
  return lazily(in, [&](Values& mapped) {
    if (arguments.positional.empty() && !arguments.named.empty()) {
      const Values bound = bind("map", arguments, {"attribute", "default"}, 1);
      const AttributeGetter attribute_of(in, bound[0], false, bound[1]);
      for (const Value& item : in.items(value)) mapped.push_back(attribute_of(item));
      return;
    }
    if (arguments.positional.empty()) raise("map requires a filter argument");
    const std::string_view name = stringOf(arguments.positional[0], "map");
    const FilterEntry* filter = findFilter(name);
    if (filter == nullptr) raise("No filter named '{}'.", name);
    const Values rest(arguments.positional.begin() + 1, arguments.positional.end());
    ItemSource source(in, value);
    for (Value item; source.next(item);) {
      Arguments own{.positional = rest, .named = arguments.named};
      in.runtime().step();
      mapped.push_back(filter->apply(in, item, own));
    }
  });
}

template <bool keep, bool by_attribute>
Value select(Interpreter& in, const Value& value, Arguments& arguments) {
  if (!truthy(in, value)) return makeIterator(&in.runtime(), {});
  return lazily(in, [&](Values& kept) {
    const size_t n_used = by_attribute ? 1 : 0;
    if (arguments.positional.size() < n_used) raise("Missing parameter for attribute name");
    const AttributeGetter attribute_of(in, by_attribute ? arguments.positional[0] : Value());
    const TestEntry* test = nullptr;
    Values rest;
    if (arguments.positional.size() > n_used) {
      const std::string_view name = stringOf(arguments.positional[n_used], "select");
      test = findTest(name);
      if (test == nullptr) raise("No test named '{}'.", name);
      rest.assign(arguments.positional.begin() + static_cast<ptrdiff_t>(n_used) + 1,
                  arguments.positional.end());
    }
    ItemSource source(in, value);
    for (Value item; source.next(item);) {
      Arguments own{.positional = rest, .named = arguments.named};
      in.runtime().step();
      const Value tested = attribute_of(item);
      const bool holds = test != nullptr ? test->holds(in, tested, own) : truthy(in, tested);
      if (holds == keep) kept.push_back(item);
    }
  });
}

constexpr FilterEntry kFilters[] = {
    {"attr", attribute}, {"batch", batch}, {"count", length}, {"d", defaulted},
    {"default", defaulted}, {"dictsort", dictSort}, {"first", first}, {"groupby", groupBy},
    {"items", items}, {"join", join}, {"last", last}, {"length", length}, {"list", list},
    {"map", map}, {"max", extreme<true>}, {"min", extreme<false>},
    {"reject", select<false, false>}, {"rejectattr", select<false, true>}, {"reverse", reverse},
    {"select", select<true, false>}, {"selectattr", select<true, true>}, {"slice", slice},
    {"sort", sort}, {"sum", sum}, {"unique", unique},
};

}  // namespace

const FilterEntry* findSequenceFilter(std::string_view name) {
  for (const FilterEntry& entry : kFilters) {
    if (name == entry.name) return &entry;
  }
  return nullptr;
}

}  // namespace hearth::jinja
