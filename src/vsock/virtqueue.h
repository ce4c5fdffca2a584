#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/error.h"
#include "vsock/guest_memory.h"

// Split virtqueues (virtio 1.2 section 2.7), device side. The driver is hostile: each index,
// address, length and flag is read once and the copy is checked before use.
namespace kata::vsock {

// Where a ring lies and how far we got; survives changes of the memory table.
class Virtqueue {
 public:
  static constexpr uint32_t kMaxSize = 1024;

  // A power of two up to kMaxSize.
  Status set_size(uint32_t size);
  void set_addresses(uint64_t descriptors, uint64_t available, uint64_t used);
  void set_position(uint16_t position) { position_ = position; }
  uint16_t position() const { return position_; }
  uint32_t size() const { return size_; }

 private:
  friend class RingView;
  uint32_t size_ = 0;
  uint16_t position_ = 0;  // next entry of the available ring
  // In the front end's address space.
  uint64_t descriptors_ = 0;
  uint64_t available_ = 0;
  uint64_t used_ = 0;
};

// A descriptor chain: its buffers lie in guest memory, all readable or all writable by us.
struct Chain {
  uint16_t head = 0;
  std::vector<iovec> buffers;
  size_t bytes = 0;
};

// The three parts of a ring resolved to pointers. Lives on the stack of one event handler and never
// across a return to the event loop, where the memory table may change.
class RingView {
 public:
  enum class Direction { kFromGuest, kToGuest };

  // Fails when a part of the ring is not in guest memory or misaligned.
  static Result<RingView> open(Virtqueue& queue, const GuestMemory& memory, Direction direction);

  // Takes the next chain; false when the driver has offered nothing more. An error means that the
  // driver broke the rules and the device has to stop.
  Result<bool> pop(Chain* chain);
  // Gives back the chain taken last, unused.
  void undo_pop() { --queue_->position_; }
  // Returns a chain to the driver; it sees it after publish().
  void push(uint16_t head, uint32_t written);
  // Shows the pushed chains; true when the driver wants an interrupt for them.
  bool publish();
  // Asks the driver for kicks, or not. After asking, look into the ring once more.
  void want_kicks(bool wanted);

 private:
  RingView(Virtqueue* queue, const GuestMemory* memory, Direction direction)
      : queue_(queue), memory_(memory), direction_(direction) {}
  Status walk(uint16_t head, Chain* chain) const;

  Virtqueue* queue_;
  const GuestMemory* memory_;
  Direction direction_;
  const uint8_t* descriptors_ = nullptr;
  uint8_t* available_ = nullptr;
  uint8_t* used_ = nullptr;
  uint16_t next_used_ = 0;
  bool pushed_ = false;
};

}  // namespace kata::vsock
