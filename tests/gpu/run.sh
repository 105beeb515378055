#!/bin/bash
# Compiles the CUDA engine and everything it needs without Qt, and checks it on this machine's GPU.
#
#   tests/gpu/run.sh [--json FILE] [--quick] [--arch 90] [--build FOLDER] [--vendor]
#
#   --json FILE   write the findings there (default: FOLDER/gpu_tests.json)
#   --quick       the small op table only, no models
#   --arch NN     compute capability to compile for (default: the GPU's own; 80 and 90 without one)
#   --vendor      first unpack the header packages into vendor/ (Debian or Ubuntu, needs the network,
#                 not root), for machines that lack them; vendor/ can also be carried there
#
# Needs nvcc 12 or newer and g++ with C++20; headers of fmt, tl::expected and nlohmann-json from the
# system or from vendor/. Exit code 0: all passed, 1: failed, 77: compiled, but no usable GPU here.
set -euo pipefail
cd "$(dirname "$0")/../.."

json="" quick=() arch="" build=build/gpu vendor=no
while [ $# -gt 0 ]; do
  case "$1" in
    --json) json=$2; shift 2 ;;
    --quick) quick=(--quick --no-models --no-timings); shift ;;
    --arch) arch=$2; shift 2 ;;
    --build) build=$2; shift 2 ;;
    --vendor) vendor=yes; shift ;;
    *) sed -n '2,15s/^# \{0,1\}//p' "$0"; exit 2 ;;
  esac
done

if [ "$vendor" = yes ]; then
  mkdir -p vendor
  (cd vendor && apt-get download libfmt-dev libexpected-dev nlohmann-json3-dev &&
    for package in *.deb; do dpkg -x "$package" .; done && rm -f -- *.deb)
fi

includes=(-I. -isystem vendor/usr/include)
for header in fmt/format.h tl/expected.hpp nlohmann/json.hpp; do
  if ! echo "#include <$header>" | g++ "${includes[@]}" -x c++ -std=c++20 -DFMT_HEADER_ONLY -fsyntax-only - 2>/dev/null; then
    echo "$header was not found: install libfmt-dev libexpected-dev nlohmann-json3-dev, or run" \
      "tests/gpu/run.sh --vendor where the network is"
    exit 1
  fi
done

nvcc=$(command -v nvcc || true)
[ -n "$nvcc" ] || { echo "nvcc is not on the PATH: install the CUDA toolkit, or add its bin folder"; exit 1; }
toolkit=$(dirname "$(dirname "$(readlink -f "$nvcc")")")
includes+=(-isystem "$toolkit/include")
if [ -z "$arch" ] && command -v nvidia-smi >/dev/null; then
  arch=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | head -n1 | tr -d '. ') || arch=""
fi
targets=()
for one in ${arch:-80 90}; do targets+=(-gencode "arch=compute_$one,code=sm_$one"); done

# --- compile, as many at a time as there are processors ------------------------------------------
cuda_sources=(kernels/cuda/*.cu)
host_sources=(kernels/base/*.cpp kernels/plan.cpp kernels/reference/*.cpp kernels/cases/*.cpp
  kernels/cuda/{context,device,enqueue,limits,plan,self_test}.cpp
  models/*.cpp models/gguf/*.cpp models/safetensors/*.cpp
  inference/{graph,kv_cache,language_model,weights}.cpp
  tests/gpu/{gpu_tests,report,op_checks,model_checks,open_gpu}.cpp)
object_of() { echo "$build/${1//\//_}.o"; }

mkdir -p "$build"
make_file=$build/Makefile
{
  objects=()
  rules=""
  for source in "${cuda_sources[@]}"; do
    object=$(object_of "$source"); objects+=("$object")
    rules+="$object: $source; $nvcc -std=c++20 -O3 -lineinfo ${targets[*]} -I. -MMD -MP -c $source -o $object"$'\n'
  done
  for source in "${host_sources[@]}"; do
    object=$(object_of "$source"); objects+=("$object")
    rules+="$object: $source; g++ -std=c++20 -O2 -ffp-contract=off -DFMT_HEADER_ONLY ${includes[*]} -MMD -MP -c $source -o $object"$'\n'
  done
  echo "$build/gpu_tests: ${objects[*]}; $nvcc -cudart static ${targets[*]} ${objects[*]} -o $build/gpu_tests -ldl -lpthread"
  printf '%s' "$rules"
  echo "-include $build/*.d"
} >"$make_file"
started=$SECONDS
if ! make -s -j"$(nproc)" -f "$make_file" "$build/gpu_tests" >"$build/compile.log" 2>&1; then
  tail -n 40 "$build/compile.log"
  echo "FAILED to compile, see $build/compile.log"
  exit 1
fi
echo "compiled ${#cuda_sources[@]} CUDA and ${#host_sources[@]} C++ files in $((SECONDS - started)) s"

# --- run -------------------------------------------------------------------------------------------
json=${json:-$build/gpu_tests.json}
status=0
timeout 300 "$build/gpu_tests" --data tests/data --json "$json" "${quick[@]}" || status=$?
if [ "$status" = 77 ]; then
  echo "Everything compiled; no kernel has run. Exit code 77."
  exit 77
fi
echo "findings: $json"
if command -v compute-sanitizer >/dev/null; then
  for tool in memcheck racecheck; do
    echo; echo "== compute-sanitizer $tool"
    timeout 90 compute-sanitizer --tool "$tool" --error-exitcode 3 --print-limit 5 \
      "$build/gpu_tests" --quick --no-models --no-timings >"$build/$tool.log" 2>&1 || status=1
    tail -n 4 "$build/$tool.log"
  done
else
  echo "compute-sanitizer is not on the PATH: memory and race checks were not made"
fi
exit "$status"
