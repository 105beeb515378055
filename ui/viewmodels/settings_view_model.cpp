#include "ui/viewmodels/settings_view_model.h"

#include <QStringList>

#include <algorithm>

namespace hearth {
namespace {

constexpr int kSaveMs = 300;

float within(double value, double low, double high) {
  return static_cast<float>(std::clamp(value, low, high));
}

QString escaped(QString text) {
  return text.replace(QLatin1Char('\\'), QLatin1String("\\\\"))
      .replace(QLatin1Char('\n'), QLatin1String("\\n"))
      .replace(QLatin1Char('\t'), QLatin1String("\\t"));
}

QString unescaped(const QString& text) {
  QString out;
  for (qsizetype i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == QLatin1Char('\\') && i + 1 < text.size();
    const QChar next = escape ? text[i + 1] : QChar();
    if (next == QLatin1Char('n')) out += QLatin1Char('\n');
    else if (next == QLatin1Char('t')) out += QLatin1Char('\t');
    else if (next == QLatin1Char('\\')) out += QLatin1Char('\\');
    else { out += text[i]; continue; }
    ++i;
  }
  return out;
}

std::vector<std::string> stopsIn(const QString& text) {
  std::vector<std::string> stops;
  for (const QString& line : text.split(QLatin1Char('\n'), Qt::SkipEmptyParts))
    stops.push_back(unescaped(line).toStdString());
  return stops;
}

}  // namespace

SettingsViewModel::SettingsViewModel(ChatLink& link, ConversationListModel& conversations,
                                     QObject* parent)
    : QObject(parent), link_(link), conversations_(conversations) {
  save_timer_.setSingleShot(true);
  save_timer_.setInterval(kSaveMs);
  connect(&save_timer_, &QTimer::timeout, this, &SettingsViewModel::save);
  connect(&link_, &ChatLink::conversationChanged, this, [this](const Conversation& conversation) {
    if (conversation.id != id_ || save_timer_.isActive() || conversation.settings == settings_) return;
    settings_ = conversation.settings;
    emit changed();
  });
}

SettingsViewModel::~SettingsViewModel() { save(); }

void SettingsViewModel::show(ConversationId id) {
  flush();
  id_ = id;
  stop_texts_.clear();
  const Conversation* conversation = conversations_.find(id);
  settings_ = conversation ? conversation->settings : GenerationSettings{};
  emit changed();
}

void SettingsViewModel::flush() {
  emit wanted();
  save();
}

void SettingsViewModel::save() {
  if (!save_timer_.isActive()) return;
  save_timer_.stop();
  if (id_ != 0) link_.saveSettings(id_, settings_);
}

template <class T>
void SettingsViewModel::change(T& field, const T& value) {
  if (field == value) return;
  field = value;
  save_timer_.start();
  emit changed();
}

QString SettingsViewModel::seed() const {
  return settings_.seed ? QString::number(*settings_.seed) : QString();
}

QString SettingsViewModel::stopTexts() const {
  if (stopsIn(stop_texts_) == settings_.stop) return stop_texts_;
  QStringList lines;
  for (const std::string& stop : settings_.stop) lines << escaped(QString::fromStdString(stop));
  return lines.join(QLatin1Char('\n'));
}

void SettingsViewModel::setSystemPrompt(const QString& text) {
  change(settings_.system_prompt, text.toStdString());
}
void SettingsViewModel::setTemperature(double value) {
  change(settings_.temperature, within(value, 0, 5));
}
void SettingsViewModel::setTopK(int value) { change(settings_.top_k, std::max(0, value)); }
void SettingsViewModel::setTopP(double value) { change(settings_.top_p, within(value, 0, 1)); }
void SettingsViewModel::setMinP(double value) { change(settings_.min_p, within(value, 0, 1)); }
void SettingsViewModel::setRepetitionPenalty(double value) {
  change(settings_.repetition_penalty, within(value, 0.5, 2));
}
void SettingsViewModel::setPresencePenalty(double value) {
  change(settings_.presence_penalty, within(value, -2, 2));
}
void SettingsViewModel::setFrequencyPenalty(double value) {
  change(settings_.frequency_penalty, within(value, -2, 2));
}

void SettingsViewModel::setSeed(const QString& text) {
  bool is_number = false;
  const quint64 value = text.trimmed().toULongLong(&is_number);
  if (!is_number && !text.trimmed().isEmpty()) return;
  change(settings_.seed, is_number ? std::optional<uint64_t>(value) : std::nullopt);
}

void SettingsViewModel::setMaxTokens(int value) {
  change(settings_.max_tokens, value <= 0 ? -1 : value);
}

void SettingsViewModel::setStopTexts(const QString& text) {
  stop_texts_ = text;
  change(settings_.stop, stopsIn(text));
}

void SettingsViewModel::reset() {
  stop_texts_.clear();
  change(settings_, GenerationSettings{});
}

}  // namespace hearth
