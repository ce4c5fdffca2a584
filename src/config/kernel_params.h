#pragma once

#include <string>
#include <string_view>

namespace kata::config {

// Guest kernel command lines: `over` takes out every parameter of `base` with the same name, then
// follows it. Quoted values ("a=\"b c\"") stay whole.
std::string merge_kernel_params(std::string_view base, std::string_view over);

}  // namespace kata::config
