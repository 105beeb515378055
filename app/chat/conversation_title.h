// The title that a conversation gets from its first message.
#pragma once

#include <QString>

namespace hearth {

/// The first words of `text` on one line, at most 48 characters, "…" where something was left out.
QString titleFromText(const QString& text);

}  // namespace hearth
