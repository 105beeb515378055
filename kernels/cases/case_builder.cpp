#include "kernels/cases/case_builder.h"

#include <cmath>
#include <cstring>
#include <utility>

#include "kernels/base/quantise.h"

namespace hearth {
namespace {

constexpr int32_t kSpareRows = 3;
constexpr std::byte kPoison{0xFF};  // a NaN in every type, and in every block's scale

std::vector<std::byte> randomRows(CaseRandom& random, Dtype dtype, int64_t rows, int64_t cols,
                                  float amplitude) {
  const size_t row_bytes = rowBytes(dtype, cols);
  std::vector<std::byte> bytes(static_cast<size_t>(rows) * row_bytes);
  std::vector<float> values(static_cast<size_t>(cols));
  for (int64_t r = 0; r < rows; ++r) {
    for (float& v : values) v = amplitude * random.normal();
    quantiseRow(dtype, values.data(), cols, bytes.data() + static_cast<size_t>(r) * row_bytes);
  }
  return bytes;
}

}  // namespace

CaseRandom::CaseRandom(std::string_view seed_text) : state_(0xCBF29CE484222325u) {
  for (const char c : seed_text) state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
}

uint64_t CaseRandom::bits() {
  uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

float CaseRandom::uniform() { return static_cast<float>(bits() >> 40) * 0x1p-23f - 1.0f; }

float CaseRandom::normal() {
  // The sum of twelve uniform numbers on a unit interval has variance 1.
  float sum = 0;
  for (int i = 0; i < 12; ++i) sum += 0.5f * uniform();
  return sum;
}

int32_t CaseRandom::below(int32_t limit) {
  return static_cast<int32_t>(bits() % static_cast<uint64_t>(limit));
}

CaseBuilder::CaseBuilder(std::string_view name, const CaseShape& shape)
    : random_(name),
      shape_(shape),
      recorder_(shape.precision, shape.n_tokens + kSpareRows, shape.n_outputs + kSpareRows) {
  built_.first_row = shape.first_row;
  for (int32_t t = 0; t < shape.n_tokens; ++t) {
    built_.token_ids.push_back(0);
    built_.positions.push_back(shape.first_row + t);
  }
  for (int32_t j = 0; j < shape.n_outputs; ++j) {
    built_.out_rows.push_back(random_.below(shape.n_tokens));
  }
}

Constant CaseBuilder::constant(Dtype dtype, int32_t rows, int32_t cols, float amplitude) {
  auto tensor = std::make_unique<CaseTensor>();
  *tensor = {dtype, rows, cols, randomRows(random_, dtype, rows, cols, amplitude)};
  const Constant constant{tensor->bytes.data(), dtype, rows, cols};
  built_.constants.push_back(std::move(tensor));
  return constant;
}

Constant CaseBuilder::frequencies(int32_t count, double theta) {
  Constant constant = this->constant(Dtype::f64, 1, count);
  std::vector<double> values;
  for (int32_t i = 0; i < count; ++i) values.push_back(std::pow(theta, -double(i) / count));
  std::memcpy(built_.constants.back()->bytes.data(), values.data(), values.size() * sizeof(double));
  return constant;
}

Value CaseBuilder::input(Extent extent, Dtype dtype, int32_t cols, float amplitude) {
  const Value value = recorder_.workspace(extent, dtype, cols);
  const int32_t rows = extent == Extent::tokens ? shape_.n_tokens : shape_.n_outputs;
  built_.inputs.push_back({value, randomRows(random_, dtype, rows, cols, amplitude)});
  return value;
}

void CaseBuilder::makeTies() {
  auto& bytes = built_.inputs.back().bytes;
  for (size_t i = 0; i < bytes.size() / sizeof(float); ++i) {
    const float value = i % 32 == 0 ? 127.0f : 0.5f * static_cast<float>(random_.below(507) - 253);
    std::memcpy(bytes.data() + i * sizeof value, &value, sizeof value);
  }
}

Value CaseBuilder::output(Extent extent, Dtype dtype, int32_t cols) {
  const Value value = recorder_.workspace(extent, dtype, cols);
  built_.outputs.push_back(value);
  return value;
}

KvLayer CaseBuilder::kv(Dtype dtype, int32_t n_kv_heads, int32_t head_dim, int32_t n_valid_tokens) {
  const int32_t valid_rows = shape_.first_row + n_valid_tokens;
  const int32_t capacity = shape_.first_row + shape_.n_tokens + kSpareRows;
  built_.kv = {nullptr, dtype, 2, n_kv_heads, head_dim, capacity};  // two layers, the second is used
  const size_t row_bytes = rowBytes(dtype, head_dim);
  for (int32_t slab = 0; slab < 2 * 2 * n_kv_heads; ++slab) {
    const auto rows = randomRows(random_, dtype, valid_rows, head_dim, 1.0f);
    built_.kv_bytes.insert(built_.kv_bytes.end(), rows.begin(), rows.end());
    built_.kv_bytes.resize(built_.kv_bytes.size() +
                               static_cast<size_t>(capacity - valid_rows) * row_bytes,
                           kPoison);
  }
  return {1, n_kv_heads, head_dim};
}

BuiltCase CaseBuilder::finish(Op op) {
  recorder_.add(std::move(op));
  built_.plan = recorder_.finish({});
  return std::move(built_);
}

}  // namespace hearth
