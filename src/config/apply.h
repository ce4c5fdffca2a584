#pragma once

#include <span>
#include <string_view>

#include "base/error.h"
#include "config/keys.h"
#include "config/loader.h"
#include "config/toml_tree.h"

// The steps of loading, in order; each one in a file of its own.
namespace kata::config {

// Sections and keys into `loaded->config`, with warnings for what is unknown or has no effect.
Status apply_sections(const Value& document, LoadedConfig* loaded);
// What follows from several keys: dialect differences, limits, contradictions.
Status settle(LoadedConfig* loaded);
// Paths that were left out get the built-in place; all are resolved and must exist.
Status settle_paths(LoadedConfig* loaded);

// "hypervisor.qemu.kernel" for messages and for LoadedConfig::origins.
std::string hypervisor_key(const LoadedConfig& loaded, std::string_view key);
// "FILE:LINE: hypervisor.qemu.kernel: text"; without a place when the key holds its default.
std::unexpected<Error> refuse(const LoadedConfig& loaded, const std::string& key,
                              const std::string& text, Code code = Code::kInvalidArgument);
void warn(LoadedConfig* loaded, const std::string& key, const std::string& text,
          Finding::Kind kind = Finding::Kind::kWarning);
// Puts a failure into the findings and goes on, when that is wanted.
Status noted(LoadedConfig* loaded, Status status);
// "; did you mean X?" or "; it belongs into [runtime]" for an unknown key, else empty.
std::string suggestion(std::string_view name, std::span<const Key> keys);

}  // namespace kata::config
