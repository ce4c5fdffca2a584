#include "agent/container/environment.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/container/words.h"
#include "base/file.h"

namespace kata::agent {
namespace {

// Largest passwd file that is looked at.
constexpr size_t kMaxPasswd = 8 << 20;

std::string_view name_of(std::string_view entry) {
  return entry.substr(0, entry.find('='));
}

std::string_view value_of(const std::vector<std::string>& environment, std::string_view name) {
  for (const std::string& entry : environment) {
    if (name_of(entry) == name && entry.size() > name.size()) {
      return std::string_view(entry).substr(name.size() + 1);
    }
  }
  return {};
}

void set_entry(std::vector<std::string>* environment, const std::string& entry) {
  for (std::string& old : *environment) {
    if (name_of(old) == name_of(entry)) {
      old = entry;
      return;
    }
  }
  environment->push_back(entry);
}

std::string container_home(uint32_t uid) {
  // A pipe or device in place of the file must not block us.
  UniqueFd fd(open("/etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat info {};
  if (!fd || fstat(fd.get(), &info) < 0 || !S_ISREG(info.st_mode)) return {};
  auto text = read_fd(fd.get(), kMaxPasswd);
  return text ? home_of(*text, uid) : std::string();
}

// 0 when the file can be executed, else the errno that says why not.
int program_error(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) < 0) return errno;
  if (S_ISDIR(info.st_mode) || !(info.st_mode & 0111)) return EACCES;
  return faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) < 0 ? errno : 0;
}

std::unexpected<Error> program_failure(const std::string& name, const std::string& reason,
                                       int number) {
  Code code = number == EACCES || number == EPERM ? Code::kPermissionDenied : Code::kNotFound;
  return std::unexpected(Error(code, "exec: \"" + name + "\": " + reason, number));
}

}  // namespace

std::string home_of(std::string_view passwd, uint32_t uid) {
  for (std::string_view line : split(passwd, '\n')) {
    auto fields = split(line, ':');
    uint64_t number = 0;
    if (fields.size() < 6 || !parse_u64(fields[2], &number) || number != uid) continue;
    return std::string(fields[5]);
  }
  return {};
}

std::vector<std::string> make_environment(const grpc::Process& process) {
  std::vector<std::string> environment;
  for (const std::string& entry : process.env()) {
    // Without a '=' it is no variable.
    if (entry.find('=') != std::string::npos) set_entry(&environment, entry);
  }
  if (value_of(environment, "HOME").empty()) {
    std::string home = container_home(process.user().uid());
    set_entry(&environment, "HOME=" + (home.empty() ? "/" : home));
  }
  return environment;
}

Result<std::string> find_program(const std::string& name,
                                 const std::vector<std::string>& environment) {
  if (name.find('/') != std::string::npos) {
    int number = program_error(name);
    if (number == 0) return name;
    std::string reason = errno_text(number);
    if (number != EACCES) reason = "stat " + name + ": " + reason;
    return program_failure(name, reason, number);
  }
  if (!name.empty()) {
    for (std::string_view folder : split(value_of(environment, "PATH"), ':')) {
      std::string path = (folder.empty() ? "." : std::string(folder)) + '/' + name;
      if (program_error(path) == 0) return path;
    }
  }
  return program_failure(name, "executable file not found in $PATH", ENOENT);
}

}  // namespace kata::agent
