#include "cli/management.h"

#include "base/file.h"
#include "cli/sandbox_list.h"
#include "runtime/sandbox_paths.h"

namespace kata::cli {
namespace {

Task<> fetch(http::Ask request, Result<std::string>* text) {
  *text = co_await http::ask_text(std::move(request));
}

Result<std::string> management_socket(const std::string& id) {
  const std::string own = runtime::SandboxPaths(id).management;
  if (path_exists(own)) return own;
  return fail(Code::kNotFound, "sandbox " + id + " has no socket " + own +
                                   "; is it still starting, or has its shim died (`kata-runtime "
                                   "gc` lists those)?");
}

}  // namespace

Result<std::string> ask_shim(const std::string& word, http::Ask request) {
  TRY(const std::string id, find_sandbox(word));
  TRY(request.socket, management_socket(id));
  asio::io_context loop(1);
  Result<std::string> text = fail(Code::kInternal, "not asked");
  spawn(loop.get_executor(), fetch(std::move(request), &text));
  loop.run();
  return in_step("sandbox " + id, std::move(text));
}

}  // namespace kata::cli
