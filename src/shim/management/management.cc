#include "shim/management/management.h"

#include <malloc.h>
#include <unistd.h>

#include "base/log.h"
#include "shim/management/backing.h"
#include "shim/management/debug_vars.h"
#include "shim/management/direct_volume.h"
#include "shim/management/memory.h"

namespace kata::shim {

namespace {

// What a client may send: rules of a packet filter, a policy.
constexpr size_t kMaxBody = 1 << 20;
constexpr size_t kMaxConnections = 16;
// Guests change packet filters with a program of their own, on a slow CPU.
constexpr auto kAnswerLimit = 65s;

http::Response wrong_method(const char* allowed) {
  auto response = http::text_response(501, std::string("only ") + allowed + " is offered here");
  response.headers.emplace_back("Allow", allowed);
  return response;
}

Task<http::Response> answer_ip_tables(std::shared_ptr<runtime::Sandbox> sandbox, bool v6,
                                      http::Request request) {
  if (request.method == "PUT") {
    auto set = co_await sandbox->agent().set_ip_tables(v6, std::move(request.body));
    if (!set) co_return http::error_response(set.error());
    co_return http::Response{};
  }
  if (request.method != "GET") co_return wrong_method("GET, PUT");
  auto rules = co_await sandbox->agent().ip_tables(v6);
  if (!rules) co_return http::error_response(rules.error());
  http::Response response;
  response.body = std::move(*rules);
  co_return response;
}

Task<http::Response> answer_policy(std::shared_ptr<runtime::Sandbox> sandbox,
                                   http::Request request) {
  if (request.method != "PUT") co_return wrong_method("PUT");
  auto set = co_await sandbox->agent().set_policy(std::move(request.body));
  if (!set) co_return http::error_response(set.error());
  co_return http::Response{};
}

Task<http::Response> answer_metrics(runtime::SandboxMetrics& figures,
                                    const metrics::Histograms& rpc_times) {
  std::string text = co_await figures.collect();
  // Each pod pays for its shim's memory: what this took on the way goes back.
  malloc_trim(0);
  metrics::Text own;
  rpc_times.write(&own);
  http::Response response;
  response.type = metrics::kContentType;
  response.body = std::move(text) + own.take();
  co_return response;
}

Task<http::Response> dispatch(std::shared_ptr<runtime::Sandbox> sandbox,
                              runtime::SandboxMetrics& figures,
                              const metrics::Histograms& rpc_times, http::Request request) {
  const std::string& path = request.path;
  if (path == "/iptables" || path == "/ip6tables") {
    const bool v6 = path == "/ip6tables";
    co_return co_await answer_ip_tables(sandbox, v6, std::move(request));
  }
  if (path == "/policy") co_return co_await answer_policy(sandbox, std::move(request));
  if (path.starts_with("/direct-volume/")) {
    co_return co_await answer_direct_volume(sandbox, std::move(request));
  }
  if (request.method != "GET" && request.method != "HEAD") co_return wrong_method("GET");
  if (path == "/metrics") co_return co_await answer_metrics(figures, rpc_times);
  if (path == "/memory") co_return co_await answer_memory(sandbox);
  if (path == "/agent-url") {
    http::Response response;
    response.body = sandbox->agent_url();
    co_return response;
  }
  if (path.starts_with("/debug/") && sandbox->config().runtime.enable_pprof) {
    co_return answer_debug(path);
  }
  co_return http::text_response(404, "no such page");
}

}  // namespace

Result<std::unique_ptr<Management>> Management::open(
    const std::shared_ptr<runtime::Sandbox>& sandbox, const metrics::Histograms& rpc_times) {
  const std::string path = sandbox->paths().management;
  TRY(UniqueFd fd, ttrpc::listen_unix(path));
  TRY(auto listener, ttrpc::Listener::adopt(sandbox->executor(), std::move(fd)));
  auto backing = std::make_shared<Backing>(sandbox, rpc_times);
  std::unique_ptr<Management> self(new Management(backing, path));
  http::Server::Limits limits;
  limits.connections = kMaxConnections;
  limits.body = kMaxBody;
  limits.response = kAnswerLimit;
  auto handle = [backing](http::Request request) { return answer(backing, std::move(request)); };
  auto admits = [](http::Stream& stream) {
    auto uid = ttrpc::peer_uid(stream);
    return uid && *uid == geteuid();
  };
  self->server_ =
      std::make_unique<http::Server>(sandbox->executor(), std::move(handle), limits, admits);
  spawn(sandbox->executor(), self->server_->run(std::move(listener)));
  return self;
}

Management::Management(std::shared_ptr<Backing> backing, std::string path)
    : backing_(std::move(backing)), path_(std::move(path)) {}

Management::~Management() = default;

std::string Management::address() const {
  return "unix://" + path_;
}

Task<http::Response> Management::answer(std::shared_ptr<Backing> backing, http::Request request) {
  auto sandbox = backing->sandbox.lock();
  if (!sandbox || !sandbox->lives()) {
    co_return http::text_response(503, "the sandbox is gone");
  }
  co_return co_await dispatch(sandbox, backing->metrics, backing->rpc_times, std::move(request));
}

}  // namespace kata::shim
