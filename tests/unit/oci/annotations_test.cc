#include "oci/annotations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "oci/namespaces.h"

namespace kata::oci {
namespace {

using testing::HasSubstr;

grpc::Spec spec_with(std::initializer_list<std::pair<const char*, const char*>> annotations) {
  grpc::Spec spec;
  for (auto [key, value] : annotations) (*spec.mutable_annotations())[key] = value;
  return spec;
}

TEST(ContainerTypeOf, FollowsEachManager) {
  EXPECT_EQ(*container_type(grpc::Spec()), ContainerType::kSingleContainer);
  const std::pair<const char*, const char*> sandboxes[] = {
      {"io.kubernetes.cri.container-type", "sandbox"},
      {"io.kubernetes.cri-o.ContainerType", "sandbox"},
      {"io.kubernetes.docker.type", "podsandbox"}};
  for (auto [key, word] : sandboxes) {
    EXPECT_EQ(*container_type(spec_with({{key, word}})), ContainerType::kPodSandbox) << key;
    EXPECT_EQ(*container_type(spec_with({{key, "container"}})), ContainerType::kPodContainer);
  }
}

TEST(ContainerTypeOf, RefusesUnknownWords) {
  auto type = container_type(spec_with({{"io.kubernetes.cri.container-type", "podsandbox"}}));
  ASSERT_FALSE(type);
  EXPECT_EQ(type.error().code(), Code::kInvalidArgument);
  EXPECT_THAT(type.error().message(), HasSubstr("unknown container type \"podsandbox\""));
}

TEST(SandboxId, ComesFromTheManagerOrIsOnesOwn) {
  EXPECT_EQ(*sandbox_id(grpc::Spec(), "own"), "own");
  EXPECT_EQ(*sandbox_id(spec_with({{"io.kubernetes.cri.container-type", "container"},
                                   {"io.kubernetes.cri.sandbox-id", "box1"}}),
                        "own"),
            "box1");
  EXPECT_EQ(*sandbox_id(spec_with({{"io.kubernetes.cri-o.ContainerType", "container"},
                                   {"io.kubernetes.cri-o.SandboxID", "box2"}}),
                        "own"),
            "box2");
}

TEST(SandboxId, MissingOrDangerousIsRefused) {
  auto missing = sandbox_id(spec_with({{"io.kubernetes.cri.container-type", "container"}}), "own");
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message(), HasSubstr("no annotation names its sandbox"));
  auto escape = sandbox_id(spec_with({{"io.kubernetes.cri.container-type", "container"},
                                      {"io.kubernetes.cri.sandbox-id", "../../etc"}}),
                           "own");
  ASSERT_FALSE(escape);
  EXPECT_THAT(escape.error().message(), HasSubstr("io.kubernetes.cri.sandbox-id"));
}

TEST(CheckId, AcceptsOnlyPathSafeNames) {
  for (const char* good : {"a", "0", "abc-1_2.3", "A0"}) EXPECT_TRUE(check_id(good)) << good;
  for (const char* bad : {"", ".", "..", "-a", "a/b", "a b", "a\n", "\xc3\xa9"}) {
    EXPECT_FALSE(check_id(bad)) << bad;
  }
  EXPECT_TRUE(check_id(std::string(128, 'a')));
  EXPECT_FALSE(check_id(std::string(129, 'a')));
}

TEST(Annotations, OfAPodsAuthorOnlyTheGatedOnesRemain) {
  grpc::Spec spec;
  auto& all = *spec.mutable_annotations();
  const std::string kept[] = {"io.katacontainers.config.hypervisor.default_memory",
                              "io.kubernetes.cri-o.ContainerType", "example.org/any"};
  const std::string dropped[] = {"io.katacontainers.config.agent.kernel_modules",
                                 "io.katacontainers.config.runtime.disable_new_netns",
                                 "io.katacontainers.pkg.oci.container_type",
                                 "io.kubernetes.cri.container-type",
                                 "io.kubernetes.cri.sandbox-id",
                                 "io.kubernetes.cri.sandbox-memory"};
  for (const auto& key : kept) all[key] = "x";
  for (const auto& key : dropped) all[key] = "x";
  drop_unfiltered(&spec);
  for (const auto& key : kept) EXPECT_TRUE(all.contains(key)) << key;
  for (const auto& key : dropped) EXPECT_FALSE(all.contains(key)) << key;
}

TEST(Namespaces, NetworkAndPid) {
  grpc::Spec spec;
  EXPECT_FALSE(network_namespace(spec).requested);
  EXPECT_FALSE(joins_pid_namespace(spec));
  auto* net = spec.mutable_linux()->add_namespaces();
  net->set_type("network");
  EXPECT_TRUE(network_namespace(spec).requested);
  EXPECT_EQ(network_namespace(spec).path, "");
  net->set_path("/var/run/netns/x");
  EXPECT_EQ(network_namespace(spec).path, "/var/run/netns/x");
  auto* pid = spec.mutable_linux()->add_namespaces();
  pid->set_type("pid");
  EXPECT_FALSE(joins_pid_namespace(spec));
  pid->set_path("/proc/1/ns/pid");
  EXPECT_TRUE(joins_pid_namespace(spec));
  // CRI-O leaves the entry out for the node's.
  spec.mutable_linux()->clear_namespaces();
  EXPECT_FALSE(joins_pid_namespace(spec));
  (*spec.mutable_annotations())["io.kubernetes.cri-o.ContainerType"] = "sandbox";
  EXPECT_FALSE(joins_pid_namespace(spec));
  (*spec.mutable_annotations())["io.kubernetes.cri-o.ContainerType"] = "container";
  EXPECT_TRUE(joins_pid_namespace(spec));
}

}  // namespace
}  // namespace kata::oci
