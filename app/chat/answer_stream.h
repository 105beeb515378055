// The text of one answer while its tokens come in: decoded, held back where a character or a stop
// string may still be open, ended at a stop string.
#pragma once

#include <string>
#include <vector>

#include "inference/session.h"
#include "models/tokenizer/stream_decoder.h"

namespace hearth {

/// Give it to a GenerationRequest as stop rule and read it in the listener: the engine calls both
/// on its worker thread, the rule first. The tokenizer must outlive it.
class AnswerStream final : public StopRule {
 public:
  AnswerStream(const Tokenizer& tokenizer, std::vector<std::string> stop_strings,
               bool continues_text);

  bool stopsAt(int32_t token) override;

  /// Text that became certain since the last call. After Finished: call with `final` for the rest.
  std::string takeText(bool final = false);

 private:
  StreamDecoder decoder_;
  std::string ready_;
};

}  // namespace hearth
