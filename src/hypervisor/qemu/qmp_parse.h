#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

// The stateless parts of QMP.
namespace kata::hypervisor::qemu {

// One line as a JSON object. kDataLoss when it is none or nests deeper than `max_depth`.
Result<nlohmann::json> parse_qmp_line(std::string_view line, int max_depth);
// The "error" member of a reply.
Error qmp_error(const nlohmann::json& error);
// Bytes sent without blocking; the descriptors go with the first of them. 0 = no room now.
Result<size_t> send_with_fds(int socket, std::string_view text, const std::vector<UniqueFd>& fds);

}  // namespace kata::hypervisor::qemu
