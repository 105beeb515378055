#include "ui/bridge/trace.h"

#include <QDateTime>
#include <QJsonArray>
#include <QJsonDocument>

#include <fcntl.h>
#include <unistd.h>

namespace hearth {

Trace::Trace() {
  const QByteArray path = qgetenv("HEARTH_TRACE");
  if (!path.isEmpty()) file_ = ::open(path.constData(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

Trace::~Trace() {
  if (file_ >= 0) ::close(file_);
}

void Trace::write(const char* event, int64_t id, const QString& text) {
  if (file_ < 0) return;
  QByteArray line = QByteArray::number(QDateTime::currentMSecsSinceEpoch());
  line.append(' ').append(event).append(' ').append(QByteArray::number(qint64{id})).append(' ');
  line.append(QJsonDocument(QJsonArray{text}).toJson(QJsonDocument::Compact)).append('\n');
  [[maybe_unused]] const auto written = ::write(file_, line.constData(), static_cast<size_t>(line.size()));
}

}  // namespace hearth
