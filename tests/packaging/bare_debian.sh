#!/usr/bin/env bash
# Both commands of the README on a bare Debian 12, with times: debootstrap, clone, run, test.
#   sudo tests/packaging/bare_debian.sh EMPTY_FOLDER [TRANSCRIPT]
# Needs root, debootstrap, Xvfb and ImageMagick on the host; takes the time of a whole CI run.
# The host's Xvfb is the bare machine's display, so the first window is seen from outside.
set -euo pipefail
source_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
folder=${1:?the folder to build the bare system in}
transcript=${2:-$folder/transcript.txt}
bare=$folder/bookworm

mkdir -p "$folder"
[ -d "$bare" ] || debootstrap --variant=minbase bookworm "$bare" >"$folder/debootstrap.log"
cp /etc/resolv.conf "$bare/etc/resolv.conf"
cp /etc/hosts "$bare/etc/hosts"
mountpoint -q "$bare/proc" || mount -t proc proc "$bare/proc"
mountpoint -q "$bare/dev" || mount --rbind /dev "$bare/dev"
mkdir -p "$bare/tmp/.X11-unix" /tmp/.X11-unix
mountpoint -q "$bare/tmp/.X11-unix" || mount --bind /tmp/.X11-unix "$bare/tmp/.X11-unix"

display=:97
Xvfb $display -screen 0 1280x800x24 >/dev/null 2>&1 &
xvfb=$!
cleanup() {
  kill $xvfb 2>/dev/null || true
  umount "$bare/tmp/.X11-unix" "$bare/proc" || true
  umount -l "$bare/dev" || true
}
trap cleanup EXIT

inside() { chroot "$bare" env -i HOME=/opt PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb "$@"; }
say() { printf '%s\n' "$*" | tee -a "$transcript"; }
timed() {  # timed NAME COMMAND… : the output's last lines and the wall time go to the transcript
  local name=$1 started ended rc=0; shift
  say "\$ $name"
  started=$(date +%s%N)
  "$@" >"$folder/output.txt" 2>&1 || rc=$?
  ended=$(date +%s%N)
  tail -n 6 "$folder/output.txt" | sed 's/^/  /' | tee -a "$transcript"
  say "  → exit $rc after $(awk -v ns=$((ended - started)) 'BEGIN { printf "%.1f", ns / 1e9 }') s"
  return "$rc"
}
window_is_open() { DISPLAY=$display xwininfo -root -tree 2>/dev/null | grep -q '"[^"]*Hearth'; }
# open_window SECONDS ARGUMENTS… : starts run.sh in the bare system and waits for its window
open_window() {
  local seconds=$1 i; shift
  inside DISPLAY=$display XDG_RUNTIME_DIR=/tmp \
    bash -c 'cd /opt/hearth && exec packaging/run.sh "$@"' run "$@" &
  program=$!
  for i in $(seq $((seconds * 10))); do
    window_is_open && return 0
    kill -0 "$program" 2>/dev/null || return 1  # it ended without a window
    sleep 0.1
  done
  return 1
}
close_window() { kill "$program" 2>/dev/null || true; wait "$program" || true; }

: >"$transcript"
say "Bare Debian $(cat "$bare/etc/debian_version"), $(nproc) cores, $(date -u +%F)"
inside apt-get update -q >/dev/null
inside apt-get install -y -q --no-install-recommends git ca-certificates >/dev/null 2>&1
rm -rf "$bare/opt/hearth" "$bare/opt/origin"
git clone -q --bare "$source_root" "$bare/opt/origin"
timed "git clone … hearth" inside git clone -q /opt/origin /opt/hearth
timed "packaging/run.sh --yes   (until the first window is open)" open_window 1800 --yes
sleep 3
DISPLAY=$display import -window root "$folder/first_window.png"
close_window
timed "packaging/run.sh   (second start, until the window is open)" open_window 60
close_window
timed "packaging/run.sh   (no display)" inside bash -c 'cd /opt/hearth && packaging/run.sh'
timed "packaging/test.sh --yes" inside bash -c 'cd /opt/hearth && packaging/test.sh --yes'
timed "packaging/test.sh --yes   (again)" inside bash -c 'cd /opt/hearth && packaging/test.sh --yes'
