// Root file system, mounts, devices, masked and read-only paths.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/container/box.h"
#include "base/file.h"

namespace kata::agent::test {
namespace {

grpc::Mount* add(Box* box, const std::string& destination, const std::string& type,
                 const std::string& source, std::vector<std::string> options) {
  grpc::Mount* mount = box->spec.add_mounts();
  mount->set_destination(destination);
  mount->set_type(type);
  mount->set_source(source);
  for (std::string& option : options) mount->add_options(std::move(option));
  return mount;
}

// Fourth field of a mount's line: its options.
std::string show_options(const std::string& point) {
  return "while read dev at type opts rest; do test $at = " + point +
         " && echo $type $opts; done < /proc/mounts";
}

TEST(Filesystem, OldRootIsGone) {
  REQUIRE_ROOT();
  Box box;
  Outcome outcome = box.run("ls /; ls / | grep -c kata; wc -l < /proc/mounts");
  EXPECT_NE(outcome.out.find("busybox\n"), 0U);
  EXPECT_EQ(outcome.out, "bin\ndev\netc\nproc\nsys\ntmp\n0\n7\n");
}

TEST(Filesystem, ReadonlyRoot) {
  REQUIRE_ROOT();
  Box box;
  EXPECT_EQ(box.run("touch /tmp/x").code, 0);
  box.spec.mutable_root()->set_readonly(true);
  Outcome outcome = box.run("touch /tmp/x");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("Read-only file system"), std::string::npos);
}

TEST(Filesystem, DefaultDevicesAndLinks) {
  REQUIRE_ROOT();
  Box box;
  Outcome outcome = box.run(
      "for d in null zero full tty random urandom; do stat -c '%n %a %t:%T %F' /dev/$d; done;"
      "for l in fd stdin stdout stderr ptmx; do readlink /dev/$l; done");
  EXPECT_EQ(outcome.out,
            "/dev/null 666 1:3 character special file\n/dev/zero 666 1:5 character special file\n"
            "/dev/full 666 1:7 character special file\n/dev/tty 666 5:0 character special file\n"
            "/dev/random 666 1:8 character special file\n"
            "/dev/urandom 666 1:9 character special file\n"
            "/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\npts/ptmx\n");
}

TEST(Filesystem, SpecDevices) {
  REQUIRE_ROOT();
  Box box;
  auto* device = box.spec.mutable_linux()->add_devices();
  device->set_path("/dev/deep/er/mine");
  device->set_type("c");
  device->set_major(1);
  device->set_minor(5);
  device->set_filemode(0640);
  device->set_uid(3);
  device->set_gid(4);
  auto* fifo = box.spec.mutable_linux()->add_devices();
  fifo->set_path("/dev/pipe");
  fifo->set_type("p");
  fifo->set_filemode(0600);
  EXPECT_EQ(box.run("stat -c '%a %u:%g %t:%T' /dev/deep/er/mine; stat -c '%a %F' /dev/pipe").out,
            "640 3:4 1:5\n600 fifo\n");
  device->set_type("x");
  EXPECT_FALSE(box.run("true").created);
}

TEST(Filesystem, BindOptions) {
  REQUIRE_ROOT();
  Box box;
  std::string source = box.rootfs() + "/../source";
  ASSERT_TRUE(make_dirs(source));
  ASSERT_TRUE(write_file(source + "/file", "content", 0644));
  add(&box, "/mnt/ro", "bind", source, {"rbind", "ro", "nosuid", "nodev", "noexec", "rprivate"});
  add(&box, "/mnt/rw", "bind", source, {"bind"});
  add(&box, "/mnt/file", "bind", source + "/file", {"bind", "rro"});
  add(&box, "/mnt/atime", "bind", source, {"rbind", "noatime"});
  Outcome outcome = box.run(show_options("/mnt/ro") + ";" + show_options("/mnt/atime") +
                            "; touch /mnt/rw/new && cat /mnt/file; touch /mnt/file");
  ASSERT_TRUE(outcome.created) << outcome.created.error().message();
  EXPECT_NE(outcome.out.find("ro,nosuid,nodev,noexec"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("noatime"), std::string::npos) << outcome.out;
  EXPECT_TRUE(outcome.out.ends_with("content")) << outcome.out;
  EXPECT_NE(outcome.err.find("/mnt/file"), std::string::npos) << outcome.err;
}

TEST(Filesystem, MissingBindSourceNamesBothEnds) {
  REQUIRE_ROOT();
  Box box;
  add(&box, "/mnt", "bind", "/not/there", {"rbind"});
  Outcome outcome = box.run("true");
  ASSERT_FALSE(outcome.created);
  EXPECT_TRUE(outcome.created.error().message().starts_with(
      "error mounting \"/not/there\" to rootfs at \"/mnt\": "));
  EXPECT_EQ(outcome.created.error().sys_errno(), ENOENT);
}

TEST(Filesystem, FolderOverAFileIsRefused) {
  REQUIRE_ROOT();
  Box box;
  add(&box, "/etc/passwd", "bind", box.rootfs(), {"bind"});
  EXPECT_EQ(box.run("true").created.error().sys_errno(), ENOTDIR);
}

TEST(Filesystem, TmpfsOptionsAndLateReadonly) {
  REQUIRE_ROOT();
  Box box;
  ASSERT_TRUE(write_file(box.rootfs() + "/etc/kept", "kept", 0640));
  add(&box, "/etc", "tmpfs", "tmpfs", {"tmpcopyup", "ro", "size=1m"});
  add(&box, "/scratch", "tmpfs", "tmpfs", {"mode=700", "noexec", "rw", "uid=5"});
  Outcome outcome =
      box.run("cat /etc/kept; stat -c ' %a' /etc/kept; touch /etc/x; stat -c '%a %u' /scratch");
  ASSERT_TRUE(outcome.created) << outcome.created.error().message();
  EXPECT_EQ(outcome.out, "kept 640\n700 5\n");
  EXPECT_NE(outcome.err.find("Read-only"), std::string::npos);
}

TEST(Filesystem, PropagationWords) {
  REQUIRE_ROOT();
  Box box;
  add(&box, "/shared", "tmpfs", "tmpfs", {"rshared"});
  add(&box, "/unbindable", "tmpfs", "tmpfs", {"unbindable"});
  box.spec.mutable_linux()->set_rootfspropagation("shared");
  Outcome outcome = box.run("grep -E ' (/|/shared|/unbindable) ' /proc/self/mountinfo");
  ASSERT_TRUE(outcome.created) << outcome.created.error().message();
  EXPECT_NE(outcome.out.find(" / rw"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("shared:"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("unbindable"), std::string::npos) << outcome.out;
}

TEST(Filesystem, MaskedAndReadonlyPaths) {
  REQUIRE_ROOT();
  Box box;
  ASSERT_TRUE(write_file(box.rootfs() + "/etc/secret", "secret", 0644));
  ASSERT_TRUE(make_dirs(box.rootfs() + "/etc/hidden"));
  ASSERT_TRUE(write_file(box.rootfs() + "/etc/hidden/file", "x", 0644));
  for (const char* path : {"/etc/secret", "/etc/hidden", "/proc/version", "/not/there"}) {
    box.spec.mutable_linux()->add_maskedpaths(path);
  }
  for (const char* path : {"/proc/sys", "/etc/passwd", "/not/there"}) {
    box.spec.mutable_linux()->add_readonlypaths(path);
  }
  Outcome outcome = box.run(
      "cat /etc/secret; ls /etc/hidden; touch /etc/hidden/x; stat -c %F /proc/version;"
      "echo x > /proc/sys/kernel/domainname; echo x >> /etc/passwd; echo done");
  ASSERT_TRUE(outcome.created) << outcome.created.error().message();
  EXPECT_EQ(outcome.out, "character special file\ndone\n");
  EXPECT_NE(outcome.err.find("/etc/hidden/x: Read-only"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("domainname: Read-only"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("/etc/passwd: Read-only"), std::string::npos) << outcome.err;
}

TEST(Filesystem, MaskIsNoWindow) {
  // CVE-2025-31133, CVE-2025-52565: an image whose /dev leads to files of the kernel, and which
  // brings that /dev into the container.
  REQUIRE_ROOT();
  Box box;
  box.spec.clear_mounts();
  ASSERT_TRUE(write_file(box.rootfs() + "/etc/target", "target", 0644));
  ASSERT_TRUE(write_file(box.rootfs() + "/etc/secret", "secret", 0644));
  ASSERT_TRUE(remove_tree(box.rootfs() + "/dev"));
  ASSERT_TRUE(make_dirs(box.rootfs() + "/dev"));
  for (const char* name : {"null", "console"}) {
    ASSERT_EQ(symlink("/etc/target", (box.rootfs() + "/dev/" + name).c_str()), 0);
  }
  box.spec.mutable_linux()->add_maskedpaths("/etc/secret");
  Outcome outcome = box.run("cat /etc/secret; stat -c %F /etc/secret; echo x > /etc/secret");
  // Refused or masked by the true null device; never a view of what the link names.
  if (outcome.created) {
    EXPECT_EQ(outcome.out, "character special file\n");
  } else {
    EXPECT_NE(outcome.created.error().message().find("/dev/"), std::string::npos);
  }
  auto target = read_file(box.rootfs() + "/etc/target", 100);
  ASSERT_TRUE(target);
  EXPECT_EQ(*target, "target");
}

TEST(Filesystem, SymlinksInTheImageStayInside) {
  // CVE-2021-30465 class: mount points that lead out of the root.
  REQUIRE_ROOT();
  Box box;
  ASSERT_EQ(symlink("/etc", (box.rootfs() + "/out").c_str()), 0);
  ASSERT_EQ(symlink("../../../../tmp", (box.rootfs() + "/up").c_str()), 0);
  add(&box, "/out/made-here", "tmpfs", "tmpfs", {});
  add(&box, "/up/made-there", "tmpfs", "tmpfs", {});
  Outcome outcome = box.run("ls -d /etc/made-here /tmp/made-there");
  ASSERT_TRUE(outcome.created) << outcome.created.error().message();
  EXPECT_EQ(outcome.out, "/etc/made-here\n/tmp/made-there\n");
  EXPECT_FALSE(path_exists("/etc/made-here"));
  EXPECT_FALSE(path_exists("/tmp/made-there"));
}

// A container plants links in a volume that the next one gets a folder or a file of. The volumes'
// place is the test's own: it has a mount namespace for itself.
TEST(Filesystem, SymlinksInVolumesAreNotFollowed) {
  REQUIRE_ROOT();
  Box box;
  ASSERT_EQ(unshare(CLONE_NEWNS), 0);
  ASSERT_EQ(mount(nullptr, "/", nullptr, MS_PRIVATE | MS_REC, nullptr), 0);
  ASSERT_TRUE(make_dirs("/run"));  // a test guest may have none
  ASSERT_EQ(mount("tmpfs", "/run", "tmpfs", 0, nullptr), 0);
  const std::string volume = "/run/kata-containers/sandbox/ephemeral/v";
  ASSERT_TRUE(make_dirs(volume + "/real"));
  ASSERT_TRUE(write_file(volume + "/real/file", "word\n"));
  ASSERT_EQ(symlink("/", (volume + "/last").c_str()), 0);
  ASSERT_EQ(symlink("real", (volume + "/middle").c_str()), 0);
  for (const char* place : {"/last", "/middle/file", "/last/etc", "/./real/..//last"}) {
    box.spec.clear_mounts();
    add(&box, "/mnt", "bind", volume + place, {"rbind", "rw"});
    Outcome outcome = box.run("ls /mnt");
    ASSERT_FALSE(outcome.created) << place << outcome.out;
    EXPECT_NE(outcome.created.error().message().find("symbolic links"), std::string::npos)
        << outcome.created.error().message();
  }
  box.spec.clear_mounts();
  add(&box, "/folder", "bind", volume + "/real", {"rbind", "rw"});
  add(&box, "/one-file", "bind", volume + "/real/file", {"bind", "rw"});
  Outcome outcome =
      box.run("while read a; do echo $a; done < /folder/file; read b < /one-file; echo $b");
  ASSERT_TRUE(outcome.created) << outcome.created.error().message();
  EXPECT_EQ(outcome.out, "word\nword\n");
}

TEST(Filesystem, ProcMustBeOrdinary) {
  REQUIRE_ROOT();
  Box box;
  ASSERT_EQ(rmdir((box.rootfs() + "/proc").c_str()), 0);
  ASSERT_EQ(symlink("/tmp", (box.rootfs() + "/proc").c_str()), 0);
  EXPECT_FALSE(box.run("true").created);
}

TEST(Filesystem, MountsInsideProcAreRefused) {
  REQUIRE_ROOT();
  Box box;
  add(&box, "/proc/1", "tmpfs", "tmpfs", {});
  Outcome outcome = box.run("true");
  ASSERT_FALSE(outcome.created);
  EXPECT_NE(outcome.created.error().message().find("inside /proc"), std::string::npos);
}

TEST(Filesystem, ProcFilesMayBeReplaced) {
  REQUIRE_ROOT();
  Box box;
  ASSERT_TRUE(write_file(box.rootfs() + "/../cpuinfo", "two cpus\n", 0644));
  add(&box, "/proc/cpuinfo", "bind", box.rootfs() + "/../cpuinfo", {"bind"});
  EXPECT_EQ(box.run("cat /proc/cpuinfo").out, "two cpus\n");
}

TEST(Filesystem, SysctlsOfTheNamespaces) {
  REQUIRE_ROOT();
  Box box;
  auto& sysctl = *box.spec.mutable_linux()->mutable_sysctl();
  sysctl["kernel.shmmni"] = "77";
  sysctl["net.ipv4.ip_forward"] = "1";
  EXPECT_EQ(box.run("cat /proc/sys/kernel/shmmni /proc/sys/net/ipv4/ip_forward").out, "77\n1\n");
  sysctl["net.no_such_key"] = "1";
  EXPECT_EQ(box.run("true").created.error().sys_errno(), ENOENT);
}

TEST(Filesystem, AgentsMountsDoNotChange) {
  REQUIRE_ROOT();
  Box box;
  EXPECT_EQ(box.run("true").code, 0);
  EXPECT_FALSE(box.run_args({"missing"}).created);
  EXPECT_EQ(read_file("/proc/self/mountinfo")->find(box.rootfs()), std::string::npos);
}

}  // namespace
}  // namespace kata::agent::test
