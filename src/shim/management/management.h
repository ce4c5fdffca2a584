#pragma once

#include <memory>
#include <string>

#include "http/server.h"
#include "metrics/histogram.h"
#include "runtime/sandbox_metrics.h"

namespace kata::shim {

// The management service of one sandbox: HTTP on /run/vc/sbs/<id>/shim-monitor.sock for
// kata-monitor, kata-runtime and storage drivers (facts/cli-and-monitor.md section 5,
// docs/design/monitor.md). Only root is let in. The socket is in the sandbox's journal and goes
// with it. One event loop; requests under way keep what they need alive.
class Management {
 public:
  // Listens and serves. `rpc_times` are those of the Task service, and outlive the process's loop.
  static Result<std::unique_ptr<Management>> open(const std::shared_ptr<runtime::Sandbox>& sandbox,
                                                  const metrics::Histograms& rpc_times);
  ~Management();

  // "unix://..."; containerd's bundle gets it as the file monitor_address.
  std::string address() const;

 private:
  struct Backing;
  Management(std::shared_ptr<Backing> backing, std::string path);
  static Task<http::Response> answer(std::shared_ptr<Backing> backing, http::Request request);

  std::shared_ptr<Backing> backing_;
  std::string path_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace kata::shim
