// What has to be settled before the first Qt object of the window exists.
#pragma once

namespace hearth {

/// Without any display Qt would abort. True: there is none, and stderr says so and what to do.
bool displayIsMissing(int argc, char** argv);

/// Turns Qt's abort on a display that does not answer into the same message and exit code 1.
void explainPlatformFailure();

/// Draws without OpenGL where there is none, or only one that runs on the processor: the engine
/// needs those cores. Needs a QGuiApplication; before the first window.
void chooseRenderer();

/// Where the desktop names no font, Qt takes the first that fontconfig knows: a better one that is there.
void chooseFont();

}  // namespace hearth
