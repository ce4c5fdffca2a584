#pragma once

#include <string>
#include <vector>

#include "agent/oci.pb.h"
#include "base/error.h"

namespace kata::agent {

// The environment of a process as the kernel gets it: the last of several values wins, HOME comes
// from the container's /etc/passwd (else "/") when it is absent or empty. Called inside the
// container's root, before the program runs. The file is the image's: size and lines are bounded.
std::vector<std::string> make_environment(const grpc::Process& process);

// Home directory of `uid` in a passwd text; empty when it names none.
std::string home_of(std::string_view passwd, uint32_t uid);

// The program to execute, found like a shell does: a name with a slash is a path, another one is
// looked up in PATH of `environment`. Texts: `exec: "foo": executable file not found in $PATH`
// (kNotFound), `exec: "/x": stat /x: no such file or directory` (kNotFound), `exec: "/x":
// permission denied` (kPermissionDenied).
Result<std::string> find_program(const std::string& name,
                                 const std::vector<std::string>& environment);

}  // namespace kata::agent
