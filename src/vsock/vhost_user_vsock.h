#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "base/event.h"
#include "base/task.h"
#include "base/unique_fd.h"
#include "vsock/connection.h"

namespace kata::vsock {

class Muxer;
class VhostUserDevice;

// A vsock device for one VM that needs no kernel module: this process is its vhost-user back end.
// The host side is hybrid vsock, as Firecracker and Cloud Hypervisor offer it: clients connect to a
// unix socket and write "CONNECT <port>\n"; guest connections to port N go to `<uds_path>_N`.
// In-process users take connect(), which costs no handshake.
//
// Owns its sockets and all guest mappings; the destructor ends every connection. Single event loop.
// Whatever the guest does ends at worst in a stopped device and a log line.
class VhostUserVsock {
 public:
  struct Options {
    uint64_t guest_cid = 3;  // any value from 3 up: the CID is private to this VM
    std::string uds_path;    // empty: no hybrid socket, and guest connections are refused
  };

  // Binds the hybrid socket (mode 0600); an old socket file in its place is replaced.
  static Result<std::unique_ptr<VhostUserVsock>> create(asio::any_io_executor executor,
                                                        Options options);
  ~VhostUserVsock();

  // The front end's end of a fresh connection, to be passed to QEMU (`-chardev socket,fd=`).
  Result<UniqueFd> make_front_end();
  // Waits for front ends on a unix socket instead; one is served at a time.
  Status listen(const std::string& path);

  // Set when the guest's driver has started the rings for the first time.
  Event& driver_ready();
  // Connects to a port of the guest, now. kUnavailable when the driver is not up or nobody
  // listens there; kDeadlineExceeded when the guest does not answer.
  Task<Result<StreamSocket>> connect(uint32_t port, Clock::duration limit = 10s);
  // Waits for the driver and for a listener on the port, up to the deadline; kUnavailable as soon
  // as the front end is gone.
  Task<Result<StreamSocket>> connect_when_listening(uint32_t port, Clock::time_point deadline);

  const std::string& uds_path() const { return options_.uds_path; }
  size_t connections() const;

 private:
  VhostUserVsock(asio::any_io_executor executor, Options options);
  static Task<> accept_front_ends(std::shared_ptr<VhostUserDevice> device,
                                  std::shared_ptr<asio::local::stream_protocol::acceptor> acceptor);
  static Task<Result<StreamSocket>> connect_to(std::shared_ptr<Muxer> muxer, uint32_t port,
                                               Clock::duration limit);
  static Task<Result<StreamSocket>> connect_until(std::shared_ptr<Muxer> muxer, uint32_t port,
                                                  Clock::time_point deadline);

  asio::any_io_executor executor_;
  Options options_;
  std::shared_ptr<Muxer> muxer_;
  std::shared_ptr<VhostUserDevice> device_;
  std::shared_ptr<asio::local::stream_protocol::acceptor> hybrid_;
  std::shared_ptr<asio::local::stream_protocol::acceptor> front_ends_;
};

}  // namespace kata::vsock
