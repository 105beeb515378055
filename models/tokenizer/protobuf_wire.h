// The protobuf wire format, as much of it as a SentencePiece model needs.
// https://protobuf.dev/programming-guides/encoding
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace hearth {

enum class WireType : uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

/// One field at a time. After `next` has returned false, `valid` tells the end from damage.
class WireReader {
 public:
  explicit WireReader(std::string_view message) : rest_(message), total_(message.size()) {}

  uint32_t field = 0;
  WireType type = WireType::varint;
  uint64_t number = 0;     // varint, fixed32 and fixed64
  std::string_view bytes;  // length-delimited

  bool next() {
    if (!valid_ || rest_.empty()) return false;
    uint64_t tag = 0;
    valid_ = varint(tag) && tag >> 3 != 0 && tag >> 3 < (1u << 29);
    if (!valid_) return false;
    field = static_cast<uint32_t>(tag >> 3);
    type = static_cast<WireType>(tag & 7);
    valid_ = value();
    return valid_;
  }
  bool valid() const { return valid_; }
  size_t position() const { return total_ - rest_.size(); }
  float asFloat() const { return std::bit_cast<float>(static_cast<uint32_t>(number)); }

 private:
  bool varint(uint64_t& out) {
    out = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<uint8_t>(rest_[0]);
      rest_.remove_prefix(1);
      out |= static_cast<uint64_t>(byte & 0x7Fu) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }
  bool take(uint64_t count, std::string_view& out) {
    if (count > rest_.size()) return false;
    out = rest_.substr(0, static_cast<size_t>(count));
    rest_.remove_prefix(static_cast<size_t>(count));
    return true;
  }
  bool value() {
    std::string_view raw;
    switch (type) {
      case WireType::varint: return varint(number);
      case WireType::bytes: return varint(number) && take(number, bytes);
      case WireType::fixed32: case WireType::fixed64:
        number = 0;
        if (!take(type == WireType::fixed32 ? 4 : 8, raw)) return false;
        std::memcpy(&number, raw.data(), raw.size());
        return true;
    }
    return false;  // groups, which this format does not use
  }

  std::string_view rest_;
  size_t total_;
  bool valid_ = true;
};

class WireWriter {
 public:
  void varint(uint32_t field, uint64_t value) {
    tag(field, WireType::varint);
    raw(value);
  }
  void fixed32(uint32_t field, float value) {
    tag(field, WireType::fixed32);
    const auto bits = std::bit_cast<uint32_t>(value);
    out_.append(reinterpret_cast<const char*>(&bits), sizeof(bits));
  }
  void bytes(uint32_t field, std::string_view value) {
    tag(field, WireType::bytes);
    raw(value.size());
    out_ += value;
  }
  const std::string& text() const { return out_; }

 private:
  void tag(uint32_t field, WireType type) { raw(field << 3 | static_cast<uint32_t>(type)); }
  void raw(uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_ += static_cast<char>(value | 0x80);
    out_ += static_cast<char>(value);
  }

  std::string out_;
};

}  // namespace hearth
