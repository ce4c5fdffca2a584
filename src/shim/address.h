#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

// Where a sandbox's shim listens (facts/shim-v2.md section 4).
namespace kata::shim {

// Hard-coded in containerd, whatever its state folder is.
inline constexpr char kSocketDir[] = "/run/containerd/s";

// "unix:///run/containerd/s/<sha256 of containerd address, namespace and id joined as one path>".
// An empty containerd address (CRI-O) is left out of the join.
std::string socket_address(std::string_view containerd_address,
                           std::string_view containerd_namespace, std::string_view id,
                           std::string_view socket_dir = kSocketDir);

// Path of a "unix://" address or of a plain path; kInvalidArgument for any other scheme.
Result<std::string> socket_path(std::string_view address);

// The `address` file of a bundle: containerd 1.x and CRI-O reconnect through it.
Status write_address_file(const std::string& bundle, std::string_view address);
Result<std::string> read_address_file(const std::string& bundle);

// Joins non-empty parts with '/' and resolves ".", ".." and double slashes without looking at any
// file: the names must come out the same for every caller.
std::string clean_join(std::initializer_list<std::string_view> parts);

}  // namespace kata::shim
