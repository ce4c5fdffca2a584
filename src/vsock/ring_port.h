#pragma once

#include "base/error.h"
#include "vsock/virtqueue.h"

// The seam between the vhost-user transport (who owns the rings) and the vsock device (who moves
// packets through them). Both live on one event loop.
namespace kata::vsock {

// virtio-vsock's data queues, seen from the guest. The event queue stays in the front end.
enum QueueIndex : unsigned { kRxQueue = 0, kTxQueue = 1, kQueueCount = 2 };

class RingPort {
 public:
  virtual ~RingPort() = default;
  // True between rings_started() and rings_stopped().
  virtual bool running() const = 0;
  virtual Result<RingView> open_ring(QueueIndex queue) = 0;
  virtual void interrupt(QueueIndex queue) = 0;
  // The guest broke the rules: logs it and stops the device for good.
  virtual void violation(const Error& error) = 0;
};

class RingUser {
 public:
  virtual ~RingUser() = default;
  // `fresh`: a driver that starts from zero (boot, reboot), not one resumed after a pause.
  virtual void rings_started(bool fresh) = 0;
  // A pause: what is under way stays.
  virtual void rings_stopped() = 0;
  virtual void ring_kicked(QueueIndex queue) = 0;
  // The device is gone (front end closed, guest broke the rules): everything under way ends.
  virtual void device_lost() = 0;
};

}  // namespace kata::vsock
