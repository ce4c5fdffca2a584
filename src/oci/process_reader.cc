#include "oci/readers.h"

namespace kata::oci {
namespace {

void read_user(const JsonObject& json, grpc::User* user) {
  KATA_OCI_SET(user, uid, json.number<uint32_t>("uid"));
  KATA_OCI_SET(user, gid, json.number<uint32_t>("gid"));
  KATA_OCI_SET(user, umask, json.number<uint32_t>("umask"));
  KATA_OCI_SET(user, username, json.text("username"));
  json.numbers("additionalGids", [&](uint32_t gid) { user->add_additionalgids(gid); });
}

void read_capabilities(const JsonObject& json, grpc::LinuxCapabilities* caps) {
  json.texts("bounding", [&](std::string name) { caps->add_bounding(std::move(name)); });
  json.texts("effective", [&](std::string name) { caps->add_effective(std::move(name)); });
  json.texts("inheritable", [&](std::string name) { caps->add_inheritable(std::move(name)); });
  json.texts("permitted", [&](std::string name) { caps->add_permitted(std::move(name)); });
  json.texts("ambient", [&](std::string name) { caps->add_ambient(std::move(name)); });
}

void read_scheduler(const JsonObject& json, grpc::Scheduler* scheduler) {
  KATA_OCI_SET(scheduler, policy, json.text("policy"));
  KATA_OCI_SET(scheduler, nice, json.number<int32_t>("nice"));
  KATA_OCI_SET(scheduler, priority, json.number<int32_t>("priority"));
  json.texts("flags", [&](std::string flag) { scheduler->add_flags(std::move(flag)); });
  KATA_OCI_SET(scheduler, runtime, json.number<uint64_t>("runtime"));
  KATA_OCI_SET(scheduler, deadline, json.number<uint64_t>("deadline"));
  KATA_OCI_SET(scheduler, period, json.number<uint64_t>("period"));
}

}  // namespace

void read_process(const JsonObject& json, grpc::Process* process) {
  KATA_OCI_SET(process, terminal, json.flag("terminal"));
  json.object("consoleSize", [&](const JsonObject& part) {
    KATA_OCI_SET(process->mutable_consolesize(), height, part.number<uint32_t>("height"));
    KATA_OCI_SET(process->mutable_consolesize(), width, part.number<uint32_t>("width"));
  });
  json.object("user", [&](const JsonObject& part) { read_user(part, process->mutable_user()); });
  json.texts("args", [&](std::string word) { process->add_args(std::move(word)); });
  json.texts("env", [&](std::string word) { process->add_env(std::move(word)); });
  KATA_OCI_SET(process, cwd, json.text("cwd"));
  json.object("capabilities", [&](const JsonObject& part) {
    read_capabilities(part, process->mutable_capabilities());
  });
  json.objects("rlimits", [&](const JsonObject& entry) {
    grpc::POSIXRlimit* limit = process->add_rlimits();
    KATA_OCI_SET(limit, type, entry.text("type"));
    KATA_OCI_SET(limit, hard, entry.number<uint64_t>("hard"));
    KATA_OCI_SET(limit, soft, entry.number<uint64_t>("soft"));
  });
  KATA_OCI_SET(process, nonewprivileges, json.flag("noNewPrivileges"));
  KATA_OCI_SET(process, apparmorprofile, json.text("apparmorProfile"));
  KATA_OCI_SET(process, selinuxlabel, json.text("selinuxLabel"));
  if (auto score = json.number<int32_t>("oomScoreAdj")) {
    process->set_oomscoreadj(*score);
    process->set_oomscoreadjset(true);
  }
  json.object("ioPriority", [&](const JsonObject& part) {
    KATA_OCI_SET(process->mutable_iopriority(), class_, part.text("class"));
    KATA_OCI_SET(process->mutable_iopriority(), priority, part.number<int32_t>("priority"));
  });
  json.object("scheduler",
              [&](const JsonObject& part) { read_scheduler(part, process->mutable_scheduler()); });
}

}  // namespace kata::oci
