#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace kata::runtime {

// How a process of a container ended.
struct Exit {
  uint32_t status = 0;  // 0..255, 128 + signal, 137 when its VM died, 255 = could not be started
  std::chrono::system_clock::time_point at;
  std::string
      reason;  // empty for an ordinary end, else for the log ("VMM killed by signal SIGKILL")
};

// What the engine tells a door. Called on the event loop; must not block.
class Observer {
 public:
  virtual ~Observer() = default;
  // After the start of the process was answered, and for an init process after the exits of all
  // execs of its container. `exec_id` is empty for the init process.
  virtual void process_exited(const std::string& container_id, const std::string& exec_id,
                              const Exit& exit) = 0;
  virtual void container_oom(const std::string& container_id) = 0;
};

}  // namespace kata::runtime
