#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

// User namespaces (user_namespaces(7)) that no process has to live in: descriptors keep them.
// Blocking calls; any thread. They need CAP_SETUID and CAP_SETGID where the ids are mapped from.
namespace kata {

// One line of a map: `size` ids from `inside` on are those from `outside` on in the parent.
struct IdMapping {
  uint32_t inside = 0;
  uint32_t outside = 0;
  uint32_t size = 0;
  bool operator==(const IdMapping&) const = default;
};

struct IdMappings {
  std::vector<IdMapping> uids, gids;
  bool operator==(const IdMappings&) const = default;
  bool empty() const { return uids.empty() && gids.empty(); }
};

// From the messages of an OCI specification.
template <class List>
std::vector<IdMapping> id_mappings(const List& list) {
  std::vector<IdMapping> out;
  for (const auto& map : list) out.push_back({map.containerid(), map.hostid(), map.size()});
  return out;
}

// "inside:outside:size" entries with commas between them, as mount options write them.
Result<std::vector<IdMapping>> parse_id_mappings(std::string_view text);

// Writes the maps of a user namespace through a process in it; an empty map is left alone.
Status write_id_mappings(pid_t pid, const IdMappings& maps);

// A new user namespace with these maps, and namespaces of the further kinds (CLONE_NEWIPC,
// CLONE_NEWUTS, CLONE_NEWNET) that belong to it: the descriptors in this order.
Result<std::vector<UniqueFd>> make_user_namespace(const IdMappings& maps,
                                                  const std::vector<int>& kinds = {});

}  // namespace kata
