#include "inference/kv_cache.h"

#include <algorithm>

#include "kernels/base/blocks.h"
#include "kernels/base/check.h"

namespace hearth {

Result<std::unique_ptr<SequenceState>> SequenceState::create(Device& device,
                                                             const KvBinding& shape) {
  CHECK(shape.dtype != Dtype::q8_0 || shape.head_dim % kBlockLength == 0);
  Result<std::unique_ptr<Buffer>> memory = device.allocate(kvBytes(shape));
  if (!memory) return passOn(memory);
  KvBinding binding = shape;
  binding.data = (*memory)->data();
  const bool pages_on_demand = device.info().kind == DeviceKind::cpu;
  return std::unique_ptr<SequenceState>(
      new SequenceState(std::move(*memory), binding, pages_on_demand ? 0 : shape.capacity_rows));
}

SequenceState::SequenceState(std::unique_ptr<Buffer> memory, KvBinding binding,
                             int32_t rows_resident)
    : memory_(std::move(memory)), binding_(binding), rows_resident_(rows_resident) {}

int32_t SequenceState::commonPrefix(std::span<const int32_t> ids) const {
  const auto end = std::mismatch(ids_.begin(), ids_.end(), ids.begin(), ids.end()).first;
  return static_cast<int32_t>(end - ids_.begin());
}

void SequenceState::truncate(int32_t n_tokens) {
  CHECK(n_tokens >= 0 && n_tokens <= length());
  ids_.resize(static_cast<size_t>(n_tokens));
}

void SequenceState::commit(std::span<const int32_t> ids) {
  CHECK(ids.size() <= static_cast<size_t>(capacity() - length()));
  ids_.insert(ids_.end(), ids.begin(), ids.end());
  rows_resident_ = std::max(rows_resident_, length());
}

uint64_t SequenceState::bytesUsed() const {
  return kvBytes(binding_) / static_cast<uint64_t>(capacity()) *
         static_cast<uint64_t>(rows_resident_);
}

}  // namespace hearth
