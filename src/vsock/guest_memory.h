#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

namespace kata::vsock {

// One stretch of guest RAM as the front end describes it.
struct MemoryRegion {
  uint64_t guest_address = 0;  // guest physical
  uint64_t size = 0;
  uint64_t user_address = 0;  // where the front end has it mapped; ring addresses are in this space
  uint64_t file_offset = 0;   // of guest_address within the passed file
};

// The guest's RAM mapped into this process. Owns the mappings. Every look-up is bounds-checked
// against one region; the pointers it returns are valid only until the table changes, that is,
// until control returns to the event loop. The guest writes the same bytes at any time: read a
// value once, then check the copy.
//
// A front end that shrinks a memory file after mapping could make us take SIGBUS: files that allow
// it get F_SEAL_SHRINK. Others (hugetlbfs, /dev/shm) leave that power with the front end, our own
// child, which can only end its own sandbox with it.
class GuestMemory {
 public:
  static constexpr size_t kMaxRegions = 64;

  // Maps one more region. Overlap with another one and sizes beyond the file are errors.
  Status add(const MemoryRegion& region, UniqueFd file);
  // kNotFound when there is no such region.
  Status remove(const MemoryRegion& region);
  void clear() { regions_.clear(); }
  size_t size() const { return regions_.size(); }

  // nullptr unless [address, address + length) lies in one region.
  uint8_t* at_guest(uint64_t address, uint64_t length) const;
  uint8_t* at_user(uint64_t address, uint64_t length) const;

 private:
  class Mapping {
   public:
    Mapping(void* base, size_t length) : base_(base), length_(length) {}
    Mapping(const Mapping&) = delete;
    ~Mapping();
    uint8_t* base() const { return static_cast<uint8_t*>(base_); }

   private:
    void* base_;
    size_t length_;
  };
  struct Entry {
    MemoryRegion region;
    std::unique_ptr<Mapping> mapping;
  };

  std::vector<Entry> regions_;
};

}  // namespace kata::vsock
