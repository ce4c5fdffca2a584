#pragma once

#include <string>

// The manual page of configuration.toml, made from the key tables.
namespace kata::cli {

// roff for man(1), section 5.
std::string config_page();

}  // namespace kata::cli
