// Error codes in the user's language. The untranslated message goes along as details.
#pragma once

#include "kernels/base/error.h"
#include "ui/models/notice_list_model.h"

namespace hearth {

QString describeError(ErrorCode code);
/// By the code's stable name; empty for a name that is not one.
QString describeErrorNamed(const std::string& code_name);

/// Something failed while the program was at work.
Notice noticeFor(const Error& error);
/// A model could not be opened.
Notice noticeForModel(const QString& path, const Error& error);
/// A message could not be stored; its text is back in the composer.
Notice noticeForSubmit(const Error& error);
/// An edited message could not be stored; its text is back in the editor.
Notice noticeForEdit(const Error& error);
/// Hearth cannot start.
Notice noticeForStart(const Error& error);

}  // namespace hearth
