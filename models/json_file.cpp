#include "models/json_file.h"

#include "models/mapped_file.h"

namespace hearth {

bool isPresent(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

bool jsonNestingWithin(std::string_view text, int limit) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      else if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > limit) return false;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return true;
}

Result<nlohmann::json> readJsonFile(const std::filesystem::path& path) {
  const auto file = MappedFile::open(path);
  if (!file) return passOn(file);
  const std::span<const std::byte> bytes = (*file)->bytes();
  if (bytes.size() > kLargestJsonBytes) {
    return fail(ErrorCode::bad_file, "{}: {} bytes are too many for a JSON file", path.string(),
                bytes.size());
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!jsonNestingWithin(text, kDeepestJson)) {
    return fail(ErrorCode::bad_file, "{}: JSON nested deeper than {}", path.string(), kDeepestJson);
  }
  nlohmann::json parsed = nlohmann::json::parse(text, nullptr, false);
  if (!parsed.is_object()) {
    return fail(ErrorCode::bad_file, "{}: not a JSON object", path.string());
  }
  return parsed;
}

}  // namespace hearth
