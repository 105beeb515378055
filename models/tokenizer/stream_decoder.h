// Tokens in, readable text out: holds back half a UTF-8 character and anything that may still turn
// out to be a stop string.
#pragma once

#include <string>
#include <vector>

#include "models/tokenizer/tokenizer.h"

namespace hearth {

/// One answer's text. Used from one thread. Bytes that can never become UTF-8 come out as U+FFFD.
class StreamDecoder {
 public:
  /// `continues_text`: false when the first token starts a text, so that its space prefix is dropped.
  StreamDecoder(const Tokenizer& tokenizer, std::vector<std::string> stop_strings,
                bool continues_text);

  /// Text that is now certain. After a stop string has been met: the text before it, then "".
  std::string push(int32_t token);

  /// The rest that was held back (when the answer ended without a stop string).
  std::string finish();

  bool stopped() const { return stopped_; }

 private:
  std::string release(bool final);

  const Tokenizer& tokenizer_;
  std::vector<std::string> stop_strings_;
  std::string held_;  // bytes not yet released
  bool drop_space_;
  bool stopped_ = false;
};

}  // namespace hearth
