#include "monitor/pages.h"

#include <algorithm>

#include "http/client.h"
#include "metrics/text.h"
#include "monitor/gzip.h"
#include "monitor/html.h"
#include "runtime/pod_file.h"

namespace kata::monitor {

namespace {

constexpr size_t kMaxText = 4 << 20;
constexpr char kHtml[] = "text/html; charset=utf-8";

struct Page {
  const char *path, *description;
  bool needs_sandbox;
};
constexpr Page kPages[] = {
    {"/metrics", "figures of this node's sandboxes; ?sandbox=ID for one, ?filter_family=A,B",
     false},
    {"/sandboxes", "ids of the sandboxes", false},
    {"/agent-url", "address of a guest's agent; ?sandbox=ID", true},
    {"/debug/vars", "memory of a shim, where enable_pprof is set; ?sandbox=ID", true},
    {"/debug/pprof/", "what there is to look at in a shim; ?sandbox=ID", true},
    {"/debug/pprof/cmdline", "command line of a shim; ?sandbox=ID", true},
};

std::vector<std::string> comma_list(const std::string& text) {
  std::vector<std::string> words;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view word = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    if (!word.empty()) words.emplace_back(word);
  }
  return words;
}

std::string link(const std::string& target, const std::string& text) {
  return "<a href=\"" + escape_html(target) + "\">" + escape_html(text) + "</a>";
}

http::Response html_response(std::string page) {
  http::Response response;
  response.type = kHtml;
  response.body = std::move(page);
  return response;
}

std::string sandbox_row(const Sandbox& sandbox) {
  const auto pod = runtime::read_pod_file(sandbox.state + "/pod.json");
  const std::string query = "?sandbox=" + http::encode_percent(sandbox.id);
  const std::string name = pod.name.empty() ? "" : pod.name_space + "/" + pod.name;
  return "<tr><td>" + escape_html(sandbox.id) + "</td><td>" + escape_html(name) +
         "</td><td class=\"links\">" + link("/metrics" + query, "metrics") + " " +
         link("/agent-url" + query, "agent-url") + " " + link("/debug/pprof/" + query, "pprof") +
         "</td></tr>\n";
}

}  // namespace

Task<http::Response> Pages::answer(http::Request request) {
  if (request.method != "GET" && request.method != "HEAD") {
    auto response = http::text_response(405, "only GET is offered here");
    response.headers.emplace_back("Allow", "GET, HEAD");
    co_return response;
  }
  const bool html = request.header("accept").find("text/html") != std::string::npos;
  const std::string path = request.path;
  if (path == "/") co_return index(html);
  if (path == "/sandboxes") co_return sandboxes(html);
  if (path == "/metrics") co_return co_await metrics(std::move(request));
  if (path == "/agent-url") {
    auto response = co_await pass_on(request.parameter("sandbox"), path, "text/plain");
    if (response.status == 200) response.body += "\n";
    co_return response;
  }
  if (path.starts_with("/debug/")) {
    const char* type = path == "/debug/vars" ? "application/json; charset=utf-8" : "text/plain";
    co_return co_await pass_on(request.parameter("sandbox"), http::encode_percent(path), type);
  }
  co_return http::text_response(404, "no such page; / lists them");
}

Task<http::Response> Pages::metrics(http::Request request) {
  if (const std::string& id = request.parameter("sandbox"); !id.empty()) {
    co_return co_await pass_on(id, "/metrics", metrics::kContentType);
  }
  co_return co_await all_metrics(std::move(request));
}

Task<http::Response> Pages::all_metrics(http::Request request) {
  auto only = comma_list(request.parameter("filter_family"));
  const bool with_own = only.empty();
  auto collection = co_await collections_.get();
  Merged::Writer writer(collection->merged, std::move(only));
  http::Response response;
  response.type = metrics::kContentType;
  response.cut = [collection] { return collection->cut; };
  Source text = [writer = std::move(writer),
                 own = with_own ? scraper_.own_figures()
                                : std::string()](std::string* piece) mutable {
    piece->append(std::exchange(own, {}));
    return writer.next_piece(piece);
  };
  if (takes_gzip(request.header("accept-encoding"))) {
    response.headers.emplace_back("Content-Encoding", "gzip");
    text = gzip(std::move(text));
  }
  response.more = std::move(text);
  co_return response;
}

Task<http::Response> Pages::pass_on(std::string id, std::string target, std::string type) {
  const Sandbox sandbox = find_sandbox(roots_, id);
  if (sandbox.id.empty()) {
    co_return http::text_response(400,
                                  "sandbox not found: ?sandbox=ID has to name one of /sandboxes");
  }
  http::Ask ask;
  ask.socket = sandbox.socket;
  ask.target = std::move(target);
  ask.max_body = kMaxText;
  auto text = co_await http::ask_text(std::move(ask));
  if (!text) co_return http::error_response(text.error());
  http::Response response;
  response.type = std::move(type);
  response.body = std::move(*text);
  co_return response;
}

http::Response Pages::index(bool html) const {
  if (html) {
    std::string body = "<table>\n<tr><th>page</th><th>content</th></tr>\n";
    for (const Page& page : kPages) {
      const std::string name =
          page.needs_sandbox ? escape_html(page.path) : link(page.path, page.path);
      body += "<tr><td>" + name + "</td><td>" + escape_html(page.description) + "</td></tr>\n";
    }
    return html_response(html_page("kata-monitor: sandboxes of this node", body + "</table>\n"));
  }
  size_t longest = 0;
  for (const Page& page : kPages) longest = std::max(longest, std::string(page.path).size());
  std::string text = "Available HTTP endpoints:\n";
  for (const Page& page : kPages) {
    std::string path = page.path;
    path.resize(longest + 3, ' ');
    text += path + ": " + page.description + "\n";
  }
  return http::text_response(200, text);
}

http::Response Pages::sandboxes(bool html) const {
  const auto all = list_sandboxes(roots_);
  std::string text;
  for (const Sandbox& sandbox : all) text += html ? sandbox_row(sandbox) : sandbox.id + "\n";
  if (html) {
    const std::string head = "<p>" + std::to_string(all.size()) + " sandboxes, " +
                             link("/", "all pages") +
                             "</p>\n<table>\n<tr><th>sandbox</th><th>pod</th><th>pages</th></tr>\n";
    return html_response(html_page("Sandboxes", head + text + "</table>\n"));
  }
  http::Response response;
  response.body = std::move(text);
  return response;
}

}  // namespace kata::monitor
