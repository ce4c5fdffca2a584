#include "vsock/guest_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <string>

namespace kata::vsock {

namespace {

bool sum_overflows(uint64_t a, uint64_t b) {
  uint64_t ignored = 0;
  return __builtin_add_overflow(a, b, &ignored);
}

bool contains(uint64_t start, uint64_t size, uint64_t address, uint64_t length) {
  return address >= start && length <= size && address - start <= size - length;
}

bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size) {
  return a < b + b_size && b < a + a_size;
}

Status check_file(int fd, uint64_t needed) {
  struct stat info {};
  if (fstat(fd, &info) != 0) return fail_errno("stat guest memory file");
  if (!S_ISREG(info.st_mode) || info.st_size < 0 || static_cast<uint64_t>(info.st_size) < needed) {
    return fail(Code::kInvalidArgument, "guest memory region is larger than its file");
  }
  // Fails on files that cannot be sealed (hugetlbfs, /dev/shm) and on sealed ones: both are fine.
  fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK);
  return {};
}

}  // namespace

GuestMemory::Mapping::~Mapping() {
  munmap(base_, length_);
}

Status GuestMemory::add(const MemoryRegion& region, UniqueFd file) {
  if (regions_.size() >= kMaxRegions) {
    return fail(Code::kResourceExhausted, "too many guest memory regions");
  }
  if (region.size == 0 || sum_overflows(region.guest_address, region.size) ||
      sum_overflows(region.user_address, region.size) ||
      sum_overflows(region.file_offset, region.size)) {
    return fail(Code::kInvalidArgument, "guest memory region with impossible bounds");
  }
  for (const Entry& entry : regions_) {
    const MemoryRegion& other = entry.region;
    if (overlap(region.guest_address, region.size, other.guest_address, other.size) ||
        overlap(region.user_address, region.size, other.user_address, other.size)) {
      return fail(Code::kInvalidArgument, "guest memory regions overlap");
    }
  }
  uint64_t length = region.size + region.file_offset;
  TRY_STATUS(check_file(file.get(), length));
  void* base =
      mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file.get(), 0);
  if (base == MAP_FAILED) return fail_errno("map guest memory");
  // A core dump of ours must not carry the guest's memory.
  madvise(base, length, MADV_DONTDUMP);
  regions_.push_back({region, std::make_unique<Mapping>(base, length)});
  return {};
}

Status GuestMemory::remove(const MemoryRegion& region) {
  for (auto it = regions_.begin(); it != regions_.end(); ++it) {
    if (it->region.guest_address == region.guest_address && it->region.size == region.size &&
        it->region.user_address == region.user_address) {
      regions_.erase(it);
      return {};
    }
  }
  return fail(Code::kNotFound, "no such guest memory region");
}

uint8_t* GuestMemory::at_guest(uint64_t address, uint64_t length) const {
  for (const Entry& entry : regions_) {
    const MemoryRegion& r = entry.region;
    if (contains(r.guest_address, r.size, address, length)) {
      return entry.mapping->base() + r.file_offset + (address - r.guest_address);
    }
  }
  return nullptr;
}

uint8_t* GuestMemory::at_user(uint64_t address, uint64_t length) const {
  for (const Entry& entry : regions_) {
    const MemoryRegion& r = entry.region;
    if (contains(r.user_address, r.size, address, length)) {
      return entry.mapping->base() + r.file_offset + (address - r.user_address);
    }
  }
  return nullptr;
}

}  // namespace kata::vsock
