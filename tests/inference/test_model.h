// Fixture models on the CPU device, and comparisons that say what differs most.
#pragma once

#include <QByteArray>
#include <QtTest>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "inference/language_model.h"

namespace hearth::test {

/// tests/data first, then the larger fixtures; empty when neither has it.
inline std::filesystem::path findModel(const std::string& name) {
  for (const char* root : {HEARTH_TEST_DATA, HEARTH_FIXTURES}) {
    const auto path = std::filesystem::path(root) / "models" / name;
    if (std::filesystem::exists(path)) return path;
  }
  return {};
}

inline std::string readText(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

inline std::shared_ptr<const ModelFile> openFixture(const std::string& name) {
  Result<ModelFile> file = openModelFile(findModel(name));
  if (!file) qFatal("%s: %s", name.c_str(), file.error().message.c_str());
  return std::make_shared<const ModelFile>(std::move(*file));
}

inline std::unique_ptr<Device> cpuDevice(CpuOptions options = {}) {
  auto device = openCpuDevice(options);
  if (!device) qFatal("%s", device.error().message.c_str());
  return std::move(*device);
}

constexpr LanguageModelOptions kExact{.precision = Precision::exact, .kv_type = Dtype::f32};

/// A device and a model on it. A fixture that does not load ends the test program with the reason.
struct TestModel {
  std::unique_ptr<Device> device;
  std::unique_ptr<LanguageModel> model;

  explicit TestModel(const std::string& name, LanguageModelOptions options = kExact,
                     CpuOptions cpu = {})
      : device(cpuDevice(cpu)) {
    auto loaded = LanguageModel::load(*device, openFixture(name), options);
    if (!loaded) qFatal("%s: %s", name.c_str(), loaded.error().message.c_str());
    model = std::move(*loaded);
  }

  size_t nVocab() const { return static_cast<size_t>(model->config().n_vocab); }

  std::unique_ptr<SequenceState> newSequence() {
    auto state = model->newSequence();
    if (!state) qFatal("%s", state.error().message.c_str());
    return std::move(*state);
  }

  /// Logits of the last token of `ids`, run after what `state` holds. [n_vocab]
  std::vector<float> last(SequenceState& state, std::span<const int32_t> ids) {
    return run(state, ids, nVocab());
  }
  /// Logits of every token of `ids`, run after what `state` holds. [ids.size(), n_vocab]
  std::vector<float> all(SequenceState& state, std::span<const int32_t> ids) {
    return run(state, ids, ids.size() * nVocab());
  }

 private:
  std::vector<float> run(SequenceState& state, std::span<const int32_t> ids, size_t n_logits) {
    std::vector<float> logits(n_logits, std::nanf(""));
    const Status ran = model->forward(state, ids, logits);
    if (!ran) qFatal("%s", ran.error().message.c_str());
    return logits;
  }
};

inline int32_t argmax(std::span<const float> logits) {
  return static_cast<int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

/// Empty when all elements are within `tolerance`; else the worst one and how many there are.
inline QByteArray difference(std::span<const float> actual, std::span<const float> expected,
                             double tolerance) {
  if (actual.size() != expected.size()) {
    return QByteArray::fromStdString(
        fmt::format("{} values where {} were expected", actual.size(), expected.size()));
  }
  size_t worst = 0, count = 0;
  double worst_distance = -1;
  for (size_t i = 0; i < actual.size(); ++i) {
    const double distance = std::abs(double{actual[i]} - double{expected[i]});
    if (distance <= tolerance) continue;
    ++count;
    if (distance > worst_distance || std::isnan(distance)) {
      worst = i;
      worst_distance = std::isnan(distance) ? std::numeric_limits<double>::infinity() : distance;
    }
  }
  if (count == 0) return {};
  return QByteArray::fromStdString(
      fmt::format("{} of {} differ by more than {}; worst at {}: {} instead of {}", count,
                  actual.size(), tolerance, worst, actual[worst], expected[worst]));
}

/// Empty when every bit is the same, the sign of a zero and the payload of a NaN too; else the first
/// element that is not and how many there are.
inline QByteArray bitDifference(std::span<const float> actual, std::span<const float> expected) {
  if (actual.size() != expected.size()) return difference(actual, expected, 0);
  size_t first = actual.size(), count = 0;
  for (size_t i = 0; i < actual.size(); ++i) {
    if (std::memcmp(&actual[i], &expected[i], sizeof(float)) == 0) continue;
    if (count++ == 0) first = i;
  }
  if (count == 0) return {};
  return QByteArray::fromStdString(fmt::format("{} of {} differ in their bits; first at {}: {:a} instead of {:a}",
                                               count, actual.size(), first, actual[first], expected[first]));
}

/// Log-probabilities of one row of logits, in float64.
inline std::vector<double> logSoftmax(std::span<const float> logits) {
  const double top = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - top);
  std::vector<double> out;
  for (const float logit : logits) out.push_back(logit - top - std::log(sum));
  return out;
}

}  // namespace hearth::test
