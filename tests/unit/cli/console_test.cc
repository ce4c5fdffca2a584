#include "cli/console.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <thread>

#include "base/console_mark.h"
#include "base/file.h"
#include "cli/sandbox_list.h"

namespace kata::cli {
namespace {

using testing::HasSubstr;

TEST(Console, CidOfAVmm) {
  using std::string_literals::operator""s;
  EXPECT_EQ(guest_cid("qemu\0-device\0vhost-vsock-pci,guest-cid=77,id=v\0"s), 77u);
  for (const char* bad : {"", "guest-cid=77", "-name,guest-cid=77"}) {
    EXPECT_FALSE(guest_cid(bad)) << bad;
  }
  for (const char* bad : {"", "2", "4294967295", "x"}) {
    EXPECT_FALSE(guest_cid("vhost-vsock-pci,guest-cid="s + bad)) << bad;
  }
}

TEST(Console, CommandsAreQuotedAndOfOneLine) {
  auto line = command_line_of({"echo", "it's", "$HOME"});
  ASSERT_TRUE(line);
  EXPECT_THAT(*line, HasSubstr("('echo' 'it'\\''s' '$HOME')"));
  EXPECT_EQ(line->find('\n'), line->size() - 1);
  EXPECT_FALSE(command_line_of({"a\nb"}));
  EXPECT_FALSE(command_line_of({std::string(5000, 'a')}));
}

TEST(Console, SandboxesAreFoundByTheirBeginning) {
  const std::vector<std::string> ids = {"abc", "abcd", "xyz"};
  EXPECT_EQ(*pick_sandbox(ids, "abc"), "abc");
  EXPECT_EQ(*pick_sandbox(ids, "xy"), "xyz");
  EXPECT_THAT(pick_sandbox(ids, "ab").error().message(), HasSubstr("abc, abcd"));
  EXPECT_THAT(pick_sandbox(ids, "no").error().message(), HasSubstr("no sandbox \"no\""));
  EXPECT_EQ(pick_sandbox(ids, "../x").error().code(), Code::kInvalidArgument);
}

// A guest that answers a command with these bytes and goes.
Result<int> run_against(const std::string& answer, std::string* typed = nullptr) {
  int ends[2];
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  UniqueFd ours(ends[0]), guest(ends[1]);
  std::thread shell([&] {
    char line[256];
    const ssize_t n = recv(guest.get(), line, sizeof line, 0);
    if (typed && n > 0) *typed = std::string(line, static_cast<size_t>(n));
    (void)write_all(guest.get(), answer);
    guest.reset();
  });
  auto status = run_in_console(std::move(ours), "do it\n");
  shell.join();
  return status;
}

TEST(Console, ACommandsOutputIsWhatStandsBetweenTheMarks) {
  testing::internal::CaptureStdout();
  std::string typed;
  auto status = run_against("prompt$ do it\r\n" + console_mark("begin") + "one\r\ntwo\r\n" +
                                console_mark("exit=7") + "bye" + console_mark("exit=0"),
                            &typed);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "one\ntwo\n");
  ASSERT_TRUE(status) << status.error().message();
  EXPECT_EQ(*status, 7);
  EXPECT_EQ(typed, "do it\n");
}

TEST(Console, AGuestThatGoesAwayIsAnErrorWithItsWords) {
  for (const std::string& end : {std::string(), console_mark("exit=127")}) {
    auto status = run_against("kata-agent: no debug shell" + end);
    ASSERT_FALSE(status);
    EXPECT_THAT(status.error().message(), HasSubstr("no debug shell"));
  }
}

}  // namespace
}  // namespace kata::cli
