#include "app/storage/data_dir.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

namespace hearth {

namespace {

namespace fs = std::filesystem;

fs::path homeFolder() {
  const char* home = std::getenv("HOME");
  if (home && *home) return home;
  passwd entry;
  passwd* found = nullptr;
  std::vector<char> strings(1 << 14);
  getpwuid_r(getuid(), &entry, strings.data(), strings.size(), &found);
  return found && found->pw_dir ? fs::path(found->pw_dir) : fs::path("/");
}

}  // namespace

fs::path defaultDataDir() {
  const char* data = std::getenv("XDG_DATA_HOME");
  const bool is_set = data && fs::path(data).is_absolute();
  return (is_set ? fs::path(data) : homeFolder() / ".local" / "share") / "hearth";
}

fs::path storeFile(const fs::path& data_dir) { return data_dir / "hearth.db"; }

}  // namespace hearth
