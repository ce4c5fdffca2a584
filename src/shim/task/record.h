#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/event.h"
#include "runtime/container.h"
#include "shim/stdio/opener.h"

namespace kata::shim {

// What the door itself remembers of a process: what containerd asked for, and how far its events
// are.
struct ProcessRecord {
  ProcessRecord(asio::any_io_executor executor, std::shared_ptr<runtime::Process> p,
                StdioPaths paths)
      : process(std::move(p)), stdio(std::move(paths)), settled(executor) {
    settled.set();
  }

  std::shared_ptr<runtime::Process> process;
  StdioPaths stdio;
  runtime::ProcessIo opened;  // init: from Create to Start
  bool stdin_closed = false;  // CloseIO came before Start
  // Not set while a Start is under way: the exit event, Wait and CloseIO come after it.
  Event settled;
  std::optional<runtime::Exit> held_exit;
};

// A task of containerd. Lives until its Delete is answered.
struct TaskRecord {
  std::string id;
  std::string bundle;
  uint32_t pid = 0;  // the VMM's, for every process of the sandbox
  std::shared_ptr<runtime::Container> container;
  std::shared_ptr<ProcessRecord> init;
  std::map<std::string, std::shared_ptr<ProcessRecord>> execs;
  std::optional<Event> deleting;  // set() when a Delete under way is done

  // The init process for an empty id; nullptr when unknown.
  std::shared_ptr<ProcessRecord> find(const std::string& exec_id) const {
    if (exec_id.empty()) return init;
    auto found = execs.find(exec_id);
    return found == execs.end() ? nullptr : found->second;
  }
};

}  // namespace kata::shim
