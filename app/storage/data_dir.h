// Where the user's own data lies. The window and the command line agree on it.
#pragma once

#include <filesystem>

namespace hearth {

/// "hearth" in $XDG_DATA_HOME, or in ~/.local/share where that is not set to an absolute path.
std::filesystem::path defaultDataDir();

/// The conversation store of a data folder.
std::filesystem::path storeFile(const std::filesystem::path& data_dir);

}  // namespace hearth
