// Flags that say how tokens are chosen; the same for generate and chat.
#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>

#include "app/cli/failure.h"
#include "inference/sampler.h"

namespace hearth::cli {

struct SamplingFlags {
  SamplingOptions options;
  CLI::Option* seed_flag = nullptr;
};

/// The help names the values that `flags.options` has now as defaults.
void addSamplingFlags(CLI::App& app, SamplingFlags& flags);

/// The options, with a seed of its own for this run when none was given.
SamplingOptions resolveSampling(const SamplingFlags& flags);
bool seedWasGiven(const SamplingFlags& flags);

}  // namespace hearth::cli
