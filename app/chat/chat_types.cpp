#include "app/chat/chat_types.h"

#include <fmt/format.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <type_traits>

namespace hearth {

namespace {

using Json = nlohmann::json;

/// Takes `key` when it is there and of a kind that fits; a damaged value leaves the default.
template <class T>
void take(const Json& json, const char* key, T& value) {
  const auto found = json.find(key);
  if (found == json.end()) return;
  if constexpr (std::is_same_v<T, std::string>) {
    if (found->is_string()) value = found->get<std::string>();
  } else if constexpr (std::is_integral_v<T>) {
    if (found->is_number_integer()) value = found->get<T>();
  } else {
    if (found->is_number()) value = found->get<T>();
  }
}

/// 0.8f as 0.8, not 0.800000011920929: the shortest number that reads back as the same float.
double shortest(float value) { return std::strtod(fmt::format("{}", value).c_str(), nullptr); }

}  // namespace

std::string settingsToJson(const GenerationSettings& settings) {
  Json json = {
      {"system_prompt", settings.system_prompt},
      {"temperature", shortest(settings.temperature)},
      {"top_k", settings.top_k},
      {"top_p", shortest(settings.top_p)},
      {"min_p", shortest(settings.min_p)},
      {"repetition_penalty", shortest(settings.repetition_penalty)},
      {"presence_penalty", shortest(settings.presence_penalty)},
      {"frequency_penalty", shortest(settings.frequency_penalty)},
      {"max_tokens", settings.max_tokens},
      {"stop", settings.stop},
  };
  if (settings.seed) json["seed"] = *settings.seed;
  // Invalid UTF-8 in a system prompt becomes U+FFFD: JSON cannot carry it.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

GenerationSettings settingsFromJson(const std::string& text) {
  GenerationSettings settings;
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return settings;
  take(json, "system_prompt", settings.system_prompt);
  take(json, "temperature", settings.temperature);
  take(json, "top_k", settings.top_k);
  take(json, "top_p", settings.top_p);
  take(json, "min_p", settings.min_p);
  take(json, "repetition_penalty", settings.repetition_penalty);
  take(json, "presence_penalty", settings.presence_penalty);
  take(json, "frequency_penalty", settings.frequency_penalty);
  take(json, "max_tokens", settings.max_tokens);
  if (const auto seed = json.find("seed"); seed != json.end() && seed->is_number_integer())
    settings.seed = seed->get<uint64_t>();
  if (const auto stop = json.find("stop"); stop != json.end() && stop->is_array())
    for (const Json& entry : *stop)
      if (entry.is_string()) settings.stop.push_back(entry.get<std::string>());
  return settings;
}

}  // namespace hearth
