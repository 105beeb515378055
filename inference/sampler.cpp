#include "inference/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/base/check.h"

namespace hearth {
namespace {

constexpr float kBanned = -std::numeric_limits<float>::infinity();

uint64_t splitMix64(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

/// More likely first, then lower id: an order that no two candidates share.
constexpr auto kMoreLikely = [](const auto& a, const auto& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
};

}  // namespace

double uniformDraw(uint64_t seed, uint64_t position) {
  constexpr uint64_t kGoldenGamma = 0x9E3779B97F4A7C15ull;
  const uint64_t stream = splitMix64(seed + kGoldenGamma);
  const uint64_t bits = splitMix64(stream + kGoldenGamma * (position + 1));
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

Sampler::Sampler(SamplingOptions options) : options_(std::move(options)) {
  if (!(options_.repetition_penalty > 0)) options_.repetition_penalty = 1;
  if (!std::isfinite(options_.presence_penalty)) options_.presence_penalty = 0;
  if (!std::isfinite(options_.frequency_penalty)) options_.frequency_penalty = 0;
  std::erase_if(options_.logit_bias, [](const auto& bias) { return std::isnan(bias.second); });
}

int32_t Sampler::sample(std::span<const float> logits, std::span<const int32_t> history,
                        uint64_t position) {
  CHECK(!logits.empty());
  adjust(logits, history);
  if (!(options_.temperature > 0)) return greedy();
  collectCandidates();
  if (candidates_.empty()) return 0;
  keepTopK();
  keepTopP();
  keepMinP();
  return draw(uniformDraw(options_.seed, position));
}

void Sampler::adjust(std::span<const float> logits, std::span<const int32_t> history) {
  adjusted_.assign(logits.begin(), logits.end());
  for (const auto& [id, bias] : options_.logit_bias) {
    if (id >= 0 && static_cast<size_t>(id) < adjusted_.size())
      adjusted_[static_cast<size_t>(id)] += bias;
  }
  applyPenalties(history);
  for (float& logit : adjusted_) {
    if (std::isnan(logit)) logit = kBanned;
  }
}

void Sampler::applyPenalties(std::span<const int32_t> history) {
  const bool repetition = options_.repetition_penalty != 1;
  if (!repetition && options_.presence_penalty == 0 && options_.frequency_penalty == 0) return;
  if (options_.penalty_window >= 0) {
    history = history.last(std::min(history.size(), static_cast<size_t>(options_.penalty_window)));
  }
  counts_.resize(adjusted_.size());
  const auto known = [&](int32_t id) {
    return id >= 0 && static_cast<size_t>(id) < counts_.size();
  };
  for (const int32_t id : history) {
    if (known(id)) ++counts_[static_cast<size_t>(id)];
  }
  for (const int32_t id : history) {
    if (!known(id)) continue;
    int32_t& count = counts_[static_cast<size_t>(id)];
    if (count == 0) continue;  // a repetition, already applied
    float& logit = adjusted_[static_cast<size_t>(id)];
    if (repetition) {
      logit = logit > 0 ? logit / options_.repetition_penalty : logit * options_.repetition_penalty;
    }
    logit -= options_.presence_penalty + options_.frequency_penalty * static_cast<float>(count);
    count = 0;
  }
}

int32_t Sampler::greedy() const {
  return static_cast<int32_t>(std::max_element(adjusted_.begin(), adjusted_.end()) -
                              adjusted_.begin());
}

/// Weights are exp((logit - max) / temperature): the largest is 1 whatever the temperature.
void Sampler::collectCandidates() {
  candidates_.clear();
  const float top = *std::max_element(adjusted_.begin(), adjusted_.end());
  if (top == kBanned) return;
  for (size_t id = 0; id < adjusted_.size(); ++id) {
    const float logit = adjusted_[id];
    const double weight =  // equality first: infinity minus infinity is not a number
        logit == top ? 1.0 : std::exp((double{logit} - double{top}) / double{options_.temperature});
    if (weight > 0) candidates_.push_back({static_cast<int32_t>(id), logit, weight});
  }
}

void Sampler::keepTopK() {
  if (options_.top_k <= 0 || static_cast<size_t>(options_.top_k) >= candidates_.size()) return;
  const auto cut = candidates_.begin() + options_.top_k;
  std::nth_element(candidates_.begin(), cut, candidates_.end(), kMoreLikely);
  candidates_.erase(cut, candidates_.end());
  std::sort(candidates_.begin(), candidates_.end(), kMoreLikely);  // the draw walks in this order
}

/// The fewest most likely tokens whose probabilities reach top_p; at least one (Holtzman et al.
/// 2020). Sorts only as far as it has to: a vocabulary is wide and the answer is usually near.
void Sampler::keepTopP() {
  if (!(options_.top_p < 1)) return;
  double total = 0;
  for (const Candidate& c : candidates_) total += c.weight;
  const double wanted = total * double{options_.top_p};
  double reached = 0;
  size_t sorted = 0;
  for (size_t kept = 1; kept <= candidates_.size(); ++kept) {
    if (kept > sorted) {
      const size_t target = std::min(candidates_.size(), std::max<size_t>(64, 4 * sorted));
      const auto from = candidates_.begin() + static_cast<ptrdiff_t>(sorted);
      std::partial_sort(from, candidates_.begin() + static_cast<ptrdiff_t>(target),
                        candidates_.end(), kMoreLikely);
      sorted = target;
    }
    reached += candidates_[kept - 1].weight;
    if (reached >= wanted) {
      candidates_.resize(kept);
      return;
    }
  }
}

/// Drops what is less likely than min_p times the most likely token, which itself always stays.
void Sampler::keepMinP() {
  if (!(options_.min_p > 0)) return;
  const double threshold = std::min(double{options_.min_p}, 1.0);
  std::erase_if(candidates_, [&](const Candidate& c) { return c.weight < threshold; });
}

int32_t Sampler::draw(double uniform) const {
  double total = 0;
  for (const Candidate& c : candidates_) total += c.weight;
  double rest = uniform * total;
  for (const Candidate& c : candidates_) {
    rest -= c.weight;
    if (rest < 0) return c.id;
  }
  return candidates_.back().id;  // rounding
}

}  // namespace hearth
