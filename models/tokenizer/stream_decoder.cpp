#include "models/tokenizer/stream_decoder.h"

#include <algorithm>

#include "models/utf8.h"

namespace hearth {

namespace {

/// Bytes at the end of `text` that are an unfinished UTF-8 character.
size_t unfinishedTail(std::string_view text) {
  for (size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const std::string_view tail = text.substr(text.size() - back);
    const Utf8Unit unit = firstUtf8Unit(tail);
    if (unit.incomplete && unit.length == back) return back;
  }
  return 0;
}

/// Length of the longest end of `text` with which `stop` could begin.
size_t openingOf(std::string_view stop, std::string_view text) {
  for (size_t n = std::min(stop.size() - 1, text.size()); n > 0; --n) {
    if (text.ends_with(stop.substr(0, n))) return n;
  }
  return 0;
}

}  // namespace

StreamDecoder::StreamDecoder(const Tokenizer& tokenizer, std::vector<std::string> stop_strings,
                             bool continues_text)
    : tokenizer_(tokenizer),
      stop_strings_(std::move(stop_strings)),
      drop_space_(!continues_text && tokenizer.addsSpacePrefix()) {
  std::erase_if(stop_strings_, [](const std::string& stop) { return stop.empty(); });
}

std::string StreamDecoder::push(int32_t token) {
  if (stopped_) return {};
  std::string piece = tokenizer_.piece(token);
  if (drop_space_ && !piece.empty()) {
    drop_space_ = false;
    if (piece[0] == ' ') piece.erase(0, 1);
  }
  held_ += piece;
  return release(false);
}

std::string StreamDecoder::finish() { return stopped_ ? std::string() : release(true); }

std::string StreamDecoder::release(bool final) {
  size_t stop_at = std::string::npos;
  for (const std::string& stop : stop_strings_) stop_at = std::min(stop_at, held_.find(stop));
  size_t certain = held_.size();
  if (stop_at != std::string::npos) {
    stopped_ = true;
    certain = stop_at;
  } else if (!final) {
    size_t uncertain = unfinishedTail(held_);
    for (const std::string& stop : stop_strings_) uncertain = std::max(uncertain, openingOf(stop, held_));
    certain -= uncertain;
    // What may be a stop string can begin inside a character: never cut one in two.
    certain -= unfinishedTail(std::string_view(held_).substr(0, certain));
  }
  std::string text = replaceInvalidUtf8(std::string_view(held_).substr(0, certain));
  held_.erase(0, stopped_ ? held_.size() : certain);
  return text;
}

}  // namespace hearth
