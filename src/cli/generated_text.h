#pragma once

#include <string>

#include "cli/context.h"

// Texts made from the definitions of the commands.
namespace kata::cli {

std::string bash_completion(const CLI::App& app);
// roff for man(1), section 1.
std::string manual_page(const CLI::App& app);
// Text as roff writes it: nothing in it is a request.
std::string roff(const std::string& text);

}  // namespace kata::cli
