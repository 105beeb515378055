#include <cstdio>
#include <cstdlib>

#include "kernels/base/check.h"
#include "kernels/base/dtype.h"
#include "kernels/base/error.h"

namespace hearth {

void failCheck(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "hearth: CHECK(%s) failed at %s:%d\n", condition, file, line);
  std::abort();
}

const char* errorCodeName(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument: return "invalid_argument";
    case ErrorCode::not_found: return "not_found";
    case ErrorCode::bad_file: return "bad_file";
    case ErrorCode::unsupported: return "unsupported";
    case ErrorCode::out_of_memory: return "out_of_memory";
    case ErrorCode::disk_full: return "disk_full";
    case ErrorCode::read_only: return "read_only";
    case ErrorCode::io: return "io";
    case ErrorCode::busy: return "busy";
    case ErrorCode::cancelled: return "cancelled";
    case ErrorCode::device: return "device";
    case ErrorCode::newer_version: return "newer_version";
  }
  return "unknown";
}

DtypeTraits traitsOf(Dtype dtype) {
  switch (dtype) {
    case Dtype::f64: return {"F64", 1, 8};
    case Dtype::f32: return {"F32", 1, 4};
    case Dtype::f16: return {"F16", 1, 2};
    case Dtype::bf16: return {"BF16", 1, 2};
    case Dtype::i32: return {"I32", 1, 4};
    case Dtype::q8_0: return {"Q8_0", 32, 34};
    case Dtype::q4_0: return {"Q4_0", 32, 18};
    case Dtype::a8: return {"A8", 32, 40};
  }
  failCheck("known dtype", __FILE__, __LINE__);
}

}  // namespace hearth
