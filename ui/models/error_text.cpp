#include "ui/models/error_text.h"

#include <QCoreApplication>
#include <QFileInfo>

namespace hearth {
namespace {

class Text {
  Q_DECLARE_TR_FUNCTIONS(Errors)
};

QString details(const Error& error) {
  return QStringLiteral("%1: %2").arg(QString::fromLatin1(errorCodeName(error.code)),
                                      QString::fromStdString(error.message));
}

QString describeModelError(ErrorCode code) {
  switch (code) {
    case ErrorCode::bad_file: return Text::tr("the file is damaged or is not a model file.");
    case ErrorCode::unsupported: return Text::tr("this version of Hearth does not support this kind of model.");
    case ErrorCode::not_found: return Text::tr("it is not there, or a part of it is missing.");
    case ErrorCode::out_of_memory: return Text::tr("there is not enough memory for it.");
    default: return describeError(code);
  }
}

}  // namespace

QString describeError(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument: return Text::tr("this cannot be done.");
    case ErrorCode::not_found: return Text::tr("something that is needed is not there any more.");
    case ErrorCode::bad_file: return Text::tr("a file is damaged.");
    case ErrorCode::unsupported: return Text::tr("this version of Hearth does not support it.");
    case ErrorCode::out_of_memory: return Text::tr("there is not enough memory.");
    case ErrorCode::disk_full: return Text::tr("the disk is full.");
    case ErrorCode::read_only: return Text::tr("the data folder cannot be written.");
    case ErrorCode::io: return Text::tr("the system reported an error.");
    case ErrorCode::busy: return Text::tr("it is in use at the moment.");
    case ErrorCode::cancelled: return Text::tr("it was cancelled.");
    case ErrorCode::device: return Text::tr("the compute device failed.");
    case ErrorCode::newer_version: return Text::tr("it was written by a newer version of Hearth.");
  }
  return {};
}

QString describeErrorNamed(const std::string& code_name) {
  for (int code = 0; code <= static_cast<int>(ErrorCode::newer_version); ++code)
    if (code_name == errorCodeName(static_cast<ErrorCode>(code)))
      return describeError(static_cast<ErrorCode>(code));
  return {};
}

Notice noticeFor(const Error& error) {
  return {Text::tr("Something went wrong: %1").arg(describeError(error.code)), details(error)};
}

Notice noticeForModel(const QString& path, const Error& error) {
  return {Text::tr("“%1” can't be used: %2")
              .arg(QFileInfo(path).fileName(), describeModelError(error.code)),
          QString::fromStdString(error.message), true};
}

Notice noticeForSubmit(const Error& error) {
  return {Text::tr("Your message was not sent, and is back in the box below: %1")
              .arg(describeError(error.code)),
          details(error)};
}

Notice noticeForEdit(const Error& error) {
  return {Text::tr("Your edited message was not sent, and is still in its editor: %1")
              .arg(describeError(error.code)),
          details(error)};
}

Notice noticeForStart(const Error& error) {
  const QString text = [&] {
    switch (error.code) {
      case ErrorCode::busy: return Text::tr("Hearth is already running with this data folder.");
      case ErrorCode::read_only: return Text::tr("Hearth cannot write to its data folder.");
      case ErrorCode::disk_full: return Text::tr("The disk is full, so Hearth cannot store anything.");
      case ErrorCode::newer_version: return Text::tr("Your conversations were written by a newer version of Hearth. Nothing was changed.");
      case ErrorCode::bad_file: return Text::tr("The file with your conversations is damaged. Nothing was changed.");
      default: return Text::tr("Hearth cannot open its data folder.");
    }
  }();
  return {text, details(error)};
}

}  // namespace hearth
