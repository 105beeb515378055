// hearth-cli models inspect: a look at a model file, runnable or not.
#include <memory>

#include "app/cli/command.h"
#include "app/cli/model_access.h"
#include "app/cli/model_facts.h"

namespace hearth::cli {

namespace {

std::string humanBytes(uint64_t bytes) {
  if (bytes < 10'000) return fmt::format("{} bytes", bytes);
  const double value = static_cast<double>(bytes);
  if (bytes < 10'000'000) return fmt::format("{:.1f} kB", value / 1e3);
  if (bytes < 10'000'000'000) return fmt::format("{:.1f} MB", value / 1e6);
  return fmt::format("{:.2f} GB", value / 1e9);
}

std::string humanCount(uint64_t count) {
  const double value = static_cast<double>(count);
  if (count >= 1'000'000'000) return fmt::format("{:.2f} billion", value / 1e9);
  if (count >= 1'000'000) return fmt::format("{:.1f} million", value / 1e6);
  return fmt::format("{}", count);
}

class InspectCommand final : public Command {
 public:
  void addOptions(CLI::App& app) override {
    auto* group = app.add_option_group("Model");
    group->add_option("file,--model,-m", model_, "GGUF file or Hugging Face folder")
        ->required()
        ->type_name("MODEL");
    app.add_option("--context", n_ctx_, "Count the memory of this context (default: the model's)")
        ->check(CLI::Range(1, 1 << 24))
        ->type_name("N");
  }

  Outcome<Exit> run(const CommonOptions& common, Surroundings surroundings) override {
    const auto path = resolveModel(model_);
    if (!path) return passOn(path);
    const auto facts = readModelFacts(*path);
    if (!facts) return passOn(facts);
    const Memory memory = memoryOf(*facts, common);
    const auto told = surroundings.console.json()
                          ? surroundings.console.writeJson(asJson(*facts, memory))
                          : surroundings.console.write(asText(*facts, memory));
    if (!told) return passOn(told);
    return Exit::done;
  }

 private:
  struct Memory {
    int32_t context_tokens = 0;
    std::string kv_type;
    uint64_t weights_bytes = 0, context_bytes = 0;
    uint64_t total() const { return weights_bytes + context_bytes; }
  };

  Memory memoryOf(const ModelFacts& facts, const CommonOptions& common) const;
  Json asJson(const ModelFacts& facts, const Memory& memory) const;
  std::string asText(const ModelFacts& facts, const Memory& memory) const;

  std::string model_;
  int32_t n_ctx_ = 0;
};

InspectCommand::Memory InspectCommand::memoryOf(const ModelFacts& facts,
                                                const CommonOptions& common) const {
  const Dtype kv_type = modelOptions(common, 0).kv_type;
  Memory memory;
  memory.context_tokens = n_ctx_ > 0 ? n_ctx_ : defaultContext(facts.config);
  memory.kv_type = dtypeName(kv_type);
  memory.weights_bytes = facts.tensorBytes();
  const DtypeTraits traits = traitsOf(kv_type);
  memory.context_bytes = static_cast<uint64_t>(memory.context_tokens) *
                         facts.kvBytesPerToken(traits.block_bytes) /
                         static_cast<uint64_t>(traits.block_length);
  return memory;
}

Json InspectCommand::asJson(const ModelFacts& facts, const Memory& memory) const {
  const ModelConfig& c = facts.config;
  Json types = Json::object();
  for (const auto& [name, type] : facts.types) {
    types[name] = {
        {"tensors", type.tensors}, {"parameters", type.parameters}, {"bytes", type.bytes}};
  }
  return {{"path", model_},
          {"name", c.name},
          {"format", facts.format},
          {"architecture", c.architecture},
          {"shape",
           {{"n_vocab", c.n_vocab},
            {"context_length", c.n_ctx_train},
            {"dim", c.dim},
            {"n_layers", c.n_layers},
            {"n_heads", c.n_heads},
            {"n_kv_heads", c.n_kv_heads},
            {"head_dim", c.head_dim},
            {"ffn_dim", c.ffn_dim}}},
          {"parameters", facts.parameters()},
          {"types", types},
          {"file_bytes", facts.file_bytes},
          {"memory",
           {{"weights_bytes", memory.weights_bytes},
            {"context_tokens", memory.context_tokens},
            {"kv_type", memory.kv_type},
            {"context_bytes", memory.context_bytes},
            {"total_bytes", memory.total()}}},
          {"tokenizer", facts.tokenizer},
          {"supported", facts.why_not.empty()},
          {"why_not", facts.why_not}};
}

std::string InspectCommand::asText(const ModelFacts& facts, const Memory& memory) const {
  const ModelConfig& c = facts.config;
  std::string text = fmt::format("{} ({})\n", c.name.empty() ? model_ : c.name, facts.format);
  text +=
      fmt::format("  architecture   {}\n", c.architecture.empty() ? "not told" : c.architecture);
  text += fmt::format(
      "  shape          {} layers, width {}, {} heads ({} for keys and values) of {}, "
      "feed-forward {}\n",
      c.n_layers, c.dim, c.n_heads, c.n_kv_heads, c.head_dim, c.ffn_dim);
  text += fmt::format("  vocabulary     {} tokens; tokenizer: {}\n", c.n_vocab, facts.tokenizer);
  text += fmt::format("  context        {} tokens\n", c.n_ctx_train);
  text += fmt::format("  parameters     {}\n", humanCount(facts.parameters()));
  for (const auto& [name, type] : facts.types) {
    text += fmt::format("  {:<14} {} tensors, {}\n", name, type.tensors, humanBytes(type.bytes));
  }
  text += fmt::format("  on disk        {}\n", humanBytes(facts.file_bytes));
  text += fmt::format("  memory needed  {}: weights {}, {} tokens of context as {} {}\n",
                      humanBytes(memory.total()), humanBytes(memory.weights_bytes),
                      memory.context_tokens, memory.kv_type, humanBytes(memory.context_bytes));
  text += facts.why_not.empty() ? "  usable         yes\n"
                                : fmt::format("  usable         no: {}\n", facts.why_not);
  return text;
}

}  // namespace

std::unique_ptr<Command> makeInspectCommand() { return std::make_unique<InspectCommand>(); }

}  // namespace hearth::cli
