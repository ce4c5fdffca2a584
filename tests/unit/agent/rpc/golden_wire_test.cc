// The agent's answers to frames written by hand from facts/agent-protocol.md sections 2 and 7, not
// by the generated code: whoever speaks the wire gets these bytes.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "agent/rpc/harness.h"
#include "base/unique_fd.h"

namespace kata::agent::test {
namespace {

using std::string;

string varint(uint64_t value) {
  string out;
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  return out + static_cast<char>(value);
}
string text(int field, const string& value) {
  return varint(static_cast<uint64_t>(field) << 3 | 2) + varint(value.size()) + value;
}
string number(int field, uint64_t value) {
  return varint(static_cast<uint64_t>(field) << 3) + varint(value);
}
string big_endian(uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16),
          static_cast<char>(value >> 8), static_cast<char>(value)};
}
string frame(uint32_t stream, char type, const string& payload) {
  return big_endian(static_cast<uint32_t>(payload.size())) + big_endian(stream) + type + '\0' +
         payload;
}
string request(uint32_t stream, const string& service, const string& method,
               const string& payload) {
  string body = text(1, service) + text(2, method);
  if (!payload.empty()) body += text(3, payload);
  return frame(stream, 1, body);
}

// A peer without any of our code: plain system calls between turns of the loop.
class RawPeer {
 public:
  explicit RawPeer(Harness& harness) : harness_(harness) {
    fd_.reset(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, harness.socket_path().c_str());
    connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  }
  void send(const string& bytes) {
    ASSERT_EQ(write(fd_.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  // Next whole frame, or what came until the peer closed; "" when nothing came for a second.
  string receive() {
    for (int round = 0; round < 100; ++round) {
      harness_.run_for(10ms);
      char buffer[65536];
      ssize_t n = recv(fd_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
      if (n > 0) pending_.append(buffer, static_cast<size_t>(n));
      if (n == 0) closed_ = true;
      if (pending_.size() >= 10) {
        uint32_t length;
        memcpy(&length, pending_.data(), 4);
        size_t whole = 10 + ntohl_(length);
        if (pending_.size() >= whole) {
          string out = pending_.substr(0, whole);
          pending_.erase(0, whole);
          return out;
        }
      }
      if (closed_) break;
    }
    return std::exchange(pending_, {});
  }
  bool closed() {
    harness_.run_for(50ms);
    char byte;
    return recv(fd_.get(), &byte, 1, MSG_DONTWAIT) == 0;
  }

 private:
  static uint32_t ntohl_(uint32_t value) { return __builtin_bswap32(value); }
  Harness& harness_;
  UniqueFd fd_;
  string pending_;
  bool closed_ = false;
};

// Response {status = absent, payload}; HealthCheckResponse {status = 1 SERVING}.
const string kServing = text(2, number(1, 1));

string failure(uint32_t stream, int code, const string& message) {
  return frame(stream, 2, text(1, number(1, static_cast<uint64_t>(code)) + text(2, message)));
}

TEST(GoldenWire, HealthCheck) {
  Harness harness;
  RawPeer peer(harness);
  peer.send(request(1, "grpc.Health", "Check", ""));
  EXPECT_EQ(peer.receive(), frame(1, 2, kServing));
}

TEST(GoldenWire, UnknownFieldsAndMetadataAreTolerated) {
  Harness harness;
  RawPeer peer(harness);
  // CheckRequest with service and three fields of the future (varint, bytes, fixed64).
  string check =
      text(1, "any") + number(100, 7) + text(101, "new") + varint(102 << 3 | 1) + string(8, 'x');
  string body = text(1, "grpc.Health") + text(2, "Check") + text(3, check) +
                number(4, 5'000'000'000) + text(5, text(1, "traceparent") + text(2, "00-1")) +
                number(60, 1);
  peer.send(frame(1, 1, body));
  EXPECT_EQ(peer.receive(), frame(1, 2, kServing));
}

TEST(GoldenWire, VersionNamesApiAndAgent) {
  Harness harness;
  RawPeer peer(harness);
  peer.send(request(1, "grpc.Health", "Version", ""));
  EXPECT_EQ(peer.receive(), frame(1, 2, text(2, text(1, "0.0.1") + text(2, "4.1.0"))));
}

TEST(GoldenWire, UnknownServiceAndMethod) {
  Harness harness;
  RawPeer peer(harness);
  peer.send(request(1, "grpc.NoSuch", "Check", ""));
  EXPECT_EQ(peer.receive(), failure(1, 3, "grpc.NoSuch service does not exist"));
  peer.send(request(3, "grpc.AgentService", "NoSuch", ""));
  string reply = peer.receive();
  EXPECT_NE(reply.find(number(1, 12)), string::npos);
  EXPECT_NE(reply.find("NoSuch"), string::npos);
}

TEST(GoldenWire, CallsWithoutSubsystemAnswerTheirStatus) {
  Harness harness;
  RawPeer peer(harness);
  peer.send(request(1, "grpc.AgentService", "SetPolicy", ""));
  EXPECT_EQ(peer.receive(), failure(1, 5, "/grpc.AgentService/SetPolicy is not supported"));
  peer.send(request(3, "grpc.AgentService", "MemAgentMemcgSet", ""));
  EXPECT_EQ(peer.receive(), failure(3, 12, "/grpc.AgentService/MemAgentMemcgSet is not supported"));
  peer.send(request(5, "grpc.AgentService", "MemAgentMemcgSet", ""));
  EXPECT_EQ(peer.receive(), failure(5, 12, "/grpc.AgentService/MemAgentMemcgSet is not supported"));
}

TEST(GoldenWire, UnknownContainer) {
  Harness harness;
  RawPeer peer(harness);
  uint32_t stream = 1;
  for (const char* method :
       {"StartContainer", "WaitProcess", "SignalProcess", "StatsContainer", "PauseContainer",
        "ResumeContainer", "UpdateContainer", "ReadStdout", "RemoveContainer"}) {
    peer.send(request(stream, "grpc.AgentService", method, text(1, "nobody")));
    EXPECT_EQ(peer.receive(), failure(stream, 3, "Invalid container id: nobody")) << method;
    stream += 2;
  }
}

TEST(GoldenWire, BadContainerIds) {
  Harness harness;
  RawPeer peer(harness);
  uint32_t stream = 1;
  for (const string& id : {string(), string("a"), string("../x"), string("-ab"), string("a b"),
                           string("a/b"), string(300, 'a')}) {
    peer.send(request(stream, "grpc.AgentService", "CreateContainer", text(1, id)));
    EXPECT_NE(peer.receive().find("Invalid container id"), string::npos) << id;
    stream += 2;
  }
}

TEST(GoldenWire, MalformedRequestsGetInvalidArgument) {
  Harness harness;
  RawPeer peer(harness);
  // Wrong wire type, a length beyond the end, a truncated varint, an unterminated group.
  uint32_t stream = 1;
  for (const string& bad : {number(1, 5), varint(1 << 3 | 2) + varint(1000) + "x",
                            varint(1 << 3) + "\xff", varint(1 << 3 | 3)}) {
    peer.send(request(stream, "grpc.AgentService", "StartContainer", bad));
    string reply = peer.receive();
    EXPECT_FALSE(reply.empty());
    EXPECT_EQ(reply[8], 2);
    EXPECT_NE(reply.find(number(1, 3)), string::npos);
    stream += 2;
  }
  peer.send(request(stream, "grpc.Health", "Check", ""));
  EXPECT_EQ(peer.receive(), frame(stream, 2, kServing));
}

TEST(GoldenWire, BlockedCallsDoNotDelayOthers) {
  Harness harness;
  RawPeer peer(harness);
  peer.send(request(1, "grpc.AgentService", "GetOOMEvent", ""));
  peer.send(request(3, "grpc.Health", "Check", ""));
  EXPECT_EQ(peer.receive(), frame(3, 2, kServing));
  harness.agent().sandbox.oom().push("c1");
  EXPECT_EQ(peer.receive(), frame(1, 2, text(2, text(1, "c1"))));
}

TEST(GoldenWire, TimeoutOfTheCallIsAnswered) {
  Harness harness;
  RawPeer peer(harness);
  string body = text(1, "grpc.AgentService") + text(2, "GetOOMEvent") + number(4, 20'000'000);
  peer.send(frame(1, 1, body));
  EXPECT_EQ(peer.receive(), failure(1, 4, "timeout"));
}

}  // namespace
}  // namespace kata::agent::test
