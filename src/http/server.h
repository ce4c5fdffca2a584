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
};

// A line of text with a status.
Response text_response(int status, std::string text);
// The status that fits a failure, and its text.
Response error_response(const Error& error);

// Answers requests, one per connection, for peers that nobody trusts: a peer that is slow, silent
// or one of too many loses its connection, never others theirs. One event loop; must outlive run().
class Server {
 public:
  using Handler = std::function<Task<Response>(Request)>;
  struct Limits {
    size_t connections = 32;
    size_t body = 0;                 // bytes of a request
    Clock::duration request = 10s;   // until the whole request is there
    Clock::duration response = 30s;  // until the answer is made and taken
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
