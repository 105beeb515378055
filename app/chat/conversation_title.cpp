#include "app/chat/conversation_title.h"

namespace hearth {

QString titleFromText(const QString& text) {
  constexpr int kLongest = 48;
  constexpr int kLooked = 400;  // a pasted document is not worth reading to its end
  const QString line = text.left(kLooked).simplified();
  if (line.size() <= kLongest) return line;
  const qsizetype space = line.lastIndexOf(QLatin1Char(' '), kLongest - 1);
  qsizetype end = space > kLongest / 2 ? space : kLongest - 1;  // no spaces: Chinese, or a long link
  if (line.at(end - 1).isHighSurrogate()) --end;
  return line.left(end) + QChar(0x2026);
}

}  // namespace hearth
