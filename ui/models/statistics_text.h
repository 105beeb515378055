// The statistics of an answer in words.
#pragma once

#include <QString>

#include "app/chat/chat_types.h"

namespace hearth {

/// "128 tokens · 24.1 tokens/s · first after 0.31 s · finished · stories260K"
QString statisticsLine(const AnswerStats& stats);

/// What the line leaves out, one fact a line.
QString statisticsDetails(const AnswerStats& stats);

}  // namespace hearth
