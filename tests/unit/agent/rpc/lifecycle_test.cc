// The life of a container through a real socket: create, start, output, exec, signal, wait, remove.
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include "agent/rpc/harness.h"
#include "base/file.h"

namespace kata::agent::test {
namespace {

class Lifecycle : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
  }
  Status exec(Harness& harness, const std::string& id, const std::string& exec_id,
              const std::string& script, bool terminal = false) {
    grpc::ExecProcessRequest request;
    request.set_container_id(id);
    request.set_exec_id(exec_id);
    auto* process = request.mutable_process();
    for (const char* word : {"/bin/sh", "-c"}) process->add_args(word);
    process->add_args(script);
    process->add_env("PATH=/bin");
    process->set_cwd("/");
    process->set_terminal(terminal);
    return harness.call_empty("ExecProcess", request);
  }
  Status signal(Harness& harness, const std::string& id, const std::string& exec_id, int number) {
    grpc::SignalProcessRequest request;
    request.set_container_id(id);
    request.set_exec_id(exec_id);
    request.set_signal(static_cast<uint32_t>(number));
    return harness.call_empty("SignalProcess", request);
  }
};

TEST_F(Lifecycle, OutputErrorAndExitCode) {
  Harness harness;
  auto run = harness.run_shell("c1", "echo out; echo err >&2; exit 7");
  ASSERT_TRUE(run) << run.error().message();
  EXPECT_EQ(harness.read_all("c1", "c1"), "out\n");
  EXPECT_EQ(harness.read_all("c1", "", "ReadStderr"), "err\n");
  EXPECT_EQ(harness.wait_exit("c1"), 7);
  EXPECT_EQ(harness.wait_exit("c1", "c1"), 7);  // any number of waiters, both conventions
  ASSERT_TRUE(harness.remove("c1"));
  EXPECT_FALSE(path_exists(harness.folder() + "/run/c1"));
  auto again = harness.remove("c1");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), Code::kInvalidArgument);
  EXPECT_NE(again.error().message().find("Invalid container id"), std::string::npos);
}

TEST_F(Lifecycle, ExecHasStreamsAndCodeOfItsOwn) {
  Harness harness;
  ASSERT_TRUE(harness.run_shell("c1", "sleep 100"));
  ASSERT_TRUE(exec(harness, "c1", "e1", "echo in; exit 3"));
  EXPECT_EQ(harness.read_all("c1", "e1"), "in\n");
  EXPECT_EQ(harness.wait_exit("c1", "e1"), 3);
  auto gone = signal(harness, "c1", "e1", SIGKILL);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code(), Code::kNotFound);
  EXPECT_NE(gone.error().message().find("Process not found"), std::string::npos);
}

TEST_F(Lifecycle, SecondCreateWithTheSameIdFails) {
  Harness harness;
  ASSERT_TRUE(harness.run_shell("c1", "sleep 100"));
  grpc::CreateContainerRequest again;
  again.set_container_id("c1");
  auto made = harness.call_empty("CreateContainer", again);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code(), Code::kAlreadyExists);
}

TEST_F(Lifecycle, KillAllEndsTheContainer) {
  Harness harness;
  ASSERT_TRUE(harness.run_shell("c1", "trap '' TERM; sleep 100 & wait; sleep 100"));
  ASSERT_TRUE(signal(harness, "c1", "", SIGKILL));
  EXPECT_EQ(harness.wait_exit("c1"), 137);
}

TEST_F(Lifecycle, TermKillsAnInitThatDoesNotHandleIt) {
  Harness harness;
  auto request = harness.shell("c1", "");
  request.mutable_oci()->mutable_process()->clear_args();
  for (const char* word : {"/bin/sleep", "100"}) {
    request.mutable_oci()->mutable_process()->add_args(word);
  }
  ASSERT_TRUE(harness.call_empty("CreateContainer", request));
  grpc::StartContainerRequest start;
  start.set_container_id("c1");
  ASSERT_TRUE(harness.call_empty("StartContainer", start));
  ASSERT_TRUE(signal(harness, "c1", "c1", SIGTERM));
  EXPECT_EQ(harness.wait_exit("c1"), 137);
}

TEST_F(Lifecycle, StdinReachesTheProcessUntilClosed) {
  Harness harness;
  ASSERT_TRUE(harness.run_shell("c1", "cat; echo end"));
  grpc::WriteStreamRequest write;
  write.set_container_id("c1");
  write.set_data("line\n");
  auto written = harness.call<grpc::WriteStreamResponse>("WriteStdin", write);
  ASSERT_TRUE(written);
  EXPECT_EQ(written->len(), 5u);
  write.clear_data();  // empty = end of input
  ASSERT_TRUE(harness.call<grpc::WriteStreamResponse>("WriteStdin", write));
  EXPECT_EQ(harness.read_all("c1", ""), "line\nend\n");
  EXPECT_EQ(harness.wait_exit("c1"), 0);
}

TEST_F(Lifecycle, OutputIsWholeThoughABackgroundChildHoldsThePipe) {
  Harness harness;
  ASSERT_TRUE(harness.run_shell("c1", "sleep 100"));
  ASSERT_TRUE(
      exec(harness, "c1", "e1", "sleep 100 & dd if=/dev/zero bs=1000 count=60 2>&-; exit 0"));
  EXPECT_EQ(harness.wait_exit("c1", "e1"), 0);
}

TEST_F(Lifecycle, TerminalHasSizeAndOneStream) {
  Harness harness;
  ASSERT_TRUE(harness.run_shell("c1", "sleep 100"));
  ASSERT_TRUE(exec(harness, "c1", "e1", "read x; stty size; echo got $x >&2", true));
  grpc::TtyWinResizeRequest resize;
  resize.set_container_id("c1");
  resize.set_exec_id("e1");
  resize.set_row(33);
  resize.set_column(77);
  ASSERT_TRUE(harness.call_empty("TtyWinResize", resize));
  grpc::WriteStreamRequest write;
  write.set_container_id("c1");
  write.set_exec_id("e1");
  write.set_data("abc\n");
  ASSERT_TRUE(harness.call<grpc::WriteStreamResponse>("WriteStdin", write));
  EXPECT_EQ(harness.read_all("c1", "e1"), "abc\r\n33 77\r\ngot abc\r\n");
  resize.set_exec_id("");
  auto no_tty = harness.call_empty("TtyWinResize", resize);
  ASSERT_FALSE(no_tty);
  EXPECT_EQ(no_tty.error().code(), Code::kUnavailable);
  EXPECT_NE(no_tty.error().message().find("no tty"), std::string::npos);
}

TEST_F(Lifecycle, MissingProgramFailsAtCreateAndLeavesNothing) {
  Harness harness;
  auto request = harness.shell("c1", "");
  request.mutable_oci()->mutable_process()->set_args(0, "/no/such/program");
  auto made = harness.call_empty("CreateContainer", request);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code(), Code::kNotFound);
  EXPECT_FALSE(path_exists(harness.folder() + "/run/c1"));
  auto wait = harness.wait_exit("c1");
  EXPECT_EQ(wait, -1);
}

TEST_F(Lifecycle, DestroySandboxRemovesEverything) {
  Harness harness;
  grpc::CreateSandboxRequest sandbox;
  sandbox.set_hostname("pod");
  sandbox.set_sandbox_id("pod1");
  auto made = harness.call_empty("CreateSandbox", sandbox);
  ASSERT_TRUE(made) << made.error().message();
  ASSERT_TRUE(harness.run_shell("c1", "cat /proc/sys/kernel/hostname; sleep 100"));
  grpc::ReadStreamRequest read;
  read.set_container_id("c1");
  read.set_len(100);
  auto text = harness.call<grpc::ReadStreamResponse>("ReadStdout", read);
  ASSERT_TRUE(text);
  EXPECT_EQ(text->data(), "pod\n");
  ASSERT_TRUE(harness.call_empty("DestroySandbox", grpc::DestroySandboxRequest()));
  EXPECT_TRUE(harness.agent().sandbox.containers().empty());
  EXPECT_TRUE(harness.agent().sandbox.finished().is_set());
  EXPECT_TRUE(harness.call_empty("DestroySandbox", grpc::DestroySandboxRequest()));
}

}  // namespace
}  // namespace kata::agent::test
