// hearth-cli bench: how fast a model reads and writes here, next to what the machine can do.
#include <algorithm>
#include <chrono>
#include <memory>

#include "app/cli/command.h"
#include "app/cli/model_access.h"
#include "inference/sampler.h"
#include "kernels/bench/probes.h"

namespace hearth::cli {

namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

struct Repeat {
  double prompt_tokens_per_s = 0;
  double generated_tokens_per_s = 0;
};

/// What a step touches, from the model's tensors alone.
struct Work {
  double weight_bytes_per_token = 0;  // read for a generated token
  double macs_per_prompt_token = 0;   // multiply-accumulates in the layers' matrices
};

Work workOf(const ModelFile& file) {
  Work work;
  for (const auto& [name, tensor] : file.tensors) {
    const bool is_layer = name.starts_with("blk.");
    // A tied embedding table is read in full for the logits; one that only embeds is not.
    const bool is_output =
        file.config.tied_embeddings ? name == "token_embd.weight" : name == "output.weight";
    if (is_layer || is_output || name == "output_norm.weight") {
      work.weight_bytes_per_token += static_cast<double>(tensor.bytes());
    }
    if (is_layer && tensor.rows > 1) {
      work.macs_per_prompt_token +=
          static_cast<double>(tensor.rows) * static_cast<double>(tensor.cols);
    }
  }
  return work;
}

bool isMostlyQuantised(const ModelFile& file) {
  uint64_t quantised = 0;
  for (const auto& [name, tensor] : file.tensors) {
    if (isQuantised(tensor.dtype)) quantised += tensor.bytes();
  }
  return quantised * 2 > file.tensor_bytes;
}

/// What the machine can do at best, and the arithmetic that the model's matrices use.
struct Limits {
  double bandwidth_gb_s = 0;
  double peak_gops = 0;
  const char* arithmetic = "float32";
};

Result<Limits> limitsOf(const ModelFile& file, const CommonOptions& common) {
  Limits limits;
  PeakKind kind = PeakKind::float32;
  if (!common.exact && isMostlyQuantised(file)) {
    kind = PeakKind::int8;
    limits.arithmetic = "int8";
  }
  const auto bandwidth = memoryBandwidthGBs(common.threads);
  if (!bandwidth) return passOn(bandwidth);
  const auto peak = peakGops(isaOf(common), kind, common.threads);
  if (!peak) return passOn(peak);
  limits.bandwidth_gb_s = *bandwidth;
  limits.peak_gops = *peak;
  return limits;
}

class BenchCommand final : public Command {
 public:
  void addOptions(CLI::App& app) override;
  Outcome<Exit> run(const CommonOptions& common, Surroundings surroundings) override;

 private:
  Result<Repeat> measure(LanguageModel& model, const std::atomic<bool>& cancel) const;
  std::vector<int32_t> prompt(int32_t n_vocab) const;
  Outcome<void> report(const std::vector<Repeat>& repeats, const LanguageModel& model,
                       const Limits& limits, const std::string& device, Console& console) const;

  std::string model_;
  int32_t prompt_tokens_ = 512;
  int32_t generate_tokens_ = 64;
  int32_t n_ctx_ = 0;
  int32_t repeats_ = 5;
  std::string spec_ = "auto";
};

void BenchCommand::addOptions(CLI::App& app) {
  addModelOption(app, model_);
  app.add_option("--prompt-tokens", prompt_tokens_, "Tokens to read (default: 512)")
      ->check(CLI::Range(1, 1 << 20))
      ->type_name("N");
  app.add_option("--generate-tokens", generate_tokens_, "Tokens to write (default: 64)")
      ->check(CLI::Range(1, 1 << 20))
      ->type_name("N");
  app.add_option("--context", n_ctx_, "Context length (default: what the two need)")
      ->check(CLI::Range(1, 1 << 21))
      ->type_name("N");
  app.add_option("--repeat", repeats_, "Measurements, of which the median counts (default: 5)")
      ->check(CLI::Range(1, 1000))
      ->type_name("N");
  app.add_option("--spec", spec_, "Drafting: off, or auto, which is off in this version")
      ->type_name("KIND");
}

/// Ids without a pattern, the same in every run.
std::vector<int32_t> BenchCommand::prompt(int32_t n_vocab) const {
  std::vector<int32_t> ids(static_cast<size_t>(prompt_tokens_));
  for (size_t i = 0; i < ids.size(); ++i) {
    ids[i] = static_cast<int32_t>(uniformDraw(1, i) * n_vocab);
  }
  return ids;
}

Result<Repeat> BenchCommand::measure(LanguageModel& model, const std::atomic<bool>& cancel) const {
  auto sequence = model.newSequence();
  if (!sequence) return passOn(sequence);
  std::vector<int32_t> history = prompt(model.config().n_vocab);
  std::vector<float> logits(static_cast<size_t>(model.config().n_vocab));
  Sampler sampler({.temperature = 0});
  Repeat repeat;
  auto begin = Clock::now();
  if (auto run = model.forward(**sequence, history, logits, &cancel); !run) return passOn(run);
  repeat.prompt_tokens_per_s = prompt_tokens_ / secondsSince(begin);
  begin = Clock::now();
  for (int32_t i = 0; i < generate_tokens_; ++i) {
    const int32_t token = sampler.sample(logits, history, history.size());
    history.push_back(token);
    if (auto run = model.forward(**sequence, std::span(&token, 1), logits, &cancel); !run) {
      return passOn(run);
    }
  }
  repeat.generated_tokens_per_s = generate_tokens_ / secondsSince(begin);
  return repeat;
}

Outcome<void> BenchCommand::report(const std::vector<Repeat>& repeats, const LanguageModel& model,
                                   const Limits& limits, const std::string& device,
                                   Console& console) const {
  std::vector<double> reading, writing;
  Json each = Json::array();
  for (const Repeat& repeat : repeats) {
    reading.push_back(repeat.prompt_tokens_per_s);
    writing.push_back(repeat.generated_tokens_per_s);
    each.push_back({{"prompt_tokens_per_s", repeat.prompt_tokens_per_s},
                    {"generated_tokens_per_s", repeat.generated_tokens_per_s}});
  }
  const double read_per_s = median(reading);
  const double written_per_s = median(writing);
  const Work work = workOf(model.file());
  // Token i of the answer reads the rows of the prompt and of i tokens before it, and its own.
  const double mean_rows = prompt_tokens_ + (generate_tokens_ + 1) / 2.0;
  const double bytes =
      work.weight_bytes_per_token + mean_rows * static_cast<double>(model.sequenceBytesPerToken());
  const double bandwidth_fraction = bytes * written_per_s / (limits.bandwidth_gb_s * 1e9);
  const double matmul_fraction =
      2 * work.macs_per_prompt_token * read_per_s / (limits.peak_gops * 1e9);
  if (console.json()) {
    return console.writeJson({{"prompt_tokens_per_s", read_per_s},
                              {"generated_tokens_per_s", written_per_s},
                              {"bytes_per_token", bytes},
                              {"memory_bandwidth_gb_s", limits.bandwidth_gb_s},
                              {"bandwidth_fraction", bandwidth_fraction},
                              {"matmul_peak_gops", limits.peak_gops},
                              {"matmul_fraction", matmul_fraction},
                              {"repeats", each},
                              {"prompt_tokens", prompt_tokens_},
                              {"generate_tokens", generate_tokens_},
                              {"arithmetic", limits.arithmetic},
                              {"drafter", "none"},
                              {"device", device},
                              {"model", displayName(model.file())}});
  }
  return console.write(fmt::format(
      "reading   {:10.1f} tokens/s  {:5.1f} % of {:.0f} Gop/s ({})\n"
      "writing   {:10.1f} tokens/s  {:5.1f} % of {:.1f} GB/s ({:.2f} MB a token)\n"
      "medians of {} on {}\n",
      read_per_s, 100 * matmul_fraction, limits.peak_gops, limits.arithmetic, written_per_s,
      100 * bandwidth_fraction, limits.bandwidth_gb_s, bytes / 1e6, repeats.size(), device));
}

Outcome<Exit> BenchCommand::run(const CommonOptions& common, Surroundings surroundings) {
  if (spec_ != "off" && spec_ != "auto") {
    return stop(Exit::usage, "--spec {}: drafting is not in this version; off and auto are", spec_);
  }
  const int32_t needed = prompt_tokens_ + generate_tokens_;
  if (n_ctx_ > 0 && n_ctx_ < needed) {
    return stop(Exit::usage, "{} tokens do not fit in --context {}", needed, n_ctx_);
  }
  const auto file = openModel(model_);
  if (!file) return passOn(file);
  // Longer than the model was trained for is as fast: only the words would be wrong.
  const auto loaded = loadModel(*file, common, modelOptions(common, n_ctx_ > 0 ? n_ctx_ : needed));
  if (!loaded) return passOn(loaded);
  const DeviceInfo device = loaded->device->info();
  if (device.kind != DeviceKind::cpu) {
    return stop(Exit::failed, "bench measures the CPU in this version: add --device cpu");
  }
  const Interrupts::Guard guard(surroundings.interrupts, {});
  const auto limits = limitsOf(**file, common);
  if (!limits) return workFailure(limits.error());
  std::vector<Repeat> repeats;
  for (int32_t i = -1; i < repeats_; ++i) {
    const auto repeat = measure(*loaded->model, surroundings.interrupts.flag());
    if (!repeat) return workFailure(repeat.error());
    if (i >= 0) repeats.push_back(*repeat);  // the first one reads the file and records the plans
    surroundings.console.progress("measuring", i + 1, repeats_);
  }
  const auto told = report(repeats, *loaded->model, *limits, device.name, surroundings.console);
  if (!told) return passOn(told);
  return Exit::done;
}

}  // namespace

std::unique_ptr<Command> makeBenchCommand() { return std::make_unique<BenchCommand>(); }

}  // namespace hearth::cli
