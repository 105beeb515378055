// A conversation in a file, as the ids that a model reads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "app/chat/prompt_builder.h"
#include "app/cli/console.h"
#include "app/cli/failure.h"
#include "models/model_file.h"
#include "models/tokenizer/tokenizer.h"

namespace hearth::cli {

/// Reads `[{"role", "content", …}, …]` and writes it as the model's chat template says. For a model
/// without one, which is noted: `[{"role": "system" | "user" | "assistant", "content": TEXT}, …]`
/// that ends with a user's message, as plain text, which the window builds too; the oldest messages
/// that do not fit into the context are left out, which is noted. `n_ctx` 0: the model's own. Codes:
/// Exit::bad_input (names the message), Exit::failed (longer than the context, or what the template
/// says against the conversation).
Outcome<Prompt> chatPrompt(const std::string& path, const ModelFile& file,
                           const Result<std::unique_ptr<Tokenizer>>& tokenizer, int32_t n_ctx,
                           int32_t max_tokens, Console& console);

}  // namespace hearth::cli
