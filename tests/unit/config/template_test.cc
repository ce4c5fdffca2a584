#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdlib>

#include "base/file.h"
#include "config/loader.h"

// The shipped template, as it is and after the edits that users' documents make to it with sed.
namespace kata::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string shipped() {
  auto text =
      read_file(KATA_SOURCE_DIR "/share/defaults/kata-containers/configuration-qemu.toml.in");
  EXPECT_TRUE(text) << text.error().message();
  std::string filled = text ? *text : "";
  const std::string mark = "@PREFIX@";
  for (size_t at = 0; (at = filled.find(mark)) != std::string::npos;) {
    filled.replace(at, mark.size(), "/opt/kata");
  }
  return filled;
}

std::string edited(const std::vector<std::string>& scripts) {
  char name[] = "/tmp/kata-template-XXXXXX";
  const int fd = mkstemp(name);
  EXPECT_GE(fd, 0);
  EXPECT_TRUE(write_all(fd, shipped()));
  for (const std::string& script : scripts) {
    EXPECT_EQ(std::system(("sed -i '" + script + "' " + name).c_str()), 0);
  }
  close(fd);
  auto text = read_file(name);
  EXPECT_TRUE(remove_file(name));
  return text ? *text : "";
}

TEST(Template, LoadsWithoutWarnings) {
  auto loaded = parse(shipped(), "t.toml");
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_THAT(loaded->warnings, IsEmpty());
  EXPECT_EQ(loaded->config.hypervisor.kernel, "/opt/kata/share/kata-containers/vmlinux.container");
  EXPECT_THAT(loaded->config.hypervisor.enable_annotations, ElementsAre("enable_iommu"));
}

// A commented line shows the default: taking the mark away changes nothing.
TEST(Template, CommentedValuesAreTheDefaults) {
  auto plain = parse(shipped(), "t.toml");
  auto open = parse(edited({"s/^#\\([a-z_]* = \\)/\\1/", "/^image = /d"}), "t.toml");
  ASSERT_TRUE(plain && open) << open.error().message();
  EXPECT_THAT(open->warnings, IsEmpty());
  const auto& a = plain->config.hypervisor;
  const auto& b = open->config.hypervisor;
  EXPECT_EQ(a.enable_iommu, b.enable_iommu);
  EXPECT_EQ(a.entropy_source, b.entropy_source);
  EXPECT_EQ(a.enable_mem_prealloc, b.enable_mem_prealloc);
  EXPECT_EQ(a.enable_hugepages, b.enable_hugepages);
  EXPECT_EQ(a.reclaim_guest_freed_memory, b.reclaim_guest_freed_memory);
  EXPECT_EQ(a.file_mem_backend, b.file_mem_backend);
  EXPECT_EQ(a.msize_9p, b.msize_9p);
  EXPECT_EQ(a.guest_hook_path, b.guest_hook_path);
  EXPECT_EQ(a.firmware, b.firmware);
}

// The edits of a published installation guide, character by character.
TEST(Template, TakesTheEditsOfTheDkmsGuide) {
  auto loaded = parse(
      edited(
          {R"(s/\[\"enable_iommu\"\]/["enable_iommu", "virtio_fs_extra_args", "default_memory", "kernel_params", "cpu_features"]/)",
           R"(s/#file_mem_backend\s=\s\"\"/file_mem_backend = "\/var\/lib\/kata"/)",
           R"(/default_vcpus = 1/c\default_vcpus = 8)"}),
      "t.toml");
  ASSERT_TRUE(loaded) << loaded.error().message();
  const auto& vm = loaded->config.hypervisor;
  EXPECT_THAT(vm.enable_annotations,
              ElementsAre("enable_iommu", "virtio_fs_extra_args", "default_memory", "kernel_params",
                          "cpu_features"));
  EXPECT_EQ(vm.file_mem_backend, "/var/lib/kata");
  EXPECT_GE(vm.default_vcpus, 1);
  EXPECT_TRUE(loaded->origins.contains("hypervisor.qemu.default_vcpus"));
  for (const std::string& warning : loaded->warnings) {
    EXPECT_THAT(warning, HasSubstr("more than this host has"));
  }
}

// The work-around of another guide for hosts without virtiofsd.
TEST(Template, TakesTheEditFor9p) {
  auto loaded = parse(edited({R"(s/shared_fs = "virtio-fs"/shared_fs = "virtio-9p"/)"}), "t.toml");
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_EQ(loaded->config.hypervisor.shared_fs, SharedFs::kVirtio9p);
}

}  // namespace
}  // namespace kata::config
