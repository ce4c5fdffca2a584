#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "base/file.h"
#include "config/loader.h"
#include "config/safety.h"
#include "config/search.h"
#include "support/temp_folder.h"

namespace kata::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Load : public testing::Test {
 protected:
  Load() {
    for (const char* file : {"qemu", "kernel", "initrd", "virtiofsd"}) put(file, "x");
  }
  ~Load() override { unsetenv("KATA_CONF_FILE"); }

  std::string put(const std::string& name, const std::string& text, mode_t mode = 0644) {
    const std::string path = folder_ + "/" + name;
    EXPECT_TRUE(make_dirs(dirname(path)));
    EXPECT_TRUE(write_file(path, text));
    EXPECT_EQ(chmod(path.c_str(), mode), 0);
    return path;
  }
  // A complete file, with `extra` lines in the hypervisor section.
  std::string put_config(const std::string& extra = "") {
    return put("configuration.toml",
               "[hypervisor.qemu]\npath = \"" + folder_ + "/qemu\"\nkernel = \"" + folder_ +
                   "/kernel\"\ninitrd = \"" + folder_ + "/initrd\"\nvirtio_fs_daemon = \"" +
                   folder_ + "/virtiofsd\"\n" + extra);
  }

  const kata::test::TempFolder temp_;
  const std::string folder_ = temp_.path();
};

TEST_F(Load, ResolvesSymlinksOfAssets) {
  ASSERT_EQ(symlink("kernel", (folder_ + "/vmlinux.container").c_str()), 0);
  auto loaded = load(put("configuration.toml", "[hypervisor.qemu]\npath = \"" + folder_ +
                                                   "/qemu\"\nkernel = \"" + folder_ +
                                                   "/vmlinux.container\"\ninitrd = \"" + folder_ +
                                                   "/initrd\"\nshared_fs = \"none\"\n"));
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_EQ(loaded->config.hypervisor.kernel, folder_ + "/kernel");
  EXPECT_THAT(loaded->warnings, IsEmpty());
}

TEST_F(Load, DropInsMergeInNameOrder) {
  put_config("default_memory = 300\nenable_annotations = [\"a\", \"b\"]\n");
  put("config.d/20-second", "[hypervisor.qemu]\ndefault_memory = 500\n");
  put("config.d/10-first.toml",
      "[hypervisor.qemu]\ndefault_memory = 400\nenable_annotations = [\"c\"]\n"
      "[agent.kata]\nenable_debug = true\n");
  put("config.d/.hidden.swp", "not toml at all [");
  // The folder is the one beside the file that a symlink leads to.
  ASSERT_TRUE(make_dirs(folder_ + "/etc"));
  ASSERT_EQ(symlink("../configuration.toml", (folder_ + "/etc/link.toml").c_str()), 0);
  auto loaded = load(folder_ + "/etc/link.toml");
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_EQ(loaded->config.hypervisor.default_memory, 500u);
  EXPECT_THAT(loaded->config.hypervisor.enable_annotations, ElementsAre("c"));
  EXPECT_TRUE(loaded->config.agent.enable_debug);
  EXPECT_THAT(loaded->drop_ins,
              ElementsAre(folder_ + "/config.d/10-first.toml", folder_ + "/config.d/20-second"));
  EXPECT_EQ(loaded->origins.at("hypervisor.qemu.default_memory").text(),
            folder_ + "/config.d/20-second:2");
}

TEST_F(Load, BadDropInsAreNamed) {
  const std::string path = put_config();
  put("config.d/10-bad", "[hypervisor.qemu]\nkernel = 1\n");
  auto loaded = load(path);
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message(), HasSubstr("/config.d/10-bad:2: hypervisor.qemu.kernel"));
  put("config.d/10-bad", "x = ]");
  loaded = load(path);
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message(), HasSubstr("/config.d/10-bad:1: not valid TOML"));
  ASSERT_TRUE(remove_file(folder_ + "/config.d/10-bad"));
  ASSERT_TRUE(make_dirs(folder_ + "/config.d/sub"));
  loaded = load(path);
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message(), HasSubstr("/config.d/sub: is not a regular file"));
}

TEST_F(Load, MissingFilesNameKeyLineAndWayOut) {
  auto loaded = load(put_config("firmware = \"/nonexistent/fw\"\n"));
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code(), Code::kNotFound);
  EXPECT_THAT(loaded.error().message(),
              HasSubstr("configuration.toml:6: hypervisor.qemu.firmware"));
  EXPECT_THAT(loaded.error().message(), HasSubstr("/nonexistent/fw: No such file or directory"));
  EXPECT_THAT(loaded.error().message(), HasSubstr("remove the line to use the built-in one"));

  ASSERT_TRUE(remove_file(folder_ + "/virtiofsd"));
  loaded = load(put_config());
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message(), HasSubstr("virtiofsd does not exist"));
  EXPECT_THAT(loaded.error().message(), HasSubstr("shared_fs = \"virtio-9p\""));
  EXPECT_TRUE(load(put_config("shared_fs = \"virtio-9p\"\n")));

  loaded = load(put("relative.toml",
                    "[hypervisor.qemu]\npath = \"qemu\"\n"
                    "kernel = \"/k\"\ninitrd = \"/i\"\nshared_fs = \"none\"\n"));
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message(), HasSubstr("path: \"qemu\" is not an absolute path"));
}

TEST_F(Load, RefusesWhatIsNotATrustworthyFile) {
  auto missing = load(folder_ + "/none.toml");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), Code::kNotFound);
  auto directory = load(folder_);
  ASSERT_FALSE(directory);
  EXPECT_THAT(directory.error().message(), HasSubstr("is not a regular file"));
  ASSERT_EQ(mkfifo((folder_ + "/fifo").c_str(), 0600), 0);
  auto fifo = load(folder_ + "/fifo");  // must not wait for a writer
  ASSERT_FALSE(fifo);
  EXPECT_THAT(fifo.error().message(), HasSubstr("is not a regular file"));
  auto large = load(put("large.toml", std::string(kMaxConfigSize + 1, '#')));
  ASSERT_FALSE(large);
  EXPECT_THAT(large.error().message(), HasSubstr("is larger than"));
}

// CVE-2026-50540: a file that others can write decides nothing.
TEST_F(Load, RootTrustsOnlyRootsFiles) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const std::string path = put_config();
  for (mode_t mode : {0664, 0646, 0777}) {
    ASSERT_EQ(chmod(path.c_str(), mode), 0);
    auto loaded = load(path);
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code(), Code::kPermissionDenied);
    EXPECT_THAT(loaded.error().message(), HasSubstr("run: chmod go-w"));
  }
  ASSERT_EQ(chmod(path.c_str(), 0644), 0);
  ASSERT_EQ(chown(path.c_str(), 1234, 0), 0);
  auto loaded = load(path);
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message(), HasSubstr("belongs to user 1234"));
  EXPECT_TRUE(load(path, {.check_owner = false}));
  ASSERT_EQ(chown(path.c_str(), 0, 0), 0);
  const std::string fragment = put("config.d/50-x", "", 0666);
  loaded = load(path);
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message(), HasSubstr(fragment));
}

TEST_F(Load, SearchOrder) {
  const std::string first = put("first.toml", "");
  const std::string second = put("second.toml", "");
  setenv("KATA_CONF_FILE", second.c_str(), 1);
  EXPECT_EQ(*find(first), first);
  EXPECT_EQ(*find(""), second);
  setenv("KATA_CONF_FILE", "/nonexistent.toml", 1);
  auto missing = find("");
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message(), HasSubstr("KATA_CONF_FILE"));
  auto relative = find("x.toml");
  ASSERT_FALSE(relative);
  EXPECT_THAT(relative.error().message(), HasSubstr("ConfigPath"));
  EXPECT_EQ(default_paths()[0], "/etc/kata-containers/configuration.toml");
}

}  // namespace
}  // namespace kata::config
