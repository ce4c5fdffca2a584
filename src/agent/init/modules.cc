#include "agent/init/modules.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string_view>

#include "base/file.h"
#include "base/log.h"

namespace kata::agent {

Status load_module(const std::string& path, const std::string& parameters) {
  constexpr int kCompressed = 4;  // MODULE_INIT_COMPRESSED_FILE
  TRY(UniqueFd file, open_file(path, O_RDONLY));
  int flags = path.ends_with(".ko") ? 0 : kCompressed;
  if (syscall(SYS_finit_module, file.get(), parameters.c_str(), flags) < 0 && errno != EEXIST) {
    return fail_errno("load module " + path);
  }
  return {};
}

void load_listed_modules(const std::string& list_path) {
  auto list = read_file(list_path, 1 << 20);
  if (!list) {
    if (list.error().sys_errno() != ENOENT) log::failure("module list", list.error());
    return;
  }
  std::string_view rest = *list;
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.empty() || line[0] == '#') continue;
    size_t space = line.find(' ');
    std::string parameters;
    if (space != std::string_view::npos) parameters = line.substr(space + 1);
    if (auto loaded = load_module(std::string(line.substr(0, space)), parameters); !loaded) {
      log::failure("kernel module skipped", loaded.error());
    }
  }
}

}  // namespace kata::agent
