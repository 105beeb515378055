// A model's own way of writing a conversation as text: the Jinja template that comes with it, with
// the results that Python's jinja2 3.1 gives under Hugging Face's settings (ImmutableSandbox,
// trim_blocks, lstrip_blocks, break and continue, `generation` blocks, its own `tojson`,
// raise_exception, strftime_now).
//
// A template is a stranger's program: limits end it, nothing it does reaches outside.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "kernels/base/error.h"

namespace hearth {

struct ChatTemplateLimits {
  size_t max_source_bytes = 1u << 20;
  int max_depth = 500;                       // of nested syntax, and of nested evaluation
  uint64_t max_steps = 20'000'000;           // nodes evaluated, elements visited, 64 bytes copied
  size_t max_memory_bytes = 256u << 20;      // of values that are alive at once
  size_t max_output_bytes = 64u << 20;
};

/// What a template is given. JSON as text, because the order of keys matters to `tojson`.
struct ChatTemplateInputs {
  std::string messages = "[]";  // JSON array of {"role", "content", …}
  std::string tools{};          // JSON array of tool definitions; empty: `tools` is undefined
  std::string documents{};      // JSON array; empty: undefined
  std::string extra_context{};  // JSON object of further variables, which win; empty: none
  bool add_generation_prompt = true;
  std::string special_tokens{};            // JSON object, as ChatTemplateSource has it; empty: none
  std::optional<std::string> bos_token{};  // these two win; nullopt: undefined
  std::optional<std::string> eos_token{};
  std::optional<std::tm> now{};  // what strftime_now tells; nullopt: the local time
};

/// A parsed template. Thread rule: immutable, any thread may render.
class ChatTemplate {
 public:
  /// Codes: bad_file (the line and what is wrong there), unsupported (a tag that needs other
  /// template files), out_of_memory.
  static Result<ChatTemplate> parse(std::string_view source, const ChatTemplateLimits& limits = {});

  /// Codes: invalid_argument (inputs that are no JSON; what the template raised, with its line),
  /// bad_file (a limit was reached), unsupported, out_of_memory.
  Result<std::string> render(const ChatTemplateInputs& inputs) const;

  const std::string& source() const;

 private:
  struct Program;
  explicit ChatTemplate(std::shared_ptr<const Program> program) : program_(std::move(program)) {}
  std::shared_ptr<const Program> program_;
};

}  // namespace hearth
