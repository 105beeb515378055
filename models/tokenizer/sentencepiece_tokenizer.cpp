#include "models/tokenizer/sentencepiece_tokenizer.h"

#include <sentencepiece_processor.h>

#include <algorithm>
#include <array>
#include <exception>

#include "models/tokenizer/special_tokens.h"
#include "models/utf8.h"

namespace hearth {

namespace {

constexpr std::string_view kSpace = "\xE2\x96\x81";  // "▁", U+2581, how pieces spell a space

std::string withSpaces(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const bool space = text.substr(at, kSpace.size()) == kSpace;
    out += space ? ' ' : text[at];
    at += space ? kSpace.size() : 1;
  }
  return out;
}

/// One space for a run of them, none at the ends; a "▁" of the text counts as one at its end alone.
std::string withoutExtraSpaces(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != ' ' || (!out.empty() && out.back() != ' ')) out += c;
  }
  while (out.ends_with(' ') || out.ends_with(kSpace)) {
    out.resize(out.size() - (out.back() == ' ' ? 1 : kSpace.size()));
  }
  return out;
}

class SentencePieceTokenizer : public Tokenizer {
 public:
  SentencePieceTokenizer(SentencePieceVocabulary vocabulary, std::vector<SpecialTokens::Token> special)
      : vocabulary_(std::move(vocabulary)), special_(std::move(special)) {
    byte_ids_.fill(-1);
    for (size_t id = 0; id < vocabulary_.pieces.size(); ++id) {
      const Piece& piece = vocabulary_.pieces[id];
      const int byte = piece.type == PieceType::byte ? byteOfPiece(piece.text) : -1;
      if (byte >= 0) byte_ids_[static_cast<size_t>(byte)] = static_cast<int32_t>(id);
    }
  }

  /// The only calls that may throw or fail inside the library are here and in `encodeValid`.
  Status load(const std::string& path) {
    try {
      const auto status = library_.LoadFromSerializedProto(serialiseForLibrary(vocabulary_));
      if (status.ok()) return {};
      return fail(ErrorCode::bad_file, "{}: the vocabulary cannot be used: {}", path,
                  printable(status.message()));
    } catch (const std::exception& error) {
      return fail(ErrorCode::bad_file, "{}: the vocabulary cannot be used: {}", path, error.what());
    }
  }

  int32_t nVocab() const override { return static_cast<int32_t>(vocabulary_.pieces.size()); }

  std::vector<int32_t> encode(std::string_view text, const EncodeOptions& options) const override {
    std::vector<int32_t> ids;
    if (options.add_special && vocabulary_.add_bos && vocabulary_.bos_id >= 0) {
      ids.push_back(vocabulary_.bos_id);
    }
    if (options.parse_special) {
      for (const SpecialTokens::Fragment& fragment : special_.split(text)) {
        if (fragment.id >= 0) ids.push_back(fragment.id);
        else encodePlain(fragment.text, ids);
      }
    } else {
      encodePlain(text, ids);
    }
    if (options.add_special && vocabulary_.add_eos && vocabulary_.eos_id >= 0) {
      ids.push_back(vocabulary_.eos_id);
    }
    return ids;
  }

  std::string piece(int32_t id, bool show_special) const override {
    if (id < 0 || id >= nVocab()) return {};
    const Piece& piece = vocabulary_.pieces[static_cast<size_t>(id)];
    switch (piece.type) {
      case PieceType::control: case PieceType::unknown:
        return show_special ? piece.text : std::string();
      case PieceType::byte: {
        const int byte = byteOfPiece(piece.text);
        return byte < 0 ? piece.text : std::string(1, static_cast<char>(byte));
      }
      case PieceType::normal: case PieceType::user_defined: case PieceType::unused:
        return withSpaces(piece.text);
    }
    return {};
  }

  std::string vocabularyText(int32_t id) const override {
    return id < 0 || id >= nVocab() ? std::string() : vocabulary_.pieces[static_cast<size_t>(id)].text;
  }

  std::string decode(std::span<const int32_t> ids) const override {
    std::string text;
    for (const int32_t id : ids) text += piece(id, false);
    if (vocabulary_.add_space_prefix && text.starts_with(' ')) text.erase(0, 1);
    return text;
  }

  bool addsSpacePrefix() const override { return vocabulary_.add_space_prefix; }
  int32_t bosId() const override { return vocabulary_.bos_id; }
  bool isEndOfGeneration(int32_t id) const override {
    return std::binary_search(vocabulary_.end_ids.begin(), vocabulary_.end_ids.end(), id);
  }

 private:
  /// Text without control tokens: its spaces, then valid stretches through the library and broken
  /// bytes by their byte tokens, which the library would turn into U+FFFD. The library, which would
  /// take each stretch for a whole text, has no say in the spaces.
  void encodePlain(std::string_view raw_text, std::vector<int32_t>& ids) const {
    const std::string spaced = withModelSpaces(raw_text);
    std::string_view text = spaced;
    while (!text.empty()) {
      const size_t valid = validUtf8Prefix(text);
      if (valid > 0) encodeValid(text.substr(0, valid), ids);
      text.remove_prefix(valid);
      if (text.empty()) return;
      const Utf8Unit broken = firstUtf8Unit(text);
      for (const char c : text.substr(0, broken.length)) pushByte(static_cast<uint8_t>(c), ids);
      text.remove_prefix(broken.length);
    }
  }

  /// What SentencePiece's normaliser does to the spaces of a whole text: runs of them become one,
  /// none begins or ends it, and one is added before it (or after it, in models made that way).
  std::string withModelSpaces(std::string_view text) const {
    std::string out(vocabulary_.remove_extra_spaces ? withoutExtraSpaces(text) : text);
    if (out.empty() || !vocabulary_.add_space_prefix) return out;
    out.insert(vocabulary_.treat_space_as_suffix ? out.end() : out.begin(), ' ');
    return out;
  }

  void encodeValid(std::string_view text, std::vector<int32_t>& ids) const {
    try {
      std::vector<int> found;
      const auto status = library_.Encode(text, &found);
      if (!status.ok()) return encodeBytes(text, ids);
      for (const int id : found) {
        if (id >= 0 && id < nVocab()) ids.push_back(id);
      }
    } catch (const std::exception&) {
      encodeBytes(text, ids);
    }
  }

  void encodeBytes(std::string_view text, std::vector<int32_t>& ids) const {
    for (const char c : text) pushByte(static_cast<uint8_t>(c), ids);
  }

  void pushByte(uint8_t byte, std::vector<int32_t>& ids) const {
    const int32_t id = byte_ids_[byte] >= 0 ? byte_ids_[byte] : vocabulary_.unknown_id;
    if (id >= 0) ids.push_back(id);
  }

  SentencePieceVocabulary vocabulary_;
  SpecialTokens special_;
  std::array<int32_t, 256> byte_ids_{};
  sentencepiece::SentencePieceProcessor library_;
};

}  // namespace

Result<std::unique_ptr<Tokenizer>> makeSentencePieceTokenizer(SentencePieceVocabulary vocabulary,
                                                              const std::string& path) {
  std::vector<SpecialTokens::Token> special;
  for (size_t id = 0; id < vocabulary.pieces.size(); ++id) {
    const Piece& piece = vocabulary.pieces[id];
    const bool is_special = piece.type == PieceType::control || piece.type == PieceType::unknown;
    if (is_special && !piece.text.empty()) special.push_back({piece.text, static_cast<int32_t>(id)});
  }
  auto tokenizer = std::make_unique<SentencePieceTokenizer>(std::move(vocabulary), std::move(special));
  if (Status s = tokenizer->load(path); !s) return passOn(s);
  return tokenizer;
}

}  // namespace hearth
