// Every call to the agent against every way to lie in a reply: garbage, silence, a hang-up, an
// error with a forged text, a reply for another call, a reply twice, a reply without end
// (facts/reliability.md section 5.3).
#include <functional>

#include "runtime/fake_agent.h"

namespace kata::runtime {
namespace {

struct Call {
  const char* method;
  bool has_deadline;
  bool has_payload;  // the reply carries a message, so garbage in it shows
  std::function<Task<Status>(AgentClient&)> run;
};

// Turns a typed reply into a plain status.
template <class T>
Task<Status> status_of(Task<Result<T>> task) {
  auto result = co_await std::move(task);
  if (!result) co_return std::unexpected(std::move(result.error()));
  co_return Status{};
}

std::vector<Call> all_calls() {
  using Output = AgentClient::Output;
  return {
      {"CreateSandbox", true, false, [](AgentClient& a) { return a.create_sandbox({}); }},
      {"DestroySandbox", true, false, [](AgentClient& a) { return a.destroy_sandbox(); }},
      {"GetGuestDetails", true, true, [](AgentClient& a) { return status_of(a.guest_details()); }},
      {"UpdateInterface", true, true, [](AgentClient& a) { return a.update_interface({}); }},
      {"UpdateRoutes", true, true, [](AgentClient& a) { return a.update_routes({}); }},
      {"AddARPNeighbors", true, false, [](AgentClient& a) { return a.add_neighbors({}); }},
      {"CreateContainer", true, false, [](AgentClient& a) { return a.create_container({}); }},
      {"StartContainer", true, false, [](AgentClient& a) { return a.start_container("c"); }},
      {"RemoveContainer", true, false, [](AgentClient& a) { return a.remove_container("c"); }},
      {"ExecProcess", true, false, [](AgentClient& a) { return a.exec_process("c", "e", {}); }},
      {"SignalProcess", true, false, [](AgentClient& a) { return a.signal("c", "", 9); }},
      {"WaitProcess", false, true,
       [](AgentClient& a) { return status_of(a.wait_process("c", "")); }},
      {"PauseContainer", true, false, [](AgentClient& a) { return a.pause("c"); }},
      {"ResumeContainer", true, false, [](AgentClient& a) { return a.resume("c"); }},
      {"UpdateContainer", true, false, [](AgentClient& a) { return a.update("c", {}); }},
      {"StatsContainer", true, true, [](AgentClient& a) { return status_of(a.stats("c")); }},
      {"ReadStdout", false, true,
       [](AgentClient& a) { return status_of(a.read(Output::kStdout, "c", "", 100)); }},
      {"ReadStderr", false, true,
       [](AgentClient& a) { return status_of(a.read(Output::kStderr, "c", "", 100)); }},
      {"WriteStdin", false, true, [](AgentClient& a) { return a.write_stdin("c", "", "x"); }},
      {"CloseStdin", true, false, [](AgentClient& a) { return a.close_stdin("c", ""); }},
      {"TtyWinResize", true, false, [](AgentClient& a) { return a.resize("c", "", 80, 25); }},
      {"GetOOMEvent", false, true, [](AgentClient& a) { return status_of(a.oom_event()); }},
  };
}

using HostileRepliesTest = FakeAgentTest;

TEST_F(HostileRepliesTest, Garbage) {
  for (const Call& call : all_calls()) {
    answer(call.method, "\xff\xff\xff\xff\xff");
    auto done = run(call.run(*agent_));
    ASSERT_FALSE(done) << call.method;
    EXPECT_EQ(done.error().code(), Code::kInternal) << call.method;
  }
}

TEST_F(HostileRepliesTest, Silence) {
  for (const Call& call : all_calls()) {
    if (!call.has_deadline) continue;
    keep_silent(call.method);
    auto done = run(call.run(*agent_));
    ASSERT_FALSE(done) << call.method;
    EXPECT_EQ(done.error().code(), Code::kDeadlineExceeded) << call.method;
  }
}

TEST_F(HostileRepliesTest, ForgedErrorText) {
  for (const Call& call : all_calls()) {
    fail_with(call.method, Error(Code::kInternal, "x\nlevel=fatal msg=\"\x1b[31m\x7f\"\r" +
                                                      std::string(1 << 20, 'y')));
    auto done = run(call.run(*agent_));
    ASSERT_FALSE(done) << call.method;
    const std::string text = done.error().message();
    EXPECT_LT(text.size(), 5000u) << call.method;
    EXPECT_TRUE(std::ranges::none_of(text, [](char c) { return (c >= 0 && c < 32) || c == 127; }))
        << call.method;
  }
}

// An agent of bytes: whatever is asked, the script says what comes back.
class RawAgentTest : public FakeAgentTest {
 protected:
  using Script = std::function<std::string(uint32_t stream)>;

  RawAgentTest() { reconnect(); }

  void reconnect() {
    int fds[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    auto executor = loop_.get_executor();
    peer_ = std::make_shared<ttrpc::Stream>(
        std::move(*ttrpc::adopt_stream(executor, UniqueFd(fds[0]))));
    connect(UniqueFd(fds[1]));
  }

  // Answers the next request by the script; an empty answer is a hang-up.
  Status run_against(const Call& call, Script script) {
    reconnect();
    spawn(loop_.get_executor(), play(peer_, std::move(script)));
    return run(call.run(*agent_));
  }

  static Task<> play(std::shared_ptr<ttrpc::Stream> peer, Script script) {
    auto frame = co_await ttrpc::read_frame(*peer);
    if (!frame) co_return;
    const std::string bytes = script(frame->header.stream);
    if (bytes.empty()) {
      peer->close();
      co_return;
    }
    co_await asio::async_write(*peer, asio::buffer(bytes), use_tuple);
  }

  // Lets the client read what is still in the socket.
  static Task<Status> read_on() {
    co_await sleep_for(20ms);
    co_return Status{};
  }

  static std::string header(uint32_t length, uint32_t stream, uint8_t type) {
    auto bytes = ttrpc::encode_header({length, stream, type, 0});
    return std::string(bytes.begin(), bytes.end());
  }
  static std::string empty_reply(uint32_t stream) { return header(0, stream, 2); }

  std::shared_ptr<ttrpc::Stream> peer_;
};

TEST_F(RawAgentTest, HangUp) {
  for (const Call& call : all_calls()) {
    auto done = run_against(call, [](uint32_t) { return std::string(); });
    ASSERT_FALSE(done) << call.method;
    EXPECT_EQ(done.error().code(), Code::kUnavailable) << call.method;
  }
}

TEST_F(RawAgentTest, HangUpInsideAReply) {
  for (const Call& call : all_calls()) {
    reconnect();
    spawn(loop_.get_executor(), [](std::shared_ptr<ttrpc::Stream> peer) -> Task<> {
      co_await ttrpc::read_frame(*peer);
      std::string half = header(1000, 1, 2) + "abc";
      co_await asio::async_write(*peer, asio::buffer(half), use_tuple);
      peer->close();
    }(peer_));
    auto done = run(call.run(*agent_));
    ASSERT_FALSE(done) << call.method;
    EXPECT_EQ(done.error().code(), Code::kUnavailable) << call.method;
  }
}

TEST_F(RawAgentTest, MalformedEnvelope) {
  for (const Call& call : all_calls()) {
    auto done =
        run_against(call, [](uint32_t stream) { return header(2, stream, 2) + "\xff\xff"; });
    ASSERT_FALSE(done) << call.method;
    EXPECT_EQ(done.error().code(), Code::kInternal) << call.method;
  }
}

TEST_F(RawAgentTest, ReplyAboveTheLimit) {
  constexpr uint32_t kSize = ttrpc::kMaxPayload + 1;
  for (const Call& call : all_calls()) {
    auto done = run_against(
        call, [](uint32_t stream) { return header(kSize, stream, 2) + std::string(kSize, 'x'); });
    ASSERT_FALSE(done) << call.method;
    EXPECT_EQ(done.error().code(), Code::kResourceExhausted) << call.method;
  }
}

// Replies for calls nobody made, requests, data and unknown frames before the true reply.
TEST_F(RawAgentTest, FramesThatBelongToNobody) {
  for (const Call& call : all_calls()) {
    auto done = run_against(call, [](uint32_t stream) {
      std::string out;
      for (uint32_t other : {0u, 2u, stream + 2, 0xffffffffu}) out += empty_reply(other);
      for (uint8_t type : {0, 1, 3, 4, 255}) out += header(3, stream, type) + "abc";
      return out + empty_reply(stream);
    });
    EXPECT_TRUE(done) << call.method << ": " << done.error().message();
  }
}

TEST_F(RawAgentTest, AnsweredTwice) {
  for (const Call& call : all_calls()) {
    auto done = run_against(call, [](uint32_t stream) {
      // A failure after the success: NOT_FOUND without a text.
      return empty_reply(stream) + header(4, stream, 2) + std::string("\x0a\x02\x08\x05", 4) +
             empty_reply(stream + 2);
    });
    EXPECT_TRUE(done) << call.method;
    // The answer that came before its question is nobody's.
    EXPECT_TRUE(run(read_on()));
    auto next = run(agent_->check(100ms));
    ASSERT_FALSE(next) << call.method;
    EXPECT_EQ(next.error().code(), Code::kDeadlineExceeded) << call.method;
  }
}

TEST_F(RawAgentTest, StatusCodesThatDoNotExist) {
  for (uint8_t code : {16, 99, 127}) {
    for (const Call& call : all_calls()) {
      auto done = run_against(call, [code](uint32_t stream) {
        return header(4, stream, 2) + std::string("\x0a\x02\x08", 3) + static_cast<char>(code);
      });
      ASSERT_FALSE(done) << call.method;
      EXPECT_EQ(done.error().code(), Code::kUnknown) << call.method;
    }
  }
}

}  // namespace
}  // namespace kata::runtime
