#include "agent/storage/drivers.h"
#include "agent/storage/mounting.h"
#include "base/file.h"

namespace kata::agent {
namespace {

constexpr char kWritable[] = "io.katacontainers.fs-opt.overlay-rw";
constexpr char kCreateFolder[] = "io.katacontainers.volume.overlayfs.create_directory";

bool has_word(const std::vector<std::string>& words, std::string_view wanted) {
  for (const auto& word : words) {
    if (word == wanted) return true;
  }
  return false;
}

}  // namespace

Task<Result<StorageMade>> mount_overlay(const StorageContext& context,
                                        const grpc::Storage& storage) {
  std::vector<std::string> driver_words(storage.driver_options().begin(),
                                        storage.driver_options().end());
  if (std::string folder = option_value(driver_words, kCreateFolder); !folder.empty()) {
    CO_TRY_STATUS(make_dirs(folder));
  }
  MountPlan plan{storage.source(), storage.mount_point(), "overlay", words_of(storage)};
  if (has_word(plan.options, kWritable)) {
    std::string base = context.config.run_dir + "/" + context.container_id;
    CO_TRY_STATUS(make_dirs(base + "/upper"));
    CO_TRY_STATUS(make_dirs(base + "/work"));
    plan.options.push_back("upperdir=" + base + "/upper");
    plan.options.push_back("workdir=" + base + "/work");
  }
  CO_TRY(bool mounted, mount_storage(plan));
  co_return StorageMade{.undo = mounted};
}

}  // namespace kata::agent
