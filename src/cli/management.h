#pragma once

#include <string>

#include "cli/context.h"
#include "http/client.h"

// Questions to the shim of a sandbox, on its management socket (docs/design/monitor.md).
namespace kata::cli {

// Longest wait for an answer: that of the shim, and a little more.
inline constexpr Clock::duration kShimLimit = 70s;

// Sends `request` to the sandbox that `word` names, and waits for the answer on a loop of its own;
// the socket is filled in. Errors of find_sandbox() and http::ask_text(); kNotFound also when there
// is no socket.
Result<std::string> ask_shim(const std::string& word, http::Ask request);

}  // namespace kata::cli
