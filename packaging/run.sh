#!/usr/bin/env bash
# From a checkout to the open window: installs what is missing, builds, starts Hearth.
#   packaging/run.sh [--yes] [--build-only] [arguments for hearth …]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=packaging/setup.sh
. "$root/packaging/setup.sh"

yes=0 build_only=0
while [ $# -gt 0 ]; do
  case "$1" in
    --yes) yes=1 ;;
    --build-only) build_only=1 ;;
    --help) sed -n '2,3s/^# *//p' "$0"; exit 0 ;;
    *) break ;;
  esac
  shift
done

install_missing "$yes" build run
cd "$root"
say_about_gpu
if [ -n "${HEARTH_CUDA:-}" ]; then
  cmake --preset release -DHEARTH_CUDA="$HEARTH_CUDA"
elif [ ! -f build/release/build.ninja ]; then
  cmake --preset release
fi
cmake --build build/release -j "$(jobs)"
[ "$build_only" = 1 ] && exit 0

if [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}${QT_QPA_PLATFORM:-}" ]; then
  cat <<TEXT
Hearth is built, but there is no display to open a window on (neither DISPLAY nor WAYLAND_DISPLAY
is set). You can chat in this terminal instead:
  build/release/hearth-cli chat --model MODEL     (a GGUF file or a Hugging Face folder)
TEXT
  exit 0
fi
exec build/release/hearth "$@"
