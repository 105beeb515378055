#include "kernels/base/quantise.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>

#include "kernels/base/blocks.h"
#include "kernels/base/check.h"
#include "kernels/base/half.h"

namespace hearth {
namespace {

constexpr uint16_t kF16Nan = 0x7E00;

// Largest |x| of a block, or NaN when any number is infinite or NaN. Bit patterns of magnitudes
// order like the magnitudes, with NaN on top.
float largestMagnitude(const float* x) {
  uint32_t top = 0;
  for (int i = 0; i < kBlockLength; ++i) {
    top = std::max(top, std::bit_cast<uint32_t>(x[i]) & 0x7FFFFFFFu);
  }
  return top >= 0x7F800000u ? std::numeric_limits<float>::quiet_NaN() : std::bit_cast<float>(top);
}

// 1 / d overflows for subnormal d, and the product may then be infinite or NaN.
int toInt8(float rounded) {
  return std::isnan(rounded) ? 0 : static_cast<int>(std::clamp(rounded, -127.0f, 127.0f));
}

BlockQ8_0 quantiseQ8_0(const float* x) {
  BlockQ8_0 block{};
  const float top = largestMagnitude(x);
  const float d = top / 127.0f;
  block.scale = std::isnan(d) ? kF16Nan : f32ToF16(d);
  if (!(d > 0)) return block;
  const float inverse = 1.0f / d;
  for (int i = 0; i < kBlockLength; ++i) {
    block.q[i] = static_cast<int8_t>(toInt8(std::round(x[i] * inverse)));
  }
  return block;
}

BlockQ4_0 quantiseQ4_0(const float* x) {
  BlockQ4_0 block{};
  std::memset(block.q, 0x88, sizeof block.q);
  if (std::isnan(largestMagnitude(x))) {
    block.scale = kF16Nan;
    return block;
  }
  float extreme = 0;
  for (int i = 0; i < kBlockLength; ++i) {
    if (std::fabs(extreme) < std::fabs(x[i])) extreme = x[i];
  }
  const float d = extreme / -8.0f;
  block.scale = f32ToF16(d);
  if (d == 0) return block;
  const float inverse = 1.0f / d;
  const auto nibble = [&](float value) {
    const float shifted = value * inverse + 8.5f;
    return std::isnan(shifted) ? 8 : static_cast<int>(std::clamp(shifted, 0.0f, 15.0f));
  };
  for (int i = 0; i < 16; ++i) {
    block.q[i] = static_cast<uint8_t>(nibble(x[i]) | (nibble(x[i + 16]) << 4));
  }
  return block;
}

BlockA8 quantiseA8(const float* x) {
  BlockA8 block{};
  const float d = largestMagnitude(x) / 127.0f;
  block.scale = d < 0x1p-126f ? 0.0f : d;
  if (!(block.scale > 0)) return block;
  const float inverse = 1.0f / d;
  for (int i = 0; i < kBlockLength; ++i) {
    block.q[i] = static_cast<int8_t>(toInt8(std::nearbyint(x[i] * inverse)));
    block.sum += block.q[i];
  }
  return block;
}

template <class Block, class Encode>
void encodeBlocks(const float* values, int64_t cols, void* row, Encode encode) {
  auto* bytes = static_cast<std::byte*>(row);
  for (int64_t i = 0; i < cols; i += kBlockLength, bytes += sizeof(Block)) {
    const Block block = encode(values + i);
    std::memcpy(bytes, &block, sizeof block);
  }
}

template <class Stored, class Encode>
void encodePlain(const float* values, int64_t cols, void* row, Encode encode) {
  auto* bytes = static_cast<std::byte*>(row);
  for (int64_t i = 0; i < cols; ++i, bytes += sizeof(Stored)) {
    const Stored stored = encode(values[i]);
    std::memcpy(bytes, &stored, sizeof stored);
  }
}

template <class Stored>
Stored loadFrom(const std::byte* bytes) {
  Stored stored;
  std::memcpy(&stored, bytes, sizeof stored);
  return stored;
}

template <class Block, class Decode>
void decodeBlocks(const void* row, int64_t cols, Decode decode) {
  const auto* bytes = static_cast<const std::byte*>(row);
  for (int64_t i = 0; i < cols; i += kBlockLength, bytes += sizeof(Block)) {
    decode(i, loadFrom<Block>(bytes));
  }
}

template <class Stored, class Number, class Decode>
void decodePlain(const void* row, int64_t cols, Number* values, Decode decode) {
  const auto* bytes = static_cast<const std::byte*>(row);
  for (int64_t i = 0; i < cols; ++i, bytes += sizeof(Stored)) {
    values[i] = static_cast<Number>(decode(loadFrom<Stored>(bytes)));
  }
}

template <class Number>
void decodeRow(Dtype dtype, const void* row, int64_t cols, Number* out) {
  switch (dtype) {
    case Dtype::f64: return decodePlain<double>(row, cols, out, [](double x) { return x; });
    case Dtype::f32: return decodePlain<float>(row, cols, out, [](float x) { return x; });
    case Dtype::f16: return decodePlain<uint16_t>(row, cols, out, f16ToF32);
    case Dtype::bf16: return decodePlain<uint16_t>(row, cols, out, bf16ToF32);
    case Dtype::i32: break;
    case Dtype::q8_0:
      return decodeBlocks<BlockQ8_0>(row, cols, [out](int64_t at, const BlockQ8_0& b) {
        const Number d = f16ToF32(b.scale);
        for (int i = 0; i < kBlockLength; ++i) out[at + i] = d * static_cast<Number>(b.q[i]);
      });
    case Dtype::q4_0:
      return decodeBlocks<BlockQ4_0>(row, cols, [out](int64_t at, const BlockQ4_0& b) {
        const Number d = f16ToF32(b.scale);
        for (int i = 0; i < 16; ++i) {
          out[at + i] = d * static_cast<Number>((b.q[i] & 15) - 8);
          out[at + i + 16] = d * static_cast<Number>((b.q[i] >> 4) - 8);
        }
      });
    case Dtype::a8:
      return decodeBlocks<BlockA8>(row, cols, [out](int64_t at, const BlockA8& b) {
        for (int i = 0; i < kBlockLength; ++i) {
          out[at + i] = static_cast<Number>(b.scale) * static_cast<Number>(b.q[i]);
        }
      });
  }
  failCheck("a type that holds numbers", __FILE__, __LINE__);
}

}  // namespace

void quantiseRow(Dtype dtype, const float* values, int64_t cols, void* row) {
  CHECK(cols >= 0 && cols % traitsOf(dtype).block_length == 0);
  switch (dtype) {
    case Dtype::f64: return encodePlain<double>(values, cols, row, [](float x) { return x; });
    case Dtype::f32: return encodePlain<float>(values, cols, row, [](float x) { return x; });
    case Dtype::f16: return encodePlain<uint16_t>(values, cols, row, f32ToF16);
    case Dtype::bf16: return encodePlain<uint16_t>(values, cols, row, f32ToBf16);
    case Dtype::i32: break;
    case Dtype::q8_0: return encodeBlocks<BlockQ8_0>(values, cols, row, quantiseQ8_0);
    case Dtype::q4_0: return encodeBlocks<BlockQ4_0>(values, cols, row, quantiseQ4_0);
    case Dtype::a8: return encodeBlocks<BlockA8>(values, cols, row, quantiseA8);
  }
  failCheck("a type that holds numbers", __FILE__, __LINE__);
}

void dequantiseRow(Dtype dtype, const void* row, int64_t cols, float* values) {
  CHECK(cols >= 0 && cols % traitsOf(dtype).block_length == 0);
  decodeRow(dtype, row, cols, values);
}

void dequantiseRow(Dtype dtype, const void* row, int64_t cols, double* values) {
  CHECK(cols >= 0 && cols % traitsOf(dtype).block_length == 0);
  decodeRow(dtype, row, cols, values);
}

}  // namespace hearth
