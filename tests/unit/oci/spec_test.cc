#include "oci/spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kata::oci {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Every field that the wire model has, each with a value of its own.
constexpr char kFullSpec[] = R"({
  "ociVersion": "1.2.0", "hostname": "h", "domainname": "d", "extra": {"ignored": [1]},
  "root": {"path": "rootfs", "readonly": true},
  "process": {
    "terminal": true, "consoleSize": {"height": 24, "width": 80},
    "user": {"uid": 1, "gid": 2, "umask": 18, "additionalGids": [3, 4], "username": "u"},
    "args": ["sh", "-c", "x"], "env": ["A=1"], "cwd": "/w",
    "capabilities": {"bounding": ["CAP_A"], "effective": ["CAP_B"], "inheritable": ["CAP_C"],
                     "permitted": ["CAP_D"], "ambient": ["CAP_E"]},
    "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 18446744073709551615, "soft": 1024}],
    "noNewPrivileges": true, "apparmorProfile": "a", "selinuxLabel": "s", "oomScoreAdj": 0,
    "ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 4},
    "scheduler": {"policy": "SCHED_OTHER", "nice": -5, "flags": ["F"], "runtime": 7}
  },
  "mounts": [{"destination": "/m", "source": "src", "type": "bind", "options": ["rbind", "ro"],
              "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 10}]}],
  "hooks": {"prestart": [{"path": "/p", "args": ["p", "q"], "env": ["E=1"], "timeout": 5}],
            "startContainer": [{"path": "/s"}]},
  "annotations": {"k": "v"},
  "linux": {
    "uidMappings": [{"containerID": 0, "hostID": 5, "size": 6}],
    "sysctl": {"net.core.somaxconn": "1"}, "cgroupsPath": "/c", "rootfsPropagation": "slave",
    "maskedPaths": ["/mp"], "readonlyPaths": ["/rp"], "mountLabel": "ml",
    "namespaces": [{"type": "pid"}, {"type": "network", "path": "/n"}],
    "devices": [{"path": "/dev/x", "type": "c", "major": 1, "minor": 2, "fileMode": 438}],
    "timeOffsets": {"monotonic": {"secs": -3, "nanosecs": 9}},
    "intelRdt": {"l3CacheSchema": "L3"},
    "seccomp": {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38,
                "architectures": ["SCMP_ARCH_X86_64"], "flags": ["F"],
                "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ERRNO", "errnoRet": 0,
                              "args": [{"index": 1, "value": 2, "valueTwo": 3,
                                        "op": "SCMP_CMP_EQ"}]}]},
    "resources": {
      "devices": [{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 0}],
      "memory": {"limit": -1, "swap": 0, "swappiness": 60, "disableOOMKiller": false},
      "cpu": {"shares": 2, "quota": -1, "period": 100000, "burst": 9, "cpus": "0-1", "idle": 1},
      "pids": {"limit": 100},
      "blockIO": {"weight": 10, "throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 1}]},
      "hugepageLimits": [{"pageSize": "2MB", "limit": 3}],
      "network": {"classID": 1, "priorities": [{"name": "eth0", "priority": 2}]},
      "unified": {"memory.high": "1"}
    }
  }
})";

TEST(ParseSpec, ReadsTopLevelAndProcess) {
  auto spec = parse_spec(kFullSpec);
  ASSERT_TRUE(spec) << spec.error().message();
  EXPECT_EQ(spec->version(), "1.2.0");
  EXPECT_EQ(spec->domainname(), "d");
  EXPECT_TRUE(spec->root().readonly());
  const auto& process = spec->process();
  EXPECT_THAT(process.args(), ElementsAre("sh", "-c", "x"));
  EXPECT_EQ(process.consolesize().width(), 80u);
  EXPECT_EQ(process.user().umask(), 18u);
  EXPECT_THAT(process.user().additionalgids(), ElementsAre(3u, 4u));
  EXPECT_EQ(process.rlimits(0).hard(), UINT64_MAX);
  EXPECT_TRUE(process.oomscoreadjset());
  EXPECT_EQ(process.oomscoreadj(), 0);
  EXPECT_EQ(process.iopriority().class_(), "IOPRIO_CLASS_BE");
  EXPECT_EQ(process.scheduler().nice(), -5);
  EXPECT_THAT(process.capabilities().ambient(), ElementsAre("CAP_E"));
  EXPECT_EQ(spec->mounts(0).uidmappings(0).hostid(), 1000u);
  EXPECT_EQ(spec->hooks().prestart(0).timeout(), 5);
  EXPECT_EQ(spec->annotations().at("k"), "v");
}

TEST(ParseSpec, ReadsLinuxPart) {
  auto spec = parse_spec(kFullSpec);
  ASSERT_TRUE(spec) << spec.error().message();
  const auto& part = spec->linux();
  EXPECT_EQ(part.uidmappings(0).size(), 6u);
  EXPECT_EQ(part.sysctl().at("net.core.somaxconn"), "1");
  EXPECT_EQ(part.namespaces(1).path(), "/n");
  EXPECT_EQ(part.devices(0).filemode(), 438u);
  EXPECT_EQ(part.timeoffsets().at("monotonic").secs(), -3);
  EXPECT_EQ(part.seccomp().defaulterrnoret(), 38u);
  EXPECT_TRUE(part.seccomp().syscalls(0).has_errnoret());
  EXPECT_EQ(part.seccomp().syscalls(0).args(0).valuetwo(), 3u);
  const auto& resources = part.resources();
  EXPECT_FALSE(resources.devices(0).has_major());
  EXPECT_TRUE(resources.devices(1).has_major());
  EXPECT_EQ(resources.memory().limit(), -1);
  EXPECT_TRUE(resources.memory().has_swap());
  EXPECT_FALSE(resources.memory().has_kernel());
  EXPECT_EQ(resources.cpu().burst(), 9u);
  EXPECT_EQ(resources.pids().limit(), 100);
  EXPECT_EQ(resources.hugepagelimits(0).pagesize(), "2MB");
  EXPECT_EQ(resources.unified().at("memory.high"), "1");
  EXPECT_TRUE(validate(*spec)) << validate(*spec).error().message();
}

TEST(ParseSpec, NullCountsAsAbsent) {
  auto spec = parse_spec(R"({"process": {"args": null, "user": null}, "mounts": null})");
  ASSERT_TRUE(spec) << spec.error().message();
  EXPECT_TRUE(spec->process().args().empty());
}

struct BadDocument {
  const char* json;
  const char* message;
};

class ParseSpecRefuses : public testing::TestWithParam<BadDocument> {};

TEST_P(ParseSpecRefuses, NamingThePlace) {
  auto spec = parse_spec(GetParam().json);
  ASSERT_FALSE(spec);
  EXPECT_EQ(spec.error().code(), Code::kInvalidArgument);
  EXPECT_THAT(spec.error().message(), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    All, ParseSpecRefuses,
    testing::Values(
        BadDocument{"", "config.json: not a JSON document"},
        BadDocument{"{\"a\":", "not a JSON document"}, BadDocument{"{} x", "not a JSON document"},
        BadDocument{"[]", "expected an object, found a list"},
        BadDocument{"\"x\"", "expected an object, found a string"},
        BadDocument{R"({"hostname": 5})", "hostname: expected a string, found the number 5"},
        BadDocument{R"({"root": []})", "root: expected an object, found a list"},
        BadDocument{R"({"root": {"readonly": "yes"}})",
                    "root.readonly: expected true or false, found a string"},
        BadDocument{R"({"process": {"args": "sh"}})", "process.args: expected a list"},
        BadDocument{R"({"process": {"args": ["a", 1]}})", "process.args[1]: expected a string"},
        BadDocument{R"({"process": {"args": ["a\u0000b"]}})", "process.args[0]: the string holds"},
        BadDocument{R"({"process": {"user": {"uid": -1}}})",
                    "process.user.uid: expected an integer from 0 to 4294967295"},
        BadDocument{R"({"process": {"user": {"uid": 4294967296}}})", "process.user.uid"},
        BadDocument{R"({"process": {"user": {"uid": 1.5}}})", "a fraction"},
        BadDocument{R"({"process": {"user": {"additionalGids": [1, "x"]}}})",
                    "process.user.additionalGids[1]"},
        BadDocument{R"({"process": {"rlimits": [{}, {"hard": "x"}]}})",
                    "process.rlimits[1].hard: expected an integer from 0 to 18446744073709551615"},
        BadDocument{R"({"mounts": [1]})", "mounts[0]: expected an object, found the number 1"},
        BadDocument{R"({"annotations": {"k": 1}})", "annotations[\"k\"]: expected a string"},
        BadDocument{R"({"linux": {"sysctl": []}})", "linux.sysctl: expected an object"},
        BadDocument{R"({"linux": {"resources": {"memory": {"limit": 9223372036854775808}}}})",
                    "linux.resources.memory.limit: expected an integer from"},
        BadDocument{R"({"linux": {"resources": {"blockIO": {"weight": 65536}}}})",
                    "linux.resources.blockIO.weight"},
        BadDocument{R"({"linux": {"timeOffsets": {"boottime": 1}}})",
                    "linux.timeOffsets[\"boottime\"]: expected an object"}));

TEST(ParseSpec, BoundsDepthAndSize) {
  std::string deep = "{\"a\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  auto nested = parse_spec(deep);
  ASSERT_FALSE(nested);
  EXPECT_THAT(nested.error().message(), HasSubstr("nested deeper than"));
  auto large = parse_spec("{" + std::string(kMaxDocumentSize, ' ') + "}");
  ASSERT_FALSE(large);
  EXPECT_THAT(large.error().message(), HasSubstr("larger than"));
}

TEST(ParseProcess, NamesTheDocument) {
  auto process = parse_process(R"({"args": ["true"], "cwd": "/", "tty": 1})");
  ASSERT_TRUE(process) << process.error().message();
  EXPECT_FALSE(process->oomscoreadjset());
  auto bad = parse_process(R"({"args": 1})");
  ASSERT_FALSE(bad);
  EXPECT_THAT(bad.error().message(), HasSubstr("process: args: expected a list"));
}

TEST(ParseResources, TakesPartialDocuments) {
  auto resources = parse_resources(R"({"pids": {"limit": 5}, "somethingNew": 1})");
  ASSERT_TRUE(resources);
  EXPECT_EQ(resources->pids().limit(), 5);
  EXPECT_FALSE(resources->has_memory());
}

struct BadSpec {
  const char* json;
  const char* message;
};

class ValidateRefuses : public testing::TestWithParam<BadSpec> {};

TEST_P(ValidateRefuses, NamingTheField) {
  auto spec = parse_spec(GetParam().json);
  ASSERT_TRUE(spec) << spec.error().message();
  auto status = validate(*spec);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), Code::kInvalidArgument);
  EXPECT_THAT(status.error().message(), HasSubstr(GetParam().message));
}

#define GOOD R"("root":{"path":"r"},"process":{"args":["a"],"cwd":"/"})"
INSTANTIATE_TEST_SUITE_P(
    All, ValidateRefuses,
    testing::Values(
        BadSpec{R"({"ociVersion":"2.0.0"})", "ociVersion: \"2.0.0\" is not supported"},
        BadSpec{"{}", "root: is missing"}, BadSpec{R"({"root":{}})", "root.path: is empty"},
        BadSpec{R"({"root":{"path":"r"}})", "process: is missing"},
        BadSpec{R"({"root":{"path":"r"},"process":{"cwd":"/"}})", "process.args"},
        BadSpec{R"({"root":{"path":"r"},"process":{"args":[""],"cwd":"/"}})", "process.args[0]"},
        BadSpec{R"({"root":{"path":"r"},"process":{"args":["a"]}})", "process.cwd"},
        BadSpec{R"({"root":{"path":"r"},"process":{"args":["a"],"cwd":"x"}})", "absolute path"},
        BadSpec{R"({"root":{"path":"r"},"process":{"args":["a"],"cwd":"/",
                    "rlimits":[{"type":"NOFILE"}]}})",
                "process.rlimits[0].type"},
        BadSpec{"{" GOOD R"(,"mounts":[{"source":"x"}]})", "mounts[0].destination: is empty"},
        BadSpec{"{" GOOD "}", "linux: is missing"},
        BadSpec{"{" GOOD R"(,"linux":{"namespaces":[{"type":"net"}]}})", "unknown namespace"},
        BadSpec{"{" GOOD R"(,"linux":{"namespaces":[{"type":"pid"},{"type":"pid"}]}})", "twice"},
        BadSpec{"{" GOOD R"(,"linux":{"devices":[{"path":"/dev/x","type":"z"}]}})",
                "none of c, u, b, p"},
        BadSpec{"{" GOOD R"(,"linux":{"devices":[{"path":"x","type":"c"}]}})", "not absolute"}));

TEST(LoadBundle, NamesTheBundle) {
  auto spec = load_bundle("/nonexistent/bundle");
  ASSERT_FALSE(spec);
  EXPECT_EQ(spec.error().code(), Code::kNotFound);
  EXPECT_THAT(spec.error().message(), HasSubstr("/nonexistent/bundle"));
}

}  // namespace
}  // namespace kata::oci
