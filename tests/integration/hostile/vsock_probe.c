// Asks the agent, from inside a container, whether it is healthy: on the loopback CID and on the guest's own.
// Prints one line per CID: "CID N: refused" unless a reply came.
#include <linux/vm_sockets.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

// ttrpc request on stream 1: {service "grpc.Health", method "Check"}.
static const char kCheck[] =
    "\0\0\0\x14\0\0\0\1\1\0"
    "\x0a\x0bgrpc.Health\x12\x05"
    "Check";

int main(void) {
  for (unsigned cid = 1; cid <= 3; cid += 2) {
    struct sockaddr_vm address = {.svm_family = AF_VSOCK, .svm_cid = cid, .svm_port = 1024};
    struct timeval limit = {.tv_sec = 5};
    char reply[64];
    int fd = socket(AF_VSOCK, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    int answered = connect(fd, (struct sockaddr*)&address, sizeof address) == 0 &&
                   send(fd, kCheck, sizeof kCheck - 1, MSG_NOSIGNAL) > 0 && recv(fd, reply, sizeof reply, 0) > 0;
    printf("CID %u: %s\n", cid, answered ? "ANSWERED" : "refused");
    close(fd);
  }
  return 0;
}
