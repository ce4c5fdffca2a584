#include "network/loopback_trap.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "bed.h"

namespace kata::network {
namespace {

sockaddr_in address(const char* host, uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  inet_pton(AF_INET, host, &out.sin_addr);
  return out;
}

UniqueFd dial(const char* host, uint16_t port) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in to = address(host, port);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) < 0) return UniqueFd();
  return fd;
}

// Port that a connection was dialled to, -1 when there is none to accept.
int accepted_port(int listener) {
  sockaddr_in own{};
  socklen_t size = sizeof own;
  UniqueFd fd(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  if (!fd || getsockname(fd.get(), reinterpret_cast<sockaddr*>(&own), &size) < 0) return -1;
  return ntohs(own.sin_port);
}

class LoopbackTrapTest : public NetworkBed {};

TEST_F(LoopbackTrapTest, TakesEveryLoopbackPortAndNothingElse) {
  shell("ip link set lo up; ip addr add 10.1.2.3/32 dev lo");
  auto trap = trap_loopback(here().fd.get());
  ASSERT_TRUE(trap) << trap.error().message();
  for (uint16_t port : {1, 80, 8080, 65535}) {
    UniqueFd client = dial("127.0.0.1", port);
    EXPECT_TRUE(client) << port;
    EXPECT_EQ(accepted_port(trap->listener.get()), port);
  }
  UniqueFd other = dial("127.8.9.10", 80);
  EXPECT_TRUE(other);
  EXPECT_EQ(accepted_port(trap->listener.get()), 80);
  // Another address of the namespace is nobody's.
  EXPECT_FALSE(dial("10.1.2.3", 80));
  EXPECT_EQ(accepted_port(trap->listener.get()), -1);
}

TEST_F(LoopbackTrapTest, NothingIsLeft) {
  shell("ip link set lo up");
  {
    auto trap = trap_loopback(here().fd.get());
    ASSERT_TRUE(trap) << trap.error().message();
  }
  EXPECT_FALSE(dial("127.0.0.1", 80));
  auto again = trap_loopback(here().fd.get());
  ASSERT_TRUE(again) << again.error().message();
  UniqueFd client = dial("127.0.0.1", 80);
  EXPECT_TRUE(client);
}

TEST_F(LoopbackTrapTest, NotANamespace) {
  auto file = open_file("/proc/self/status", O_RDONLY);
  ASSERT_TRUE(file);
  EXPECT_FALSE(trap_loopback(file->get()));
}

}  // namespace
}  // namespace kata::network
