// The window that is shown when Hearth cannot start.
#pragma once

#include "ui/models/notice_list_model.h"

namespace hearth {

/// Prints the notice to stderr and shows it until it is closed. Needs a QGuiApplication.
void showStartFailure(const Notice& notice);

}  // namespace hearth
