#include "vsock/fake_guest.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

namespace kata::vsock::testing {

namespace {

constexpr uint64_t kBufferStride = 0x11000;

template <class T>
void append(std::vector<uint8_t>* bytes, T value) {
  auto* p = reinterpret_cast<const uint8_t*>(&value);
  bytes->insert(bytes->end(), p, p + sizeof value);
}

std::vector<uint8_t> pair32(uint32_t a, uint32_t b) {
  std::vector<uint8_t> bytes;
  append(&bytes, a);
  append(&bytes, b);
  return bytes;
}

}  // namespace

FakeGuest::FakeGuest(asio::io_context& context, VhostUserVsock& device) : context_(context) {
  auto socket = device.make_front_end();
  EXPECT_TRUE(socket);
  socket_ = std::move(*socket);
  file_ = UniqueFd(memfd_create("guest", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  EXPECT_EQ(ftruncate(file_.get(), kMemorySize), 0);
  memory_ = static_cast<uint8_t*>(
      mmap(nullptr, kMemorySize, PROT_READ | PROT_WRITE, MAP_SHARED, file_.get(), 0));
  for (int i = 0; i < 2; ++i) {
    uint64_t base = 0x1000 * (1 + 4 * i);
    rings_[i].descriptors = base;
    rings_[i].available = base + 0x1000;
    rings_[i].used = base + 0x2000;
    rings_[i].buffers = kGuestBase + 0x20000 + i * kRingSize * kBufferStride;
    rings_[i].kick = UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    rings_[i].call = UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  }
}

FakeGuest::~FakeGuest() {
  munmap(memory_, kMemorySize);
}

void FakeGuest::run() {
  context_.restart();
  while (context_.poll() > 0) {
  }
}

void FakeGuest::request(uint32_t number, const std::vector<uint8_t>& payload,
                        std::vector<int> fds) {
  std::vector<uint8_t> bytes;
  append(&bytes, number);
  append(&bytes, uint32_t{1});
  append(&bytes, static_cast<uint32_t>(payload.size()));
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  alignas(cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))] = {};
  iovec part{bytes.data(), bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!fds.empty()) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
    cmsghdr* c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    std::memcpy(CMSG_DATA(c), fds.data(), fds.size() * sizeof(int));
  }
  EXPECT_EQ(sendmsg(socket_.get(), &message, MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  run();
}

std::vector<uint8_t> FakeGuest::reply() {
  uint8_t header[12];
  EXPECT_EQ(recv(socket_.get(), header, sizeof header, MSG_DONTWAIT), 12);
  uint32_t size = 0;
  std::memcpy(&size, header + 8, 4);
  std::vector<uint8_t> payload(size);
  EXPECT_EQ(recv(socket_.get(), payload.data(), size, MSG_DONTWAIT), static_cast<ssize_t>(size));
  return payload;
}

bool FakeGuest::closed_by_device() {
  char byte = 0;
  ssize_t got = recv(socket_.get(), &byte, 1, MSG_DONTWAIT | MSG_PEEK);
  return got == 0 || (got < 0 && errno == ECONNRESET);
}

void FakeGuest::handshake() {
  request(1, {});
  EXPECT_EQ(reply().size(), 8u);
  request(3, {});
  std::vector<uint8_t> features;
  append(&features, (uint64_t{1} << 32) | (uint64_t{1} << 30));
  request(2, features);
}

void FakeGuest::send_memory_table() {
  std::vector<uint8_t> table = pair32(1, 0);
  append(&table, kGuestBase);
  append(&table, uint64_t{kMemorySize});
  append(&table, kUserBase);
  append(&table, uint64_t{0});
  request(5, table, {file_.get()});
}

void FakeGuest::start_rings(uint16_t base) {
  for (uint32_t i = 0; i < 2; ++i) {
    request(8, pair32(i, kRingSize));
    request(10, pair32(i, base));
    std::vector<uint8_t> addresses = pair32(i, 0);
    append(&addresses, kUserBase + rings_[i].descriptors);
    append(&addresses, kUserBase + rings_[i].used);
    append(&addresses, kUserBase + rings_[i].available);
    append(&addresses, uint64_t{0});
    request(9, addresses);
    request(13, pair32(i, 0), {rings_[i].call.get()});
    request(12, pair32(i, 0), {rings_[i].kick.get()});
  }
  for (uint32_t i = 0; i < 2; ++i) request(18, pair32(i, 1));
}

void FakeGuest::stop_rings() {
  for (uint32_t i = 0; i < 2; ++i) {
    request(11, pair32(i, 0));
    EXPECT_EQ(reply().size(), 8u);
  }
}

void FakeGuest::start(uint32_t rx_buffer_size) {
  handshake();
  send_memory_table();
  start_rings(0);
  post_receive(kRingSize, rx_buffer_size);
}

uint16_t FakeGuest::load16(uint64_t offset) {
  uint16_t value = 0;
  std::memcpy(&value, memory_ + offset, sizeof value);
  return value;
}

void FakeGuest::store16(uint64_t offset, uint16_t value) {
  std::memcpy(memory_ + offset, &value, sizeof value);
}

void FakeGuest::set_descriptor(int ring, uint16_t index, Descriptor d) {
  static_assert(sizeof d == 16);
  std::memcpy(memory_ + rings_[ring].descriptors + 16 * index, &d, sizeof d);
}

void FakeGuest::set_available_index(int ring, uint16_t index) {
  rings_[ring].next_available = index;
  store16(rings_[ring].available + 2, index);
}

void FakeGuest::offer(int ring, uint16_t head) {
  Ring& r = rings_[ring];
  store16(r.available + 4 + 2 * (r.next_available % kRingSize), head);
  set_available_index(ring, r.next_available + 1);
}

void FakeGuest::kick(int ring) {
  uint64_t one = 1;
  EXPECT_EQ(write(rings_[ring].kick.get(), &one, sizeof one), 8);
  run();
}

bool FakeGuest::interrupted(int ring) {
  uint64_t count = 0;
  return read(rings_[ring].call.get(), &count, sizeof count) == 8;
}

void FakeGuest::post_receive(uint16_t count, uint32_t size) {
  rx_size_ = size;
  for (uint16_t i = 0; i < count; ++i) {
    set_descriptor(0, i, {rings_[0].buffers + i * kBufferStride, size, 2, 0});
    offer(0, i);
  }
  kick(0);
}

void FakeGuest::send(PacketHeader header, const std::string& data) {
  Ring& r = rings_[1];
  uint16_t slot = r.next_available % kRingSize;
  uint64_t buffer = r.buffers + slot * kBufferStride;
  header.length = static_cast<uint32_t>(data.size());
  std::memcpy(at(buffer), &header, sizeof header);
  std::memcpy(at(buffer) + sizeof header, data.data(), data.size());
  set_descriptor(1, slot, {buffer, static_cast<uint32_t>(sizeof header + data.size()), 0, 0});
  offer(1, slot);
  kick(1);
}

std::optional<FakeGuest::Received> FakeGuest::receive() {
  Ring& r = rings_[0];
  if (load16(r.used + 2) == r.seen_used) return std::nullopt;
  uint32_t entry[2];
  std::memcpy(entry, memory_ + r.used + 4 + 8 * (r.seen_used % kRingSize), sizeof entry);
  ++r.seen_used;
  Received packet;
  uint64_t buffer = r.buffers + entry[0] * kBufferStride;
  std::memcpy(&packet.header, at(buffer), sizeof packet.header);
  packet.data.assign(reinterpret_cast<char*>(at(buffer)) + sizeof packet.header,
                     entry[1] - sizeof packet.header);
  EXPECT_LE(entry[1], rx_size_);
  offer(0, static_cast<uint16_t>(entry[0]));
  kick(0);
  return packet;
}

FakeGuest::Received FakeGuest::expect(Op op) {
  auto packet = receive();
  EXPECT_TRUE(packet) << "no packet, expected op " << static_cast<int>(op);
  if (!packet) return {};
  EXPECT_EQ(packet->header.op, static_cast<uint16_t>(op));
  return *packet;
}

PacketHeader FakeGuest::packet(Op op, uint32_t guest_port, uint32_t host_port) {
  PacketHeader header;
  header.src_cid = kCid;
  header.dst_cid = kHostCid;
  header.src_port = guest_port;
  header.dst_port = host_port;
  header.op = static_cast<uint16_t>(op);
  header.buf_alloc = 64 * 1024;
  return header;
}

PacketHeader FakeGuest::reply_to(const PacketHeader& other, Op op) const {
  PacketHeader header = packet(op, other.dst_port, other.src_port);
  header.buf_alloc = room;
  return header;
}

}  // namespace kata::vsock::testing
