// Renders templates from standard input, one JSON object a line: {"template", "context"}; answers
// one line each: {"text"} or {"error"}. What compare_with_jinja2.py asks.
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "models/chat_template/chat_template.h"

namespace {

using Json = nlohmann::ordered_json;

std::tm fixtureTime() {  // what every golden rendering was made at
  std::tm time{};
  time.tm_year = 125;
  time.tm_mon = 1;
  time.tm_mday = 3;
  time.tm_hour = 14;
  time.tm_min = 5;
  time.tm_sec = 6;
  time.tm_wday = 1;
  time.tm_yday = 33;
  return time;
}

Json answer(const Json& question) {
  const auto parsed = hearth::ChatTemplate::parse(question.at("template").get<std::string>());
  if (!parsed) return {{"error", parsed.error().message}, {"stage", "parse"}};
  const auto text = parsed->render({.messages = "",
                                    .extra_context = question.at("context").dump(),
                                    .now = fixtureTime()});
  if (!text) return {{"error", text.error().message}, {"stage", "render"}};
  return {{"text", *text}};
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << answer(Json::parse(line)).dump() << std::endl;
  }
}
