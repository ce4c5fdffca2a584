#pragma once

#include "shim/management/management.h"

namespace kata::shim {

// What the handlers of the management service work on.
struct Management::Backing {
  Backing(const std::shared_ptr<runtime::Sandbox>& s, const metrics::Histograms& times)
      : sandbox(s), rpc_times(times), metrics(s) {}

  std::weak_ptr<runtime::Sandbox> sandbox;
  const metrics::Histograms& rpc_times;
  runtime::SandboxMetrics metrics;
};

}  // namespace kata::shim
