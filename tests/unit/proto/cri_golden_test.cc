// Kubernetes' description of a pod against hand-encoded bytes.
#include "cri/pod.pb.h"
#include "proto/wire_text.h"

namespace {

using kata::test::expect_golden;

TEST(CriGolden, PodSandboxConfig) {
  runtime::v1::PodSandboxConfig pod;
  pod.mutable_metadata()->set_name("n");
  pod.mutable_metadata()->set_uid("u");
  pod.mutable_metadata()->set_namespace_("s");
  pod.set_hostname("h");
  pod.set_log_directory("/l");
  pod.mutable_dns_config()->add_servers("1");
  pod.mutable_dns_config()->add_searches("2");
  pod.mutable_dns_config()->add_options("3");
  (*pod.mutable_annotations())["k"] = "v";
  auto* part = pod.mutable_linux();
  part->set_cgroup_parent("/c");
  auto* namespaces = part->mutable_security_context()->mutable_namespace_options();
  namespaces->set_network(runtime::v1::NODE);
  namespaces->set_pid(runtime::v1::CONTAINER);
  namespaces->set_ipc(runtime::v1::TARGET);
  namespaces->set_target_id("t");
  namespaces->mutable_userns_options()->set_mode(runtime::v1::NODE);
  (*part->mutable_sysctls())["a"] = "b";
  part->mutable_resources()->set_cpu_period(1);
  part->mutable_resources()->set_cpu_quota(2);
  part->mutable_resources()->set_cpu_shares(3);
  part->mutable_resources()->set_memory_limit_in_bytes(4);
  expect_golden(pod,
                "0a 09 0a 01 'n' 12 01 'u' 1a 01 's' 12 01 'h' 1a 02 '/l'"
                "22 09 0a 01 '1' 12 01 '2' 1a 01 '3' 3a 06 0a 01 'k' 12 01 'v'"
                "42 27 0a 02 '/c' 12 0f 0a 0d 08 02 10 01 18 03 22 01 't' 2a 02 08 02"
                "1a 06 0a 01 'a' 12 01 'b' 2a 08 08 01 10 02 18 03 20 04");
}

}  // namespace
