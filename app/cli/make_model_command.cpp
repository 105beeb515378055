// hearth-cli make-model: a file of any shape with random weights, to measure with.
#include <memory>

#include "app/cli/command.h"
#include "models/gguf/random_model.h"

namespace hearth::cli {

namespace {

class MakeModelCommand final : public Command {
 public:
  void addOptions(CLI::App& app) override {
    app.add_option("--shape", shape_,
                   "tinyllama-1.1b, llama-8b, or dim=N,layers=N,heads=N,ffn=N and if wanted "
                   "kv_heads, head_dim, vocab, ctx, theta, tied")
        ->required()
        ->type_name("SHAPE");
    app.add_option("--type", type_, "F32, F16, BF16, Q8_0 or Q4_0 (default: F16)")
        ->type_name("TYPE");
    app.add_option("--out,-o", out_, "The file to write")->required()->type_name("FILE");
    app.add_option("--seed", seed_, "The same seed gives the same bytes (default: 0)")
        ->type_name("S");
    medusa_flag_ = app.add_option("--medusa", heads_, "Not in this version")->group("");
    mtp_flag_ = app.add_option("--mtp", heads_, "Not in this version")->group("");
  }

  Outcome<Exit> run(const CommonOptions&, Surroundings surroundings) override {
    if (medusa_flag_->count() + mtp_flag_->count() > 0) {
      return stop(Exit::usage, "--medusa and --mtp are not in this version");
    }
    const auto config = parseModelShape(shape_);
    if (!config) return stop(Exit::usage, "--{}", config.error().message);
    const auto type = parseWeightType(type_);
    if (!type) return stop(Exit::usage, "--{}", type.error().message);
    RandomModelOptions options;
    options.weight_type = *type;
    options.seed = seed_;
    Console& console = surroundings.console;
    uint64_t written_bytes = 0;
    options.progress = [&](uint64_t done, uint64_t total) {
      written_bytes = done;
      console.progress("writing, MB", static_cast<int64_t>(done / 1'000'000),
                       static_cast<int64_t>(total / 1'000'000));
      return !surroundings.interrupts.flag().load();
    };
    const Interrupts::Guard guard(surroundings.interrupts, {});
    const Status written = writeRandomModel(*config, options, out_);
    if (!written && written.error().code == ErrorCode::invalid_argument) {
      return stop(Exit::usage, "{}", written.error().message);
    }
    if (!written) return workFailure(written.error());
    if (!console.json()) {
      console.note(fmt::format("{}: {:.1f} MB", out_, static_cast<double>(written_bytes) / 1e6));
      return Exit::done;
    }
    const auto told = console.writeJson(
        {{"path", out_}, {"bytes", written_bytes}, {"type", dtypeName(*type)}, {"seed", seed_}});
    if (!told) return passOn(told);
    return Exit::done;
  }

 private:
  std::string shape_, out_, heads_;
  std::string type_ = "F16";
  uint64_t seed_ = 0;
  CLI::Option* medusa_flag_ = nullptr;
  CLI::Option* mtp_flag_ = nullptr;
};

}  // namespace

std::unique_ptr<Command> makeMakeModelCommand() { return std::make_unique<MakeModelCommand>(); }

}  // namespace hearth::cli
