#include "ui/program.h"

#include <CLI/CLI.hpp>
#include <QGuiApplication>
#include <QIcon>
#include <QLocale>
#include <QQuickStyle>
#include <QTranslator>

#include <cstdio>

#include "ui/app_window.h"
#include "ui/failure_window.h"
#include "ui/start_checks.h"
#include "ui/models/error_text.h"

namespace hearth {
namespace {

struct CommandLine {
  std::string data_dir, model;
};

int exitCodeFor(ErrorCode code) {
  switch (code) {
    case ErrorCode::bad_file:
    case ErrorCode::newer_version: return 3;
    case ErrorCode::disk_full:
    case ErrorCode::out_of_memory: return 4;
    default: return 1;
  }
}

/// The exit code when the program ends here; -1 to go on. CLI11 throws: it must not leave this function.
int readCommandLine(int argc, char** argv, const ProgramOptions& options, CommandLine& line) {
  CLI::App cli(options.description, options.name);
  cli.set_version_flag("--version", options.name + " " HEARTH_VERSION);
  cli.add_option("--data-dir", line.data_dir, "Folder with the conversations (default: your own)");
  if (options.opens_models)
    cli.add_option("--model", line.model, "Model file or folder to open (default: the last one)");
  if (options.add_options) options.add_options(cli);
  cli.allow_extras();  // Qt's own, such as -platform
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& end) {
    return cli.exit(end) == 0 ? 0 : 2;
  }
  return -1;
}

void describeApplication(const ProgramOptions& options) {
  QCoreApplication::setApplicationName(QStringLiteral("hearth"));
  QCoreApplication::setApplicationVersion(QStringLiteral(HEARTH_VERSION));
  QGuiApplication::setApplicationDisplayName(QString::fromStdString(options.name));
  QGuiApplication::setDesktopFileName(QStringLiteral("org.hearth.Hearth"));
  QGuiApplication::setWindowIcon(QIcon(QStringLiteral(":/icons/org.hearth.Hearth.svg")));
  QQuickStyle::setStyle(QStringLiteral("Basic"));
}

int runWindow(const ProgramOptions& options, const CommandLine& line) {
  const std::filesystem::path data_dir = 
      line.data_dir.empty() ? options.data_dir : std::filesystem::path(line.data_dir);
  auto composition = Composition::create({.data_dir = data_dir, .models = {}});
  if (!composition) {
    showStartFailure(noticeForStart(composition.error()));
    return exitCodeFor(composition.error().code);
  }
  auto models = options.make_model_link(**composition);
  if (!models) {
    std::fprintf(stderr, "%s: %s\n", options.name.c_str(), models.error().message.c_str());
    return 2;
  }
  ServiceChatLink chat((*composition)->chat());
  AppWindow window(chat, **models,
                   {.model_path = QString::fromStdString(line.model),
                    .reopen_model = options.opens_models});
  if (!window.start()) {
    std::fprintf(stderr, "%s: the window cannot be made\n", options.name.c_str());
    return 1;
  }
  return QGuiApplication::exec();
}

}  // namespace

int runProgram(int argc, char** argv, const ProgramOptions& options) {
  CommandLine line;
  if (const int code = readCommandLine(argc, argv, options, line); code >= 0) return code;
  if (displayIsMissing(argc, argv)) return 1;
  explainPlatformFailure();
  QGuiApplication app(argc, argv);
  describeApplication(options);
  chooseRenderer();
  chooseFont();
  QTranslator translator;
  // English has a file too: it holds the plural forms.
  if (translator.load(QLocale(), QStringLiteral("hearth"), QStringLiteral("_"), QStringLiteral(":/i18n")) ||
      translator.load(QStringLiteral(":/i18n/hearth_en")))
    QCoreApplication::installTranslator(&translator);
  return runWindow(options, line);
}

}  // namespace hearth
