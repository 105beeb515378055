// Text to ids through the sentencepiece library. Not for other rooms: see tokenizer.h.
#pragma once

#include <memory>

#include "models/tokenizer/sentencepiece_model.h"
#include "models/tokenizer/tokenizer.h"

namespace hearth {

/// Codes: bad_file (the library refuses the vocabulary). `path` is for messages.
Result<std::unique_ptr<Tokenizer>> makeSentencePieceTokenizer(SentencePieceVocabulary vocabulary,
                                                              const std::string& path);

}  // namespace hearth
