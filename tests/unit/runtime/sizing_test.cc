#include "runtime/sizing.h"

#include <gtest/gtest.h>
#include <sys/sysinfo.h>

namespace kata::runtime {
namespace {

TEST(SizingTest, BaseAloneWithoutLimits) {
  config::HypervisorConfig config;
  config.default_memory = 512;
  auto size = boot_size({}, config);
  ASSERT_TRUE(size);
  EXPECT_EQ(size->vcpus, 1u);
  EXPECT_EQ(size->memory_mib, 512u);
}

TEST(SizingTest, LimitsAreAddedAndRoundedUp) {
  config::HypervisorConfig config;
  config.default_memory = 256;
  grpc::Spec spec;
  auto* resources = spec.mutable_linux()->mutable_resources();
  resources->mutable_cpu()->set_quota(50000);
  resources->mutable_cpu()->set_period(100000);
  resources->mutable_memory()->set_limit(100 << 20);
  auto size = boot_size(spec, config);
  ASSERT_TRUE(size);
  EXPECT_EQ(size->vcpus, std::min(2, get_nprocs()) + 0u);
  EXPECT_EQ(size->memory_mib, 356u);
}

// The memory limit does not count them, so the VM needs them on top.
TEST(SizingTest, HugePagesComeOnTop) {
  config::HypervisorConfig config;
  config.default_memory = 256;
  grpc::LinuxResources one, two;
  one.mutable_memory()->set_limit(100 << 20);
  auto* pages = one.add_hugepagelimits();
  pages->set_pagesize("2MB");
  pages->set_limit(64 << 20);
  two.add_hugepagelimits()->set_limit(UINT64_MAX);
  auto size = size_with({&one}, {}, config);
  ASSERT_TRUE(size);
  EXPECT_EQ(size->memory_mib, 420u);
  size = size_with({&one, &two}, {}, config);
  ASSERT_TRUE(size);
  EXPECT_EQ(size->memory_mib, most_size(config).memory_mib);
}

grpc::Spec pod_spec(std::map<std::string, std::string> annotations) {
  grpc::Spec spec;
  annotations["io.kubernetes.cri.container-type"] = "sandbox";
  for (auto& [key, value] : annotations) (*spec.mutable_annotations())[key] = value;
  return spec;
}

TEST(SizingTest, APodIsSizedByItsAnnotations) {
  config::HypervisorConfig config;
  config.default_memory = 256;
  auto size = boot_size(pod_spec({{"io.kubernetes.cri.sandbox-cpu-quota", "50000"},
                                  {"io.kubernetes.cri.sandbox-cpu-period", "100000"},
                                  {"io.kubernetes.cri.sandbox-memory", "104857600"}}),
                        config);
  ASSERT_TRUE(size);
  EXPECT_EQ(size->vcpus, std::min(2, get_nprocs()) + 0u);
  EXPECT_EQ(size->memory_mib, 356u);
  size = boot_size(pod_spec({{"io.kubernetes.cri.sandbox-cpu-quota", "-1"},
                             {"io.kubernetes.cri.sandbox-cpu-period", "100000"},
                             {"io.kubernetes.cri.sandbox-cpu-shares", "512"}}),
                   config);
  EXPECT_EQ(size->vcpus, std::min(2, get_nprocs()) + 0u);
}

TEST(SizingTest, NonsenseInAnnotationsIsNothing) {
  config::HypervisorConfig config;
  config.default_memory = 256;
  for (const char* text : {"", "-5", "1e9", "lots", "99999999999999999999", "0"}) {
    auto size = boot_size(pod_spec({{"io.kubernetes.cri.sandbox-cpu-quota", text},
                                    {"io.kubernetes.cri.sandbox-cpu-period", text},
                                    {"io.kubernetes.cri.sandbox-memory", text}}),
                          config);
    ASSERT_TRUE(size) << text;
    EXPECT_EQ(size->vcpus, 1u) << text;
    EXPECT_EQ(size->memory_mib, 256u) << text;
  }
}

TEST(SizingTest, APodOfCrioIsSizedByItsJson) {
  config::HypervisorConfig config;
  config.default_memory = 256;
  constexpr char kKey[] = "io.kubernetes.cri-o.PodLinuxResources";
  auto size =
      boot_size(pod_spec({{kKey, R"({"cpu_period":100000,"cpu_quota":50000,"cpu_shares":512,)"
                                 R"("memory_limit_in_bytes":104857600,)"
                                 R"("hugepage_limits":[{"page_size":"2MB","limit":67108864}]})"}}),
                config);
  ASSERT_TRUE(size);
  EXPECT_EQ(size->vcpus, std::min(2, get_nprocs()) + 0u);
  EXPECT_EQ(size->memory_mib, 420u);
  for (const char* nonsense :
       {"null", "{}", "[]", "{", R"({"memory_limit_in_bytes":-1,"cpu_quota":-1,"cpu_shares":2})",
        R"({"memory_limit_in_bytes":"104857600"})", R"({"memory_limit_in_bytes":1e99})"}) {
    size = boot_size(pod_spec({{kKey, nonsense}}), config);
    ASSERT_TRUE(size) << nonsense;
    EXPECT_EQ(size->vcpus, 1u) << nonsense;
    EXPECT_EQ(size->memory_mib, 256u) << nonsense;
  }
  size = boot_size(pod_spec({{kKey, R"({"hugepage_limits":[{"limit":18446744073709551615},)"
                                    R"({"limit":18446744073709551615}]})"}}),
                   config);
  ASSERT_TRUE(size);
  EXPECT_EQ(size->memory_mib, most_size(config).memory_mib);
}

TEST(SizingTest, NeverMoreThanTheHostOrTheCeiling) {
  config::HypervisorConfig config;
  config.default_memory = 256;
  config.default_maxmemory = 1024;
  config.default_maxvcpus = 1;
  grpc::Spec spec;
  auto* resources = spec.mutable_linux()->mutable_resources();
  resources->mutable_cpu()->set_quota(100000 * 1000);
  resources->mutable_cpu()->set_period(100000);
  resources->mutable_memory()->set_limit(INT64_MAX);
  auto size = boot_size(spec, config);
  ASSERT_TRUE(size);
  EXPECT_EQ(size->vcpus, 1u);
  EXPECT_EQ(size->memory_mib, 1024u);
}

TEST(SizingTest, ARunningVmHasTheSumOfItsContainers) {
  config::HypervisorConfig config;
  config.default_memory = 256;
  const uint32_t host_cpus = static_cast<uint32_t>(get_nprocs());
  grpc::LinuxResources half, whole;
  half.mutable_cpu()->set_quota(50000);
  half.mutable_cpu()->set_period(100000);
  half.mutable_memory()->set_limit(64 << 20);
  whole.mutable_memory()->set_limit(INT64_MAX);
  auto two = size_with({&half, &half}, {}, config);
  ASSERT_TRUE(two);
  EXPECT_EQ(two->vcpus, std::min(2u, host_cpus));
  EXPECT_EQ(two->memory_mib, 256u + 128u);
  EXPECT_EQ(size_with({}, {}, config)->memory_mib, 256u);
  EXPECT_EQ(size_with({&whole, &whole}, {}, config)->memory_mib, most_size(config).memory_mib);
  // What the pod was said to need is there from the start, whoever has come yet.
  const auto pod = pod_spec({{"io.kubernetes.cri.sandbox-memory", "268435456"}});
  EXPECT_EQ(size_with({&half}, pod, config)->memory_mib, 512u);
  config.default_maxmemory = 300;
  EXPECT_EQ(size_with({&half, &half}, {}, config)->memory_mib, 300u);
}

TEST(SizingTest, ImpossibleBaseIsRefusedWithTheKeyToChange) {
  config::HypervisorConfig config;
  config.default_memory = 16;
  auto small = boot_size({}, config);
  ASSERT_FALSE(small);
  EXPECT_NE(small.error().message().find("default_memory"), std::string::npos);
  config.default_memory = uint64_t{1} << 40;
  auto large = boot_size({}, config);
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code(), Code::kResourceExhausted);
}

}  // namespace
}  // namespace kata::runtime
