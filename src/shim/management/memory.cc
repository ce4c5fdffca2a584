#include "shim/management/memory.h"

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/utf8.h"
#include "runtime/container.h"

namespace kata::shim {

namespace {

using nlohmann::json;

// Of all containers together; /metrics leaves the guest as long.
constexpr Clock::duration kGuestLimit = 2500ms;

std::string name_of(const grpc::Spec& spec) {
  for (const char* key : {"io.kubernetes.cri.container-name", "io.kubernetes.container.name"}) {
    const auto found = spec.annotations().find(key);
    if (found != spec.annotations().end()) return printable(cut_text(found->second, 253));
  }
  return {};
}

// The first of the keys that the control group's memory.stat has: v1's, with what is below it, and
// v2's names.
uint64_t stat_of(const grpc::MemoryStats& stats, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    const auto found = stats.stats().find(key);
    if (found != stats.stats().end()) return found->second;
  }
  return 0;
}

Task<json> figures_of(std::shared_ptr<runtime::Sandbox> sandbox, std::string id,
                      Clock::time_point deadline) {
  json row = {{"id", id}, {"name", ""}};
  if (auto container = sandbox->find(id)) row["name"] = name_of(container->spec());
  const auto left = std::max(deadline - Clock::now(), Clock::duration(1ms));
  auto stats = co_await sandbox->agent().stats(id, left);
  if (!stats) {
    row["error"] = printable(stats.error().message());
    co_return row;
  }
  const grpc::MemoryStats& memory = stats->cgroup_stats().memory_stats();
  const uint64_t file = stat_of(memory, {"total_cache", "cache", "file"});
  const uint64_t shared = stat_of(memory, {"total_shmem", "shmem"});
  row["anonymous"] = stat_of(memory, {"total_rss", "rss", "anon"});
  row["shared"] = shared;
  row["page_cache"] = file - std::min(file, shared);
  row["usage"] = memory.usage().usage();
  row["limit"] = memory.usage().limit();
  co_return row;
}

}  // namespace

Task<http::Response> answer_memory(std::shared_ptr<runtime::Sandbox> sandbox) {
  json answer = {{"shim", getpid()}, {"vmm", sandbox->pid()}, {"fs", sandbox->fs_pid()}};
  answer["containers"] = json::array();
  const auto deadline = Clock::now() + kGuestLimit;
  for (const std::string& id : sandbox->container_ids()) {
    json row = co_await figures_of(sandbox, id, deadline);
    answer["containers"].push_back(std::move(row));
  }
  http::Response response;
  response.type = "application/json; charset=utf-8";
  response.body = answer.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  co_return response;
}

}  // namespace kata::shim
