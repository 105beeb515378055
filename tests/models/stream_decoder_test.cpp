// Streaming: no half characters, no beginnings of stop strings, and nothing lost at the end.
#include <QtTest>

#include <random>

#include "models/tokenizer/stream_decoder.h"

using namespace hearth;

namespace {

/// Token i is pieces[i]: the decoder needs nothing else of a tokenizer.
class PieceTokenizer : public Tokenizer {
 public:
  explicit PieceTokenizer(std::vector<std::string> pieces, bool space_prefix = true)
      : pieces_(std::move(pieces)), space_prefix_(space_prefix) {}
  int32_t nVocab() const override { return int32_t(pieces_.size()); }
  std::vector<int32_t> encode(std::string_view, const EncodeOptions&) const override { return {}; }
  std::string piece(int32_t id, bool) const override { return pieces_.at(size_t(id)); }
  std::string vocabularyText(int32_t id) const override { return pieces_.at(size_t(id)); }
  std::string decode(std::span<const int32_t>) const override { return {}; }
  bool addsSpacePrefix() const override { return space_prefix_; }
  int32_t bosId() const override { return -1; }
  bool isEndOfGeneration(int32_t) const override { return false; }

 private:
  std::vector<std::string> pieces_;
  bool space_prefix_;
};

using Texts = std::vector<std::string>;

/// What each push gives, and the text of finish at the end.
Texts stream(const Texts& pieces, const Texts& stops, bool continues = true) {
  const PieceTokenizer tokenizer(pieces);
  StreamDecoder decoder(tokenizer, stops, continues);
  Texts out;
  for (size_t i = 0; i < pieces.size(); ++i) out.push_back(decoder.push(int32_t(i)));
  out.push_back(decoder.finish());
  return out;
}

}  // namespace

class StreamDecoderTest : public QObject {
  Q_OBJECT
 private slots:
  void givesPlainTextAtOnce();
  void dropsTheSpacePrefixOfAText();
  void holdsBackHalfACharacter();
  void replacesBytesThatCannotBecomeText();
  void findsStopStringsAcrossTokens();
  void releasesWhatOnlyLookedLikeAStopString();
  void stopsAtTheEarliestStopString();
  void givesNothingAfterAStopString();
  void stopStringsMayBeginInsideACharacterOfBytes();
  void anyCutGivesTheSameText();
};

void StreamDecoderTest::givesPlainTextAtOnce() {
  QCOMPARE(stream({" the", " cat", "\n"}, {}), (Texts{" the", " cat", "\n", ""}));
  QCOMPARE(stream({" the"}, {""}), (Texts{" the", ""}));  // an empty stop string stops nothing
}

void StreamDecoderTest::dropsTheSpacePrefixOfAText() {
  QCOMPARE(stream({"", " the", " cat"}, {}, false), (Texts{"", "the", " cat", ""}));
  QCOMPARE(stream({"  the"}, {}, false), (Texts{" the", ""}));
  const PieceTokenizer without_prefix({" the"}, false);
  StreamDecoder decoder(without_prefix, {}, false);
  QCOMPARE(decoder.push(0), std::string(" the"));
}

void StreamDecoderTest::holdsBackHalfACharacter() {
  QCOMPARE(stream({"a\xF0", "\x9F", "\x99", "\x82", "b"}, {}), (Texts{"a", "", "", "🙂", "b", ""}));
  QCOMPARE(stream({"\xE4\xBD", "\xA0\xE5"}, {}), (Texts{"", "你", "\uFFFD"}));
}

void StreamDecoderTest::replacesBytesThatCannotBecomeText() {
  QCOMPARE(stream({"a\x80z", "\xFF"}, {}), (Texts{"a\uFFFDz", "\uFFFD", ""}));
  QCOMPARE(stream({"\xF0\x9F", "x"}, {}), (Texts{"", "\uFFFDx", ""}));
  QCOMPARE(stream({"\xED\xA0\x80"}, {}), (Texts{"\uFFFD\uFFFD\uFFFD", ""}));  // a surrogate
}

void StreamDecoderTest::findsStopStringsAcrossTokens() {
  QCOMPARE(stream({"yes", "\n", "Us", "er:", " no"}, {"\nUser:"}), (Texts{"yes", "", "", "", "", ""}));
  QCOMPARE(stream({"one. t", "wo"}, {". t"}), (Texts{"one", "", ""}));
}

void StreamDecoderTest::releasesWhatOnlyLookedLikeAStopString() {
  QCOMPARE(stream({"a\n", "Us", "ual"}, {"\nUser:"}), (Texts{"a", "", "\nUsual", ""}));
  QCOMPARE(stream({"a\n", "Us"}, {"\nUser:"}), (Texts{"a", "", "\nUs"}));
  QCOMPARE(stream({"aa", "ab"}, {"aaab"}), (Texts{"", "", ""}));
  QCOMPARE(stream({"aaa", "ab"}, {"aaab"}), (Texts{"", "a", ""}));  // the held part shifts by one
}

void StreamDecoderTest::stopsAtTheEarliestStopString() {
  QCOMPARE(stream({"one END two STOP"}, {"STOP", "END"}), (Texts{"one ", ""}));
}

void StreamDecoderTest::givesNothingAfterAStopString() {
  const PieceTokenizer tokenizer({"x STOP y", "z"});
  StreamDecoder decoder(tokenizer, {"STOP"}, true);
  QVERIFY(!decoder.stopped());
  QCOMPARE(decoder.push(0), std::string("x "));
  QVERIFY(decoder.stopped());
  QCOMPARE(decoder.push(1), std::string());
  QCOMPARE(decoder.finish(), std::string());
}

void StreamDecoderTest::stopStringsMayBeginInsideACharacterOfBytes() {
  QCOMPARE(stream({"\xE4", "\xBD", "\xA0", "\xE5\xA5\xBD", "!"}, {"你好"}), (Texts{"", "", "", "", "", ""}));
  QCOMPARE(stream({"\xE4", "\xBD", "\xA0", "!"}, {"你好"}), (Texts{"", "", "", "你!", ""}));
}

void StreamDecoderTest::anyCutGivesTheSameText() {
  const std::string text = "Zażółć 🙂 你好 \xFF\xC3( end\nUser: no";
  const std::string expected = "Zażółć 🙂 你好 \uFFFD\uFFFD( end";
  std::mt19937 random(3);
  for (int round = 0; round < 500; ++round) {
    Texts pieces;
    for (size_t at = 0; at < text.size();) {
      const size_t n = 1 + random() % 6;
      pieces.push_back(text.substr(at, n));
      at += n;
    }
    std::string joined;
    for (const std::string& part : stream(pieces, {"\nUser:", "never"})) {
      QVERIFY(QString::fromStdString(part).toStdString() == part);  // every part alone is valid UTF-8
      joined += part;
    }
    QCOMPARE(joined, expected);
  }
}

QTEST_APPLESS_MAIN(StreamDecoderTest)
#include "stream_decoder_test.moc"
