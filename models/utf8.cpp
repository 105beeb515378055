#include "models/utf8.h"

namespace hearth {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

struct LeadByte {
  size_t length;          // of the whole character; 0: cannot start one
  unsigned char low, high;  // bounds of the second byte
};

// RFC 3629, section 4: UTF8-2, UTF8-3 and UTF8-4 with their restricted second bytes.
LeadByte classify(unsigned char lead) {
  if (lead < 0x80) return {1, 0, 0};
  if (lead < 0xC2) return {0, 0, 0};
  if (lead < 0xE0) return {2, 0x80, 0xBF};
  if (lead == 0xE0) return {3, 0xA0, 0xBF};
  if (lead == 0xED) return {3, 0x80, 0x9F};
  if (lead < 0xF0) return {3, 0x80, 0xBF};
  if (lead == 0xF0) return {4, 0x90, 0xBF};
  if (lead < 0xF4) return {4, 0x80, 0xBF};
  if (lead == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

}  // namespace

Utf8Unit firstUtf8Unit(std::string_view text) {
  const LeadByte lead = classify(static_cast<unsigned char>(text[0]));
  if (lead.length == 0) return {1, false, false};
  for (size_t i = 1; i < lead.length; ++i) {
    if (i == text.size()) return {i, false, true};
    const auto byte = static_cast<unsigned char>(text[i]);
    const unsigned char low = i == 1 ? lead.low : 0x80;
    const unsigned char high = i == 1 ? lead.high : 0xBF;
    if (byte < low || byte > high) return {i, false, false};
  }
  return {lead.length, true, false};
}

size_t validUtf8Prefix(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const Utf8Unit unit = firstUtf8Unit(text.substr(at));
    if (!unit.valid) break;
    at += unit.length;
  }
  return at;
}

std::string replaceInvalidUtf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Utf8Unit unit = firstUtf8Unit(text);
    out += unit.valid ? text.substr(0, unit.length) : kReplacement;
    text.remove_prefix(unit.length);
  }
  return out;
}

std::string printable(std::string_view text) {
  constexpr size_t kLongest = 80;
  std::string out;
  while (!text.empty() && out.size() < kLongest) {
    const Utf8Unit unit = firstUtf8Unit(text);
    const auto first = static_cast<unsigned char>(text[0]);
    const bool control = first < 0x20 || first == 0x7F;
    out += unit.valid && !control ? text.substr(0, unit.length) : kReplacement;
    text.remove_prefix(unit.length);
  }
  if (!text.empty()) out += "…";
  return out;
}

}  // namespace hearth
