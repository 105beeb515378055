// Kernels on single rows. Written against the functions of simd_*.h, compiled once for each of them.

namespace hearth::cpu {
namespace {

template <class T>
inline T smaller(T a, T b) { return a < b ? a : b; }

// --- storage types as sixteen floats at element i of a row ------------------------------------------

struct F32Row {
  static Vec at(const uint8_t* row, int64_t i) { return load(reinterpret_cast<const float*>(row) + i); }
  static Vec tail(const uint8_t* row, int64_t i, int n) {
    return loadFirst(reinterpret_cast<const float*>(row) + i, n);
  }
};
struct F16Row {
  static Vec at(const uint8_t* row, int64_t i) { return loadF16(row + 2 * i); }
  static Vec tail(const uint8_t* row, int64_t i, int n) { return loadF16First(row + 2 * i, n); }
};
struct Bf16Row {
  static Vec at(const uint8_t* row, int64_t i) { return loadBf16(row + 2 * i); }
  static Vec tail(const uint8_t* row, int64_t i, int n) { return loadBf16First(row + 2 * i, n); }
};
// Rows of blocks have no tail: their length is a multiple of 32.
struct Q8Row {
  static Vec at(const uint8_t* row, int64_t i) {
    const auto* block = reinterpret_cast<const BlockQ8_0*>(row) + i / kBlockLength;
    return mul(set1(scaleOf(block->scale)), loadInt8(block->q + i % kBlockLength));
  }
  static Vec tail(const uint8_t*, int64_t, int) { return zero(); }
};
struct Q4Row {
  static Vec at(const uint8_t* row, int64_t i) {
    const auto* block = reinterpret_cast<const BlockQ4_0*>(row) + i / kBlockLength;
    return mul(set1(scaleOf(block->scale)), loadNibbles(block->q, i % kBlockLength != 0));
  }
  static Vec tail(const uint8_t*, int64_t, int) { return zero(); }
};

template <class Row>
inline void loadRowAs(const uint8_t* row, int32_t cols, float* out) {
  int32_t i = 0;
  for (; i + 16 <= cols; i += 16) store(out + i, Row::at(row, i));
  if (i < cols) storeFirst(out + i, Row::tail(row, i, cols - i), cols - i);
}

void loadRow(Dtype type, const uint8_t* row, int32_t cols, float* out) {
  switch (type) {
    case Dtype::f32: return loadRowAs<F32Row>(row, cols, out);
    case Dtype::f16: return loadRowAs<F16Row>(row, cols, out);
    case Dtype::bf16: return loadRowAs<Bf16Row>(row, cols, out);
    case Dtype::q8_0: return loadRowAs<Q8Row>(row, cols, out);
    case Dtype::q4_0: return loadRowAs<Q4Row>(row, cols, out);
    default: __builtin_trap();  // PlanRecorder lets no other type through
  }
}

/// Codes of 32 numbers, round(x / d) with d = max|x| / 127, half to even; returns d. A block with an
/// infinity or NaN becomes d = NaN and codes 0, so that nothing undefined is ever converted.
inline float encodeBlock(const float* x, int8_t* q, int32_t* sum) {
  const Vec a = load(x), b = load(x + 16);
  const float top = reduceMax(max(absolute(a), absolute(b)));
  const float probe = reduceAdd(add(sub(a, a), sub(b, b)));  // 0, or NaN when not all are finite
  const float d = top / 127.0f + probe;
  // Below 2^-126 the inverse would overflow; such a block is zero for all purposes.
  const bool usable = d >= 0x1p-126f;
  const Vec inverse = set1(usable ? 1.0f / d : 0.0f);
  const Vec limit = set1(127.0f);
  const Vec codes_a = usable ? max(min(roundEven(mul(a, inverse)), limit), sub(zero(), limit)) : zero();
  const Vec codes_b = usable ? max(min(roundEven(mul(b, inverse)), limit), sub(zero(), limit)) : zero();
  *sum = storeInt8(q, codes_a) + storeInt8(q + 16, codes_b);
  return usable || d != d ? d : 0.0f;
}

void quantiseA8(const float* row, int32_t cols, BlockA8* out) {
  for (int32_t i = 0; i < cols; i += kBlockLength, ++out) {
    out->scale = encodeBlock(row + i, out->q, &out->sum);
  }
}

void storeRow(Dtype type, const float* row, int32_t cols, uint8_t* out) {
  if (type == Dtype::f32) {
    __builtin_memcpy(out, row, static_cast<size_t>(cols) * sizeof(float));
  } else if (type == Dtype::f16) {
    for (int32_t i = 0; i < cols; i += 16) {
      const int n = smaller(16, cols - i);
      storeF16First(out + 2 * i, loadFirst(row + i, n), n);
    }
  } else {
    auto* block = reinterpret_cast<BlockQ8_0*>(out);
    for (int32_t i = 0; i < cols; i += kBlockLength, ++block) {
      int32_t sum;
      alignas(64) float scale[16] = {encodeBlock(row + i, block->q, &sum)};
      storeF16First(reinterpret_cast<uint8_t*>(&block->scale), load(scale), 1);
    }
  }
}

// --- exp -------------------------------------------------------------------------------------------

/// e^x to about 2 ulp: x = n ln 2 + r with |r| ≤ ln 2 / 2, then the polynomial of Cephes' expf.
/// Overflows to infinity, underflows to 0, keeps NaN.
inline Vec expOf(Vec x) {
  x = min(set1(89.0f), max(set1(-104.0f), x));
  const Vec n = roundEven(mul(x, set1(1.44269504088896341f)));
  Vec r = fma(n, set1(-0.693359375f), x);       // ln 2, upper part: exact product
  r = fma(n, set1(2.12194440e-4f), r);          // ln 2, the rest
  Vec p = fma(set1(1.9875691500e-4f), r, set1(1.3981999507e-3f));
  p = fma(p, r, set1(8.3334519073e-3f));
  p = fma(p, r, set1(4.1665795894e-2f));
  p = fma(p, r, set1(1.6666665459e-1f));
  p = fma(p, r, set1(5.0000001201e-1f));
  p = add(fma(p, mul(r, r), r), set1(1.0f));
  // n reaches from -150 to 128: two factors stay inside the range of exponents.
  const Vec half = roundEven(mul(n, set1(0.5f)));
  return mul(mul(p, powerOfTwo(half)), powerOfTwo(sub(n, half)));
}

inline float expOf(float x) {
  alignas(64) float lanes[16];
  store(lanes, expOf(set1(x)));
  return lanes[0];
}

// --- norm, activation ------------------------------------------------------------------------------

void rmsNorm(const float* x, const float* gain, int32_t cols, float eps, float* out) {
  Vec sum = zero();
  int32_t i = 0;
  for (; i + 16 <= cols; i += 16) {
    const Vec v = load(x + i);
    sum = fma(v, v, sum);
  }
  if (i < cols) {
    const Vec v = loadFirst(x + i, cols - i);
    sum = fma(v, v, sum);
  }
  const float mean = reduceAdd(sum) / static_cast<float>(cols);
  const Vec scale = set1(1.0f / __builtin_sqrtf(mean + eps));
  for (i = 0; i < cols; i += 16) {
    const int n = smaller(16, cols - i);
    Vec v = mul(loadFirst(x + i, n), scale);
    if (gain != nullptr) v = mul(v, loadFirst(gain + i, n));
    storeFirst(out + i, v, n);
  }
}

void scaleRow(float* row, int32_t cols, float factor) {
  for (int32_t i = 0; i < cols; i += 16) {
    const int n = smaller(16, cols - i);
    storeFirst(row + i, mul(loadFirst(row + i, n), set1(factor)), n);
  }
}

void gatedSilu(const float* gate, const float* up, int32_t cols, float* out) {
  for (int32_t i = 0; i < cols; i += 16) {
    const int n = smaller(16, cols - i);
    const Vec g = loadFirst(gate + i, n);
    const Vec silu = div(g, add(set1(1.0f), expOf(sub(zero(), g))));
    storeFirst(out + i, mul(silu, loadFirst(up + i, n)), n);
  }
}

}  // namespace
}  // namespace hearth::cpu
