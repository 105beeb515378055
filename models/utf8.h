// UTF-8, checked: what is valid, where it breaks, and text that is safe to show.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace hearth {

/// What a text starts with.
struct Utf8Unit {
  size_t length = 0;      // bytes of this character, or of the broken piece (at least 1)
  bool valid = false;
  bool incomplete = false;  // invalid only because the text ends inside it
};

/// Looks at the first character of `text` (not empty). Follows RFC 3629: no overlong forms, no
/// surrogates, nothing above U+10FFFF. A broken piece is the longest run that could have begun a
/// character (Unicode 15, section 3.9, "maximal subpart").
Utf8Unit firstUtf8Unit(std::string_view text);

/// Length of the longest prefix of `text` that is valid UTF-8.
size_t validUtf8Prefix(std::string_view text);
inline bool isValidUtf8(std::string_view text) { return validUtf8Prefix(text) == text.size(); }

/// `text` with each broken piece replaced by U+FFFD.
std::string replaceInvalidUtf8(std::string_view text);

/// A name from a file, made fit for a message: valid UTF-8, no control characters, cut at 80 bytes.
std::string printable(std::string_view text);

}  // namespace hearth
