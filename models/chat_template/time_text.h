// strftime in English, whatever the program's locale is: prompts must not depend on it.
#pragma once

#include <ctime>
#include <string>
#include <string_view>

namespace hearth::jinja {

/// The C library's directives, with glibc's flags - _ 0 ^ #. Unknown ones are kept as they are.
std::string timeText(const std::tm& time, std::string_view format);

}  // namespace hearth::jinja
