#include "agent/rpc/harness.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "agent/rpc/serve.h"
#include "base/file.h"
#include "ttrpc/transport.h"

namespace kata::agent::test {
namespace {

// A root with one static busybox under the names that the tests use.
void make_root(const std::string& root) {
  for (const char* folder : {"", "/bin", "/dev", "/proc", "/sys", "/tmp", "/etc"}) {
    if (auto made = make_dirs(root + folder); !made) panic(made.error().message());
  }
  std::string busybox = read_file("/bin/busybox").value();
  if (auto made = write_file(root + "/bin/busybox", busybox, 0755); !made) panic("busybox");
  for (const char* name : {"sh", "cat", "echo", "sleep", "true", "head", "stty", "yes", "dd"}) {
    if (symlink("busybox", (root + "/bin/" + name).c_str()) < 0) panic("symlink");
  }
}

std::string pod_cgroup() {
  return "/kata-agent-test-" + std::to_string(getpid());
}

std::vector<std::string> cgroup_roots(const CgroupHierarchy& where) {
  if (where.is_v2()) return {where.root()};
  std::vector<std::string> roots;
  for (const auto& [controller, mount] : where.mounts()) roots.push_back(mount);
  return roots;
}

}  // namespace

Harness::Harness() {
  char name[] = "/tmp/kata-agent-test.XXXXXX";
  folder_ = mkdtemp(name);
  socket_path_ = folder_ + "/agent.sock";
  AgentConfig config;
  config.server_addr = "unix://" + socket_path_;
  config.run_dir = folder_ + "/run";
  agent_ = std::make_unique<Agent>(loop_.get_executor(), config, false);
  server_ = std::make_unique<ttrpc::Server>(Code::kInvalidArgument);
  add_all_calls(*server_, *agent_);
  UniqueFd socket = open_server_socket(config.server_addr).value();
  auto listener = ttrpc::Listener::adopt(loop_.get_executor(), std::move(socket));
  spawn(loop_.get_executor(),
        ttrpc::serve_each(
            std::make_shared<ttrpc::Listener>(std::move(*listener)),
            [this](ttrpc::Stream stream) { return server_->serve(std::move(stream)); }));
  client_ = ttrpc::Client::create(wait(ttrpc::connect_unix(socket_path_)).value());
}

Harness::~Harness() {
  for (const auto& container : agent_->sandbox.containers()) (void)remove(container->id());
  client_->close();
  run_for(10ms);
  (void)remove_tree(folder_);
  if (const auto* cgroups = agent_->sandbox.cgroups()) {
    // The folder of the pod stays with the machine; the machine is ours here.
    for (const auto& root : cgroup_roots(*cgroups)) rmdir((root + pod_cgroup()).c_str());
  }
}

grpc::CreateContainerRequest Harness::shell(const std::string& id, const std::string& script) {
  std::string root = folder_ + "/root-" + id;
  make_root(root);
  grpc::CreateContainerRequest request;
  request.set_container_id(id);
  auto* spec = request.mutable_oci();
  spec->set_version("1.0.2");
  spec->set_hostname("box");
  spec->mutable_root()->set_path(root);
  auto* process = spec->mutable_process();
  for (const char* word : {"/bin/sh", "-c"}) process->add_args(word);
  process->add_args(script);
  process->add_env("PATH=/bin");
  process->set_cwd("/");
  auto* proc = spec->add_mounts();
  proc->set_destination("/proc");
  proc->set_type("proc");
  proc->set_source("proc");
  auto* pts = spec->add_mounts();
  pts->set_destination("/dev/pts");
  pts->set_type("devpts");
  pts->set_source("devpts");
  for (const char* word : {"newinstance", "ptmxmode=0666", "mode=0620"}) pts->add_options(word);
  for (const char* type : {"pid", "ipc", "uts", "mount", "network"}) {
    spec->mutable_linux()->add_namespaces()->set_type(type);
  }
  spec->mutable_linux()->set_cgroupspath(pod_cgroup() + "/" + id);
  return request;
}

Status Harness::run_shell(const std::string& id, const std::string& script) {
  TRY_STATUS(call_empty("CreateContainer", shell(id, script)));
  grpc::StartContainerRequest start;
  start.set_container_id(id);
  return call_empty("StartContainer", start);
}

std::string Harness::read_all(const std::string& id, const std::string& exec_id,
                              const std::string& method) {
  grpc::ReadStreamRequest request;
  request.set_container_id(id);
  request.set_exec_id(exec_id);
  request.set_len(32768);
  std::string text;
  while (true) {
    auto reply = call<grpc::ReadStreamResponse>(method, request);
    if (!reply) return text + "[" + reply.error().message() + "]";
    if (reply->data().empty()) return text;
    text += reply->data();
  }
}

int Harness::wait_exit(const std::string& id, const std::string& exec_id) {
  grpc::WaitProcessRequest request;
  request.set_container_id(id);
  request.set_exec_id(exec_id);
  auto reply = call<grpc::WaitProcessResponse>("WaitProcess", request);
  return reply ? reply->status() : -1;
}

Status Harness::remove(const std::string& id) {
  grpc::RemoveContainerRequest request;
  request.set_container_id(id);
  return call_empty("RemoveContainer", request);
}

}  // namespace kata::agent::test
