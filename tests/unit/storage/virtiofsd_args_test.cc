#include "storage/virtiofsd_args.h"

#include "gmock/gmock.h"

namespace kata::storage {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

using Words = std::vector<std::string>;
constexpr auto kC = VirtiofsdDialect::kC;
constexpr auto kRust = VirtiofsdDialect::kRust;

Result<Words> args(VirtiofsdDialect dialect, Words extra = {}, std::string cache = "never") {
  return virtiofsd_args(dialect, {"/d", "/share", std::move(cache), std::move(extra), 3, 1000});
}

TEST(VirtiofsdArgs, CommandLineOfTheCDaemon) {
  EXPECT_THAT(*args(kC),
              ElementsAre("/d", "--fd=3", "-f", "-o", "source=/share", "-o", "cache=none", "-o",
                          "sandbox=namespace", "-o", "no_posix_lock", "--rlimit-nofile=1000"));
}

TEST(VirtiofsdArgs, CommandLineOfTheRustDaemon) {
  EXPECT_THAT(*args(kRust),
              ElementsAre("/d", "--shared-dir=/share", "--fd=3", "--cache=never",
                          "--sandbox=namespace", "--seccomp=kill", "--rlimit-nofile=1000"));
}

TEST(VirtiofsdArgs, CacheWordsOfBothDialectsWorkForBoth) {
  EXPECT_THAT(*args(kC, {}, "metadata"), Contains("cache=none"));
  EXPECT_THAT(*args(kC, {}, "auto"), Contains("cache=auto"));
  EXPECT_THAT(*args(kRust, {}, "none"), Contains("--cache=never"));
  EXPECT_THAT(*args(kRust, {}, "metadata"), Contains("--cache=metadata"));
  EXPECT_FALSE(args(kRust, {}, "auto --sandbox=none"));
}

TEST(VirtiofsdArgs, ExtraArgumentsOfTheTemplatesWorkForBoth) {
  const Words extra{"--thread-pool-size=1", "--announce-submounts", "-o", "xattr,no_flock"};
  auto c = args(kC, extra);
  EXPECT_THAT(*c, Contains("--thread-pool-size=1"));
  EXPECT_THAT(*c, Contains("announce_submounts"));
  EXPECT_THAT(*c, Contains("xattr"));
  auto rust = args(kRust, extra);
  EXPECT_THAT(*rust, Contains("--announce-submounts"));
  EXPECT_THAT(*rust, Contains("--xattr"));
}

TEST(VirtiofsdArgs, SandboxCannotBeSwitchedOff) {
  const std::vector<Words> attempts{
      {"--sandbox=none"},
      {"--sandbox", "none"},
      {"--sandbox=None"},
      {"--sandbox="},
      {"--sandbox"},
      {"--seccomp=none"},
      {"--seccomp", "none"},
      {"--seccomp=log"},
      {"--seccomp"},
      {"-o", "sandbox=none"},
      {"-osandbox=none"},
      {"-o", "xattr,sandbox=none"},
      {"-o", "xattr,,source=/"},
      {"-o", "source=/"},
      {"-o", "xattrmap=:x:,source=/"},
      {"-o", "s\\157urce=/"},
      {"-o"},
      {"--shared-dir=/"},
      {"--shared-dir", "/"},
      {"--shared_dir=/"},
      {"--socket-path=/x"},
      {"--fd=7"},
      {"--daemonize"},
      {"-o", "modcaps=+sys_admin"},
      {"--modcaps=+sys_admin"},
      {"--help"},
      {"-h"},
      {"none"},
      {"--"},
  };
  for (const auto& extra : attempts) {
    for (auto dialect : {kC, kRust}) {
      auto made = args(dialect, extra);
      ASSERT_FALSE(made) << extra.front() << " " << extra.back();
      EXPECT_EQ(made.error().code(), Code::kInvalidArgument);
    }
  }
}

TEST(VirtiofsdArgs, ValuesCannotBecomeSuboptionsOfTheCDaemon) {
  EXPECT_FALSE(args(kC, {"--cache=auto,source=/"}));
  EXPECT_FALSE(args(kC, {"--xattrmap=:a:\\,"}));
  EXPECT_FALSE(virtiofsd_args(kC, {"/d", "/share,source=/", "auto", {}, 3, 0}));
}

TEST(VirtiofsdArgs, AnotherSandboxStaysOne) {
  EXPECT_THAT(*args(kC, {"--sandbox=chroot"}), Not(Contains("sandbox=namespace")));
  EXPECT_THAT(*args(kC, {"--sandbox=chroot"}), Contains("sandbox=chroot"));
  EXPECT_THAT(*args(kRust, {"-o", "sandbox=chroot"}), Contains("--sandbox=chroot"));
}

TEST(VirtiofsdArgs, FileLimitIsReachable) {
  EXPECT_GE(virtiofsd_max_files(), 1024u);
}

}  // namespace
}  // namespace kata::storage
