// The best candidates of a detection, in caller's memory.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

namespace hone::reference {

// A box under a class, with its score.
struct Candidate {
  float score = 0;
  int32_t label = 0;
  int64_t box = 0;
};

// A total order: falling score, NaN last, then box, then label.
inline bool before(const Candidate& a, const Candidate& b) {
  if (std::isnan(a.score) != std::isnan(b.score)) return std::isnan(b.score);
  if (a.score > b.score) return true;
  if (a.score < b.score) return false;
  return a.box != b.box ? a.box < b.box : a.label < b.label;
}

// Keeps the first `capacity` in that order of all candidates added, whatever order they come in. Allocates nothing.
class BestCandidates {
 public:
  BestCandidates(Candidate* memory, int64_t capacity) : memory_(memory), capacity_(capacity) {}

  void add(const Candidate& candidate) {
    if (size_ < capacity_) {
      memory_[size_++] = candidate;
      if (size_ == capacity_) std::make_heap(memory_, memory_ + size_, before);
    } else if (capacity_ > 0 && before(candidate, memory_[0])) {
      std::pop_heap(memory_, memory_ + size_, before);  // the last in order goes
      memory_[size_ - 1] = candidate;
      std::push_heap(memory_, memory_ + size_, before);
    }
  }
  // In order. Nothing may be added afterwards.
  std::span<const Candidate> sorted() {
    std::sort(memory_, memory_ + size_, before);
    return {memory_, static_cast<size_t>(size_)};
  }

 private:
  Candidate* memory_;
  int64_t capacity_;
  int64_t size_ = 0;
};

}  // namespace hone::reference
