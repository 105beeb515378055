#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "inference/language_model.h"
#include "tests/gpu/checks.h"
#include "tests/support/npy.h"

namespace hearth::gpu {
namespace {

namespace fs = std::filesystem;

constexpr double kTolerance = 1e-3;  // in logits whose standard deviation is 2 to 7

struct Fixture {
  const char* file;    // in data/models
  const char* golden;  // in data/golden
  double max_mean_kl;  // of fast mode, in nat: 8-bit and wider weights 1e-3, 4-bit 5e-3
};

constexpr Fixture kFixtures[] = {
    {"stories260K-f32.gguf", "stories260K-f32", 1e-3},
    {"stories260K-f16.gguf", "stories260K-f16", 1e-3},
    {"stories260K-bf16.gguf", "stories260K-bf16", 1e-3},
    {"stories260K-ff192-q8_0.gguf", "stories260K-ff192-q8_0", 1e-3},
    {"stories260K-ff192-q4_0.gguf", "stories260K-ff192-q4_0", 5e-3},
    {"stories260K-hf-bf16-sharded", "stories260K-hf-bf16-sharded", 1e-3},
    {"llama-untied-f32.gguf", "llama-untied-f32", 1e-3},
    {"llama3-rope-tiny-f32.gguf", "llama3-rope-tiny-f32", 1e-3},
    {"llama-rope-linear-tiny-f32.gguf", "llama-rope-linear-tiny-f32", 1e-3},
};

struct Prompt {
  std::vector<int32_t> ids, greedy_ids;
  std::vector<double> top2_gap;  // of each greedy step
};

struct Golden {
  std::vector<Prompt> prompts;
  test::NpyArray last;  // [prompts, n_vocab], float64 decoder's
};

Result<Golden> readGolden(const fs::path& data, const std::string& name) {
  const fs::path base = data / "golden" / name;
  std::ifstream stream(base.string() + ".json");
  const auto json = nlohmann::json::parse(stream, nullptr, false);
  if (!json.is_object()) return fail(ErrorCode::not_found, "{}.json cannot be read", base.string());
  Golden golden;
  for (const auto& prompt : json["prompts"]) {
    golden.prompts.push_back({prompt["ids"].get<std::vector<int32_t>>(), {}, {}});
    if (!prompt.contains("greedy_ids")) continue;
    golden.prompts.back().greedy_ids = prompt["greedy_ids"].get<std::vector<int32_t>>();
    golden.prompts.back().top2_gap = prompt["greedy_top2_gap"].get<std::vector<double>>();
  }
  const auto last = test::readNpy(base.string() + ".ref64.last.npy");
  if (!last) return fail(ErrorCode::not_found, "{}.ref64.last.npy cannot be read", base.string());
  golden.last = *last;
  return golden;
}

/// Logits of every position of `ids` on a new sequence, in pieces of `chunk` tokens.
Result<std::vector<float>> allLogits(LanguageModel& model, std::span<const int32_t> ids,
                                     size_t chunk) {
  auto state = model.newSequence();
  if (!state) return passOn(state);
  const auto n_vocab = static_cast<size_t>(model.config().n_vocab);
  std::vector<float> logits(ids.size() * n_vocab);
  for (size_t at = 0; at < ids.size(); at += chunk) {
    const size_t n = std::min(chunk, ids.size() - at);
    Status s = model.forward(**state, ids.subspan(at, n),
                             std::span(logits).subspan(at * n_vocab, n * n_vocab));
    if (!s) return passOn(s);
  }
  return logits;
}

/// One fixture on the device, in both precisions.
class ModelCheck {
 public:
  ModelCheck(Device& device, const Fixture& fixture, const Options& options, Report& report)
      : device_(device), fixture_(fixture), options_(options), report_(report) {}

  void run() {
    if (Status s = open(); !s) return note("opens", false, "", s.error().message);
    lastLogitsMatch();
    greedyIdsMatch();
    chunkingChangesNoBit();
    fastModeStaysClose(Dtype::f16);
    if (exact_->config().head_dim % 32 == 0) fastModeStaysClose(Dtype::q8_0);
  }

 private:
  void note(const std::string& claim, bool passed, std::string measured, std::string message = "") {
    report_.add({"models", fmt::format("{} {}", fixture_.golden, claim), passed, std::move(measured),
                 std::move(message)});
  }

  Status open() {
    auto golden = readGolden(options_.data, fixture_.golden);
    if (!golden) return passOn(golden);
    golden_ = *std::move(golden);
    auto file = openModelFile(options_.data / "models" / fixture_.file);
    if (!file) return passOn(file);
    file_ = std::make_shared<const ModelFile>(*std::move(file));
    auto exact = LanguageModel::load(device_, file_, {Precision::exact, Dtype::f32, 0});
    if (!exact) return passOn(exact);
    exact_ = *std::move(exact);
    return {};
  }

  void lastLogitsMatch() {
    double worst = 0;
    std::vector<float> logits(static_cast<size_t>(exact_->config().n_vocab));
    for (size_t p = 0; p < golden_.prompts.size(); ++p) {
      auto state = exact_->newSequence();
      Status s = state ? exact_->forward(**state, golden_.prompts[p].ids, logits)
                       : Status(passOn(state));
      if (!s) return note("last logits", false, "", s.error().message);
      const auto expected = golden_.last.row(static_cast<int64_t>(p));
      for (size_t i = 0; i < logits.size(); ++i) {
        const double difference = std::fabs(double{logits[i]} - double{expected[i]});
        worst = std::max(worst, std::isnan(difference) ? HUGE_VAL : difference);
      }
    }
    note("last logits", worst <= kTolerance, fmt::format("worst difference {:.2e}", worst));
  }

  /// Equal ids up to the first step where winner and runner-up are closer than the tolerance.
  void greedyIdsMatch() {
    size_t n_compared = 0;
    std::vector<float> logits(static_cast<size_t>(exact_->config().n_vocab));
    for (const Prompt& prompt : golden_.prompts) {
      auto state = exact_->newSequence();
      if (!state) return note("greedy ids", false, "", state.error().message);
      std::vector<int32_t> next = prompt.ids;
      const size_t steps =
          std::min(prompt.greedy_ids.size(), static_cast<size_t>(options_.greedy_steps));
      for (size_t i = 0; i < steps && prompt.top2_gap[i] > kTolerance; ++i) {
        if (Status s = exact_->forward(**state, next, logits); !s) {
          return note("greedy ids", false, "", s.error().message);
        }
        const auto best = static_cast<int32_t>(std::ranges::max_element(logits) - logits.begin());
        if (best != prompt.greedy_ids[i]) {
          return note("greedy ids", false, fmt::format("{} equal", n_compared),
                      fmt::format("step {}: {} instead of {}", i, best, prompt.greedy_ids[i]));
        }
        next = {best};
        ++n_compared;
      }
    }
    if (n_compared > 0) note("greedy ids", true, fmt::format("{} equal", n_compared));
  }

  /// The longest prompt at once, again, one by one, and in sevens: the same bits.
  void chunkingChangesNoBit() {
    const auto longest = std::ranges::max_element(
        golden_.prompts, {}, [](const Prompt& prompt) { return prompt.ids.size(); });
    const auto whole = allLogits(*exact_, longest->ids, longest->ids.size());
    if (!whole) return note("chunking", false, "", whole.error().message);
    for (const size_t chunk : {longest->ids.size(), size_t{1}, size_t{7}}) {
      const auto again = allLogits(*exact_, longest->ids, chunk);
      if (!again) return note("chunking", false, "", again.error().message);
      if (std::memcmp(again->data(), whole->data(), whole->size() * sizeof(float)) != 0) {
        return note("chunking", false, "", fmt::format("chunks of {} give other bits", chunk));
      }
    }
    note("chunking", true, fmt::format("{} positions, same bits", longest->ids.size()));
  }

  /// Mean KL divergence of fast from exact over every prompt and its golden answer.
  void fastModeStaysClose(Dtype kv_type) {
    const std::string claim = fmt::format("fast, {} KV", dtypeName(kv_type));
    auto fast = LanguageModel::load(device_, file_, {Precision::fast, kv_type, 0});
    if (!fast) return note(claim, false, "", fast.error().message);
    double sum = 0;
    size_t n = 0;
    const auto n_vocab = static_cast<size_t>(exact_->config().n_vocab);
    for (const Prompt& prompt : golden_.prompts) {
      std::vector<int32_t> ids = prompt.ids;
      const size_t steps =
          std::min(prompt.greedy_ids.size(), static_cast<size_t>(options_.greedy_steps));
      ids.insert(ids.end(), prompt.greedy_ids.begin(),
                 prompt.greedy_ids.begin() + static_cast<long>(steps));
      const auto expected = allLogits(*exact_, ids, ids.size());
      const auto got = allLogits(**fast, ids, ids.size());
      if (!expected || !got) return note(claim, false, "", (expected ? got : expected).error().message);
      for (size_t i = 0; i < ids.size(); ++i, ++n) {
        sum += divergence(std::span(*expected).subspan(i * n_vocab, n_vocab),
                          std::span(*got).subspan(i * n_vocab, n_vocab));
      }
    }
    const double mean = sum / static_cast<double>(n);
    note(claim, mean <= fixture_.max_mean_kl, fmt::format("mean KL {:.2e} nat, {} positions", mean, n));
  }

  static double logSumExp(std::span<const float> x) {
    const double top = *std::ranges::max_element(x);
    double sum = 0;
    for (const float v : x) sum += std::exp(v - top);
    return top + std::log(sum);
  }

  /// Σ p log(p / q), in nat.
  static double divergence(std::span<const float> p, std::span<const float> q) {
    const double p_norm = logSumExp(p), q_norm = logSumExp(q);
    double sum = 0;
    for (size_t i = 0; i < p.size(); ++i) {
      const double log_p = p[i] - p_norm;
      sum += std::exp(log_p) * (log_p - (q[i] - q_norm));
    }
    return sum;
  }

  Device& device_;
  const Fixture& fixture_;
  const Options& options_;
  Report& report_;
  Golden golden_;
  std::shared_ptr<const ModelFile> file_;
  std::unique_ptr<LanguageModel> exact_;
};

}  // namespace

void checkModels(Device& device, const Options& options, Report& report) {
  for (const Fixture& fixture : kFixtures) {
    if (!options.only_model.empty() && options.only_model != fixture.golden) continue;
    ModelCheck(device, fixture, options, report).run();
  }
}

}  // namespace hearth::gpu
