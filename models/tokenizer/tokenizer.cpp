#include "models/tokenizer/tokenizer.h"

#include <algorithm>

#include "models/gguf/gguf_file.h"
#include "models/gguf/gguf_vocabulary.h"
#include "models/mapped_file.h"
#include "models/tokenizer/sentencepiece_model.h"
#include "models/tokenizer/sentencepiece_tokenizer.h"

namespace hearth {

namespace {

namespace fs = std::filesystem;

Result<SentencePieceVocabulary> readSentencePieceFile(const fs::path& path) {
  const auto file = MappedFile::open(path);
  if (!file) return passOn(file);
  return parseSentencePieceModel((*file)->bytes(), path.string());
}

/// Ids that no one names, below an added token, become control pieces without text.
void addTokens(const std::vector<AddedToken>& added, SentencePieceVocabulary& vocabulary) {
  for (const AddedToken& token : added) {
    const auto id = static_cast<size_t>(token.id);
    if (id >= vocabulary.pieces.size()) {
      vocabulary.pieces.resize(id + 1, {.text = "", .score = 0, .type = PieceType::control});
    }
    Piece& piece = vocabulary.pieces[id];
    if (piece.type == PieceType::unknown || piece.type == PieceType::byte) continue;
    piece.text = token.text;
    piece.type = token.special ? PieceType::control : PieceType::user_defined;
  }
}

tl::unexpected<Error> noTokenizer(const fs::path& origin) {
  std::error_code error;
  if (fs::exists(origin / "tokenizer.json", error)) {
    return fail(ErrorCode::unsupported,
                "{}: the tokenizer is a tokenizer.json, which this version cannot read (tokenizer.model it can)",
                origin.string());
  }
  if (fs::is_directory(origin, error)) {
    return fail(ErrorCode::not_found, "{}: the folder has no tokenizer.model", origin.string());
  }
  return fail(ErrorCode::not_found, "{}: the file holds no tokenizer", origin.string());
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> loadTokenizer(const TokenizerSource& source) {
  if (source.gguf) {
    auto vocabulary = sentencePieceFromGguf(*source.gguf, source.origin.string());
    if (!vocabulary) return passOn(vocabulary);
    return makeSentencePieceTokenizer(std::move(*vocabulary), source.origin.string());
  }
  if (source.sentencepiece_model.empty()) return noTokenizer(source.origin);
  auto vocabulary = readSentencePieceFile(source.sentencepiece_model);
  if (!vocabulary) return passOn(vocabulary);
  if (source.n_vocab > 0 && vocabulary->pieces.size() > static_cast<size_t>(source.n_vocab)) {
    return fail(ErrorCode::bad_file, "{}: {} pieces, but the model {} has a vocabulary of {}",
                source.sentencepiece_model.string(), vocabulary->pieces.size(),
                source.origin.string(), source.n_vocab);
  }
  vocabulary->add_bos = source.add_bos.value_or(vocabulary->add_bos);
  vocabulary->add_eos = source.add_eos.value_or(vocabulary->add_eos);
  if (source.bos_id) vocabulary->bos_id = *source.bos_id;
  addTokens(source.added_tokens, *vocabulary);
  if (vocabulary->eos_id < 0 && !source.eos_ids.empty()) vocabulary->eos_id = source.eos_ids[0];
  std::vector<int32_t>& ends = vocabulary->end_ids;
  ends.insert(ends.end(), source.eos_ids.begin(), source.eos_ids.end());
  std::sort(ends.begin(), ends.end());
  ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
  return makeSentencePieceTokenizer(std::move(*vocabulary), source.sentencepiece_model.string());
}

Result<std::unique_ptr<Tokenizer>> loadTokenizerFile(const fs::path& path) {
  const auto file = MappedFile::open(path);
  if (!file) return passOn(file);
  const std::span<const std::byte> bytes = (*file)->bytes();
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!text.starts_with("GGUF")) {
    auto vocabulary = parseSentencePieceModel(bytes, path.string());
    if (!vocabulary) return passOn(vocabulary);
    return makeSentencePieceTokenizer(std::move(*vocabulary), path.string());
  }
  const auto gguf = GgufFile::parse(bytes, path.string());
  if (!gguf) return passOn(gguf);
  auto vocabulary = readGgufVocabulary(*gguf, path.string());
  if (!vocabulary) return passOn(vocabulary);
  TokenizerSource source;
  source.origin = path;
  source.gguf = std::move(*vocabulary);
  return loadTokenizer(source);
}

}  // namespace hearth
