#pragma once

#include <string>

#include "base/log_limit.h"

namespace kata::runtime {

// The guest's console in the host's log (facts/runtime-behaviour.md section 13). Lines of the
// agent, JSON objects, become lines of their own with source "agent" and the level that they have;
// all others are "guest console" with the field vmconsole, at level debug. Whatever is said is the
// guest's word: it cannot set the fields that name the sandbox or the program, and a flood is
// counted instead of written. One event loop.
class GuestLog {
 public:
  // With `console` set ([hypervisor] enable_debug) the console is written whatever the log's level,
  // with `agent` ([agent] enable_debug) all that the agent says. The agent's warnings and errors
  // always are.
  GuestLog(bool console, bool agent) : console_(console), agent_(agent) {}

  void add(const std::string& line);

 private:
  bool add_agent_line(const std::string& line);

  bool console_, agent_;
  // A whole boot at once, then a flood is cut.
  log::Limit lines_{200, 2000};
  log::Limit warnings_{1, 200};
};

}  // namespace kata::runtime
