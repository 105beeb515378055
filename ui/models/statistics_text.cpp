#include "ui/models/statistics_text.h"

#include <QCoreApplication>
#include <QLocale>
#include <QStringList>

namespace hearth {
namespace {

class Text {
  Q_DECLARE_TR_FUNCTIONS(Statistics)
};

QString number(double value, int decimals) { return QLocale().toString(value, 'f', decimals); }

QString rate(double tokens_per_s) { return number(tokens_per_s, tokens_per_s < 100 ? 1 : 0); }

QString duration(double ms) {
  return ms < 1000 ? Text::tr("%1 ms").arg(number(ms, 0)) : Text::tr("%1 s").arg(number(ms / 1000, 1));
}

/// Names of inference/session.h's StopReason.
QString stopReason(const std::string& name) {
  if (name == "end_of_text") return Text::tr("finished");
  if (name == "stop_rule") return Text::tr("stop text reached");
  if (name == "max_tokens") return Text::tr("token limit reached");
  if (name == "context_full") return Text::tr("context full");
  if (name == "cancelled") return Text::tr("stopped");
  return QString::fromStdString(name);
}

}  // namespace

QString statisticsLine(const AnswerStats& stats) {
  QStringList parts;
  parts << Text::tr("%n token(s)", nullptr, stats.generated_tokens);
  if (stats.generated_tokens_per_s > 0)
    parts << Text::tr("%1 tokens/s").arg(rate(stats.generated_tokens_per_s));
  if (stats.time_to_first_token_ms > 0)
    parts << Text::tr("first after %1").arg(duration(stats.time_to_first_token_ms));
  if (!stats.stop_reason.empty()) parts << stopReason(stats.stop_reason);
  if (!stats.model.empty())
    parts << QString::fromStdString(stats.model).section(QLatin1Char('@'), 0, 0).trimmed();
  return parts.join(QStringLiteral(" · "));
}

QString statisticsDetails(const AnswerStats& stats) {
  QStringList lines;
  lines << Text::tr("Prompt: %1 tokens, %2 of them already read")
               .arg(stats.prompt_tokens)
               .arg(stats.cached_tokens);
  if (stats.prompt_tokens_per_s > 0)
    lines << Text::tr("Prompt read at %1 tokens/s").arg(rate(stats.prompt_tokens_per_s));
  if (!stats.device.empty()) lines << Text::tr("Device: %1").arg(QString::fromStdString(stats.device));
  if (!stats.model.empty()) lines << Text::tr("Model: %1").arg(QString::fromStdString(stats.model));
  return lines.join(QLatin1Char('\n'));
}

}  // namespace hearth
