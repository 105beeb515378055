// Sampling settings and system prompt of the open conversation, or of the next one.
#pragma once

#include <QObject>
#include <QTimer>
#include <qqmlregistration.h>

#include "ui/bridge/chat_link.h"
#include "ui/models/conversation_list_model.h"

namespace hearth {

/// A change counts from the next answer on; it is stored a moment later, so that a slider that is
/// being dragged does not write a hundred times.
class SettingsViewModel : public QObject {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("made by the window")
  Q_PROPERTY(QString systemPrompt READ systemPrompt WRITE setSystemPrompt NOTIFY changed)
  Q_PROPERTY(double temperature READ temperature WRITE setTemperature NOTIFY changed)
  Q_PROPERTY(int topK READ topK WRITE setTopK NOTIFY changed)
  Q_PROPERTY(double topP READ topP WRITE setTopP NOTIFY changed)
  Q_PROPERTY(double minP READ minP WRITE setMinP NOTIFY changed)
  Q_PROPERTY(double repetitionPenalty READ repetitionPenalty WRITE setRepetitionPenalty NOTIFY changed)
  Q_PROPERTY(double presencePenalty READ presencePenalty WRITE setPresencePenalty NOTIFY changed)
  Q_PROPERTY(double frequencyPenalty READ frequencyPenalty WRITE setFrequencyPenalty NOTIFY changed)
  Q_PROPERTY(QString seed READ seed WRITE setSeed NOTIFY changed)
  Q_PROPERTY(int maxTokens READ maxTokens WRITE setMaxTokens NOTIFY changed)
  Q_PROPERTY(QString stopTexts READ stopTexts WRITE setStopTexts NOTIFY changed)
  Q_PROPERTY(bool isDefault READ isDefault NOTIFY changed)

 public:
  SettingsViewModel(ChatLink& link, ConversationListModel& conversations, QObject* parent = nullptr);
  ~SettingsViewModel() override;

  /// 0: the conversation that will be created next.
  void show(ConversationId id);
  /// Stores what has not been stored yet.
  Q_INVOKABLE void flush();
  const GenerationSettings& settings() const { return settings_; }

  QString systemPrompt() const { return QString::fromStdString(settings_.system_prompt); }
  double temperature() const { return settings_.temperature; }
  int topK() const { return settings_.top_k; }
  double topP() const { return settings_.top_p; }
  double minP() const { return settings_.min_p; }
  double repetitionPenalty() const { return settings_.repetition_penalty; }
  double presencePenalty() const { return settings_.presence_penalty; }
  double frequencyPenalty() const { return settings_.frequency_penalty; }
  /// Empty: another for every answer.
  QString seed() const;
  /// -1: until the context is full.
  int maxTokens() const { return settings_.max_tokens; }
  /// One a line; `\n`, `\t` and `\\` stand for the characters. As typed, until show().
  QString stopTexts() const;
  bool isDefault() const { return settings_ == GenerationSettings{}; }

  void setSystemPrompt(const QString& text);
  void setTemperature(double value);
  void setTopK(int value);
  void setTopP(double value);
  void setMinP(double value);
  void setRepetitionPenalty(double value);
  void setPresencePenalty(double value);
  void setFrequencyPenalty(double value);
  void setSeed(const QString& text);
  void setMaxTokens(int value);
  void setStopTexts(const QString& text);
  Q_INVOKABLE void reset();

 signals:
  void changed();
  /// The settings are about to be used or stored: fields that are being typed in give theirs now.
  void wanted();

 private:
  void save();
  template <class T>
  void change(T& field, const T& value);

  ChatLink& link_;
  ConversationListModel& conversations_;
  ConversationId id_ = 0;
  GenerationSettings settings_;
  QString stop_texts_;  // as typed, so that a line that is not complete yet stays as it is
  QTimer save_timer_;
};

}  // namespace hearth
