// What a sequence has left in memory: today attention keys and values; the verbs leave room for
// recurrent state, which can be snapshot and rolled back but not cut at any row.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kernels/device.h"

namespace hearth {

/// One sequence's state and the token ids that made it. Belongs to the engine's worker thread.
class SequenceState {
 public:
  /// `shape.data` is ignored: the memory is made here, and must not outlive `device`.
  /// Codes: out_of_memory.
  static Result<std::unique_ptr<SequenceState>> create(Device& device, const KvBinding& shape);

  /// How many leading tokens of `ids` this state already holds.
  int32_t commonPrefix(std::span<const int32_t> ids) const;

  /// Forgets everything after the first `n_tokens`; at most `length()`.
  void truncate(int32_t n_tokens);

  /// Records that the step which wrote rows after the present ones is valid.
  void commit(std::span<const int32_t> ids);

  const std::vector<int32_t>& ids() const { return ids_; }
  int32_t length() const { return static_cast<int32_t>(ids_.size()); }
  int32_t capacity() const { return binding_.capacity_rows; }
  const KvBinding& binding() const { return binding_; }

  /// Bytes counted against the memory limit. On the CPU the rows ever written, because untouched
  /// pages cost nothing and truncating gives none back; on other devices the whole allocation.
  uint64_t bytesUsed() const;

 private:
  SequenceState(std::unique_ptr<Buffer> memory, KvBinding binding, int32_t rows_resident);
  std::unique_ptr<Buffer> memory_;
  KvBinding binding_;
  int32_t rows_resident_;
  std::vector<int32_t> ids_;
};

}  // namespace hearth
