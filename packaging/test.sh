#!/usr/bin/env bash
# Builds Hearth with its tests and runs them.
#   packaging/test.sh [--yes] [--all] [arguments for ctest …]
# Without --all the tests labelled "slow" are left out.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=packaging/setup.sh
. "$root/packaging/setup.sh"

yes=0 labels=(-LE slow)
while [ $# -gt 0 ]; do
  case "$1" in
    --yes) yes=1 ;;
    --all) labels=() ;;
    --help) sed -n '2,4s/^# *//p' "$0"; exit 0 ;;
    *) break ;;
  esac
  shift
done

install_missing "$yes" build run test
cd "$root"
if [ -n "${HEARTH_CUDA:-}" ]; then
  cmake --preset ci -DHEARTH_CUDA="$HEARTH_CUDA"
elif [ ! -f build/ci/build.ninja ]; then
  cmake --preset ci
fi
cmake --build build/ci -j "$(jobs)"
# Tests that start programs of their own or measure time must not share the two cores with others.
exec ctest --test-dir build/ci --output-on-failure --timeout 900 "${labels[@]}" "$@"
