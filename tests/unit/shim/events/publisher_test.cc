#include "shim/events/publisher.h"

#include <unistd.h>

#include "containerd/events.pb.h"
#include "shim/events/topics.h"
#include "shim/shim_test_loop.h"
#include "ttrpc/server.h"
#include "ttrpc/transport.h"

namespace kata::shim {
namespace {

using containerd::services::events::ttrpc::v1::ForwardRequest;

// containerd's event intake; stop() is its death, the file of the socket goes too.
class FakeContainerd {
 public:
  FakeContainerd(asio::io_context& loop, std::string path) : loop_(loop), path_(std::move(path)) {
    server_.handle<ForwardRequest, kata::wkt::Empty>(
        "containerd.services.events.ttrpc.v1.Events", "Forward",
        [this](ForwardRequest request, ttrpc::CallContext context) {
          return take(std::move(request), std::move(context));
        });
  }
  void start() {
    auto fd = ttrpc::listen_unix(path_);
    ASSERT_TRUE(fd) << fd.error().message();
    listener_ = std::make_shared<ttrpc::Listener>(
        *ttrpc::Listener::adopt(loop_.get_executor(), std::move(*fd)));
    spawn(loop_.get_executor(), serve(this, listener_));
  }
  void stop() {
    listener_->close();
    server_.close_all();
    unlink(path_.c_str());
  }

  std::vector<ForwardRequest> events;
  std::vector<std::string> namespaces;
  int refuse = 0;  // so many calls fail

 private:
  Task<Result<kata::wkt::Empty>> take(ForwardRequest request, ttrpc::CallContext context) {
    if (refuse-- > 0) co_return fail(Code::kInvalidArgument, "no");
    for (auto& [key, value] : context.metadata) {
      if (key == "containerd-namespace-ttrpc") namespaces.push_back(value);
    }
    events.push_back(std::move(request));
    co_return kata::wkt::Empty();
  }
  static Task<> serve(FakeContainerd* self, std::shared_ptr<ttrpc::Listener> listener) {
    while (true) {
      auto stream = co_await listener->accept();
      if (!stream) co_return;
      spawn(self->loop_.get_executor(), self->server_.serve(std::move(*stream)));
    }
  }

  asio::io_context& loop_;
  std::string path_;
  ttrpc::Server server_;
  std::shared_ptr<ttrpc::Listener> listener_;
};

class PublisherTest : public ::testing::Test {
 protected:
  PublisherTest()
      : containerd_(loop_, dir_ / "c.sock.ttrpc"),
        publisher_(loop_.get_executor(), dir_ / "c.sock.ttrpc", "ns1") {}

  void publish(const std::string& id) {
    containerd::events::TaskExit event;
    event.set_container_id(id);
    publisher_.publish(topics::kExit, event);
  }
  std::vector<std::string> received() const {
    std::vector<std::string> ids;
    for (const auto& request : containerd_.events) {
      containerd::events::TaskExit event;
      EXPECT_TRUE(event.ParseFromString(request.envelope().event().value()));
      ids.push_back(event.container_id());
    }
    return ids;
  }
  void flush() {
    run_on(loop_, [](Publisher* publisher) -> Task<> {
      EXPECT_TRUE(co_await publisher->flush(10s));
    }(&publisher_));
  }
  void pass(Clock::duration time) { run_on(loop_, sleep_for(time)); }

  TempDir dir_;
  asio::io_context loop_{1};
  FakeContainerd containerd_;
  Publisher publisher_;
};

TEST_F(PublisherTest, SendsTheWholeEnvelope) {
  containerd_.start();
  publish("a");
  flush();
  ASSERT_EQ(containerd_.events.size(), 1u);
  const auto& envelope = containerd_.events[0].envelope();
  EXPECT_EQ(envelope.topic(), "/tasks/exit");
  EXPECT_EQ(envelope.namespace_(), "ns1");
  EXPECT_EQ(envelope.event().type_url(), "containerd.events.TaskExit");
  EXPECT_GT(envelope.timestamp().seconds(), 1600000000);
  EXPECT_EQ(containerd_.namespaces, std::vector<std::string>{"ns1"});
}

TEST_F(PublisherTest, KeepsTheOrder) {
  containerd_.start();
  std::vector<std::string> sent;
  for (int i = 0; i < 200; ++i) publish(sent.emplace_back(std::to_string(i)));
  flush();
  EXPECT_EQ(received(), sent);
}

TEST_F(PublisherTest, SurvivesARestartOfContainerd) {
  containerd_.start();
  publish("before");
  flush();
  containerd_.stop();
  publish("meanwhile 1");
  pass(300ms);
  publish("meanwhile 2");
  EXPECT_EQ(containerd_.events.size(), 1u);
  containerd_.start();
  flush();
  EXPECT_EQ(received(), (std::vector<std::string>{"before", "meanwhile 1", "meanwhile 2"}));
}

TEST_F(PublisherTest, DropsWhatContainerdKeepsRefusing) {
  containerd_.start();
  containerd_.refuse = 5;
  publish("poison");
  publish("good");
  flush();
  EXPECT_EQ(received(), std::vector<std::string>{"good"});
}

TEST_F(PublisherTest, AFullQueueKeepsTheExits) {
  publish("first exit");
  containerd::events::TaskOOM oom;
  oom.set_container_id("x");
  for (size_t i = 0; i < Publisher::kMaxQueued + 10; ++i) publisher_.publish(topics::kOom, oom);
  EXPECT_EQ(publisher_.queued(), Publisher::kMaxQueued);
  containerd_.start();
  flush();
  ASSERT_EQ(containerd_.events.size(), Publisher::kMaxQueued);
  EXPECT_EQ(containerd_.events[0].envelope().topic(), "/tasks/exit");
}

TEST_F(PublisherTest, FlushGivesUpInTime) {
  publish("nobody takes it");
  bool sent = true;
  auto begin = Clock::now();
  run_on(loop_, [](Publisher* publisher, bool* result) -> Task<> {
    *result = co_await publisher->flush(200ms);
  }(&publisher_, &sent));
  EXPECT_FALSE(sent);
  EXPECT_LT(Clock::now() - begin, 2s);
}

TEST(PublisherWithoutAddress, LogsOnly) {
  asio::io_context loop(1);
  Publisher publisher(loop.get_executor(), "", "default");
  publisher.publish(topics::kOom, containerd::events::TaskOOM());
  EXPECT_EQ(publisher.queued(), 0u);
}

TEST(Timestamp, SplitsTimes) {
  using namespace std::chrono;
  auto stamp = to_timestamp(system_clock::time_point(seconds(1700000000) + milliseconds(250)));
  EXPECT_EQ(stamp.seconds(), 1700000000);
  EXPECT_EQ(stamp.nanos(), 250000000);
}

}  // namespace
}  // namespace kata::shim
