// The table itself: which sizes and types each op is tried with, and why these.
#include <cmath>
#include <utility>

#include "kernels/cases/case_builder.h"

namespace hearth {
namespace {

constexpr Dtype kWeightTypes[] = {Dtype::f32, Dtype::f16, Dtype::bf16, Dtype::q8_0, Dtype::q4_0};
constexpr Dtype kKvTypes[] = {Dtype::f32, Dtype::f16, Dtype::q8_0};

const char* kvPrecisionName(Dtype kv) { return kv == Dtype::f32 ? "exact" : "fast"; }
Precision kvPrecision(Dtype kv) { return kv == Dtype::f32 ? Precision::exact : Precision::fast; }

template <class Build>
void add(std::vector<OpCase>& cases, std::string name, Build build) {
  // The name is also the seed: a case is the same whatever set it is in.
  cases.push_back({name, [name, build] { return build(name); }});
}

// --- embed -------------------------------------------------------------------------------------

void addEmbed(std::vector<OpCase>& cases, Dtype type, int32_t dim, int32_t n) {
  add(cases, fmt::format("embed/{}/n{}/{}", dtypeName(type), n, dim), [=](const std::string& name) {
    CaseBuilder b(name, {.n_tokens = n});
    EmbedOp op;
    op.token_ids = b.slot(StepSlot::token_ids);
    op.table = b.constant(type, 37, dim);
    op.scale = n == 1 ? 1.0f : std::sqrt(static_cast<float>(dim));
    op.out = b.output(Extent::tokens, Dtype::f32, dim);
    for (int32_t& id : b.built().token_ids) id = b.random().below(37);
    b.built().token_ids.back() = 36;
    return b.finish(op);
  });
}

// --- norm --------------------------------------------------------------------------------------

struct NormCase {
  int32_t dim, n;
  Dtype out = Dtype::f32;
  bool gain = true, normalise = true;
  float amplitude = 1.0f;
};

void addNorm(std::vector<OpCase>& cases, const NormCase& c) {
  const auto name = fmt::format("norm/{}/n{}/{}{}{}x{:g}", dtypeName(c.out), c.n, c.dim,
                                c.gain ? "+gain" : "", c.normalise ? "" : "-plain", c.amplitude);
  add(cases, name, [c](const std::string& seed) {
    const Extent extent = c.n % 2 == 0 ? Extent::outputs : Extent::tokens;
    CaseBuilder b(seed, {.n_tokens = c.n, .n_outputs = c.n});
    NormQuantiseOp op;
    op.x = b.input(extent, Dtype::f32, c.dim, c.amplitude);
    if (c.gain) op.gain = b.constant(Dtype::f32, 1, c.dim);
    op.normalise = c.normalise;
    op.out = b.output(extent, c.out, c.dim);
    return b.finish(op);
  });
}

// --- linear ------------------------------------------------------------------------------------

struct LinearCase {
  Dtype weight = Dtype::f32;
  Dtype x = Dtype::f32;
  int32_t n = 1, out = 1, in = 1;
  bool bias = false, residual = false;
  int32_t n_parts = 1;      // further parts have other types and heights
  bool outputs = false;     // rows are outputs, not tokens
  Dtype second = Dtype::f32;
};

BuiltCase buildLinear(const std::string& name, const LinearCase& c) {
  const Precision precision = c.x == Dtype::a8 ? Precision::fast : Precision::exact;
  CaseBuilder b(name, {.precision = precision, .n_tokens = c.n, .n_outputs = c.outputs ? c.n : 0});
  const Extent extent = c.outputs ? Extent::outputs : Extent::tokens;
  const float amplitude = 1.0f / std::sqrt(static_cast<float>(c.in));
  LinearOp op;
  op.x = b.input(extent, c.x, c.in);
  op.n_parts = c.n_parts;
  for (int32_t p = 0; p < c.n_parts; ++p) {
    LinearPart& part = op.parts[static_cast<size_t>(p)];
    const int32_t rows = c.out + 2 * p;
    part.weight = b.constant(p == 1 ? c.second : c.weight, rows, c.in, amplitude);
    if (c.bias && p != 1) part.bias = b.constant(Dtype::f32, 1, rows);
    if (p == 0 && c.residual) {
      // As the graph has it: the residual stream is read and written.
      part.out = op.residual = b.input(extent, Dtype::f32, rows);
      b.alsoOutput(part.out);
    } else {
      part.out = b.output(extent, Dtype::f32, rows);
    }
    b.built().flops += 2.0 * c.n * rows * c.in;
    b.built().bytes += static_cast<double>(rowBytes(part.weight.dtype, c.in)) * rows;
  }
  return b.finish(op);
}

void addLinear(std::vector<OpCase>& cases, const LinearCase& c) {
  const auto name = fmt::format("linear/{}/{}/n{}/{}x{}{}{}{}{}", dtypeName(c.weight),
                                dtypeName(c.x), c.n, c.out, c.in, c.bias ? "+bias" : "",
                                c.residual ? "+residual" : "",
                                c.n_parts > 1 ? fmt::format("*{}", c.n_parts) : "",
                                c.outputs ? "/outputs" : "");
  add(cases, name, [c](const std::string& seed) { return buildLinear(seed, c); });
}

// Every remainder of the usual tile sizes, in every direction.
void addLinears(std::vector<OpCase>& cases, Dtype weight, Dtype x) {
  const bool blocks = isQuantised(weight);
  const Dtype second = x == Dtype::a8 ? Dtype::q8_0 : Dtype::f16;
  const auto in = [&](int32_t plain, int32_t n_blocks) { return blocks ? 32 * n_blocks : plain; };
  addLinear(cases, {.weight = weight, .x = x, .n = 1, .out = 1, .in = in(7, 1)});
  addLinear(cases, {.weight = weight, .x = x, .n = 1, .out = 37, .in = in(172, 3), .bias = true});
  addLinear(cases, {.weight = weight, .x = x, .n = 2, .out = 5, .in = in(33, 2), .residual = true});
  addLinear(cases, {.weight = weight, .x = x, .n = 3, .out = 64, .in = in(64, 2), .outputs = true});
  addLinear(cases, {.weight = weight, .x = x, .n = 5, .out = 19, .in = in(161, 5), .bias = true,
                    .residual = true, .n_parts = 3, .second = second});
  addLinear(cases, {.weight = weight, .x = x, .n = 7, .out = 18, .in = in(95, 4), .residual = true});
  // Eight, four and one at a time, over a full panel of sixteen rows and a part of one.
  addLinear(cases, {.weight = weight, .x = x, .n = 13, .out = 21, .in = in(130, 4), .bias = true,
                    .residual = true});
  addLinear(cases, {.weight = weight, .x = x, .n = 33, .out = 50, .in = in(257, 9), .n_parts = 2,
                    .second = second});
  addLinear(cases, {.weight = weight, .x = x, .n = 17, .out = 33, .in = in(1025, 33)});
}

// --- rotary ------------------------------------------------------------------------------------

void addRopeTable(std::vector<OpCase>& cases, int32_t pairs, int32_t n, int32_t first, float magnitude) {
  const auto name = fmt::format("rope_table/n{}/{}@{}x{:g}", n, 2 * pairs, first, magnitude);
  add(cases, name, [=](const std::string& seed) {
    CaseBuilder b(seed, {.n_tokens = n});
    RopeTableOp op;
    op.positions = b.slot(StepSlot::positions);
    op.frequencies = b.frequencies(pairs, 10000.0);
    op.magnitude = magnitude;
    op.out = b.output(Extent::tokens, Dtype::f32, 2 * pairs);
    for (int32_t t = 0; t < n; ++t) b.built().positions[static_cast<size_t>(t)] = first + 3 * t;
    return b.finish(op);
  });
}

struct RopeCase {
  Dtype kv = Dtype::f32;
  RopeLayout layout = RopeLayout::interleaved;
  int32_t n = 1, n_heads = 1, n_kv_heads = 1, head_dim = 2, rotary_dim = 2, first_row = 0;
  bool ties = false;  // values halfway between two q8_0 codes
};

void addRope(std::vector<OpCase>& cases, const RopeCase& c) {
  const auto name = fmt::format("rope_store/{}/{}/n{}/{}:{}x{}r{}@{}", dtypeName(c.kv),
                                c.layout == RopeLayout::interleaved ? "interleaved" : "half", c.n,
                                c.n_heads, c.n_kv_heads, c.head_dim, c.rotary_dim, c.first_row) +
                    (c.ties ? "/ties" : "");
  add(cases, name, [c](const std::string& seed) {
    CaseBuilder b(seed, {.precision = kvPrecision(c.kv), .n_tokens = c.n, .first_row = c.first_row});
    RopeAndStoreOp op;
    op.n_heads = c.n_heads;
    op.rotary_dim = c.rotary_dim;
    op.layout = c.layout;
    op.q = b.input(Extent::tokens, Dtype::f32, c.n_heads * c.head_dim);
    b.alsoOutput(op.q);
    op.k = b.input(Extent::tokens, Dtype::f32, c.n_kv_heads * c.head_dim);
    op.v = b.input(Extent::tokens, Dtype::f32, c.n_kv_heads * c.head_dim);
    if (c.ties) b.makeTies();
    op.table = b.input(Extent::tokens, Dtype::f32, c.rotary_dim);  // any numbers rotate alike
    op.kv = b.kv(c.kv, c.n_kv_heads, c.head_dim, 0);
    return b.finish(op);
  });
}

// --- attention ---------------------------------------------------------------------------------

struct AttentionCase {
  Dtype kv = Dtype::f32;
  int32_t n = 1, n_heads = 1, n_kv_heads = 1, head_dim = 8, first_row = 0;
  float sharpness = 1.0f;  // larger: the softmax is close to picking one key
};

void addAttention(std::vector<OpCase>& cases, const AttentionCase& c) {
  const auto name =
      fmt::format("attention/{}/{}/n{}/{}:{}x{}@{}s{:g}", dtypeName(c.kv), kvPrecisionName(c.kv), c.n,
                  c.n_heads, c.n_kv_heads, c.head_dim, c.first_row, c.sharpness);
  add(cases, name, [c](const std::string& seed) {
    CaseBuilder b(seed, {.precision = kvPrecision(c.kv), .n_tokens = c.n, .first_row = c.first_row});
    AttentionOp op;
    op.n_heads = c.n_heads;
    op.scale = 1.0f / std::sqrt(static_cast<float>(c.head_dim));
    op.q = b.input(Extent::tokens, Dtype::f32, c.n_heads * c.head_dim, c.sharpness);
    op.out = b.output(Extent::tokens, Dtype::f32, c.n_heads * c.head_dim);
    op.kv = b.kv(c.kv, c.n_kv_heads, c.head_dim, c.n);
    const double keys = c.n * (c.first_row + (c.n + 1) / 2.0);
    b.built().flops = 4.0 * keys * c.n_heads * c.head_dim;
    b.built().bytes = 2.0 * (c.first_row + c.n) * c.n_kv_heads *
                      static_cast<double>(rowBytes(c.kv, c.head_dim));
    return b.finish(op);
  });
}

void addAttentions(std::vector<OpCase>& cases, Dtype kv) {
  const auto dim = [&](int32_t plain) { return kv == Dtype::q8_0 ? (plain + 31) / 32 * 32 : plain; };
  addAttention(cases, {.kv = kv, .head_dim = dim(2)});
  addAttention(cases, {.kv = kv, .n = 3, .n_heads = 8, .n_kv_heads = 4, .head_dim = dim(8)});
  addAttention(cases, {.kv = kv, .n_heads = 8, .n_kv_heads = 4, .head_dim = dim(8), .first_row = 31});
  addAttention(cases, {.kv = kv, .n_heads = 8, .n_kv_heads = 4, .head_dim = dim(10), .first_row = 700});
  addAttention(cases, {.kv = kv, .n = 33, .n_heads = 6, .n_kv_heads = 2, .head_dim = dim(24),
                       .first_row = 30, .sharpness = 4.0f});
  addAttention(cases, {.kv = kv, .n = 7, .n_heads = 3, .n_kv_heads = 1, .head_dim = dim(64),
                       .first_row = 251, .sharpness = 20.0f});
  addAttention(cases, {.kv = kv, .n = 2, .n_heads = 2, .n_kv_heads = 2, .head_dim = dim(80),
                       .first_row = 1029});
}

// --- gated activation, rows -----------------------------------------------------------------------

void addGated(std::vector<OpCase>& cases, Dtype out, int32_t ffn, int32_t n, float amplitude) {
  const auto name = fmt::format("gated/{}/n{}/{}x{:g}", dtypeName(out), n, ffn, amplitude);
  add(cases, name, [=](const std::string& seed) {
    CaseBuilder b(seed, {.n_tokens = n});
    GatedActivationOp op;
    op.gate = b.input(Extent::tokens, Dtype::f32, ffn, amplitude);
    op.up = b.input(Extent::tokens, Dtype::f32, ffn);
    const bool in_place = out == Dtype::f32 && n > 1;
    op.out = in_place ? op.gate : b.output(Extent::tokens, out, ffn);
    if (in_place) b.alsoOutput(op.out);
    return b.finish(op);
  });
}

void addSelect(std::vector<OpCase>& cases, int32_t dim, int32_t n, int32_t m) {
  add(cases, fmt::format("select/n{}/m{}/{}", n, m, dim), [=](const std::string& seed) {
    CaseBuilder b(seed, {.n_tokens = n, .n_outputs = m});
    SelectRowsOp op;
    op.x = b.input(Extent::tokens, Dtype::f32, dim);
    op.rows = b.slot(StepSlot::out_rows);
    op.out = b.output(Extent::outputs, Dtype::f32, dim);
    return b.finish(op);
  });
}

void addQuick(std::vector<OpCase>& cases) {
  for (const Dtype type : kWeightTypes) {
    addEmbed(cases, type, isQuantised(type) ? 32 : 7, 1);
    addEmbed(cases, type, isQuantised(type) ? 96 : 65, 5);
    addLinears(cases, type, Dtype::f32);
    if (isQuantised(type)) addLinears(cases, type, Dtype::a8);
  }
  for (const int32_t dim : {1, 3, 33, 64, 172, 1000}) addNorm(cases, {.dim = dim, .n = 1 + dim % 5});
  addNorm(cases, {.dim = 64, .n = 3, .gain = false});
  addNorm(cases, {.dim = 96, .n = 4, .gain = false, .normalise = false});
  addNorm(cases, {.dim = 64, .n = 2, .amplitude = 1e-4f});
  for (const int32_t dim : {32, 96, 2048}) addNorm(cases, {.dim = dim, .n = 3, .out = Dtype::a8});
  addNorm(cases, {.dim = 160, .n = 1, .out = Dtype::a8, .gain = false, .normalise = false});
  addRopeTable(cases, 1, 1, 0, 1.0f);
  addRopeTable(cases, 4, 7, 500, 1.0f);
  addRopeTable(cases, 64, 3, 100000, 1.25f);
  for (const Dtype kv : kKvTypes) {
    const int32_t d = kv == Dtype::q8_0 ? 32 : 8;
    addRope(cases, {.kv = kv, .n_heads = 8, .n_kv_heads = 4, .head_dim = d, .rotary_dim = d});
    addRope(cases, {.kv = kv, .layout = RopeLayout::rotate_half, .n = 5, .n_heads = 3,
                    .n_kv_heads = 1, .head_dim = 3 * d, .rotary_dim = 2 * d, .first_row = 11});
    addRope(cases, {.kv = kv, .n = 3, .n_heads = 2, .n_kv_heads = 2, .head_dim = 2 * d,
                    .rotary_dim = d / 2 + 2, .first_row = 2});
    addAttentions(cases, kv);
  }
  addRope(cases, {.kv = Dtype::q8_0, .n = 3, .n_heads = 2, .n_kv_heads = 2, .head_dim = 64,
                  .rotary_dim = 64, .first_row = 1, .ties = true});
  for (const int32_t ffn : {1, 31, 172}) addGated(cases, Dtype::f32, ffn, 1 + ffn % 3, 2.0f);
  addGated(cases, Dtype::f32, 50, 3, 60.0f);
  addGated(cases, Dtype::a8, 192, 3, 2.0f);
  addGated(cases, Dtype::a8, 32, 1, 30.0f);
  addSelect(cases, 64, 1, 1);
  addSelect(cases, 7, 9, 4);
}

void addFull(std::vector<OpCase>& cases) {
  addQuick(cases);
  for (const Dtype type : kWeightTypes) {
    for (const int32_t n : {1, 4, 8, 16, 64}) {
      const LinearCase c{.weight = type, .n = n, .out = 131, .in = 2048, .residual = true};
      addLinear(cases, c);
      LinearCase integer = c;
      integer.x = Dtype::a8;
      if (isQuantised(type)) addLinear(cases, integer);
    }
  }
  for (const Dtype kv : kKvTypes) {
    for (const int32_t dim : {32, 64, 96, 128, 256}) {
      addAttention(cases, {.kv = kv, .n_heads = 8, .n_kv_heads = 2, .head_dim = dim, .first_row = 900});
      addAttention(cases, {.kv = kv, .n = 40, .n_heads = 4, .n_kv_heads = 1, .head_dim = dim,
                           .first_row = 240});
      addRope(cases, {.kv = kv, .layout = RopeLayout::rotate_half, .n = 9, .n_heads = 8,
                      .n_kv_heads = 2, .head_dim = dim, .rotary_dim = dim, .first_row = 77});
    }
  }
}

// The layers of a 1.1B Llama: width 2048, ffn 5632, 32 heads of 64, 4 KV heads.
void addBench(std::vector<OpCase>& cases) {
  for (const int32_t n : {1, 64, 512}) {
    for (const Dtype type : kWeightTypes) {
      const LinearCase c{.weight = type, .n = n, .out = 5632, .in = 2048};
      addLinear(cases, c);
      LinearCase integer = c;
      integer.x = Dtype::a8;
      if (isQuantised(type)) addLinear(cases, integer);
    }
    addNorm(cases, {.dim = 2048, .n = n, .out = Dtype::a8});
    addGated(cases, Dtype::a8, 5632, n, 1.0f);
    for (const Dtype kv : kKvTypes) {
      addAttention(cases, {.kv = kv, .n = n, .n_heads = 32, .n_kv_heads = 4, .head_dim = 64,
                           .first_row = n == 1 ? 2047 : 0});
    }
  }
}

}  // namespace

std::vector<OpCase> opCases(CaseSet set) {
  std::vector<OpCase> cases;
  switch (set) {
    case CaseSet::quick: addQuick(cases); break;
    case CaseSet::full: addFull(cases); break;
    case CaseSet::bench: addBench(cases); break;
  }
  return cases;
}

}  // namespace hearth
