#include "models/safetensors/header_parser.h"

#include <nlohmann/json.hpp>
#include <unordered_set>

#include "models/utf8.h"

namespace hearth {

namespace {

constexpr size_t kMostDimensions = 8;

/// Receives the parser's events. Depth 1 is the header, 2 a tensor or __metadata__, 3 an array.
class HeaderEvents : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::vector<SafetensorsTensor> tensors;
  std::string problem;

  bool start_object(size_t) override {
    if (depth_ == 2 || depth_ == 3) return refuse("an object where none belongs");
    if (depth_ == 1 && !in_metadata_) tensors_seen_ = {};
    ++depth_;
    return true;
  }
  bool end_object() override {
    --depth_;
    if (depth_ != 1) return true;
    if (in_metadata_) {
      in_metadata_ = false;
      return true;
    }
    if (!tensors_seen_.dtype || !tensors_seen_.shape || !tensors_seen_.offsets || n_offsets_ != 2) {
      return refuse("dtype, shape or data_offsets missing");
    }
    return true;
  }
  bool key(string_t& name) override { return depth_ == 1 ? topLevelKey(name) : fieldKey(name); }

  bool string(string_t& text) override {
    if (depth_ == 2 && in_metadata_) return true;
    if (depth_ != 2 || field_ != Field::dtype) return refuse("a string where none belongs");
    tensors.back().dtype = text;
    return true;
  }
  bool start_array(size_t) override {
    const bool expected = depth_ == 2 && !in_metadata_ &&
                          (field_ == Field::shape || field_ == Field::offsets);
    if (!expected) return refuse("an array where none belongs");
    ++depth_;
    return true;
  }
  bool end_array() override {
    --depth_;
    return true;
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (depth_ != 3) return refuse("a number where none belongs");
    SafetensorsTensor& tensor = tensors.back();
    if (field_ == Field::shape) {
      if (tensor.shape.size() == kMostDimensions) return refuse("too many dimensions");
      tensor.shape.push_back(value);
      return true;
    }
    if (n_offsets_ == 2) return refuse("more than two offsets");
    (n_offsets_ == 0 ? tensor.begin : tensor.end) = value;
    ++n_offsets_;
    return true;
  }
  bool number_integer(number_integer_t) override { return refuse("a negative number"); }
  bool number_float(number_float_t, const string_t&) override { return refuse("a broken number"); }
  bool boolean(bool) override { return refuse("a boolean where none belongs"); }
  bool null() override { return refuse("a null where none belongs"); }
  bool binary(binary_t&) override { return refuse("binary data"); }
  bool parse_error(size_t position, const std::string&,
                   const nlohmann::json::exception&) override {
    problem = fmt::format("no valid JSON at header byte {}", position);
    return false;
  }

 private:
  enum class Field { none, dtype, shape, offsets };
  struct Seen { bool dtype = false, shape = false, offsets = false; };

  bool refuse(std::string_view what) {
    problem = tensors.empty() ? fmt::format("the header has {}", what)
                              : fmt::format("tensor {}: {}", printable(tensors.back().name), what);
    return false;
  }
  bool topLevelKey(const std::string& name) {
    if (!names_.insert(name).second) {
      problem = fmt::format("tensor {} appears twice", printable(name));
      return false;
    }
    in_metadata_ = name == "__metadata__";
    if (in_metadata_) return true;
    tensors.push_back({});
    tensors.back().name = name;
    n_offsets_ = 0;
    return true;
  }
  bool fieldKey(const std::string& name) {
    if (in_metadata_) return true;
    field_ = name == "dtype" ? Field::dtype : name == "shape" ? Field::shape
             : name == "data_offsets" ? Field::offsets : Field::none;
    if (field_ == Field::none) return refuse(fmt::format("unknown field {}", printable(name)));
    bool& seen = field_ == Field::dtype ? tensors_seen_.dtype
                 : field_ == Field::shape ? tensors_seen_.shape : tensors_seen_.offsets;
    if (seen) return refuse(fmt::format("field {} appears twice", name));
    seen = true;
    return true;
  }

  int depth_ = 0;
  bool in_metadata_ = false;
  Field field_ = Field::none;
  Seen tensors_seen_;
  int n_offsets_ = 0;
  std::unordered_set<std::string> names_;
};

}  // namespace

Result<std::vector<SafetensorsTensor>> parseSafetensorsHeader(std::string_view json,
                                                              const std::string& path) {
  HeaderEvents events;
  // With events that stop at the third level the parser's own nesting cannot grow further.
  if (!nlohmann::json::sax_parse(json, &events)) {
    return fail(ErrorCode::bad_file, "{}: {}", path,
                events.problem.empty() ? "the header is not valid" : events.problem);
  }
  return std::move(events.tensors);
}

}  // namespace hearth
