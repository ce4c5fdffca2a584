#pragma once

#include <memory>

#include "agent/oci.pb.h"
#include "base/error.h"

namespace kata::agent {

// A seccomp program compiled from linux.seccomp (libseccomp). Compiled early, when every system
// call is still allowed; load() only hands it to the kernel.
// Rules (facts/agent-behaviour.md section 5): names the library does not know are skipped; the
// conditions of one entry are one rule (AND) unless two of them look at the same argument, which
// makes each a rule of its own; an entry whose action is the default's is skipped; defaultErrnoRet
// is honoured, EPERM without one. Calls newer than the profile: agent/seccomp/unknown_calls.h.
class SeccompFilter {
 public:
  // kInvalidArgument: unknown action, operator, architecture or flag, an entry without names;
  // kUnimplemented: SCMP_ACT_NOTIFY (nobody could answer in the guest).
  static Result<SeccompFilter> compile(const grpc::LinuxSeccomp& profile);

  // Confines the calling thread. Needs no_new_privs or CAP_SYS_ADMIN.
  Status load() const;

  SeccompFilter(SeccompFilter&&) noexcept;
  SeccompFilter& operator=(SeccompFilter&&) noexcept;
  ~SeccompFilter();

 private:
  struct State;
  explicit SeccompFilter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace kata::agent
