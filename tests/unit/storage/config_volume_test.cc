#include "storage/config_volume.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "oci/watched_volume.h"
#include "storage/volume_watch.h"
#include "support/private_mounts.h"

namespace kata::storage {
namespace {

namespace fs = std::filesystem;

struct Volume {
  std::string dir = test::temp_dir();
  ~Volume() { fs::remove_all(dir); }
  std::string folder(const std::string& name) {
    fs::create_directories(dir + "/" + name);
    return dir + "/" + name;
  }
};

// A mount as the shared tree leaves it.
void add_shared(grpc::Spec* spec, oci::GuestContext* context, const std::string& exported,
                const std::string& source, const std::vector<std::string>& options) {
  auto* mount = spec->add_mounts();
  mount->set_type("bind");
  mount->set_source(source);
  for (const auto& option : options) mount->add_options(option);
  grpc::Mount guest = *mount;
  const int index = spec->mounts_size() - 1;
  const std::string name = "c1-" + std::to_string(index);
  guest.set_source("/run/kata-containers/shared/containers/" + name);
  context->mounts[index] = guest;
  if (fs::is_directory(source)) fs::create_directories(exported + "/" + name);
}

TEST(ConfigVolume, ReadOnlyFoldersOfKubeletAreWatched) {
  Volume volume;
  const std::string exported = volume.folder("exported");
  grpc::Spec spec;
  oci::GuestContext context;
  int index = 0;
  for (const char* kind : {"configmap", "secret", "projected", "downward-api"}) {
    add_shared(&spec, &context, exported,
               volume.folder(std::string("kubernetes.io~") + kind + "/v"), {"rbind", "ro"});
  }
  add_shared(&spec, &context, exported, volume.folder("kubernetes.io~empty-dir/v"),
             {"rbind", "ro"});
  add_shared(&spec, &context, exported, volume.folder("kubernetes.io~secret/w"), {"rbind", "rw"});
  std::ofstream(volume.folder("kubernetes.io~configmap") + "/file") << "x";
  add_shared(&spec, &context, exported, volume.dir + "/kubernetes.io~configmap/file",
             {"rbind", "ro"});
  context.mounts[100] = std::nullopt;
  for (int i = spec.mounts_size(); i <= 100; ++i) spec.add_mounts();
  auto volumes = place_config_volumes(spec, exported, &context);
  ASSERT_EQ(volumes.size(), 4u);
  for (const auto& made : volumes) {
    const std::string name = "c1-" + std::to_string(index);
    EXPECT_EQ(made.host_path, exported + "/" + name);
    EXPECT_EQ(made.storage.driver(), "watchable-bind");
    EXPECT_EQ(made.storage.source(), "/run/kata-containers/shared/containers/" + name);
    const std::string copy = "/run/kata-containers/shared/containers/watchable/" + name;
    EXPECT_EQ(made.storage.mount_point(), copy);
    EXPECT_EQ(context.mounts[index]->source(), copy);
    EXPECT_EQ(context.mounts[index]->options(1), "ro");
    ++index;
  }
  EXPECT_EQ(context.mounts[4]->source(), "/run/kata-containers/shared/containers/c1-4");
}

class VolumeWatchTest : public testing::Test {
 protected:
  VolumeWatchTest() : watch_(std::move(*VolumeWatch::create(loop_.get_executor()))) {
    volume_.host_path = volume_folder_.folder("v");
    volume_.storage.set_mount_point("/copy");
  }
  void swap(const std::string& generation) {
    const std::string link = volume_.host_path + "/..data_tmp";
    fs::create_directory(volume_.host_path + "/" + generation);
    fs::create_symlink(generation, link);
    fs::rename(link, volume_.host_path + "/..data");
  }
  static Task<> store(VolumeWatch* watch, std::vector<grpc::Storage>* told, bool* ended) {
    while (true) {
      auto changed = co_await watch->changed();
      if (!changed) break;
      for (auto& storage : *changed) told->push_back(std::move(storage));
    }
    *ended = true;
  }
  void run() {
    loop_.restart();
    loop_.run_for(300ms);
  }
  asio::io_context loop_;
  std::unique_ptr<VolumeWatch> watch_;
  Volume volume_folder_;
  ConfigVolume volume_;
  std::vector<grpc::Storage> told_;
  bool ended_ = false;
};

TEST_F(VolumeWatchTest, EachContainerIsToldOnceWhereTheDataIs) {
  ASSERT_TRUE(watch_->add("c1", volume_));
  ASSERT_TRUE(watch_->add("c2", volume_));
  spawn(loop_.get_executor(), store(watch_.get(), &told_, &ended_));
  run();
  EXPECT_TRUE(told_.empty());
  swap("..2");
  run();
  ASSERT_EQ(told_.size(), 2u);
  EXPECT_EQ(told_[0].mount_point(), "/copy");
  ASSERT_EQ(told_[0].driver_options_size(), 1);
  EXPECT_EQ(told_[0].driver_options(0), std::string(oci::kGeneration) + "=..2");
  told_.clear();
  watch_->remove("c1");
  swap("..3");
  run();
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_EQ(told_[0].driver_options(0), std::string(oci::kGeneration) + "=..3");
  watch_->remove("c2");
  swap("..4");
  run();
  EXPECT_EQ(told_.size(), 1u);
  watch_->close();
  run();
  EXPECT_TRUE(ended_);
}

TEST_F(VolumeWatchTest, AFolderThatGoes) {
  ASSERT_TRUE(watch_->add("c1", volume_));
  spawn(loop_.get_executor(), store(watch_.get(), &told_, &ended_));
  fs::remove_all(volume_.host_path);
  run();
  EXPECT_FALSE(watch_->add("c2", volume_));
  watch_->remove("c1");
  watch_->close();
  run();
  EXPECT_TRUE(ended_);
}

}  // namespace
}  // namespace kata::storage
