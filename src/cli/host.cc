#include "cli/host.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>

#include "base/command.h"
#include "base/file.h"
#include "base/utf8.h"
#include "hypervisor/accel.h"

namespace kata::cli {
namespace {

constexpr char kServicePath[] =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/kata/bin";

std::string trimmed(std::string text) {
  const size_t first = text.find_first_not_of(" \t\"'");
  const size_t last = text.find_last_not_of(" \t\"'\n");
  return first == std::string::npos ? std::string() : text.substr(first, last - first + 1);
}

void read_cpus(const std::string& text, HostFacts& host) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::string name = trimmed(line.substr(0, colon));
    const std::string value = trimmed(line.substr(colon + 1));
    if (name == "processor") ++host.cpus;
    if (name == "vendor_id") host.cpu_vendor = value;
    if (name == "model name") host.cpu_model = value;
    if (name != "flags") continue;
    std::istringstream words(value);
    for (std::string word; words >> word;) {
      if (word == "vmx" || word == "svm") host.hardware_virtualization = true;
      if (word == "hypervisor") host.is_guest = true;
    }
  }
}

void read_memory(const std::string& text, HostFacts& host) {
  std::istringstream lines(text);
  std::string name, unit;
  for (uint64_t value = 0; lines >> name >> value; std::getline(lines, unit)) {
    if (name == "MemTotal:") host.memory_total = value;
    if (name == "MemFree:") host.memory_free = value;
    if (name == "MemAvailable:") host.memory_available = value;
  }
}

void read_distro(const std::string& text, HostFacts& host) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("NAME=")) host.distro_name = trimmed(line.substr(5));
    if (line.starts_with("VERSION_ID=")) host.distro_version = trimmed(line.substr(11));
  }
}

std::string go_architecture(const std::string& machine) {
  if (machine == "x86_64") return "amd64";
  if (machine == "aarch64") return "arm64";
  return machine;
}

std::string first_existing(const std::vector<std::string>& places) {
  for (const std::string& path : places) {
    if (path_exists(path)) return path;
  }
  return {};
}

bool is_on(const std::string& path) {
  auto text = read_file(path, 16);
  return text && (text->starts_with('Y') || text->starts_with('1'));
}

Task<> run_program(std::vector<std::string> argv, Result<CommandResult>* result) {
  SpawnOptions options;
  options.argv = std::move(argv);
  *result = co_await run_command(options, {.time = 10s, .output = 1 << 20});
}

}  // namespace

HostFacts read_host(const std::string& root) {
  HostFacts host;
  utsname names{};
  if (uname(&names) == 0) {
    host.kernel = names.release;
    host.architecture = go_architecture(names.machine);
  }
  if (auto text = read_file(root + "/proc/cpuinfo")) read_cpus(*text, host);
  if (auto text = read_file(root + "/proc/meminfo")) read_memory(*text, host);
  if (auto text = read_file(root + "/etc/os-release", 1 << 16)) read_distro(*text, host);
  return host;
}

std::string_view VmMode::name() const {
  switch (kind) {
    case Kind::kKvm:
      return "KVM";
    case Kind::kNestedKvm:
      return "nested KVM";
    case Kind::kTcg:
      return "TCG (emulation)";
    case Kind::kNone:
      break;
  }
  return "none";
}

VmMode find_mode(const HostFacts& host, config::Accel wanted) {
  using hypervisor::AccelChoice;
  const AccelChoice choice = wanted == config::Accel::kKvm   ? AccelChoice::kKvm
                             : wanted == config::Accel::kTcg ? AccelChoice::kTcg
                                                             : AccelChoice::kAuto;
  // Without the cache: a check that repeats an old answer is none.
  auto decision = hypervisor::choose_accelerator(choice, "");
  if (!decision) return {VmMode::Kind::kNone, decision.error().message()};
  if (decision->accel == hypervisor::Accelerator::kTcg) {
    return {VmMode::Kind::kTcg, decision->reason};
  }
  if (!host.is_guest) return {VmMode::Kind::kKvm, decision->reason};
  return {VmMode::Kind::kNestedKvm, decision->reason + "; this host is a VM itself"};
}

std::string find_vmm(const config::LoadedConfig* loaded) {
  if (loaded) return loaded->config.hypervisor.path;
  return first_existing({KATA_PREFIX "/bin/qemu-system-x86_64", "/usr/bin/qemu-system-x86_64",
                         "/usr/libexec/qemu-kvm"});
}

std::string find_virtiofsd(const config::LoadedConfig* loaded) {
  if (loaded && !loaded->config.hypervisor.virtio_fs_daemon.empty()) {
    return loaded->config.hypervisor.virtio_fs_daemon;
  }
  return first_existing(
      {KATA_PREFIX "/libexec/virtiofsd", "/usr/libexec/virtiofsd", "/usr/lib/qemu/virtiofsd"});
}

std::string find_program(const std::string& name) {
  const char* own = getenv("PATH");
  std::string path = std::string(own ? own : "") + ":" + kServicePath + ":";
  for (; !path.empty(); path.erase(0, path.find(':') + 1)) {
    const std::string folder = path.substr(0, path.find(':'));
    const std::string program = folder + "/" + name;
    if (folder.starts_with('/') && access(program.c_str(), X_OK) == 0) return program;
  }
  return {};
}

Result<std::string> output_of(std::vector<std::string> argv) {
  const std::string program = argv.at(0);
  asio::io_context loop(1);
  Result<CommandResult> result = fail(Code::kInternal, "not run");
  spawn(loop.get_executor(), run_program(std::move(argv), &result));
  loop.run();
  if (!result) return std::unexpected(std::move(result.error()));
  if (result->timed_out) return fail(Code::kDeadlineExceeded, program + " took too long");
  if (result->status.code != 0) {
    return fail(Code::kInternal, program + " ended with " + std::to_string(result->status.code) +
                                     ": " + std::string(cut_text(result->output, 300)));
  }
  return std::move(result->output);
}

std::string program_version(const std::string& program) {
  if (program.empty()) return "unknown";
  auto said = output_of({program, "--version"});
  const std::string line = said ? said->substr(0, said->find('\n')) : "";
  return line.empty() ? "unknown" : line;
}

std::vector<std::string> guest_protections(const std::string& root) {
  std::vector<std::string> found;
  const std::string amd = root + "/sys/module/kvm_amd/parameters/";
  if (is_on(amd + "sev")) found.emplace_back("sev");
  if (is_on(amd + "sev_snp")) found.emplace_back("snp");
  if (is_on(root + "/sys/module/kvm_intel/parameters/tdx")) found.emplace_back("tdx");
  if (found.empty()) found.emplace_back("none");
  return found;
}

}  // namespace kata::cli
