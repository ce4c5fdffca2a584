#include <algorithm>

#include "base/file.h"
#include "base/log.h"
#include "containerd/events.pb.h"
#include "oci/annotations.h"
#include "oci/namespaces.h"
#include "oci/spec.h"
#include "shim/events/topics.h"
#include "shim/runtime_options.h"
#include "shim/task/service.h"

namespace kata::shim {

using namespace containerd::task::v2;

namespace {

// Time a Shutdown waits for the VM's end; containerd gives up after 3 s.
constexpr auto kStopLimit = 2500ms;

std::vector<storage::RootfsMount> rootfs_mounts(const CreateTaskRequest& request) {
  std::vector<storage::RootfsMount> mounts;
  for (const auto& mount : request.rootfs()) {
    mounts.push_back({mount.type(),
                      mount.source(),
                      mount.target(),
                      {mount.options().begin(), mount.options().end()}});
  }
  return mounts;
}

containerd::events::TaskCreate create_event(const CreateTaskRequest& request, uint32_t pid) {
  containerd::events::TaskCreate event;
  event.set_container_id(request.id());
  event.set_bundle(request.bundle());
  *event.mutable_rootfs() = request.rootfs();
  event.mutable_io()->set_stdin(request.stdin());
  event.mutable_io()->set_stdout(request.stdout());
  event.mutable_io()->set_stderr(request.stderr());
  event.mutable_io()->set_terminal(request.terminal());
  event.set_pid(pid);
  return event;
}

// For the `delete` action, which may run when we are gone.
void write_pid_file(const TaskRecord& task) {
  auto written = write_file(task.bundle + "/init.pid", std::to_string(task.pid));
  if (!written) log::failure("no pid file", written.error(), {{"container", task.id}});
}

}  // namespace

Task<Result<CreateTaskResponse>> TaskService::create(CreateTaskRequest request) {
  CO_TRY_STATUS(oci::check_id(request.id()));
  if (!request.checkpoint().empty()) {
    co_return fail(Code::kUnimplemented, "a VM cannot be restored from a checkpoint");
  }
  if (tasks_.contains(request.id()) || !creating_.insert(request.id()).second) {
    co_return fail(Code::kAlreadyExists, "container " + request.id());
  }
  auto task = co_await make_task(request);
  creating_.erase(request.id());
  if (!task) {
    log::failure("create failed", task.error(), {{"container", request.id()}});
    co_return std::unexpected(std::move(task.error()));
  }
  tasks_[request.id()] = *task;
  write_pid_file(**task);
  publisher_.publish(topics::kCreate, create_event(request, (*task)->pid));
  // The VM died after the container was made: its exits were reported to nobody.
  if ((*task)->container->state() == runtime::Container::State::kStopped) {
    publish_exit(**task, "", (*task)->init->process->exited().value());
  }
  CreateTaskResponse response;
  response.set_pid((*task)->pid);
  co_return response;
}

// On failure nothing is left: neither a stream, nor the container, nor a sandbox made for it.
Task<Result<std::shared_ptr<TaskRecord>>> TaskService::make_task(CreateTaskRequest& request) {
  CO_TRY(grpc::Spec spec, oci::load_bundle(request.bundle()));
  if (crio_) oci::drop_unfiltered(&spec);
  StdioPaths paths{request.stdin(), request.stdout(), request.stderr(), request.terminal()};
  auto opened = co_await stdio_.open(paths, request.id());
  CO_TRY(runtime::ProcessIo io, std::move(opened));
  bool made_sandbox = false;
  CO_TRY_STATUS(co_await ensure_sandbox(request, &spec, &made_sandbox));
  runtime::ContainerRequest wanted;
  wanted.id = request.id();
  wanted.bundle = request.bundle();
  wanted.rootfs = rootfs_mounts(request);
  wanted.spec = std::move(spec);
  wanted.terminal = request.terminal();
  auto container = co_await slot_.get()->create_container(std::move(wanted));
  if (!container) {
    if (made_sandbox) co_await slot_.discard();
    co_return std::unexpected(std::move(container.error()));
  }
  auto task = std::make_shared<TaskRecord>();
  task->id = request.id();
  task->bundle = request.bundle();
  task->pid = static_cast<uint32_t>(slot_.get()->pid());
  task->container = *container;
  task->init = std::make_shared<ProcessRecord>(executor_, (*container)->init(), std::move(paths));
  task->init->opened = std::move(io);
  co_return task;
}

// With CRI-O the author of a pod can say of its pause container that it belongs to another pod. The
// network namespace is not theirs to choose.
Status TaskService::check_join(const grpc::Spec& spec) const {
  if (!crio_ || oci::network_namespace(spec).path == netns_path_) return {};
  return fail(Code::kPermissionDenied,
              "the container has another network namespace than the sandbox that it names: it is "
              "none of that pod's");
}

// A container of a pod joins the shim's sandbox; everything else makes it.
Task<Status> TaskService::ensure_sandbox(const CreateTaskRequest& request, grpc::Spec* spec,
                                         bool* made) {
  CO_TRY(auto type, oci::container_type(*spec));
  if (type == oci::ContainerType::kSingleContainer && !slot_.held_as().empty()) {
    // A client other than CRI: it says by the connection what the container belongs to.
    oci::make_pod_container(spec, slot_.held_as());
    type = oci::ContainerType::kPodContainer;
  }
  if (type == oci::ContainerType::kPodContainer) {
    if (slot_.get()) co_return check_join(*spec);
    co_return fail(Code::kFailedPrecondition, "the sandbox of the pod does not run");
  }
  runtime::SandboxRequest wanted;
  wanted.id = request.id();
  wanted.bundle = request.bundle();
  wanted.config_path = config_path_of(request.options());
  wanted.spec = *spec;
  netns_path_ = oci::network_namespace(*spec).path;
  CO_TRY_STATUS(co_await slot_.make(std::move(wanted), *this));
  *made = true;
  co_return Status{};
}

Task<Result<StartResponse>> TaskService::start(StartRequest request) {
  CO_TRY(auto task, find_task(request.id()));
  CO_TRY(auto process, find_process(request.id(), request.exec_id()));
  if (!process->settled.is_set()) {
    co_return fail(Code::kFailedPrecondition, "a start of this process is under way");
  }
  if (!request.exec_id().empty() &&
      task->container->state() == runtime::Container::State::kStopped) {
    co_return fail(Code::kFailedPrecondition, "container " + request.id() + " is stopped");
  }
  process->settled = Event(executor_);
  const std::string& process_id = request.exec_id().empty() ? request.id() : request.exec_id();
  auto started = co_await start_process(process, process_id);
  if (started) publish_started(*task, request.exec_id());
  // Of an exec that never ran containerd expects no exit event; its Wait is answered all the same.
  if (process->held_exit && (started || request.exec_id().empty())) {
    publish_exit(*task, request.exec_id(), *process->held_exit);
  }
  process->held_exit.reset();
  process->settled.set();
  if (!started) co_return std::unexpected(std::move(started.error()));
  StartResponse response;
  response.set_pid(task->pid);
  co_return response;
}

Task<Status> TaskService::start_process(std::shared_ptr<ProcessRecord> process,
                                        std::string process_id) {
  if (process->process->state() != runtime::Process::State::kCreated) {
    co_return fail(Code::kFailedPrecondition, "cannot start a process that is not just created");
  }
  runtime::ProcessIo io = std::move(process->opened);
  if (!process->process->is_init()) {
    auto opened = co_await stdio_.open(process->stdio, process_id);
    if (!opened) {
      process->process->exited().set({255, std::chrono::system_clock::now(), ""});
      co_return std::unexpected(std::move(opened.error()));
    }
    io = std::move(*opened);
  }
  if (process->stdin_closed && io.in) io.in->close_writer();
  co_return co_await process->process->start(std::move(io));
}

Task<Result<kata::wkt::Empty>> TaskService::shutdown(ShutdownRequest request) {
  const bool creates_another =
      std::ranges::any_of(creating_, [&](const std::string& id) { return id != request.id(); });
  if (!tasks_.empty() || creates_another) co_return Empty();
  // Where the Sandbox service holds the pod, the end of its containers is not that of the shim;
  // only `delete` names the sandbox itself.
  if (!slot_.held_as().empty() && request.id() != slot_.held_as()) co_return Empty();
  [[maybe_unused]] const bool stopped = co_await slot_.stop(kStopLimit);
  // The answer is queued before whoever waits for this event runs.
  shutdown_.set();
  co_return Empty();
}

}  // namespace kata::shim
