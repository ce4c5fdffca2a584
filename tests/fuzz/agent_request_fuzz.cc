// Requests against the agent's decoder, dispatcher and validation, without effects on the machine:
// an agent on a unix address refuses to change the guest, it has no container, and the calls that
// would mount or create something are fed to their validating parts only.
//
// Input: one byte that selects the call, then the serialized request.
#include "agent/config/agent_config.h"
#include "agent/device/pci_path.h"
#include "agent/device/rewrite.h"
#include "agent/device/uevents.h"
#include "agent/rpc/services.h"
#include "base/utf8.h"
#include "ttrpc/ttrpc.pb.h"

namespace kata::agent {
namespace {

constexpr const char* kCalls[] = {
    "StartContainer",   "RemoveContainer", "ExecProcess",     "SignalProcess",
    "WaitProcess",      "UpdateContainer", "StatsContainer",  "PauseContainer",
    "ResumeContainer",  "WriteStdin",      "ReadStdout",      "ReadStderr",
    "CloseStdin",       "TtyWinResize",    "UpdateInterface", "UpdateRoutes",
    "AddARPNeighbors",  "SetIPTables",     "GetGuestDetails", "OnlineCPUMem",
    "AddSwap",          "AddSwapPath",     "CopyFile",        "GetDiagnosticData",
    "SetPolicy",        "ResizeVolume",    "ReseedRandomDev", "SetGuestDateTime",
    "MemHotplugByProbe"};

AgentConfig harmless() {
  AgentConfig config;
  config.server_addr = "unix:///nonexistent";
  config.run_dir = "/proc/nonexistent";  // nothing can be made there
  return config;
}

// Looks up a handler and runs it, as a connection would.
class Dispatcher : public ttrpc::Server {
 public:
  Dispatcher() : Server(Code::kInvalidArgument), agent_(loop_.get_executor(), harmless(), false) {
    add_all_calls(*this, agent_);
  }
  void call(const char* method, std::string payload) {
    asio::local::stream_protocol::socket near(loop_), far(loop_);
    asio::local::connect_pair(near, far);
    ::ttrpc::Request request;
    request.set_service(kAgentServiceName);
    request.set_method(method);
    request.set_payload(std::move(payload));
    auto frame = ttrpc::make_frame(1, ttrpc::FrameType::kRequest, {}, request.SerializeAsString());
    if (!frame || frame->body.size() > 100000) return;
    asio::write(far, asio::buffer(frame->head + frame->body));
    far.shutdown(asio::local::stream_protocol::socket::shutdown_send);
    spawn(loop_.get_executor(), serve(ttrpc::Stream(std::move(near))));
    loop_.restart();
    loop_.run_for(std::chrono::milliseconds(50));
  }

 private:
  asio::io_context loop_{1};
  Agent agent_;
};

void check_create(std::string_view bytes) {
  grpc::CreateContainerRequest request;
  if (!ttrpc::parse_message(bytes, &request)) return;
  (void)check_container_id(request.container_id());
  std::vector<DeviceUpdate> updates;
  for (const auto& device : request.devices()) {
    (void)PciPath::parse(device.id());
    updates.push_back({device.container_path(), "b", 8, 0});
  }
  (void)rewrite_devices(updates, request.mutable_oci());
  for (const auto& storage : request.storages()) (void)find_storage_driver(storage.driver());
}

void check_texts(std::string_view bytes) {
  AgentConfig config;
  parse_kernel_command_line(bytes, &config);
  parse_config_text(bytes, &config);
  (void)parse_uevent(bytes);
  (void)to_valid_utf8(bytes);
}

}  // namespace
}  // namespace kata::agent

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kata::agent;
  if (size == 0) return 0;
  static Dispatcher dispatcher;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  size_t choice = data[0] % (std::size(kCalls) + 2);
  if (choice < std::size(kCalls)) {
    dispatcher.call(kCalls[choice], std::string(bytes));
  } else if (choice == std::size(kCalls)) {
    check_create(bytes);
  } else {
    check_texts(bytes);
  }
  return 0;
}
