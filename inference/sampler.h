// From logits to a token. A draw is keyed by (seed, position), never by how many draws were made, so
// that speculative and plain decoding can meet the same random numbers.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace hearth {

/// Order of application: logit bias, penalties, temperature (0: greedy, lowest id on ties), then
/// top-k, top-p, min-p on the tempered distribution. Neutral values switch a rule off, and so do
/// values that make no sense (NaN, a repetition penalty of 0).
struct SamplingOptions {
  float temperature = 0.8f;
  int32_t top_k = 40;              // 0: off
  float top_p = 0.95f;             // 1: off
  float min_p = 0.05f;             // 0: off
  float repetition_penalty = 1.0f; // 1: off; divides positive and multiplies negative logits (CTRL)
  float presence_penalty = 0.0f;   // subtracted once from each token seen
  float frequency_penalty = 0.0f;  // subtracted for each time a token was seen
  int32_t penalty_window = 64;     // last tokens looked at; -1: all
  uint64_t seed = 0;
  std::vector<std::pair<int32_t, float>> logit_bias{};  // added; -infinity bans
};

/// A uniform number in [0, 1) that depends on both arguments only (SplitMix64 finaliser, Steele et
/// al. 2014, applied to each in turn).
double uniformDraw(uint64_t seed, uint64_t position);

/// Reuses its scratch memory between calls; used from one thread.
class Sampler {
 public:
  explicit Sampler(SamplingOptions options);

  /// `logits` [n_vocab], n_vocab at least 1, untouched. `history`: prompt and answer so far, oldest
  /// first, for the penalties. `position`: index in the sequence of the token being chosen.
  /// A NaN logit counts as -infinity, a token at -infinity is never chosen, tokens at +infinity are
  /// chosen before all others; when every token is at -infinity the answer is token 0.
  int32_t sample(std::span<const float> logits, std::span<const int32_t> history, uint64_t position);

  const SamplingOptions& options() const { return options_; }

 private:
  struct Candidate { int32_t id; float logit; double weight; };  // weight: p / max p

  void adjust(std::span<const float> logits, std::span<const int32_t> history);
  void applyPenalties(std::span<const int32_t> history);
  int32_t greedy() const;
  void collectCandidates();
  void keepTopK();
  void keepTopP();
  void keepMinP();
  int32_t draw(double uniform) const;

  SamplingOptions options_;
  std::vector<float> adjusted_;        // [n_vocab], no NaN
  std::vector<Candidate> candidates_;  // what is left, each with a weight above 0
  std::vector<int32_t> counts_;        // [n_vocab], zero between calls
};

}  // namespace hearth
