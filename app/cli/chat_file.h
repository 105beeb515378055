// A conversation in a file, as the ids that a model reads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "app/cli/failure.h"
#include "models/model_file.h"
#include "models/tokenizer/tokenizer.h"

namespace hearth::cli {

/// Reads `[{"role": "system" | "user" | "assistant", "content": TEXT}, …]`, which ends with a
/// user's message, and builds the prompt that the window would. `n_ctx` 0: the model's own. Codes:
/// Exit::bad_input (names the message), Exit::failed (longer than the context).
Outcome<std::vector<int32_t>> chatIds(const std::string& path, const ModelFile& file,
                                      const Result<std::unique_ptr<Tokenizer>>& tokenizer,
                                      int32_t n_ctx, int32_t max_tokens);

}  // namespace hearth::cli
