#include "storage/virtiofsd.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>
#include <filesystem>

#include "base/file.h"
#include "gmock/gmock.h"
#include "storage/shared_tree.h"
#include "storage/virtiofsd_probe.h"
#include "support/private_mounts.h"

namespace kata::storage {
namespace {

namespace fs = std::filesystem;
using test::in_private_mounts;
using test::slurp;
using ::testing::HasSubstr;

constexpr const char* kDaemon = "/usr/lib/qemu/virtiofsd";

struct Bed {
  std::string dir = test::temp_dir();
  Journal journal = std::move(*Journal::open(dir + "/journal"));

  VirtiofsdOptions options(const std::string& path) {
    VirtiofsdOptions made;
    made.path = path;
    made.shared_dir = dir;
    made.socket_path = dir + "/fs.sock";
    return made;
  }
  std::string script(const std::string& body) {
    const std::string path = dir + "/daemon";
    std::ofstream(path) << "#!/bin/sh\n" << body;
    chmod(path.c_str(), 0755);
    return path;
  }
  ~Bed() { fs::remove_all(dir); }
};

void run(const std::function<Task<>()>& body) {
  asio::io_context loop;
  bool finished = false;
  auto whole = [](const std::function<Task<>()>* inner, bool* done) -> Task<> {
    co_await (*inner)();
    *done = true;
  };
  kata::spawn(loop.get_executor(), whole(&body, &finished));
  loop.run_for(30s);
  EXPECT_TRUE(finished);
}

UniqueFd connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  return fd;
}

pid_t child_of(pid_t pid) {
  const std::string id = std::to_string(pid);
  return atoi(slurp("/proc/" + id + "/task/" + id + "/children").c_str());
}

std::string status_line(pid_t pid, const std::string& key) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(key + ":")) return line.substr(key.size() + 2);
  }
  return {};
}

Task<> sandboxed_daemon(Bed* bed, SharedTree* tree) {
  auto options = bed->options(kDaemon);
  options.shared_dir = tree->exported();
  auto daemon = co_await Virtiofsd::start(options, bed->journal);
  EXPECT_TRUE(daemon) << daemon.error().message();
  if (!daemon) co_return;
  struct stat info {};
  EXPECT_EQ(stat(options.socket_path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  EXPECT_EQ(bed->journal.live().size(), 5u);  // tree, two mounts, socket, process
  // It enters its sandbox when the VMM connects.
  UniqueFd vmm = connect_to(options.socket_path);
  pid_t worker = 0;
  for (int i = 0; i < 200 && status_line(worker, "Seccomp") != "2"; ++i) {
    co_await sleep_for(20ms);
    worker = child_of((*daemon)->pid());
  }
  EXPECT_EQ(status_line(worker, "Seccomp"), "2");
  EXPECT_EQ(status_line(worker, "NoNewPrivs"), "1");
  const std::vector<std::string> kNoContainer = {"watchable"};
  const std::string root = "/proc/" + std::to_string(worker) + "/root";
  EXPECT_EQ(test::names_in(root), kNoContainer);
  EXPECT_FALSE(fs::exists(root + "/etc"));

  // What is shared after the start is seen.
  fs::create_directories(bed->dir + "/rootfs");
  std::ofstream(bed->dir + "/rootfs/late") << "seen";
  EXPECT_TRUE(tree->share_rootfs("c", bed->dir + "/rootfs", {}));
  EXPECT_EQ(slurp(root + "/c/rootfs/late"), "seen");
  EXPECT_TRUE(tree->unshare("c"));
  EXPECT_EQ(test::names_in(root), kNoContainer);

  co_await (*daemon)->stop();
  co_await (*daemon)->stop();
  EXPECT_FALSE(fs::exists("/proc/" + std::to_string((*daemon)->pid())));
  for (int i = 0; i < 100 && fs::exists("/proc/" + std::to_string(worker)); ++i) {
    co_await sleep_for(5ms);
  }
  EXPECT_FALSE(fs::exists(options.socket_path));
  EXPECT_EQ(bed->journal.live().size(), 3u);
}

TEST(Virtiofsd, IsSandboxedAndSeesLaterMounts) {
  if (!fs::exists(kDaemon)) GTEST_SKIP() << "no " << kDaemon;
  in_private_mounts([] {
    Bed bed;
    auto tree = SharedTree::create("sb", bed.journal, bed.dir + "/shared");
    ASSERT_TRUE(tree);
    run([&] { return sandboxed_daemon(&bed, tree->get()); });
    EXPECT_TRUE((*tree)->destroy());
  });
}

Task<> killed_daemon(Bed* bed) {
  auto daemon = co_await Virtiofsd::start(bed->options(kDaemon), bed->journal);
  EXPECT_TRUE(daemon);
  if (!daemon) co_return;
  UniqueFd vmm = connect_to(bed->dir + "/fs.sock");
  co_await sleep_for(300ms);
  const pid_t worker = child_of((*daemon)->pid());
  const auto begin = Clock::now();
  kill((*daemon)->pid(), SIGKILL);
  std::string reason = co_await (*daemon)->exited().wait();
  EXPECT_LT(Clock::now() - begin, 100ms);
  EXPECT_THAT(reason, HasSubstr("SIGKILL"));
  // Nothing of it lives on.
  for (int i = 0; i < 100 && fs::exists("/proc/" + std::to_string(worker)); ++i) {
    co_await sleep_for(5ms);
  }
  EXPECT_NE(status_line(worker, "State").substr(0, 1), "S");
  co_await (*daemon)->stop();
}

TEST(Virtiofsd, DeathIsReportedAtOnce) {
  if (!fs::exists(kDaemon) || geteuid() != 0) GTEST_SKIP() << "needs root and " << kDaemon;
  Bed bed;
  run([&] { return killed_daemon(&bed); });
}

Task<> rust_daemon(Bed* bed) {
  const std::string path = bed->script(
      "case $1 in --version) echo virtiofsd 1.13.2; exit;; esac\n"
      "echo \"$@\" > " +
      bed->dir +
      "/args\n"
      "echo 'some trouble' >&2\nexit 7\n");
  auto options = bed->options(path);
  options.extra_args = {"--thread-pool-size=1"};
  auto daemon = co_await Virtiofsd::start(options, bed->journal);
  EXPECT_TRUE(daemon) << daemon.error().message();
  if (!daemon) co_return;
  const std::string reason = co_await (*daemon)->exited().wait();
  EXPECT_THAT(reason, HasSubstr("exit status 7"));
  EXPECT_THAT(reason, HasSubstr("some trouble"));
  EXPECT_THAT(slurp(bed->dir + "/args"),
              HasSubstr("--shared-dir=" + bed->dir + " --fd=3 --cache=never --sandbox=namespace"));
  co_await (*daemon)->stop();
  EXPECT_TRUE(bed->journal.live().empty());
}

TEST(Virtiofsd, RustDialectAndLastWords) {
  Bed bed;
  run([&] { return rust_daemon(&bed); });
}

Task<> flooding_daemon(Bed* bed) {
  const std::string path = bed->script(
      "case $1 in --version) echo virtiofsd 1.0; exit;; esac\n"
      "head -c 3000000 /dev/zero | tr '\\0' x >&2; echo >&2; echo end >&2; exit 1\n");
  auto daemon = co_await Virtiofsd::start(bed->options(path), bed->journal);
  EXPECT_TRUE(daemon);
  if (!daemon) co_return;
  const std::string reason = co_await (*daemon)->exited().wait();
  EXPECT_LT(reason.size(), 4096u);
  EXPECT_THAT(reason, HasSubstr("end"));
  co_await (*daemon)->stop();
}

TEST(Virtiofsd, ItsOutputIsBounded) {
  Bed bed;
  run([&] { return flooding_daemon(&bed); });
}

Task<> bad_starts(Bed* bed) {
  auto absent = co_await Virtiofsd::start(bed->options(bed->dir + "/none"), bed->journal);
  EXPECT_EQ(absent.error().code(), Code::kNotFound);
  const std::string path = bed->script("echo hello\n");
  auto other = co_await Virtiofsd::start(bed->options(path), bed->journal);
  EXPECT_EQ(other.error().code(), Code::kInvalidArgument);
  EXPECT_THAT(other.error().message(), HasSubstr("no virtiofsd"));
  auto options = bed->options(bed->script("echo virtiofsd 1.0\n"));
  options.extra_args = {"--sandbox", "none"};
  auto refused = co_await Virtiofsd::start(options, bed->journal);
  EXPECT_EQ(refused.error().code(), Code::kInvalidArgument);
  options.extra_args = {};
  options.socket_path = bed->dir + "/" + std::string(120, 's');
  auto deep = co_await Virtiofsd::start(options, bed->journal);
  EXPECT_EQ(deep.error().code(), Code::kInvalidArgument);
}

TEST(Virtiofsd, BadStartsSayWhy) {
  Bed bed;
  run([&] { return bad_starts(&bed); });
}

Task<> real_probe() {
  auto dialect = co_await probe_virtiofsd(kDaemon);
  EXPECT_TRUE(dialect);
  EXPECT_EQ(dialect.value_or(VirtiofsdDialect::kRust), VirtiofsdDialect::kC);
}

TEST(Virtiofsd, ProbesTheDaemonOfQemu) {
  if (!fs::exists(kDaemon)) GTEST_SKIP() << "no " << kDaemon;
  run([] { return real_probe(); });
}

}  // namespace
}  // namespace kata::storage
