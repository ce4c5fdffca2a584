#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "http/request.h"
#include "ttrpc/transport.h"

namespace kata::http {

struct Response {
  int status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  // The rest, piece by piece, made when the peer has taken what came before. False = that was all.
  std::function<bool(std::string* piece)> more;
  // Asked before each further piece: true ends the connection short of the answer's end.
  std::function<bool()> cut;
};

// A line of text with a status.
Response text_response(int status, std::string text);
// The status that fits a failure, and its text.
Response error_response(const Error& error);

// Answers requests, one per connection, for peers that nobody trusts. Who is slow or silent loses
// his connection; when there are too many, a newcomer takes the place of who has been sending his
// request or not taking his answer for the longest time, never of one that makes progress. One
// event loop; must outlive run().
class Server {
 public:
  using Handler = std::function<Task<Response>(Request)>;
  struct Limits {
    size_t connections = 32;
    size_t body = 0;                 // bytes of a request
    Clock::duration request = 10s;   // until the whole request is there
    Clock::duration response = 30s;  // until the answer is made and taken
    Clock::duration stall = 5s;      // without any of it being taken
    Clock::duration yield = 1s;      // so long a stall gives way to a newcomer
  };

  // `admits` looks at a new connection before anything is read.
  Server(asio::any_io_executor executor, Handler handler, Limits limits,
         std::function<bool(Stream&)> admits = nullptr);
  ~Server();
  // Comes back after close(). Answers under way go on without the server.
  Task<> run(ttrpc::Listener listener);
  void close();
  size_t connections() const;

 private:
  struct State;
  struct Session;
  static Task<> serve(std::shared_ptr<State> state, std::shared_ptr<Session> session);
  static Task<> converse(std::shared_ptr<State> state, std::shared_ptr<Session> session);
  static void make_room(State& state);

  std::shared_ptr<State> state_;
};

}  // namespace kata::http
