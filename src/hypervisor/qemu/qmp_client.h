#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/event.h"
#include "base/task.h"
#include "base/unique_fd.h"

namespace kata::hypervisor::qemu {

using Json = nlohmann::json;

// One QMP connection (QEMU docs/interop/qmp-spec): commands are paired with their replies by id,
// events go to a handler. The peer is not trusted: lines and nesting are bounded, and whatever is
// not QMP ends the connection with an error that every waiting command gets. A reply without id
// belongs to the oldest command (QEMU leaves it out when it could not parse the input).
// Single event loop; held by shared_ptr because its coroutines outlive calls.
class QmpClient : public std::enable_shared_from_this<QmpClient> {
 public:
  static constexpr size_t kMaxLine = 1 << 20;
  static constexpr int kMaxDepth = 64;
  static constexpr size_t kMaxPending = 256;
  static constexpr auto kCommandLimit = std::chrono::seconds(60);
  // Event name and its "data" (null when absent).
  using OnEvent = std::function<void(const std::string& name, const Json& data)>;

  // Takes over a connected stream socket.
  static Result<std::shared_ptr<QmpClient>> adopt(asio::any_io_executor executor, UniqueFd socket);
  ~QmpClient();

  void set_event_handler(OnEvent handler) { on_event_ = std::move(handler); }
  // Reads the greeting and leaves negotiation mode. QEMU greets before it has built the machine:
  // only this answer proves that it runs.
  Task<Status> negotiate(Clock::duration limit);
  // Runs one command; its "return" value. QEMU's refusals have class kNotFound for DeviceNotFound,
  // kUnimplemented for CommandNotFound, else kFailedPrecondition. `fds` travel with the command and
  // stay the caller's.
  Task<Result<Json>> execute(std::string command, Json arguments, std::vector<int> fds,
                             Clock::duration limit = kCommandLimit);
  Task<Result<Json>> execute(std::string command, Json arguments);
  Task<Result<Json>> execute(std::string command);

  void close();
  Event& closed() { return closed_; }

 private:
  using Stream = asio::local::stream_protocol::socket;
  struct Pending;
  struct Outgoing {
    std::string text;
    std::vector<UniqueFd> fds;
  };

  QmpClient(asio::any_io_executor executor, Stream stream);
  static Task<> read_lines(std::shared_ptr<QmpClient> self);
  static Task<> write_queue(std::shared_ptr<QmpClient> self);
  Status on_bytes(std::string_view bytes);
  Status on_line(const std::string& line);
  void on_reply(const Json& message);
  void fail_all(const Error& error);
  Status queue(std::string text, const std::vector<int>& fds);

  Stream stream_;
  OnEvent on_event_;
  Event greeted_;
  Event closed_;
  std::string line_;
  std::map<uint64_t, std::shared_ptr<Pending>> pending_;
  uint64_t next_id_ = 1;
  std::deque<Outgoing> outgoing_;
  bool writing_ = false;
  Error close_error_{Code::kUnavailable, "QMP connection closed"};
};

}  // namespace kata::hypervisor::qemu
