// Server and client over a real unix socket, and what hostile peers do to both.
#include "http/server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <optional>

#include "base/file.h"
#include "http/client.h"
#include "support/temp_folder.h"

namespace kata::http {
namespace {

class HttpServer : public testing::Test {
 protected:
  void SetUp() override {
    path_ = folder_ + "/s";
    limits_.connections = 4;
    limits_.body = 10;
    limits_.request = 300ms;
    limits_.response = 500ms;
  }
  void TearDown() override {
    if (server_) server_->close();
    loop_.restart();
    loop_.run_for(50ms);
  }

  void serve() {
    auto fd = ttrpc::listen_unix(path_);
    ASSERT_TRUE(fd);
    auto listener = ttrpc::Listener::adopt(loop_.get_executor(), std::move(*fd));
    ASSERT_TRUE(listener);
    server_ = std::make_unique<Server>(
        loop_.get_executor(), [](Request request) { return answer(std::move(request)); }, limits_);
    spawn(loop_.get_executor(), server_->run(std::move(*listener)));
  }

  static Task<Response> answer(Request request) {
    Response response;
    if (request.path == "/large") {
      response.more = [left = 20](std::string* piece) mutable {
        piece->append(100000, 'x');
        return --left > 0;
      };
      co_return response;
    }
    if (request.path == "/endless") {
      response.more = [](std::string* piece) {
        piece->append(100000, 'x');
        return true;
      };
      response.cut = [pieces = 0]() mutable { return ++pieces > 5; };
      co_return response;
    }
    if (request.path == "/slow") co_await sleep_for(60s);
    if (request.path == "/fail") co_return error_response(Error(Code::kNotFound, "no \x1b[2J"));
    response.body = request.method + " " + request.path + " " + request.body;
    co_return response;
  }

  UniqueFd dial() {
    UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    return fd;
  }

  // All that comes back, while the loop runs, until the server closes.
  std::string exchange(const std::string& text) {
    UniqueFd fd = dial();
    EXPECT_TRUE(write_all(fd.get(), text));
    return read_to_end(fd);
  }
  std::string read_to_end(UniqueFd& fd) {
    std::string all;
    const auto deadline = Clock::now() + 5s;
    while (Clock::now() < deadline) {
      loop_.restart();
      loop_.run_for(5ms);
      char piece[65536];
      ssize_t n = 0;
      while ((n = recv(fd.get(), piece, sizeof piece, MSG_DONTWAIT)) > 0) {
        all.append(piece, static_cast<size_t>(n));
      }
      if (n == 0 || (n < 0 && errno != EAGAIN)) return all;
    }
    ADD_FAILURE() << "the server does not close";
    return all;
  }

  template <class T>
  Result<T> run(Task<Result<T>> task) {
    std::optional<Result<T>> result;
    auto store = [](Task<Result<T>> inner, std::optional<Result<T>>* out) -> Task<> {
      out->emplace(co_await std::move(inner));
    };
    spawn(loop_.get_executor(), store(std::move(task), &result));
    const auto deadline = Clock::now() + 5s;
    while (!result && Clock::now() < deadline) {
      loop_.restart();
      loop_.run_for(5ms);
    }
    return result ? std::move(*result) : fail(Code::kInternal, "did not end");
  }

  Ask get_of(const std::string& target) {
    Ask request;
    request.socket = path_;
    request.target = target;
    request.limit = 1s;
    return request;
  }

  asio::io_context loop_{1};
  const kata::test::TempFolder temp_;
  const std::string folder_ = temp_.path();
  std::string path_;
  Server::Limits limits_;
  std::unique_ptr<Server> server_;
};

TEST_F(HttpServer, AnswersOneRequest) {
  serve();
  const std::string reply = exchange("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(reply.starts_with("HTTP/1.1 200 OK\r\n")) << reply;
  EXPECT_NE(reply.find("\r\nContent-Length: 7\r\n"), std::string::npos);
  EXPECT_TRUE(reply.ends_with("\r\n\r\nGET /a ")) << reply;
  const std::string put = exchange("PUT /b HTTP/1.1\r\nContent-Length: 3\r\n\r\nxyz");
  EXPECT_TRUE(put.ends_with("PUT /b xyz")) << put;
  const std::string head = exchange("HEAD /a HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(head.ends_with("\r\n\r\n")) << head;
}

TEST_F(HttpServer, LargeAnswersComeInChunks) {
  serve();
  const std::string reply = exchange("GET /large HTTP/1.1\r\n\r\n");
  EXPECT_NE(reply.find("Transfer-Encoding: chunked"), std::string::npos);
  EXPECT_TRUE(reply.ends_with("\r\n0\r\n\r\n"));
  EXPECT_GT(reply.size(), 2000000U);
  auto text = run(ask_text(get_of("/large")));  // HTTP/1.0
  ASSERT_TRUE(text) << text.error().message();
  EXPECT_EQ(text->size(), 2000000U);
}

TEST_F(HttpServer, RefusesWithAStatus) {
  serve();
  EXPECT_TRUE(exchange("BAD\r\n\r\n").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(exchange("GET / HTTP/3.0\r\n\r\n").starts_with("HTTP/1.1 501 "));
  EXPECT_TRUE(exchange("PUT / HTTP/1.1\r\nContent-Length: 11\r\n\r\n").starts_with("HTTP/1.1 413"));
  EXPECT_TRUE(exchange("GET / HTTP/1.1\r\nX: " + std::string(20000, 'x') + "\r\n\r\n")
                  .starts_with("HTTP/1.1 413 "));
  EXPECT_TRUE(exchange("GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 400"));
  const std::string failed = exchange("GET /fail HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(failed.starts_with("HTTP/1.1 404 "));
  EXPECT_EQ(failed.find('\x1b'), std::string::npos);
}

TEST_F(HttpServer, SlowAndSilentPeersAreCutOff) {
  serve();
  EXPECT_EQ(exchange(""), "");
  EXPECT_EQ(exchange("GET / HTTP/1.1\r\n"), "");
  EXPECT_EQ(exchange("PUT / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab"), "");
  // Does not take its answer.
  UniqueFd fd = dial();
  ASSERT_TRUE(write_all(fd.get(), "GET /large HTTP/1.1\r\n\r\n"));
  loop_.restart();
  loop_.run_for(100ms);
  EXPECT_EQ(server_->connections(), 1U);
  loop_.restart();
  loop_.run_for(700ms);
  EXPECT_EQ(server_->connections(), 0U);
}

TEST_F(HttpServer, HalfOpenPeersMakeRoomForOthers) {
  limits_.request = 60s;
  serve();
  std::vector<UniqueFd> silent;
  for (int i = 0; i < 20; ++i) silent.push_back(dial());
  EXPECT_TRUE(exchange("GET /a HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 200 "));
  EXPECT_LE(server_->connections(), limits_.connections);
}

TEST_F(HttpServer, StalledTakersAreCutOffAndMakeRoomForOthers) {
  limits_.response = limits_.stall = 60s;
  limits_.yield = 50ms;
  serve();
  std::vector<UniqueFd> stalled;
  for (size_t i = 0; i < limits_.connections; ++i) {
    stalled.push_back(dial());
    ASSERT_TRUE(write_all(stalled.back().get(), "GET /large HTTP/1.1\r\n\r\n"));
  }
  loop_.restart();
  loop_.run_for(200ms);
  EXPECT_EQ(server_->connections(), limits_.connections);
  EXPECT_TRUE(exchange("GET /a HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 200 "));
  server_->close();

  limits_.stall = 100ms;
  unlink(path_.c_str());
  serve();
  UniqueFd fd = dial();
  ASSERT_TRUE(write_all(fd.get(), "GET /large HTTP/1.1\r\n\r\n"));
  loop_.restart();
  loop_.run_for(500ms);
  EXPECT_EQ(server_->connections(), 0U);
}

TEST_F(HttpServer, AnAnswerThatIsCutLacksItsEnd) {
  serve();
  const std::string reply = exchange("GET /endless HTTP/1.1\r\n\r\n");
  EXPECT_GT(reply.size(), 400000U);
  EXPECT_FALSE(reply.ends_with("\r\n0\r\n\r\n"));
}

TEST_F(HttpServer, AnswersThatTakeTooLongAreCutOff) {
  serve();
  EXPECT_EQ(exchange("GET /slow HTTP/1.1\r\n\r\n"), "");
}

TEST_F(HttpServer, ClientGetsTextAndErrors) {
  limits_.body = 3000;
  serve();
  EXPECT_EQ(*run(ask_text(get_of("/x"))), "GET /x ");
  Ask put = get_of("/rules");
  put.method = "PUT";
  put.body = std::string(3000, 'x');
  EXPECT_EQ(*run(ask_text(put)), "PUT /rules " + put.body);
  auto failed = run(ask_text(get_of("/fail")));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), Code::kNotFound);
  Ask small = get_of("/large");
  small.max_body = 1000;
  EXPECT_EQ(run(ask_text(small)).error().code(), Code::kResourceExhausted);
  Ask nobody = get_of("/");
  nobody.socket += ".absent";
  EXPECT_FALSE(run(ask_text(nobody)));
}

// A server that sends these bytes to whoever connects, and then hangs up or stays silent.
class HostileServer : public HttpServer {
 protected:
  Result<std::string> ask(const std::string& bytes, bool hang_up) {
    auto fd = ttrpc::listen_unix(path_);
    EXPECT_TRUE(fd);
    auto listener = ttrpc::Listener::adopt(loop_.get_executor(), std::move(*fd));
    spawn(loop_.get_executor(), play(std::move(*listener), bytes, hang_up));
    Ask request = get_of("/");
    request.limit = 200ms;
    auto text = run(ask_text(request));
    unlink(path_.c_str());
    return text;
  }
  static Task<> play(ttrpc::Listener listener, std::string bytes, bool hang_up) {
    auto stream = co_await listener.accept();
    char request[1024];
    co_await stream->async_receive(asio::buffer(request), use_tuple);
    co_await asio::async_write(*stream, asio::buffer(bytes), use_tuple);
    if (!hang_up) co_await sleep_for(400ms);
  }
};

TEST_F(HostileServer, IsAnErrorNeverAHang) {
  EXPECT_EQ(*ask("HTTP/1.1 200 OK\r\n\r\nabc", true), "abc");
  EXPECT_EQ(*ask("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc", false), "ab");
  EXPECT_EQ(ask("", true).error().code(), Code::kUnavailable);
  EXPECT_EQ(ask("", false).error().code(), Code::kDeadlineExceeded);
  EXPECT_EQ(ask("garbage\r\n\r\n", true).error().code(), Code::kInternal);
  EXPECT_EQ(ask("HTTP/1.1 xyz\r\n\r\n", true).error().code(), Code::kInternal);
  EXPECT_EQ(ask(std::string(100000, 'x'), true).error().code(), Code::kInternal);
  EXPECT_EQ(ask("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", true).error().code(),
            Code::kUnavailable);
  EXPECT_EQ(ask("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true).error().code(),
            Code::kUnimplemented);
}

}  // namespace
}  // namespace kata::http
