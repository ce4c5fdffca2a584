#include <algorithm>

#include "agent/device/block.h"
#include "agent/process/run_tool.h"
#include "agent/storage/drivers.h"
#include "agent/storage/mounting.h"

namespace kata::agent {
namespace {

bool has_option(const grpc::Storage& storage, std::string_view name) {
  return std::ranges::any_of(storage.driver_options(),
                             [name](const std::string& word) { return word == name; });
}

Task<Result<std::string>> await_device(const StorageContext& context,
                                       const grpc::Storage& storage) {
  auto limit = context.config.hotplug_timeout;
  const std::string& source = storage.source();
  if (storage.driver() == "scsi") {
    co_return co_await await_scsi_block(context.uevents, source, limit);
  }
  if (storage.driver() == "blk" && !source.starts_with("/dev/")) {
    co_return co_await await_pci_block(context.uevents, source, limit);
  }
  co_return co_await await_named_block(context.uevents, source, limit);
}

// The shape that suits a scratch volume: no journal, few inodes, nothing reserved.
Task<Status> make_ext4(std::string node) {
  CO_TRY(std::string tool, find_tool({"/sbin/mkfs.ext4", "/usr/sbin/mkfs.ext4"}));
  std::vector<std::string> argv = {tool, "-F", "-q",     "-O", "^has_journal", "-m",
                                   "0",  "-i", "163840", "-I", "128",          node};
  CO_TRY(ToolOutput output, co_await run_tool(std::move(argv), {}, std::chrono::minutes(10)));
  if (output.code != 0) co_return fail(Code::kInternal, "mkfs.ext4 " + node + ": " + output.err);
  co_return Status{};
}

}  // namespace

Task<Result<StorageMade>> mount_block(const StorageContext& context, const grpc::Storage& storage) {
  CO_TRY(std::string node, co_await await_device(context, storage));
  if (has_option(storage, "encryption_key=ephemeral")) {
    co_return fail(Code::kUnimplemented, "encrypted volumes need the confidential data hub");
  }
  if (has_option(storage, "create_filesystem")) {
    if (storage.fstype() != "ext4") {
      co_return fail(Code::kInvalidArgument, "only ext4 can be created in the guest");
    }
    CO_TRY_STATUS(co_await make_ext4(node));
  }
  MountPlan plan{node, storage.mount_point(), storage.fstype(), words_of(storage)};
  CO_TRY(bool mounted, mount_storage(plan));
  co_return StorageMade{.undo = mounted, .on_disk = true};
}

}  // namespace kata::agent
