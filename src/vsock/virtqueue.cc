#include "vsock/virtqueue.h"

#include <atomic>
#include <bit>
#include <cstring>
#include <string>

namespace kata::vsock {

namespace {

struct Descriptor {
  uint64_t address;
  uint32_t length;
  uint16_t flags;
  uint16_t next;
};
static_assert(sizeof(Descriptor) == 16);

constexpr uint16_t kNext = 1;
constexpr uint16_t kWrite = 2;
constexpr uint16_t kIndirect = 4;
constexpr uint16_t kNoInterrupt = 1;
constexpr uint16_t kNoNotify = 1;
// More buffers than any driver of ours uses for one packet (Linux: 19).
constexpr size_t kMaxBuffers = 128;
constexpr size_t kMaxChainBytes = 1 << 20;

uint16_t load16(const uint8_t* p, int order = __ATOMIC_RELAXED) {
  auto* value = reinterpret_cast<const uint16_t*>(p);
  return order == __ATOMIC_ACQUIRE ? __atomic_load_n(value, __ATOMIC_ACQUIRE)
                                   : __atomic_load_n(value, __ATOMIC_RELAXED);
}

bool aligned(const void* p, uintptr_t to) {
  return reinterpret_cast<uintptr_t>(p) % to == 0;
}

std::unexpected<Error> violation(std::string what) {
  return fail(Code::kInvalidArgument, "guest broke the virtqueue: " + std::move(what));
}

}  // namespace

Status Virtqueue::set_size(uint32_t size) {
  if (size == 0 || size > kMaxSize || !std::has_single_bit(size)) {
    return fail(Code::kInvalidArgument, "virtqueue size " + std::to_string(size));
  }
  size_ = size;
  return {};
}

void Virtqueue::set_addresses(uint64_t descriptors, uint64_t available, uint64_t used) {
  descriptors_ = descriptors;
  available_ = available;
  used_ = used;
}

Result<RingView> RingView::open(Virtqueue& queue, const GuestMemory& memory, Direction direction) {
  if (queue.size_ == 0) return fail(Code::kFailedPrecondition, "virtqueue without a size");
  RingView view(&queue, &memory, direction);
  uint64_t n = queue.size_;
  view.descriptors_ = memory.at_user(queue.descriptors_, n * sizeof(Descriptor));
  view.available_ = memory.at_user(queue.available_, 4 + n * 2);
  view.used_ = memory.at_user(queue.used_, 4 + n * 8);
  if (view.descriptors_ == nullptr || view.available_ == nullptr || view.used_ == nullptr) {
    return fail(Code::kInvalidArgument, "virtqueue outside of guest memory");
  }
  if (!aligned(view.descriptors_, 16) || !aligned(view.available_, 2) || !aligned(view.used_, 4)) {
    return fail(Code::kInvalidArgument, "virtqueue misaligned");
  }
  // Only its remainder is ever used as an index, so a forged value does no harm.
  view.next_used_ = load16(view.used_ + 2);
  return view;
}

Result<bool> RingView::pop(Chain* chain) {
  uint16_t offered = load16(available_ + 2, __ATOMIC_ACQUIRE);
  auto pending = static_cast<uint16_t>(offered - queue_->position_);
  if (pending == 0) return false;
  if (pending > queue_->size_) return violation("more chains offered than the ring holds");
  uint16_t head = load16(available_ + 4 + 2 * (queue_->position_ % queue_->size_));
  TRY_STATUS(walk(head, chain));
  ++queue_->position_;
  return true;
}

Status RingView::walk(uint16_t head, Chain* chain) const {
  chain->head = head;
  chain->buffers.clear();
  chain->bytes = 0;
  uint16_t index = head;
  for (size_t steps = 0;; ++steps) {
    if (index >= queue_->size_) return violation("descriptor index out of range");
    if (steps >= queue_->size_ || steps >= kMaxBuffers) return violation("chain too long");
    Descriptor d;
    std::memcpy(&d, descriptors_ + size_t{index} * sizeof d, sizeof d);
    // The compiler must not read the descriptor again after the checks.
    asm volatile("" : "+m"(d));
    if ((d.flags & kIndirect) != 0) return violation("indirect descriptor was not negotiated");
    bool writable = (d.flags & kWrite) != 0;
    if (writable != (direction_ == Direction::kToGuest)) return violation("buffer of wrong kind");
    if (d.length == 0) return violation("empty buffer");
    uint8_t* data = memory_->at_guest(d.address, d.length);
    if (data == nullptr) return violation("buffer outside of guest memory");
    chain->bytes += d.length;
    if (chain->bytes > kMaxChainBytes) return violation("chain of too many bytes");
    chain->buffers.push_back({data, d.length});
    if ((d.flags & kNext) == 0) return {};
    index = d.next;
  }
}

void RingView::push(uint16_t head, uint32_t written) {
  uint8_t* entry = used_ + 4 + 8 * size_t{static_cast<uint16_t>(next_used_ % queue_->size_)};
  uint32_t id = head;
  std::memcpy(entry, &id, sizeof id);
  std::memcpy(entry + 4, &written, sizeof written);
  ++next_used_;
  pushed_ = true;
}

bool RingView::publish() {
  if (!pushed_) return false;
  pushed_ = false;
  __atomic_store_n(reinterpret_cast<uint16_t*>(used_ + 2), next_used_, __ATOMIC_RELEASE);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return (load16(available_) & kNoInterrupt) == 0;
}

void RingView::want_kicks(bool wanted) {
  __atomic_store_n(reinterpret_cast<uint16_t*>(used_), wanted ? uint16_t{0} : kNoNotify,
                   __ATOMIC_RELAXED);
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

}  // namespace kata::vsock
