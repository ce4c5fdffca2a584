#include "agent/container/validate.h"

#include <string_view>

#include "agent/container/limits.h"
#include "agent/container/namespaces.h"
#include "agent/container/sysctls.h"

namespace kata::agent {
namespace {

bool has_namespace(const grpc::Spec& spec, std::string_view type) {
  for (const grpc::LinuxNamespace& ns : spec.linux().namespaces()) {
    if (ns.type() == type) return true;
  }
  return false;
}

Status validate_namespaces(const grpc::Spec& spec) {
  int seen = 0;
  for (const grpc::LinuxNamespace& ns : spec.linux().namespaces()) {
    const NamespaceKind* kind = namespace_by_oci(ns.type());
    if (!kind) return fail(Code::kInvalidArgument, "unknown namespace \"" + ns.type() + "\"");
    if (seen & kind->flag) {
      return fail(Code::kInvalidArgument, "namespace \"" + ns.type() + "\" is given twice");
    }
    seen |= kind->flag;
    bool stays = kind->flag & (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWCGROUP);
    if (stays && !ns.path().empty()) {
      return fail(Code::kUnimplemented, "joining a " + ns.type() + " namespace by path");
    }
  }
  return {};
}

Status validate_id_maps(const grpc::Spec& spec) {
  bool maps = !spec.linux().uidmappings().empty() || !spec.linux().gidmappings().empty();
  if (maps && !has_namespace(spec, "user")) {
    return fail(Code::kInvalidArgument, "user namespace mappings specified, but no user namespace");
  }
  if (has_namespace(spec, "user") && !maps) {
    return fail(Code::kInvalidArgument, "user namespace without mappings");
  }
  return {};
}

}  // namespace

Status validate_process(const grpc::Process& process) {
  if (process.args().empty()) return fail(Code::kInvalidArgument, "process args must not be empty");
  if (!process.cwd().empty() && !process.cwd().starts_with('/')) {
    return fail(Code::kInvalidArgument,
                "cwd must be an absolute path, not \"" + process.cwd() + "\"");
  }
  for (const grpc::POSIXRlimit& limit : process.rlimits()) {
    if (rlimit_resource(limit.type()) < 0) {
      return fail(Code::kInvalidArgument, "unknown rlimit \"" + limit.type() + "\"");
    }
    if (limit.soft() > limit.hard()) {
      return fail(Code::kInvalidArgument,
                  "soft limit of " + limit.type() + " is above its hard limit");
    }
  }
  return {};
}

Status validate_spec(const grpc::Spec& spec) {
  TRY_STATUS(validate_process(spec.process()));
  TRY_STATUS(validate_namespaces(spec));
  TRY_STATUS(validate_id_maps(spec));
  return check_sysctls(spec);
}

}  // namespace kata::agent
