// Any bytes as a chat template: no crash, no hang, no leak; what comes out is UTF-8.
#include <string_view>

#include "models/chat_template/chat_template.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hearth;
  const ChatTemplateLimits limits{.max_steps = 200'000, .max_memory_bytes = 16u << 20,
                                  .max_output_bytes = 1u << 20};
  const auto parsed =
      ChatTemplate::parse({reinterpret_cast<const char*>(data), size}, limits);
  if (!parsed) return 0;
  (void)parsed->render({.messages = R"([{"role": "system", "content": "é"},
                                        {"role": "user", "content": "a\nb", "n": [1, 2.5, null]}])",
                        .tools = R"([{"type": "function", "function": {"name": "f"}}])",
                        .bos_token = "<s>",
                        .eos_token = "</s>"});
  return 0;
}
