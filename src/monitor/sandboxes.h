#pragma once

#include <string>
#include <vector>

namespace kata::monitor {

// A sandbox of this node, of our runtime or of one of upstream's.
struct Sandbox {
  std::string id;
  std::string state;   // its folder
  std::string socket;  // of its management service; may be absent
};

// Where sandboxes have their folders.
struct Roots {
  std::vector<std::string> folders = {"/run/vc/sbs", "/run/kata"};
};

// What is there now, sorted by id, each id once (the first root wins). Looked up for each request:
// nothing can be missed, and there is nothing to keep in step. Names that are no ids are left
// alone.
std::vector<Sandbox> list_sandboxes(const Roots& roots);
// Empty `id` when there is none of that name.
Sandbox find_sandbox(const Roots& roots, const std::string& id);

}  // namespace kata::monitor
