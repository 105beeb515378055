// Opens the CUDA device without linking anything of CUDA: the module is loaded when it is asked for.
#include <dlfcn.h>

#include <array>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "kernels/cuda/module.h"
#include "kernels/device.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;

/// Beside the program (a build tree), in its library folder (an installation), then wherever the
/// dynamic linker looks.
std::vector<fs::path> modulePlaces() {
  std::vector<fs::path> places;
  std::error_code failed;
  const fs::path program = fs::read_symlink("/proc/self/exe", failed);
  if (!failed) {
    const fs::path folder = program.parent_path();
    places.push_back(folder / kCudaModuleFile);
    places.push_back(folder.parent_path() / "lib" / "hearth" / kCudaModuleFile);
  }
  places.emplace_back(kCudaModuleFile);
  return places;
}

/// The module's entry function. The module is never unloaded: objects it made have their code there.
Result<OpenCudaDeviceFunction> loadModule() {
  std::string damaged;
  for (const fs::path& place : modulePlaces()) {
    std::error_code failed;
    const bool bare_name = !place.has_parent_path();
    if (!bare_name && !fs::exists(place, failed)) continue;
    void* module = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (module == nullptr) {
      if (!bare_name) damaged = dlerror();
      continue;
    }
    if (void* entry = dlsym(module, kCudaModuleEntry); entry != nullptr) {
      return reinterpret_cast<OpenCudaDeviceFunction>(entry);
    }
    damaged = fmt::format("{}: no {}", place.string(), kCudaModuleEntry);
    dlclose(module);
  }
  if (!damaged.empty()) {
    return fail(ErrorCode::device, "the CUDA module cannot be loaded: {}", damaged);
  }
  return fail(ErrorCode::device, "the CUDA module ({}) is not installed", kCudaModuleFile);
}

}  // namespace

Result<std::unique_ptr<Device>> openCudaDevice() {
  const Result<OpenCudaDeviceFunction> open = loadModule();
  if (!open) return passOn(open);
  std::array<char, 512> reason{};
  Device* device = nullptr;
  if ((*open)(kCudaModuleAbi, &device, reason.data(), reason.size()) != 0 || device == nullptr) {
    return fail(ErrorCode::device, "{}", reason.data());
  }
  return std::unique_ptr<Device>(device);
}

// The kernels of this version have run on the host SIMT executor (tests/simt) but on no GPU yet.
// Turn this to true with the report of a passing tests/gpu/run.sh.
bool cudaIsVerified() { return false; }

}  // namespace hearth
