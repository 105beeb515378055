# Sourced by run.sh and test.sh: installs what is missing from Debian's packages, asking once.

# A second checkout finds what the first one compiled.
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1

# packages_of GROUP… prints the package names of these groups in packaging/dependencies.txt
packages_of() {
  local group
  for group in "$@"; do
    sed -n "s/^$group //p" "$root/packaging/dependencies.txt"
  done
}

missing_packages() {
  local name
  for name in $(packages_of "$@"); do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || printf '%s ' "$name"
  done
}

# install_missing YES GROUP… : YES is 1 when no question may be asked
install_missing() {
  local yes=$1; shift
  if ! command -v dpkg-query >/dev/null; then
    echo "This is not Debian, so nothing was installed. Hearth needs what packaging/dependencies.txt lists." >&2
    return 0
  fi
  local missing; missing=$(missing_packages "$@")
  [ -z "$missing" ] && return 0
  local as_root=""
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "Install these as root, then start again: $missing" >&2; return 1; }
    as_root=sudo
  fi
  echo "Missing packages: $missing"
  if [ "$yes" != 1 ]; then
    if [ ! -t 0 ]; then
      echo "Start again with --yes to install them without a question." >&2
      return 1
    fi
    read -r -p "Install them now? [Y/n] " answer
    case "$answer" in ""|y|Y|yes) ;; *) echo "Nothing was installed." >&2; return 1 ;; esac
  fi
  $as_root apt-get update -q || return 1
  # shellcheck disable=SC2086  # a list of names
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
}

# say_about_gpu: one honest line when a GPU could be used and is not
say_about_gpu() {
  [ -e /proc/driver/nvidia/version ] || return 0
  command -v nvcc >/dev/null || [ -x "${CUDAToolkit_ROOT:-/usr/local/cuda}/bin/nvcc" ] && return 0
  cat <<'TEXT'
An NVIDIA driver is installed but no CUDA toolkit, so the CUDA module is not built. To build it:
  1. Install NVIDIA's toolkit (12.0 or later) for Debian 12: https://developer.nvidia.com/cuda-downloads
  2. export PATH=/usr/local/cuda/bin:$PATH
  3. rm -rf build/release && packaging/run.sh
Until then Hearth uses the processor.
TEXT
}

# jobs: as many compilers as cores, but one for each 1.5 GiB of memory at most
jobs() {
  local cores memory
  cores=$(nproc)
  memory=$(awk '/MemAvailable/ {print int($2 / 1572864)}' /proc/meminfo)
  [ "$memory" -lt 1 ] && memory=1
  [ "$memory" -lt "$cores" ] && echo "$memory" || echo "$cores"
}
