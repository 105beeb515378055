#include "models/chat_template/time_text.h"

#include <fmt/format.h>

#include "models/chat_template/text.h"

namespace hearth::jinja {

namespace {

constexpr const char* kDays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                 "Thursday", "Friday", "Saturday"};
constexpr const char* kMonths[] = {"January", "February", "March",     "April",   "May",      "June",
                                   "July",    "August",   "September", "October", "November", "December"};

const char* dayName(const std::tm& time) { return kDays[static_cast<unsigned>(time.tm_wday) % 7]; }
const char* monthName(const std::tm& time) { return kMonths[static_cast<unsigned>(time.tm_mon) % 12]; }
std::string shortened(const char* name) { return std::string(name, 3); }

int hour12(const std::tm& time) { return time.tm_hour % 12 == 0 ? 12 : time.tm_hour % 12; }

/// ISO 8601: weeks begin on Monday, the first one holds the year's first Thursday.
void isoWeek(const std::tm& time, int& year, int& week) {
  year = time.tm_year + 1900;
  const int weekday = (time.tm_wday + 6) % 7;  // Monday 0
  week = (time.tm_yday - weekday + 10) / 7;
  const auto weeksIn = [](int y) {
    const auto lastDay = [](int z) { return (z + z / 4 - z / 100 + z / 400) % 7; };
    return 52 + (lastDay(y) == 4 || lastDay(y - 1) == 3 ? 1 : 0);
  };
  if (week < 1) week = weeksIn(--year);
  else if (week > weeksIn(year)) week = 1, ++year;
}

std::string number(int value, int width, char flag, char pad = '0') {
  if (flag == '-') return std::to_string(value);
  if (flag == '_') pad = ' ';
  if (flag == '0') pad = '0';
  std::string digits = std::to_string(value);
  if (static_cast<int>(digits.size()) < width) digits.insert(0, static_cast<size_t>(width) - digits.size(), pad);
  return digits;
}

std::string directive(const std::tm& t, char c, char flag) {
  const int year = t.tm_year + 1900;
  switch (c) {
    case 'a': return shortened(dayName(t));
    case 'A': return dayName(t);
    case 'b':
    case 'h': return shortened(monthName(t));
    case 'B': return monthName(t);
    case 'c': return timeText(t, "%a %b %e %H:%M:%S %Y");
    case 'C': return number(year / 100, 2, flag);
    case 'd': return number(t.tm_mday, 2, flag);
    case 'D':
    case 'x': return timeText(t, "%m/%d/%y");
    case 'e': return number(t.tm_mday, 2, flag, ' ');
    case 'F': return timeText(t, "%Y-%m-%d");
    case 'f': return "000000";
    case 'H': return number(t.tm_hour, 2, flag);
    case 'I': return number(hour12(t), 2, flag);
    case 'j': return number(t.tm_yday + 1, 3, flag);
    case 'k': return number(t.tm_hour, 2, flag, ' ');
    case 'l': return number(hour12(t), 2, flag, ' ');
    case 'm': return number(t.tm_mon + 1, 2, flag);
    case 'M': return number(t.tm_min, 2, flag);
    case 'n': return "\n";
    case 'p': return flag == '#' ? (t.tm_hour < 12 ? "am" : "pm") : (t.tm_hour < 12 ? "AM" : "PM");
    case 'P': return t.tm_hour < 12 ? "am" : "pm";
    case 'r': return timeText(t, "%I:%M:%S %p");
    case 'R': return timeText(t, "%H:%M");
    case 'S': return number(t.tm_sec, 2, flag);
    case 't': return "\t";
    case 'T':
    case 'X': return timeText(t, "%H:%M:%S");
    case 'u': return std::to_string(t.tm_wday == 0 ? 7 : t.tm_wday);
    case 'U': return number((t.tm_yday + 7 - t.tm_wday) / 7, 2, flag);
    case 'w': return std::to_string(t.tm_wday);
    case 'W': return number((t.tm_yday + 7 - (t.tm_wday + 6) % 7) / 7, 2, flag);
    case 'y': return number(year % 100, 2, flag);
    case 'Y': return number(year, 1, flag);
    case 'z':
    case 'Z': return "";  // a time without a zone
    case '%': return "%";
    default: break;
  }
  if (c == 'G' || c == 'g' || c == 'V') {
    int iso_year = 0;
    int week = 0;
    isoWeek(t, iso_year, week);
    return c == 'V' ? number(week, 2, flag) : c == 'G' ? number(iso_year, 1, flag) : number(iso_year % 100, 2, flag);
  }
  return {};
}

}  // namespace

std::string timeText(const std::tm& time, std::string_view format) {
  static constexpr std::string_view kKnown = "aAbBcCdDeFfgGhHIjklmMnpPrRStTuUVwWxXyYzZ%";
  std::string text;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      text += format[i];
      continue;
    }
    const size_t start = i++;
    char flag = '\0';
    if (i < format.size() && std::string_view("-_0^#").find(format[i]) != std::string_view::npos) flag = format[i++];
    if (i >= format.size() || kKnown.find(format[i]) == std::string_view::npos) {
      text += format.substr(start, i - start + 1);
      continue;
    }
    const std::string part = directive(time, format[i], flag);
    text += flag == '^' || (flag == '#' && format[i] != 'p') ? toUpper(part) : part;
  }
  return text;
}

}  // namespace hearth::jinja
