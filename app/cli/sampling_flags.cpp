#include "app/cli/sampling_flags.h"

#include <random>

namespace hearth::cli {

namespace {

constexpr float kLargest = 1e6f;

std::string withDefault(const char* text, float value) {
  return fmt::format("{} (default: {:g})", text, value);
}

}  // namespace

void addSamplingFlags(CLI::App& app, SamplingFlags& flags) {
  const std::string group = "How tokens are chosen";
  SamplingOptions& options = flags.options;
  app.add_option("--temperature", options.temperature,
                 withDefault("0: always the likeliest; higher: more varied", options.temperature))
      ->check(CLI::Range(0.0f, 100.0f))
      ->type_name("T")
      ->group(group);
  app.add_option("--top-k", options.top_k,
                 withDefault("Only the K likeliest; 0: off", static_cast<float>(options.top_k)))
      ->check(CLI::NonNegativeNumber)
      ->type_name("K")
      ->group(group);
  app.add_option("--top-p", options.top_p,
                 withDefault("Only the likeliest that make up this share; 1: off", options.top_p))
      ->check(CLI::Range(0.0f, 1.0f))
      ->type_name("P")
      ->group(group);
  app.add_option("--min-p", options.min_p,
                 withDefault("Only those at least this likely next to the likeliest; 0: off",
                             options.min_p))
      ->check(CLI::Range(0.0f, 1.0f))
      ->type_name("P")
      ->group(group);
  app.add_option("--repeat-penalty", options.repetition_penalty,
                 withDefault("Above 1: recent tokens become less likely; 1: off",
                             options.repetition_penalty))
      ->check(CLI::Range(1e-3f, kLargest))
      ->type_name("R")
      ->group(group);
  app.add_option(
         "--presence-penalty", options.presence_penalty,
         withDefault("Taken once from the logit of each recent token", options.presence_penalty))
      ->check(CLI::Range(-kLargest, kLargest))
      ->type_name("X")
      ->group(group);
  app.add_option(
         "--frequency-penalty", options.frequency_penalty,
         withDefault("Taken for each time a token was used recently", options.frequency_penalty))
      ->check(CLI::Range(-kLargest, kLargest))
      ->type_name("X")
      ->group(group);
  flags.seed_flag =
      app.add_option("--seed", options.seed, "The same seed gives the same text (default: random)")
          ->type_name("S")
          ->group(group);
}

SamplingOptions resolveSampling(const SamplingFlags& flags) {
  SamplingOptions options = flags.options;
  if (!seedWasGiven(flags)) {
    std::random_device source;
    options.seed = (static_cast<uint64_t>(source()) << 32) | source();
  }
  return options;
}

bool seedWasGiven(const SamplingFlags& flags) { return flags.seed_flag->count() > 0; }

}  // namespace hearth::cli
