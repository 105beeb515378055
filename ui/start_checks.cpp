#include "ui/start_checks.h"

#include <QFontDatabase>
#include <QFontInfo>
#include <QGuiApplication>
#include <QLocale>
#include <QOffscreenSurface>
#include <QOpenGLContext>
#include <QOpenGLFunctions>
#include <QQuickWindow>
#include <QSGRendererInterface>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace hearth {
namespace {

QtMessageHandler g_previous_handler = nullptr;  // Qt's handlers are plain functions without context

void sayNoDisplay(const char* reason) {
  std::fprintf(stderr,
               "hearth: no display to open a window on (%s).\n"
               "Start it from a desktop session, set DISPLAY or WAYLAND_DISPLAY, or chat in this "
               "terminal:\n\n    hearth-cli chat\n\n",
               reason);
}

void handleMessage(QtMsgType type, const QMessageLogContext& context, const QString& message) {
  if (type == QtFatalMsg && message.contains(QLatin1String("platform plugin"))) {
    sayNoDisplay("the display does not answer");
    std::_Exit(1);
  }
  g_previous_handler(type, context, message);
}

bool isSet(const char* variable) {
  const char* value = std::getenv(variable);
  return value && *value;
}

/// OpenGL's renderer; empty when no context can be made.
QByteArray rendererName() {
  QOpenGLContext context;
  if (!context.create()) return {};
  QOffscreenSurface surface;
  surface.setFormat(context.format());
  surface.create();
  if (!surface.isValid() || !context.makeCurrent(&surface)) return {};
  const auto* name = reinterpret_cast<const char*>(context.functions()->glGetString(GL_RENDERER));
  context.doneCurrent();
  return QByteArray(name).toLower();
}

/// One character has several national shapes: those of the user's language, otherwise simplified Chinese.
QString chineseJapaneseKoreanFamily() {
  const QLocale locale;
  if (locale.language() == QLocale::Japanese) return QStringLiteral("Noto Sans CJK JP");
  if (locale.language() == QLocale::Korean) return QStringLiteral("Noto Sans CJK KR");
  const bool traditional = locale.script() == QLocale::TraditionalChineseScript;
  return traditional ? QStringLiteral("Noto Sans CJK TC") : QStringLiteral("Noto Sans CJK SC");
}

}  // namespace

bool displayIsMissing(int argc, char** argv) {
  for (int i = 1; i < argc; ++i)
    if (std::strcmp(argv[i], "-platform") == 0) return false;
  if (isSet("QT_QPA_PLATFORM") || isSet("DISPLAY") || isSet("WAYLAND_DISPLAY")) return false;
  sayNoDisplay("neither DISPLAY nor WAYLAND_DISPLAY is set");
  return true;
}

void explainPlatformFailure() { g_previous_handler = qInstallMessageHandler(handleMessage); }

void chooseRenderer() {
  if (isSet("QT_QUICK_BACKEND") || isSet("QSG_RHI_BACKEND")) return;
  const QByteArray name = rendererName();
  const bool on_processor = name.isEmpty() || name.contains("llvmpipe") ||
                            name.contains("softpipe") || name.contains("swrast");
  if (on_processor) QQuickWindow::setGraphicsApi(QSGRendererInterface::Software);
}

void chooseFont() {
  const QString family = QFontInfo(QGuiApplication::font()).family();
  if (!family.startsWith(QLatin1String("DejaVu"))) return;  // the user's desktop has made a choice
  QStringList families;
  for (const char* preferred : {"Inter", "Noto Sans", "Cantarell", "Open Sans"})
    if (families.isEmpty() && QFontDatabase::hasFamily(QLatin1String(preferred)))
      families << QLatin1String(preferred);
  families << family << chineseJapaneseKoreanFamily();
  QFont font = QGuiApplication::font();
  font.setFamilies(families);
  QGuiApplication::setFont(font);
}

}  // namespace hearth
