#include "models/tokenizer/sentencepiece_model.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <unordered_set>

#include "models/tokenizer/protobuf_wire.h"
#include "models/utf8.h"

namespace hearth {

namespace {

// Field numbers of sentencepiece_model.proto.
namespace field {
constexpr uint32_t kPieces = 1, kTrainer = 2, kNormaliser = 3;
constexpr uint32_t kPieceText = 1, kPieceScore = 2, kPieceType = 3;
constexpr uint32_t kModelType = 3, kSpaceAsSuffix = 24, kByteFallback = 35, kUnknownId = 40,
                   kBosId = 41, kEosId = 42, kUnknownPiece = 45;
constexpr uint32_t kCharsMap = 2, kDummyPrefix = 3, kRemoveSpaces = 4, kEscapeSpaces = 5;
}  // namespace field

constexpr size_t kMostPieces = 1 << 24;

/// Names by which well-known chat models mark the end of a turn or text.
constexpr std::string_view kEndNames[] = {"</s>", "<|endoftext|>", "<|im_end|>", "<|end|>",
                                          "<|eot_id|>", "<end_of_turn>", "<eos>", "<|eom_id|>"};

Result<Piece> parsePiece(std::string_view bytes, size_t id, const std::string& path) {
  Piece piece;
  WireReader reader(bytes);
  while (reader.next()) {
    if (reader.field == field::kPieceText && reader.type == WireType::bytes) piece.text = reader.bytes;
    if (reader.field == field::kPieceScore && reader.type == WireType::fixed32) piece.score = reader.asFloat();
    if (reader.field == field::kPieceType && reader.type == WireType::varint) {
      if (reader.number < 1 || reader.number > 6) {
        return fail(ErrorCode::bad_file, "{}: piece {} has type {}", path, id, reader.number);
      }
      piece.type = static_cast<PieceType>(reader.number);
    }
  }
  if (!reader.valid()) return fail(ErrorCode::bad_file, "{}: piece {} is damaged", path, id);
  if (std::isnan(piece.score)) {
    return fail(ErrorCode::bad_file, "{}: piece {} (\"{}\") has no score", path, id,
                printable(piece.text));
  }
  return piece;
}

Status parseTrainer(std::string_view bytes, const std::string& path, SentencePieceVocabulary& out) {
  uint64_t model_type = 1;
  out.unknown_id = 0;
  out.bos_id = 1;
  out.eos_id = 2;
  WireReader reader(bytes);
  while (reader.next()) {
    if (reader.type != WireType::varint) continue;
    const auto number = static_cast<int32_t>(std::clamp<int64_t>(
        static_cast<int64_t>(reader.number), -1, static_cast<int64_t>(kMostPieces)));
    if (reader.field == field::kModelType) model_type = reader.number;
    if (reader.field == field::kSpaceAsSuffix) out.treat_space_as_suffix = reader.number != 0;
    if (reader.field == field::kUnknownId) out.unknown_id = number;
    if (reader.field == field::kBosId) out.bos_id = number;
    if (reader.field == field::kEosId) out.eos_id = number;
  }
  if (!reader.valid()) return fail(ErrorCode::bad_file, "{}: the training settings are damaged", path);
  if (model_type != 1 && model_type != 2) {
    return fail(ErrorCode::unsupported, "{}: SentencePiece {} models are not supported", path,
                model_type == 3 ? "word" : "character");
  }
  out.rule = static_cast<SegmentationRule>(model_type);
  return {};
}

Status parseNormaliser(std::string_view bytes, const std::string& path,
                       SentencePieceVocabulary& out) {
  bool escape = true;
  out.remove_extra_spaces = true;  // the format's default
  WireReader reader(bytes);
  while (reader.next()) {
    if (reader.field == field::kCharsMap && !reader.bytes.empty() && reader.type == WireType::bytes) {
      return fail(ErrorCode::unsupported,
                  "{}: SentencePiece models with character normalisation are not supported yet", path);
    }
    if (reader.type != WireType::varint) continue;
    if (reader.field == field::kDummyPrefix) out.add_space_prefix = reader.number != 0;
    if (reader.field == field::kRemoveSpaces) out.remove_extra_spaces = reader.number != 0;
    if (reader.field == field::kEscapeSpaces) escape = reader.number != 0;
  }
  if (!reader.valid()) return fail(ErrorCode::bad_file, "{}: the normaliser settings are damaged", path);
  if (!escape) {
    return fail(ErrorCode::unsupported, "{}: SentencePiece models that keep spaces as they are are not supported",
                path);
  }
  return {};
}

/// Ids within the vocabulary, the end-of-turn tokens by name, and the unknown piece where none is set.
void settleIds(SentencePieceVocabulary& out) {
  const auto n_pieces = static_cast<int32_t>(out.pieces.size());
  if (out.unknown_id >= n_pieces) out.unknown_id = -1;
  if (out.bos_id >= n_pieces) out.bos_id = -1;
  if (out.eos_id >= n_pieces) out.eos_id = -1;
  std::set<int32_t> ends;
  if (out.eos_id >= 0) ends.insert(out.eos_id);
  for (const int32_t id : out.end_ids) {
    if (id >= 0 && id < n_pieces) ends.insert(id);
  }
  for (int32_t id = 0; id < n_pieces; ++id) {
    const Piece& piece = out.pieces[static_cast<size_t>(id)];
    if (piece.type == PieceType::unknown && out.unknown_id < 0) out.unknown_id = id;
    const bool special = piece.type == PieceType::control || piece.type == PieceType::user_defined;
    if (special && std::find(std::begin(kEndNames), std::end(kEndNames), piece.text) != std::end(kEndNames)) {
      ends.insert(id);
    }
  }
  out.end_ids.assign(ends.begin(), ends.end());
}

bool hasAllBytes(const SentencePieceVocabulary& vocabulary) {
  std::vector<bool> seen(256, false);
  for (const Piece& piece : vocabulary.pieces) {
    const int byte = piece.type == PieceType::byte ? byteOfPiece(piece.text) : -1;
    if (byte >= 0) seen[static_cast<size_t>(byte)] = true;
  }
  return std::find(seen.begin(), seen.end(), false) == seen.end();
}

std::string serialisePiece(std::string_view text, float score, PieceType type) {
  WireWriter writer;
  writer.bytes(field::kPieceText, text);
  writer.fixed32(field::kPieceScore, score);
  writer.varint(field::kPieceType, static_cast<uint64_t>(type));
  return writer.text();
}

}  // namespace

int byteOfPiece(std::string_view text) {
  if (text.size() != 6 || !text.starts_with("<0x") || text[5] != '>') return -1;
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  const int high = digit(text[3]), low = digit(text[4]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

Result<SentencePieceVocabulary> parseSentencePieceModel(std::span<const std::byte> bytes,
                                                        const std::string& path) {
  SentencePieceVocabulary out;
  bool has_trainer = false, has_normaliser = false;
  WireReader reader({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  while (reader.next()) {
    if (reader.type != WireType::bytes) continue;
    if (reader.field == field::kPieces) {
      Result<Piece> piece = parsePiece(reader.bytes, out.pieces.size(), path);
      if (!piece) return passOn(piece);
      if (out.pieces.size() == kMostPieces) return fail(ErrorCode::bad_file, "{}: too many pieces", path);
      out.pieces.push_back(std::move(*piece));
    } else if (reader.field == field::kTrainer && !has_trainer) {
      has_trainer = true;
      if (Status s = parseTrainer(reader.bytes, path, out); !s) return passOn(s);
    } else if (reader.field == field::kNormaliser && !has_normaliser) {
      has_normaliser = true;
      if (Status s = parseNormaliser(reader.bytes, path, out); !s) return passOn(s);
    }
  }
  if (!reader.valid()) {
    return fail(ErrorCode::bad_file, "{}: no SentencePiece model, or damaged at byte {}", path,
                reader.position());
  }
  if (out.pieces.empty() || !has_trainer || !has_normaliser) {
    return fail(ErrorCode::bad_file, "{}: no complete SentencePiece model (it has {} pieces)", path,
                out.pieces.size());
  }
  settleIds(out);
  return out;
}

Result<SentencePieceVocabulary> sentencePieceFromGguf(const GgufVocabulary& vocabulary,
                                                      const std::string& path) {
  if (vocabulary.model != "llama") {
    return fail(ErrorCode::unsupported,
                "{}: tokenizers of kind \"{}\" are not supported yet (SentencePiece, \"llama\", is)", path,
                printable(vocabulary.model));
  }
  SentencePieceVocabulary out;
  out.pieces.resize(vocabulary.texts.size());
  for (size_t i = 0; i < out.pieces.size(); ++i) {
    Piece& piece = out.pieces[i];
    piece.text = vocabulary.texts[i];
    if (!vocabulary.scores.empty()) piece.score = vocabulary.scores[i];
    const int32_t type = vocabulary.types.empty() ? 0 : vocabulary.types[i];
    if (type >= 1 && type <= 6) piece.type = static_cast<PieceType>(type);
    else if (byteOfPiece(piece.text) >= 0) piece.type = PieceType::byte;  // files without types
  }
  out.add_space_prefix = vocabulary.add_space_prefix.value_or(true);
  out.add_bos = vocabulary.add_bos.value_or(true);
  out.add_eos = vocabulary.add_eos.value_or(false);
  out.unknown_id = vocabulary.unknown_id.value_or(-1);
  out.bos_id = vocabulary.bos_id.value_or(vocabulary.texts.size() > 1 ? 1 : -1);
  out.eos_id = vocabulary.eos_id.value_or(2);
  if (vocabulary.eot_id) out.end_ids.push_back(*vocabulary.eot_id);
  settleIds(out);
  return out;
}

std::string serialiseForLibrary(const SentencePieceVocabulary& vocabulary) {
  const bool byte_fallback = hasAllBytes(vocabulary);
  WireWriter model;
  std::unordered_set<std::string_view> seen;
  bool has_unknown = false;
  for (size_t i = 0; i < vocabulary.pieces.size(); ++i) {
    const Piece& piece = vocabulary.pieces[i];
    PieceType type = piece.type;
    if (static_cast<int32_t>(i) == vocabulary.unknown_id) type = PieceType::unknown;
    else if (type == PieceType::unknown) type = PieceType::control;
    if (type == PieceType::byte && !byte_fallback) type = PieceType::control;
    const bool usable = !piece.text.empty() && isValidUtf8(piece.text) &&
                        piece.text.find('\0') == std::string::npos && seen.insert(piece.text).second;
    if (!usable && type != PieceType::unknown) type = PieceType::control;
    has_unknown = has_unknown || type == PieceType::unknown;
    // U+0001 cannot begin a piece of a real vocabulary, so these names stay unique.
    const std::string text = usable ? piece.text : fmt::format("\x01{}", i);
    model.bytes(field::kPieces, serialisePiece(text, piece.score, type));
  }
  if (!has_unknown) {  // the library wants one; its id lies outside the vocabulary and is dropped
    model.bytes(field::kPieces, serialisePiece("\x01unknown", 0, PieceType::unknown));
  }
  WireWriter trainer;
  trainer.varint(field::kModelType, static_cast<uint64_t>(vocabulary.rule));
  trainer.varint(field::kSpaceAsSuffix, vocabulary.treat_space_as_suffix);
  trainer.varint(field::kByteFallback, byte_fallback);
  const std::string unknown_text = vocabulary.unknown_id >= 0
      ? vocabulary.pieces[static_cast<size_t>(vocabulary.unknown_id)].text : "\x01unknown";
  trainer.bytes(field::kUnknownPiece, unknown_text);
  model.bytes(field::kTrainer, trainer.text());
  WireWriter normaliser;
  normaliser.varint(field::kDummyPrefix, 0);
  normaliser.varint(field::kRemoveSpaces, 0);
  normaliser.varint(field::kEscapeSpaces, 1);
  model.bytes(field::kNormaliser, normaliser.text());
  return model.text();
}

}  // namespace hearth
