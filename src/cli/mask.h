#pragma once

#include <string>
#include <string_view>

namespace kata::cli {

// Replaces what looks like a secret by ***, in configurations (TOML, JSON), command lines and logs:
// values of names that speak of passwords, tokens, keys and the like, texts between triple quotes
// included; what follows "Bearer" and "Basic"; users and passwords in addresses; private keys in
// PEM form; values of kernel parameters that are not known to be harmless. Rather too much than too
// little: it is for reports that are shown to strangers.
std::string mask_secrets(std::string_view text);

}  // namespace kata::cli
