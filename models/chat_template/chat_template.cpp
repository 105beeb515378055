#include "models/chat_template/chat_template.h"

#include <new>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>
#include <vector>

#include "models/chat_template/filters.h"
#include "models/chat_template/interpreter.h"
#include "models/chat_template/parser.h"
#include "models/chat_template/scopes.h"
#include "models/json_file.h"

namespace hearth {

using Json = nlohmann::ordered_json;

struct ChatTemplate::Program {
  std::string source;
  ChatTemplateLimits limits;
  jinja::Syntax syntax;
};

namespace {

/// Runs what may throw inside the interpreter.
template <class Work>
auto guarded(const jinja::Runtime* runtime, Work work) -> Result<decltype(work())> {
  try {
    return work();
  } catch (const jinja::Fault& fault) {
    const int line = fault.line > 0 ? fault.line : runtime != nullptr ? runtime->line : 1;
    return fail(fault.code, "chat template, line {}: {}", line, fault.message);
  } catch (const std::length_error&) {
    return fail(ErrorCode::out_of_memory, "chat template: a text or list too long to be held");
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::out_of_memory, "chat template: not enough memory");
  }
}

/// Codes: invalid_argument.
Result<Json> parseInput(const std::string& text, const char* what, Json::value_t type) {
  if (!jsonNestingWithin(text, kDeepestJson)) {
    return fail(ErrorCode::invalid_argument, "{}: JSON nested deeper than {}", what, kDeepestJson);
  }
  Json parsed = Json::parse(text, nullptr, false);
  if (parsed.type() != type) {
    return fail(ErrorCode::invalid_argument, "{}: not a JSON {}", what,
                type == Json::value_t::array ? "array" : "object");
  }
  return parsed;
}

jinja::Value toValue(jinja::Runtime& runtime, const Json& json) {
  switch (json.type()) {
    case Json::value_t::boolean: return jinja::Value::boolean(json.get<bool>());
    case Json::value_t::number_integer: return jinja::Value::integer(json.get<int64_t>());
    case Json::value_t::number_unsigned: {
      const auto value = json.get<uint64_t>();
      if (value > static_cast<uint64_t>(INT64_MAX)) {
        jinja::raise("the number {} is beyond 64 bits", value);
      }
      return jinja::Value::integer(static_cast<int64_t>(value));
    }
    case Json::value_t::number_float: return jinja::Value::real(json.get<double>());
    case Json::value_t::string:
      return jinja::makeString(&runtime, json.get_ref<const std::string&>());
    case Json::value_t::array: {
      jinja::Values items;
      for (const Json& item : json) items.push_back(toValue(runtime, item));
      return jinja::makeList(&runtime, std::move(items));
    }
    case Json::value_t::object: {
      std::vector<std::pair<jinja::Value, jinja::Value>> items;
      for (const auto& [key, item] : json.items()) {
        items.emplace_back(jinja::makeString(&runtime, key), toValue(runtime, item));
      }
      return jinja::makeDict(runtime, std::move(items));
    }
    default: return jinja::Value::none();
  }
}

struct NamedJson {
  std::string name;
  Json json;
};

/// Each entry of a JSON object is a variable.
Status addVariables(const std::string& object, const char* what, std::vector<NamedJson>& variables) {
  if (object.empty()) return {};
  auto parsed = parseInput(object, what, Json::value_t::object);
  if (!parsed) return passOn(parsed);
  for (auto& [name, json] : parsed->items()) variables.push_back({name, std::move(json)});
  return {};
}

/// Every variable of a rendering but those that templates always have.
Result<std::vector<NamedJson>> variablesOf(const ChatTemplateInputs& inputs) {
  std::vector<NamedJson> variables;
  const std::pair<const char*, const std::string*> lists[] = {
      {"messages", &inputs.messages}, {"tools", &inputs.tools}, {"documents", &inputs.documents}};
  for (const auto& [name, text] : lists) {
    if (text->empty()) continue;
    auto parsed = parseInput(*text, name, Json::value_t::array);
    if (!parsed) return passOn(parsed);
    variables.push_back({name, std::move(*parsed)});
  }
  variables.push_back({"add_generation_prompt", inputs.add_generation_prompt});
  if (Status s = addVariables(inputs.special_tokens, "special tokens", variables); !s) return passOn(s);
  if (inputs.bos_token) variables.push_back({"bos_token", *inputs.bos_token});
  if (inputs.eos_token) variables.push_back({"eos_token", *inputs.eos_token});
  if (Status s = addVariables(inputs.extra_context, "extra context", variables); !s) return passOn(s);
  return variables;
}

std::tm localTime() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  return local;
}

}  // namespace

Result<ChatTemplate> ChatTemplate::parse(std::string_view source, const ChatTemplateLimits& limits) {
  if (source.size() > limits.max_source_bytes) {
    return fail(ErrorCode::bad_file, "chat template: {} bytes are more than {}", source.size(),
                limits.max_source_bytes);
  }
  return guarded(nullptr, [&] {
    auto program = std::make_shared<Program>();
    program->source = source;
    program->limits = limits;
    jinja::Parser parser(jinja::tokenize(source), limits.max_depth);
    program->syntax.body = parser.parse();
    jinja::resolveScopes(program->syntax);
    return ChatTemplate(std::move(program));
  });
}

Result<std::string> ChatTemplate::render(const ChatTemplateInputs& inputs) const {
  const auto variables = variablesOf(inputs);
  if (!variables) return passOn(variables);
  jinja::Interpreter interpreter(program_->syntax, program_->limits,
                                 inputs.now ? *inputs.now : localTime());
  return guarded(&interpreter.runtime(), [&] {
    jinja::setGlobals(interpreter);
    for (const NamedJson& variable : *variables) {
      interpreter.setVariable(variable.name, toValue(interpreter.runtime(), variable.json));
    }
    return interpreter.run();
  });
}

const std::string& ChatTemplate::source() const { return program_->source; }

}  // namespace hearth
