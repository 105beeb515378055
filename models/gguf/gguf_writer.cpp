#include "models/gguf/gguf_writer.h"

#include "kernels/base/check.h"
#include "models/gguf/ggml_types.h"
#include "models/gguf/gguf_file.h"

namespace hearth {

namespace {

template <class T>
void append(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

void appendText(std::string& out, std::string_view text) {
  append<uint64_t>(out, text.size());
  out += text;
}

void appendKey(std::string& out, std::string_view key, GgufType type) {
  appendText(out, key);
  append(out, static_cast<uint32_t>(type));
}

void appendArrayKey(std::string& out, std::string_view key, GgufType type, uint64_t count) {
  appendKey(out, key, GgufType::array);
  append(out, static_cast<uint32_t>(type));
  append(out, count);
}

}  // namespace

void GgufWriter::setInteger(std::string_view key, uint32_t value) {
  appendKey(metadata_, key, GgufType::u32);
  append(metadata_, value);
  ++n_keys_;
}

void GgufWriter::setNumber(std::string_view key, float value) {
  appendKey(metadata_, key, GgufType::f32);
  append(metadata_, value);
  ++n_keys_;
}

void GgufWriter::setBoolean(std::string_view key, bool value) {
  appendKey(metadata_, key, GgufType::boolean);
  append<uint8_t>(metadata_, value ? 1 : 0);
  ++n_keys_;
}

void GgufWriter::setString(std::string_view key, std::string_view value) {
  appendKey(metadata_, key, GgufType::string);
  appendText(metadata_, value);
  ++n_keys_;
}

void GgufWriter::setStrings(std::string_view key, std::span<const std::string> values) {
  appendArrayKey(metadata_, key, GgufType::string, values.size());
  for (const std::string& value : values) appendText(metadata_, value);
  ++n_keys_;
}

void GgufWriter::setNumbers(std::string_view key, std::span<const float> values) {
  appendArrayKey(metadata_, key, GgufType::f32, values.size());
  for (const float value : values) append(metadata_, value);
  ++n_keys_;
}

void GgufWriter::setIntegers(std::string_view key, std::span<const int32_t> values) {
  appendArrayKey(metadata_, key, GgufType::i32, values.size());
  for (const int32_t value : values) append(metadata_, value);
  ++n_keys_;
}

void GgufWriter::declareTensor(std::string_view name, Dtype dtype, int64_t rows, int64_t cols) {
  CHECK(cols > 0 && rows >= 0 && cols % traitsOf(dtype).block_length == 0);
  appendText(tensors_, name);
  append<uint32_t>(tensors_, rows == 0 ? 1 : 2);
  append(tensors_, static_cast<uint64_t>(cols));
  if (rows > 0) append(tensors_, static_cast<uint64_t>(rows));
  append(tensors_, ggmlTypeOfDtype(dtype));
  append(tensors_, data_bytes_);
  const auto n_rows = static_cast<uint64_t>(rows == 0 ? 1 : rows);
  data_bytes_ += padded(n_rows * rowBytes(dtype, cols));
  ++n_tensors_;
}

std::string GgufWriter::header() const {
  std::string out = "GGUF";
  append<uint32_t>(out, 3);
  append(out, n_tensors_);
  append(out, n_keys_);
  out += metadata_;
  out += tensors_;
  if (n_tensors_ > 0) out.resize(padded(out.size()), '\0');
  return out;
}

}  // namespace hearth
