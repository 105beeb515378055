#include "app/chat/answer_stream.h"

#include <utility>

namespace hearth {

AnswerStream::AnswerStream(const Tokenizer& tokenizer, std::vector<std::string> stop_strings,
                           bool continues_text)
    : decoder_(tokenizer, std::move(stop_strings), continues_text) {}

bool AnswerStream::stopsAt(int32_t token) {
  ready_ += decoder_.push(token);
  return decoder_.stopped();
}

std::string AnswerStream::takeText(bool final) {
  if (final && !decoder_.stopped()) ready_ += decoder_.finish();
  return std::exchange(ready_, {});
}

}  // namespace hearth
