# What the program and the CUDA module must have been built from alike: every header whose objects
# pass between them, with what these include.
set(HEARTH_MODULE_HEADERS
  base/dtype.h base/error.h base/tensor.h ops.h plan.h device.h cuda/module.h)

# Sets `out` to sixteen hexadecimal digits that differ when any of the headers under `kernels` differs.
function(hearth_module_abi kernels out)
  set(digests "")
  foreach(header IN LISTS HEARTH_MODULE_HEADERS)
    file(SHA256 ${kernels}/${header} digest)
    string(APPEND digests "${header} ${digest}\n")
  endforeach()
  string(SHA256 digest "${digests}")
  string(SUBSTRING ${digest} 0 16 digest)
  set(${out} ${digest} PARENT_SCOPE)
endfunction()
