#pragma once

#include "base/error.h"
#include "base/unique_fd.h"
#include "monitor/options.h"

namespace kata::monitor {

// A TCP socket that listens; kAlreadyExists when the address is taken.
Result<UniqueFd> listen_on(const Address& address);
// Whether only programs of this host can connect.
bool is_loopback(const Address& address);

// Serves until SIGTERM or SIGINT; comes back earlier only when it cannot begin.
Status serve(const Options& options);

}  // namespace kata::monitor
