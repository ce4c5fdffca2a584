// What a server answers to malformed, odd and extreme frames, byte for byte. After each case the
// same connection must still serve an ordinary call, or be closed where the case says so.
#include "ttrpc/wire_peer.h"

namespace kata::ttrpc {
namespace {

constexpr int kInvalid = 3, kDeadline = 4, kNotFound = 5, kExhausted = 8, kUnimplemented = 12,
              kInternal = 13;
constexpr uint32_t kNext = 1001;  // stream of the call after the case

struct Case {
  const char* name;
  std::string send;
  std::string reply;  // all that comes back, in this order
  bool lives = true;  // else the peer hangs up after sending and nothing more may come
};

std::string echo(const std::string& extra = "") {
  return request("t.S", "Echo", "hi") + extra;
}
std::string ok(uint32_t stream, const std::string& payload = "hi") {
  return frame(stream, success(payload), 2);
}
std::string no(uint32_t stream, int code, const std::string& text) {
  return frame(stream, failure(code, text), 2);
}
std::string repeat(const std::string& text, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i) out += text;
  return out;
}
// A request of exactly `size` bytes, by a field that nobody knows.
std::string padded(size_t size) {
  std::string known = request("t.S", "Echo", "hi");
  const size_t room = size - known.size() - 5;  // a tag of one byte and a length of four
  return known + bytes(15, std::string(room, 'x'));
}

std::vector<Case> lengths() {
  const std::string huge(kMaxPayload + 1, 'x');
  const std::string limit = "request of 4194305 bytes is above the ttrpc limit of 4 MiB";
  return {
      {"length 0", frame(1, ""), no(1, kUnimplemented, "service ")},
      {"length of exactly 4 MiB", frame(1, padded(kMaxPayload)), ok(1)},
      {"length of 4 MiB + 1", frame(1, huge), no(1, kExhausted, limit)},
      {"oversized frame of an unknown type", frame(1, huge, 9), ""},
      {"oversized request on an even stream", frame(2, huge),
       no(2, kInvalid, "stream id must be odd")},
      {"length of 4 GiB, then the end", raw_frame(UINT32_MAX, 1, 1, 0, "abc"), "", false},
      {"length larger than the data, then the end", raw_frame(100, 1, 1, 0, "abc"), "", false},
      {"header cut in half, then the end", frame(1, echo()).substr(0, 7), "", false},
      {"nothing at all, then the end", "", "", false},
  };
}

std::vector<Case> streams_and_types() {
  const std::string odd = "stream id must be odd", up = "stream id must increase";
  const std::string unknown = "data for an unknown stream";
  return {
      {"stream 0", frame(0, echo()), no(0, kInvalid, odd)},
      {"stream 2", frame(2, echo()), no(2, kInvalid, odd)},
      {"the largest even stream", frame(0xfffffffe, echo()), no(0xfffffffe, kInvalid, odd)},
      {"a stream used before", frame(3, echo()) + frame(3, echo()), ok(3) + no(3, kInvalid, up)},
      {"a decreasing stream", frame(5, echo()) + frame(3, echo()), ok(5) + no(3, kInvalid, up)},
      {"a stream that was refused before", frame(7, "\xff") + frame(7, echo()),
       no(7, kInvalid, "malformed ttrpc request") + no(7, kInvalid, up)},
      {"type 0", frame(1, echo(), 0), ""},
      {"type 4", frame(1, echo(), 4), ""},
      {"type 255", frame(1, echo(), 255), ""},
      {"a response to the server", frame(1, success("hi"), 2), ""},
      {"data before any request", frame(1, "x", 3), no(1, kInvalid, unknown)},
      {"data for a closed stream", frame(1, echo()) + frame(1, "x", 3),
       ok(1) + no(1, kInvalid, unknown)},
      {"data for a call under way ends it", frame(1, request("t.S", "Hold")) + frame(1, "x", 3),
       no(1, kInvalid, unknown)},
      {"data with the end flag", frame(1, "", 3, 1), no(1, kInvalid, unknown)},
      {"flag remote closed", frame(1, echo(), 1, 1), ok(1)},
      {"flag remote open", frame(1, echo(), 1, 2), ok(1)},
      {"undefined flags", frame(1, echo(), 1, 0xf8), ok(1)},
  };
}

std::vector<Case> envelopes() {
  const std::string bad = no(1, kInvalid, "malformed ttrpc request");
  const std::string nested = repeat(varint(15 << 3 | 3), 1000) + repeat(varint(15 << 3 | 4), 1000);
  return {
      {"a protobuf cut in half", frame(1, echo().substr(0, 9)), bad},
      {"a string longer than the frame", frame(1, varint(1 << 3 | 2) + varint(1 << 30)), bad},
      {"a varint that never ends", frame(1, number(4, 0) + repeat("\xff", 11)), bad},
      {"field number 0", frame(1, echo() + std::string("\0\0", 2)), bad},
      {"wire type 7", frame(1, echo() + varint(15 << 3 | 7)), bad},
      {"the end of a group that never began", frame(1, echo() + varint(15 << 3 | 4)), bad},
      {"groups nested 1,000 deep", frame(1, echo() + nested), bad},
      {"a service name that is not UTF-8", frame(1, request("\xff\xfe", "Echo")), bad},
      {"a service of the wrong wire type", frame(1, number(1, 7) + bytes(2, "Echo")),
       no(1, kUnimplemented, "service ")},
      {"a service named twice: the last one counts", frame(1, bytes(1, "x") + echo()), ok(1)},
      {"unknown fields", frame(1, echo(bytes(77, "later") + number(78, 7))), ok(1)},
      {"unknown service", frame(1, request("t.X", "Echo")), no(1, kUnimplemented, "service t.X")},
      {"unknown method", frame(1, request("t.S", "Nope")), no(1, kUnimplemented, "method Nope")},
      {"no method", frame(1, bytes(1, "t.S")), no(1, kUnimplemented, "method ")},
      {"metadata of 1 MiB",
       frame(1, echo(bytes(5, bytes(1, "k") + bytes(2, std::string(1 << 20, 'v'))))), ok(1)},
      {"10,000 metadata entries", frame(1, echo(repeat(bytes(5, bytes(1, "k")), 10000))), ok(1)},
      {"malformed metadata", frame(1, echo(bytes(5, "\xff"))), bad},
  };
}

std::vector<Case> calls() {
  const auto slow = [](uint64_t nanos) { return request("t.S", "Slow", "hi") + number(4, nanos); };
  return {
      {"a negative timeout is none", frame(1, slow(static_cast<uint64_t>(-5))), ok(1)},
      {"the largest timeout is none", frame(1, slow(INT64_MAX)), ok(1)},
      {"a timeout of 1 ns", frame(1, slow(1)), no(1, kDeadline, "timeout")},
      {"a failing method", frame(1, request("t.S", "Fail")), no(1, kNotFound, "nothing here")},
      {"a method that throws", frame(1, request("t.S", "Throw")),
       no(1, kInternal, "unexpected failure: boom")},
      {"an answer above 4 MiB", frame(1, request("t.S", "Big")),
       no(1, kExhausted, "message of 4194310 bytes is above the ttrpc limit of 4 MiB")},
      {"two requests in one packet", frame(1, echo()) + frame(3, echo()), ok(1) + ok(3)},
  };
}

class MalformedFramesTest : public WirePeerTest {
 protected:
  void check(const Case& c) {
    SCOPED_TRACE(c.name);
    auto peer = connect();
    std::string got;
    if (c.lives) {
      const std::string want = c.reply + ok(kNext);
      run(talk(peer, c.send, c.reply.size(), &got));
      std::string last;
      run(talk(peer, frame(kNext, echo()), ok(kNext).size(), &last));
      EXPECT_EQ(got + last, want);
    } else {
      run(hang_up(peer, c.send, &got));
      EXPECT_EQ(got, c.reply);
    }
    peer->close();
  }
  static Task<> hang_up(std::shared_ptr<Stream> peer, std::string send, std::string* got) {
    co_await asio::async_write(*peer, asio::buffer(send), use_tuple);
    peer->shutdown(Stream::shutdown_send);
    co_await until_closed(peer, got);
  }
};

TEST_F(MalformedFramesTest, Lengths) {
  for (const Case& c : lengths()) check(c);
}
TEST_F(MalformedFramesTest, StreamsAndTypes) {
  for (const Case& c : streams_and_types()) check(c);
}
TEST_F(MalformedFramesTest, Envelopes) {
  for (const Case& c : envelopes()) check(c);
}
TEST_F(MalformedFramesTest, Calls) {
  for (const Case& c : calls()) check(c);
}

TEST_F(MalformedFramesTest, TheLargestStreamIsTheLast) {
  auto peer = connect();
  const std::string want = ok(0xffffffff) + no(1, kInvalid, "stream id must increase");
  std::string got;
  run(talk(peer, frame(0xffffffff, echo()) + frame(1, echo()), want.size(), &got));
  EXPECT_EQ(got, want);
}

// All header combinations at the edges, in one connection each: never a crash, never two answers.
TEST_F(MalformedFramesTest, EveryEdgeOfEveryHeaderField) {
  int combinations = 0;
  for (uint32_t length : {0u, 1u, kMaxPayload, kMaxPayload + 1}) {
    for (uint32_t stream : {0u, 1u, 2u, 0x7fffffffu, 0xfffffffeu, 0xffffffffu}) {
      for (int type : {0, 1, 2, 3, 4, 255}) {
        for (int flags : {0, 1, 255}) {
          auto peer = connect();
          std::string got;
          run(hang_up(peer, raw_frame(length, stream, type, flags, std::string(length, '\xff')),
                      &got));
          EXPECT_TRUE(got.empty() || got.size() == kHeaderSize + got[3]) << combinations;
          ++combinations;
        }
      }
    }
  }
  EXPECT_EQ(combinations, 4 * 6 * 6 * 3);
}

}  // namespace
}  // namespace kata::ttrpc
