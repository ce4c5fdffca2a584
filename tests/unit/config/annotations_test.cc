#include "config/annotations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/annotation_gate.h"
#include "config/extra_args.h"
#include "config/kernel_params.h"

namespace kata::config {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

LoadedConfig base(const std::string& lines = "enable_annotations = [\".*\"]\n") {
  auto loaded = parse("[hypervisor.qemu]\n" + lines, "c.toml");
  EXPECT_TRUE(loaded) << loaded.error().message();
  return loaded ? std::move(*loaded) : LoadedConfig();
}

std::map<std::string, std::string> vm(const std::string& name, const std::string& value) {
  return {{"io.katacontainers.config.hypervisor." + name, value}};
}

TEST(AnnotationGate, RegularExpressionsAndWholeNames) {
  EXPECT_TRUE(annotation_enabled({"enable_iommu"}, "enable_iommu"));
  EXPECT_FALSE(annotation_enabled({"enable_iommu"}, "enable_iommu_platform"));
  EXPECT_TRUE(annotation_enabled({"default_.*"}, "default_memory"));
  EXPECT_TRUE(annotation_enabled({"x", "^virtio_fs_(cache|daemon)$"}, "virtio_fs_cache"));
  EXPECT_FALSE(annotation_enabled({"^virtio_fs_(cache|daemon)$"}, "virtio_fs_cache_size"));
  EXPECT_TRUE(annotation_enabled({".*"}, "kernel"));
}

TEST(AnnotationGate, NothingListedMeansNothingAllowed) {
  EXPECT_FALSE(annotation_enabled({}, "kernel"));
  EXPECT_FALSE(annotation_enabled({""}, "kernel"));
  EXPECT_FALSE(annotation_enabled({"("}, "kernel"));
  auto bad = parse("[hypervisor.qemu]\nenable_annotations = [\"(\"]\n", "c.toml");
  ASSERT_FALSE(bad);
  EXPECT_THAT(bad.error().message(), HasSubstr("c.toml:2: hypervisor.qemu.enable_annotations"));
}

TEST(AnnotationGate, PathsMatchGlobsPartByPart) {
  EXPECT_TRUE(path_allowed({"/dev/*random"}, "/dev/urandom"));
  EXPECT_FALSE(path_allowed({"/dev*"}, "/dev/urandom"));
  EXPECT_FALSE(path_allowed({"/dev/urandomX"}, "/dev/urandomX"));  // does not exist
  EXPECT_FALSE(path_allowed({"/dev/*/*/*"}, "/dev/../dev/urandom"));
  EXPECT_FALSE(path_allowed({"*"}, "dev"));
  EXPECT_FALSE(path_allowed({}, "/dev/urandom"));
}

TEST(Annotations, RefusalNamesWhatIsAllowedAndWhere) {
  auto loaded = base("enable_annotations = [\"enable_iommu\", \"kernel_params\"]\n");
  auto status = apply_annotations(vm("default_memory", "1024"), &loaded);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), Code::kPermissionDenied);
  EXPECT_THAT(status.error().message(), HasSubstr("hypervisor.default_memory: is not enabled"));
  EXPECT_THAT(status.error().message(), HasSubstr("enable_iommu, kernel_params"));
  EXPECT_THAT(status.error().message(), HasSubstr("c.toml"));
}

TEST(Annotations, ValuesOfEachType) {
  auto loaded = base(
      "enable_annotations = [\".*\"]\nkernel_params = \"a=1 quiet b=2\"\n"
      "virtio_fs_extra_args = [\"--xattr\"]\nhot_plug_vfio = \"root-port\"\n");
  std::map<std::string, std::string> all;
  const std::pair<const char*, const char*> values[] = {
      {"enable_iommu", "T"},
      {"default_memory", "4Gi"},
      {"default_vcpus", "0.5"},
      {"kernel_params", "b=3 c"},
      {"virtio_fs_extra_args", R"(["--thread-pool-size=4"])"},
      {"cold_plug_vfio", "bridge-port"},
      {"blk_logical_sector_size", "512"},
      {"numa_mapping", "0-1 2-3"},
      {"shared_fs", "virtio-9p"}};
  for (auto [name, value] : values) all.merge(vm(name, value));
  all["io.katacontainers.config.agent.kernel_modules"] = "mod a=1; mod2";
  all["io.katacontainers.config.agent.cdh_api_timeout_ms"] = "1500";
  all["io.katacontainers.config.runtime.create_container_timeout"] = "90";
  all["io.katacontainers.enable_vcpus_pinning"] = "true";
  all["io.kubernetes.cri.sandbox-id"] = "x";
  auto status = apply_annotations(all, &loaded);
  ASSERT_TRUE(status) << status.error().message();
  const auto& h = loaded.config.hypervisor;
  EXPECT_TRUE(h.enable_iommu);
  EXPECT_EQ(h.default_memory, 4096u);
  EXPECT_EQ(h.default_vcpus, 0.5);
  EXPECT_EQ(h.kernel_params, "a=1 quiet b=3 c");
  EXPECT_THAT(h.virtio_fs_extra_args, ElementsAre("--xattr", "--thread-pool-size=4"));
  EXPECT_EQ(h.hot_plug_vfio, "no-port");
  EXPECT_EQ(h.cold_plug_vfio, "bridge-port");
  EXPECT_EQ(h.block_device_logical_sector_size, 512u);
  EXPECT_THAT(h.numa_mapping, ElementsAre("0-1", "2-3"));
  EXPECT_EQ(h.shared_fs, SharedFs::kVirtio9p);
  EXPECT_THAT(loaded.config.agent.kernel_modules, ElementsAre("mod a=1", "mod2"));
  EXPECT_EQ(loaded.config.agent.cdh_api_timeout.count(), 1500);
  EXPECT_EQ(loaded.config.runtime.create_container_timeout, std::chrono::seconds(90));
  EXPECT_TRUE(loaded.config.runtime.enable_vcpus_pinning);
}

TEST(Annotations, UnknownNamesWarn) {
  auto loaded = base();
  ASSERT_TRUE(apply_annotations(vm("no_such_key", "1"), &loaded));
  ASSERT_TRUE(apply_annotations({{"io.katacontainers.config.other.x", "1"}}, &loaded));
  EXPECT_THAT(loaded.warnings, Contains(HasSubstr("hypervisor.no_such_key: unknown, ignored")));
}

struct BadAnnotation {
  const char* name;  // below io.katacontainers.config.
  const char* value;
  const char* message;
};

class AnnotationRefused : public testing::TestWithParam<BadAnnotation> {};

TEST_P(AnnotationRefused, NamingIt) {
  auto loaded = base(
      "enable_annotations = [\".*\"]\nvalid_entropy_sources = [\"/dev/urandom\"]\n"
      "valid_hypervisor_paths = [\"/usr/bin/qemu*\"]\n");
  const std::string name = std::string("io.katacontainers.config.") + GetParam().name;
  auto status = apply_annotations({{name, GetParam().value}}, &loaded);
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message(), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    All, AnnotationRefused,
    testing::Values(
        BadAnnotation{"hypervisor.enable_iommu", "yes", "a boolean value 'true|false'"},
        BadAnnotation{"hypervisor.default_memory", "-5", "of at least 256"},
        BadAnnotation{"hypervisor.default_memory", "100", "of at least 256"},
        BadAnnotation{"hypervisor.default_memory", "1Ti", "a positive numeric value"},
        BadAnnotation{"hypervisor.default_memory", "99999999999999999999", "numeric value"},
        BadAnnotation{"hypervisor.default_memory", "9223372036854775807", "an integer from"},
        BadAnnotation{"hypervisor.default_memory", "", "numeric value"},
        BadAnnotation{"hypervisor.memory_slots", "0", "of at least 1"},
        BadAnnotation{"hypervisor.default_vcpus", "1e9", "a positive numeric value"},
        BadAnnotation{"hypervisor.default_vcpus", "100000", "CPUs of this host"},
        BadAnnotation{"hypervisor.default_max_vcpus", "100000", "CPUs of this host"},
        BadAnnotation{"hypervisor.path", "/bin/sh", "the valid_* list of this key"},
        BadAnnotation{"hypervisor.jailer_path", "/bin/sh", "the valid_* list of this key"},
        BadAnnotation{"hypervisor.virtio_fs_daemon", "/bin/sh", "the valid_* list of this key"},
        BadAnnotation{"hypervisor.file_mem_backend", "/tmp", "the valid_* list of this key"},
        BadAnnotation{"hypervisor.entropy_source", "/etc/shadow", "the valid_* list of this key"},
        BadAnnotation{"hypervisor.shared_fs", "none", "\"virtio-fs\" or \"virtio-9p\""},
        BadAnnotation{"hypervisor.block_device_aio", "x", "expected one of \"threads\""},
        BadAnnotation{"hypervisor.virtio_fs_extra_args", "--x", "a JSON list of strings"},
        BadAnnotation{"hypervisor.virtio_fs_extra_args", "[]\nother = 1", "a JSON list of strings"},
        BadAnnotation{"hypervisor.virtio_fs_extra_args", "[\"-o\", \"source=/\"]", "\"source\" is"},
        BadAnnotation{"hypervisor.virtio_fs_extra_args", "[\"--sandbox=none\"]", "\"sandbox\" is"},
        BadAnnotation{"hypervisor.machine_accelerators", "x=1, dumpdtb=/etc/passwd", "\"dumpdtb\""},
        BadAnnotation{"hypervisor.kernel_hash", "00", "is not supported yet"},
        BadAnnotation{"hypervisor.cc_init_data", "00", "is not supported yet"},
        BadAnnotation{"agent.policy", "x", "is not supported yet"},
        BadAnnotation{"agent.enable_tracing", "2", "a boolean value"},
        BadAnnotation{"runtime.sandbox_bind_mounts", "/etc", "may not be set by a pod"},
        BadAnnotation{"runtime.create_container_timeout", "0", "of at least 1"},
        BadAnnotation{"runtime.disable_new_netns", "true", "needs internetworking_model"},
        BadAnnotation{"runtime.vfio_mode", "x", "expected one of \"guest-kernel\""}));

TEST(Annotations, AssetsReplaceEachOther) {
  auto loaded = base("enable_annotations = [\"image\", \"initrd\"]\ninitrd = \"/i\"\n");
  ASSERT_TRUE(apply_annotations(vm("image", "/img"), &loaded));
  EXPECT_EQ(loaded.config.hypervisor.image, "/img");
  EXPECT_EQ(loaded.config.hypervisor.initrd, "");
  auto both = vm("image", "/a");
  both.merge(vm("initrd", "/b"));
  EXPECT_FALSE(apply_annotations(both, &loaded));
}

TEST(ExtraArgs, PodsGetAnAllowList) {
  EXPECT_TRUE(
      check_pod_extra_args({"--thread-pool-size=1", "-o", "announce_submounts,cache=auto"}));
  for (const char* bad : {"--shared-dir=/", "-d", "--fd=3", "-osandbox=none", "junk", "--", "-o"}) {
    EXPECT_EQ(static_cast<bool>(check_pod_extra_args({bad})), false) << bad;
  }
}

TEST(ExtraArgs, AdministratorsKeepTheSandbox) {
  EXPECT_TRUE(check_extra_args({"--thread-pool-size=1", "--announce-submounts", "-d", "--xattr"}));
  EXPECT_TRUE(check_extra_args({"--thread-pool-size=1", "-o", "announce_submounts"}));
  for (const char* bad : {"--sandbox=none", "--seccomp=none", "-omodcaps=+sys_admin",
                          "--socket-path=/x", "--shared-dir=/", "--modcaps=+mknod"}) {
    EXPECT_FALSE(check_extra_args({bad})) << bad;
  }
}

TEST(KernelParams, LaterOnesReplace) {
  EXPECT_EQ(merge_kernel_params("", ""), "");
  EXPECT_EQ(merge_kernel_params("a b=1", ""), "a b=1");
  EXPECT_EQ(merge_kernel_params("a=1 b a=2", "a=3  c"), "b a=3 c");
  EXPECT_EQ(merge_kernel_params("x=\"p q\" y", "y"), "x=\"p q\" y");
}

}  // namespace
}  // namespace kata::config
