#include "models/gguf/gguf_file.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <unordered_set>

#include "models/gguf/byte_cursor.h"
#include "models/gguf/ggml_types.h"
#include "models/utf8.h"

namespace hearth {

namespace {

// Smallest encodings, by which counts are held against the bytes that remain (FORMAT.md, "limits").
constexpr uint64_t kSmallestPairBytes = 8 + 1 + 4 + 1;
constexpr uint64_t kSmallestTensorBytes = 8 + 1 + 4 + 8 + 4 + 8;
constexpr uint64_t kLongestName = 65535;
// An entry takes more memory than its bytes in the file, so the number of entries has a limit too.
constexpr uint64_t kMostPairs = 1u << 16;
constexpr uint64_t kMostTensors = 1u << 20;
constexpr uint64_t kLongestText = 1u << 24;  // a chat template takes some 10 000 bytes
constexpr int kDeepestArray = 4;
constexpr uint32_t kMostDimensions = 4;
constexpr uint64_t kDefaultAlignment = 32;
constexpr uint64_t kLargestAlignment = 1u << 20;

/// Bytes of a fixed-size value, 0 for strings and arrays.
uint64_t scalarBytes(GgufType type) {
  switch (type) {
    case GgufType::u8: case GgufType::i8: case GgufType::boolean: return 1;
    case GgufType::u16: case GgufType::i16: return 2;
    case GgufType::u32: case GgufType::i32: case GgufType::f32: return 4;
    case GgufType::u64: case GgufType::i64: case GgufType::f64: return 8;
    case GgufType::string: case GgufType::array: return 0;
  }
  return 0;
}

template <class T, class As>
bool readAs(ByteCursor& cursor, GgufValue& value) {
  T raw{};
  if (!cursor.read(raw)) return false;
  value = static_cast<As>(raw);
  return true;
}

/// A fixed-size value. False when the bytes end or a boolean is neither 0 nor 1.
bool readScalar(ByteCursor& cursor, GgufType type, GgufValue& value) {
  switch (type) {
    case GgufType::u8: return readAs<uint8_t, uint64_t>(cursor, value);
    case GgufType::i8: return readAs<int8_t, int64_t>(cursor, value);
    case GgufType::u16: return readAs<uint16_t, uint64_t>(cursor, value);
    case GgufType::i16: return readAs<int16_t, int64_t>(cursor, value);
    case GgufType::u32: return readAs<uint32_t, uint64_t>(cursor, value);
    case GgufType::i32: return readAs<int32_t, int64_t>(cursor, value);
    case GgufType::u64: return readAs<uint64_t, uint64_t>(cursor, value);
    case GgufType::i64: return readAs<int64_t, int64_t>(cursor, value);
    case GgufType::f32: return readAs<float, double>(cursor, value);
    case GgufType::f64: return readAs<double, double>(cursor, value);
    case GgufType::boolean: {
      uint8_t raw = 0;
      if (!cursor.read(raw) || raw > 1) return false;
      value = raw == 1;
      return true;
    }
    case GgufType::string: case GgufType::array: return false;
  }
  return false;
}

const char* kindName(const GgufValue& value) {
  constexpr const char* kNames[] = {"an unsigned integer", "an integer", "a number",
                                    "a boolean", "a string", "an array"};
  return kNames[value.index()];
}

/// Walks through one file once; every failure names what was being read and the byte.
class Parser {
 public:
  Parser(std::span<const std::byte> bytes, const std::string& path)
      : bytes_(bytes), path_(path), cursor_(bytes) {}

  Status header(uint32_t& version);
  Status metadata(std::vector<std::pair<std::string_view, GgufValue>>& pairs);
  Status tensors(std::vector<GgufTensor>& tensors, uint64_t alignment);

 private:
  struct Placed {
    size_t index;
    uint64_t offset, bytes;  // bytes 0: type of unknown size
  };

  tl::unexpected<Error> ends(std::string_view what) const {
    return fail(ErrorCode::bad_file, "{}: the file ends inside {} (byte {} of {})", path_, what,
                cursor_.position(), bytes_.size());
  }
  Status name(std::string_view what, std::string_view& out);
  Status value(std::string_view key, GgufType type, int depth, GgufValue& out);
  Status arrayValue(std::string_view key, int depth, GgufArray& out);
  Status tensorInfo(uint64_t index, GgufTensor& tensor, uint64_t& offset);
  Result<uint64_t> tensorBytes(const GgufTensor& tensor) const;
  Status place(std::vector<GgufTensor>& tensors, const std::vector<uint64_t>& offsets,
               uint64_t alignment);
  Status refuseOverlaps(const std::vector<GgufTensor>& tensors, std::vector<Placed> placed) const;

  std::span<const std::byte> bytes_;
  const std::string& path_;
  ByteCursor cursor_;
  uint64_t tensor_count_ = 0, pair_count_ = 0;
};

Status Parser::header(uint32_t& version) {
  std::string_view magic;
  if (!cursor_.takeText(4, magic)) return ends("the magic number");
  if (magic != "GGUF") {
    return fail(ErrorCode::bad_file, "{}: not a GGUF file (it begins with \"{}\")", path_,
                printable(magic));
  }
  if (!cursor_.read(version)) return ends("the version");
  if (version != 0 && (version & 0xFFFFu) == 0) {
    return fail(ErrorCode::unsupported, "{}: big-endian GGUF files are not supported", path_);
  }
  if (version != 2 && version != 3) {
    return fail(ErrorCode::unsupported, "{}: GGUF version {} is not supported (2 and 3 are)", path_,
                version);
  }
  if (!cursor_.read(tensor_count_) || !cursor_.read(pair_count_)) return ends("the header");
  if (pair_count_ > cursor_.remaining() / kSmallestPairBytes) {
    return fail(ErrorCode::bad_file, "{}: byte 16 claims {} metadata keys, more than the file holds",
                path_, pair_count_);
  }
  if (tensor_count_ > cursor_.remaining() / kSmallestTensorBytes) {
    return fail(ErrorCode::bad_file, "{}: byte 8 claims {} tensors, more than the file holds", path_,
                tensor_count_);
  }
  if (pair_count_ > kMostPairs || tensor_count_ > kMostTensors) {
    return fail(ErrorCode::bad_file, "{}: {} metadata keys and {} tensors; at most {} and {} are read",
                path_, pair_count_, tensor_count_, kMostPairs, kMostTensors);
  }
  return {};
}

Status Parser::name(std::string_view what, std::string_view& out) {
  const size_t at = cursor_.position();
  uint64_t length = 0;
  if (!cursor_.read(length)) return ends(what);
  if (length == 0 || length > kLongestName) {
    return fail(ErrorCode::bad_file, "{}: {} at byte {} has a length of {}", path_, what, at,
                length);
  }
  if (!cursor_.takeText(length, out)) return ends(what);
  const bool clean = std::all_of(out.begin(), out.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F;
  });
  if (!clean || !isValidUtf8(out)) {
    return fail(ErrorCode::bad_file, "{}: {} at byte {} is not text: \"{}\"", path_, what, at,
                printable(out));
  }
  return {};
}

Status Parser::arrayValue(std::string_view key, int depth, GgufArray& out) {
  const size_t at = cursor_.position();
  uint32_t raw_type = 0;
  if (!cursor_.read(raw_type) || !cursor_.read(out.count)) {
    return ends(fmt::format("key {}", printable(key)));
  }
  if (raw_type > static_cast<uint32_t>(GgufType::f64)) {
    return fail(ErrorCode::bad_file, "{}: key {}: unknown element type {} at byte {}", path_,
                printable(key), raw_type, at);
  }
  if (depth > kDeepestArray) {
    return fail(ErrorCode::bad_file, "{}: key {}: arrays nested deeper than {} at byte {}", path_,
                printable(key), kDeepestArray, at);
  }
  out.element_type = static_cast<GgufType>(raw_type);
  const size_t start = cursor_.position();
  const uint64_t width = scalarBytes(out.element_type);
  const uint64_t smallest = width ? width : out.element_type == GgufType::string ? 8 : 12;
  if (out.count > cursor_.remaining() / smallest) {
    return fail(ErrorCode::bad_file, "{}: key {} claims {} elements at byte {}, more than the file holds",
                path_, printable(key), out.count, at);
  }
  if (width) {
    cursor_.take(out.count * width, out.bytes);
    return {};
  }
  for (uint64_t i = 0; i < out.count; ++i) {
    GgufValue ignored;
    if (Status s = value(key, out.element_type, depth + 1, ignored); !s) return s;
  }
  out.bytes = bytes_.subspan(start, cursor_.position() - start);
  return {};
}

Status Parser::value(std::string_view key, GgufType type, int depth, GgufValue& out) {
  const size_t at = cursor_.position();
  if (type == GgufType::array) {
    GgufArray array;
    if (Status s = arrayValue(key, depth, array); !s) return s;
    out = array;
    return {};
  }
  if (type == GgufType::string) {
    uint64_t length = 0;
    std::string_view text;
    if (!cursor_.read(length) || !cursor_.takeText(length, text)) {
      return ends(fmt::format("the text of key {}", printable(key)));
    }
    if (length > kLongestText) {
      return fail(ErrorCode::bad_file, "{}: key {}: a text of {} bytes at byte {}; at most {} are read",
                  path_, printable(key), length, at, kLongestText);
    }
    out = text;
    return {};
  }
  if (readScalar(cursor_, type, out)) return {};
  if (cursor_.remaining() < scalarBytes(type)) return ends(fmt::format("key {}", printable(key)));
  return fail(ErrorCode::bad_file, "{}: key {}: the boolean at byte {} is neither 0 nor 1", path_,
              printable(key), at);
}

Status Parser::metadata(std::vector<std::pair<std::string_view, GgufValue>>& pairs) {
  std::unordered_set<std::string_view> seen;
  for (uint64_t i = 0; i < pair_count_; ++i) {
    std::string_view key;
    const size_t at = cursor_.position();
    if (Status s = name(fmt::format("metadata key {}", i), key); !s) return s;
    if (!seen.insert(key).second) {
      return fail(ErrorCode::bad_file, "{}: key {} appears twice (byte {})", path_, printable(key),
                  at);
    }
    uint32_t type = 0;
    if (!cursor_.read(type)) return ends(fmt::format("key {}", printable(key)));
    if (type > static_cast<uint32_t>(GgufType::f64)) {
      return fail(ErrorCode::bad_file, "{}: key {}: unknown value type {} at byte {}", path_,
                  printable(key), type, cursor_.position() - 4);
    }
    GgufValue parsed;
    if (Status s = value(key, static_cast<GgufType>(type), 1, parsed); !s) return s;
    pairs.emplace_back(key, parsed);
  }
  return {};
}

Status Parser::tensorInfo(uint64_t index, GgufTensor& tensor, uint64_t& offset) {
  if (Status s = name(fmt::format("the name of tensor {}", index), tensor.name); !s) return s;
  uint32_t n_dims = 0;
  const size_t at = cursor_.position();
  if (!cursor_.read(n_dims)) return ends(fmt::format("tensor {}", printable(tensor.name)));
  if (n_dims == 0 || n_dims > kMostDimensions) {
    return fail(ErrorCode::bad_file, "{}: tensor {} has {} dimensions (byte {})", path_,
                printable(tensor.name), n_dims, at);
  }
  tensor.shape.resize(n_dims);
  for (uint64_t& dim : tensor.shape) {
    if (!cursor_.read(dim)) return ends(fmt::format("tensor {}", printable(tensor.name)));
    if (dim == 0 || dim > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      return fail(ErrorCode::bad_file, "{}: tensor {} has a dimension of {} (byte {})", path_,
                  printable(tensor.name), dim, cursor_.position() - 8);
    }
  }
  if (!cursor_.read(tensor.type) || !cursor_.read(offset)) {
    return ends(fmt::format("tensor {}", printable(tensor.name)));
  }
  return {};
}

/// Size by division, so that no product can wrap. 0 for a type of unknown size.
Result<uint64_t> Parser::tensorBytes(const GgufTensor& tensor) const {
  const GgmlType* type = findGgmlType(tensor.type);
  if (!type) return 0;
  if (tensor.shape[0] % type->block_length != 0) {
    return fail(ErrorCode::bad_file, "{}: tensor {}: rows of {} elements do not divide into {} blocks of {}",
                path_, printable(tensor.name), tensor.shape[0], type->name, type->block_length);
  }
  uint64_t blocks = tensor.shape[0] / type->block_length;
  const uint64_t most_blocks = bytes_.size() / type->block_bytes;
  for (size_t d = 1; d < tensor.shape.size() && blocks <= most_blocks; ++d) {
    blocks = tensor.shape[d] > most_blocks / blocks ? most_blocks + 1 : blocks * tensor.shape[d];
  }
  if (blocks > most_blocks) {
    return fail(ErrorCode::bad_file, "{}: tensor {} [{}] {} is larger than the file", path_,
                printable(tensor.name), fmt::join(tensor.shape, ", "), type->name);
  }
  return blocks * type->block_bytes;
}

Status Parser::place(std::vector<GgufTensor>& tensors, const std::vector<uint64_t>& offsets,
                     uint64_t alignment) {
  const uint64_t header_end = cursor_.position();
  const uint64_t data_start = (header_end + alignment - 1) / alignment * alignment;
  if (tensors.empty()) return {};
  if (data_start > bytes_.size()) return ends("the padding before the tensor data");
  const std::span<const std::byte> data = bytes_.subspan(data_start);
  std::vector<Placed> placed;
  for (size_t i = 0; i < tensors.size(); ++i) {
    GgufTensor& tensor = tensors[i];
    if (offsets[i] % alignment != 0) {
      return fail(ErrorCode::bad_file, "{}: tensor {}: offset {} is no multiple of the alignment {}",
                  path_, printable(tensor.name), offsets[i], alignment);
    }
    const Result<uint64_t> bytes = tensorBytes(tensor);
    if (!bytes) return passOn(bytes);
    if (offsets[i] > data.size() || *bytes > data.size() - offsets[i]) {
      return fail(ErrorCode::bad_file, "{}: tensor {} needs {} bytes from byte {} on, but the file has {}",
                  path_, printable(tensor.name), *bytes,
                  fmt::format("{}+{}", data_start, offsets[i]), bytes_.size());
    }
    tensor.data = data.subspan(offsets[i], *bytes);
    placed.push_back({i, offsets[i], *bytes});
  }
  return refuseOverlaps(tensors, std::move(placed));
}

Status Parser::refuseOverlaps(const std::vector<GgufTensor>& tensors,
                              std::vector<Placed> placed) const {
  std::erase_if(placed, [](const Placed& p) { return p.bytes == 0; });
  std::sort(placed.begin(), placed.end(),
            [](const Placed& a, const Placed& b) { return a.offset < b.offset; });
  for (size_t i = 1; i < placed.size(); ++i) {
    if (placed[i].offset - placed[i - 1].offset < placed[i - 1].bytes) {
      return fail(ErrorCode::bad_file, "{}: tensors {} and {} overlap at data byte {}", path_,
                  printable(tensors[placed[i - 1].index].name),
                  printable(tensors[placed[i].index].name), placed[i].offset);
    }
  }
  return {};
}

Status Parser::tensors(std::vector<GgufTensor>& tensors, uint64_t alignment) {
  std::unordered_set<std::string_view> seen;
  std::vector<uint64_t> offsets;
  for (uint64_t i = 0; i < tensor_count_; ++i) {
    GgufTensor tensor;
    uint64_t offset = 0;
    const size_t at = cursor_.position();
    if (Status s = tensorInfo(i, tensor, offset); !s) return s;
    if (!seen.insert(tensor.name).second) {
      return fail(ErrorCode::bad_file, "{}: tensor {} appears twice (byte {})", path_,
                  printable(tensor.name), at);
    }
    tensors.push_back(std::move(tensor));
    offsets.push_back(offset);
  }
  return place(tensors, offsets, alignment);
}

Result<uint64_t> alignmentOf(const GgufFile& file, const std::string& path) {
  if (!file.find("general.alignment")) return kDefaultAlignment;
  const Result<int64_t> value = file.integer("general.alignment");
  if (!value) return passOn(value);
  if (*value <= 0 || *value > static_cast<int64_t>(kLargestAlignment) ||
      !std::has_single_bit(static_cast<uint64_t>(*value))) {
    return fail(ErrorCode::bad_file, "{}: key general.alignment: {} is no power of two up to {}",
                path, *value, kLargestAlignment);
  }
  return static_cast<uint64_t>(*value);
}

}  // namespace

Result<GgufFile> GgufFile::parse(std::span<const std::byte> bytes, std::string path) {
  GgufFile file;
  file.path_ = std::move(path);
  Parser parser(bytes, file.path_);
  if (Status s = parser.header(file.version_); !s) return passOn(s);
  if (Status s = parser.metadata(file.metadata_); !s) return passOn(s);
  const Result<uint64_t> alignment = alignmentOf(file, file.path_);
  if (!alignment) return passOn(alignment);
  if (Status s = parser.tensors(file.tensors_, *alignment); !s) return passOn(s);
  return file;
}

const GgufValue* GgufFile::find(std::string_view key) const {
  for (const auto& [name, value] : metadata_) {
    if (name == key) return &value;
  }
  return nullptr;
}

namespace {

tl::unexpected<Error> missing(const std::string& path, std::string_view key) {
  return fail(ErrorCode::not_found, "{}: key {} is missing", path, key);
}
tl::unexpected<Error> tooMany(const std::string& path, std::string_view key, uint64_t count,
                              uint64_t most) {
  return fail(ErrorCode::bad_file, "{}: key {} has {} elements, but at most {} belong there", path,
              key, count, most);
}
tl::unexpected<Error> wrongKind(const std::string& path, std::string_view key,
                                const GgufValue& value, const char* expected) {
  return fail(ErrorCode::bad_file, "{}: key {} is {}, not {}", path, key, kindName(value),
              expected);
}

}  // namespace

Result<int64_t> GgufFile::integer(std::string_view key) const {
  const GgufValue* value = find(key);
  if (!value) return missing(path_, key);
  if (const auto* i = std::get_if<int64_t>(value)) return *i;
  const auto* u = std::get_if<uint64_t>(value);
  if (!u) return wrongKind(path_, key, *value, "an integer");
  if (*u > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    return fail(ErrorCode::bad_file, "{}: key {}: {} is too large", path_, key, *u);
  }
  return static_cast<int64_t>(*u);
}

Result<double> GgufFile::number(std::string_view key) const {
  const GgufValue* value = find(key);
  if (!value) return missing(path_, key);
  if (const auto* d = std::get_if<double>(value)) return *d;
  if (const auto* i = std::get_if<int64_t>(value)) return static_cast<double>(*i);
  if (const auto* u = std::get_if<uint64_t>(value)) return static_cast<double>(*u);
  return wrongKind(path_, key, *value, "a number");
}

Result<std::string_view> GgufFile::string(std::string_view key) const {
  const GgufValue* value = find(key);
  if (!value) return missing(path_, key);
  if (const auto* text = std::get_if<std::string_view>(value)) return *text;
  return wrongKind(path_, key, *value, "a string");
}

std::optional<bool> GgufFile::boolean(std::string_view key) const {
  const GgufValue* value = find(key);
  const bool* flag = value ? std::get_if<bool>(value) : nullptr;
  return flag ? std::optional<bool>(*flag) : std::nullopt;
}

Result<std::vector<std::string_view>> GgufFile::strings(std::string_view key,
                                                        uint64_t most) const {
  const GgufValue* value = find(key);
  if (!value) return missing(path_, key);
  const auto* array = std::get_if<GgufArray>(value);
  if (!array || array->element_type != GgufType::string) {
    return wrongKind(path_, key, *value, "an array of strings");
  }
  if (array->count > most) return tooMany(path_, key, array->count, most);
  std::vector<std::string_view> texts(array->count);
  ByteCursor cursor(array->bytes);
  for (std::string_view& text : texts) {
    uint64_t length = 0;
    if (!cursor.read(length) || !cursor.takeText(length, text)) {
      return fail(ErrorCode::bad_file, "{}: key {} ends early", path_, key);
    }
  }
  return texts;
}

Result<std::vector<double>> GgufFile::numbers(std::string_view key, uint64_t most) const {
  const GgufValue* value = find(key);
  if (!value) return missing(path_, key);
  const auto* array = std::get_if<GgufArray>(value);
  if (!array || scalarBytes(array->element_type) == 0) {
    return wrongKind(path_, key, *value, "an array of numbers");
  }
  if (array->count > most) return tooMany(path_, key, array->count, most);
  std::vector<double> numbers(array->count);
  ByteCursor cursor(array->bytes);
  for (double& number : numbers) {
    GgufValue element;
    if (!readScalar(cursor, array->element_type, element)) {
      return fail(ErrorCode::bad_file, "{}: key {} holds an invalid element", path_, key);
    }
    number = std::visit([](const auto& v) -> double {
      if constexpr (std::is_arithmetic_v<std::decay_t<decltype(v)>>) return static_cast<double>(v);
      return 0;
    }, element);
  }
  return numbers;
}

}  // namespace hearth
