#pragma once

#include <string>

#include "base/error.h"
#include "config/keys.h"
#include "config/pod_keys.h"
#include "config/toml_tree.h"

namespace kata::config {

// The text of an annotation as a value of the type that the key holds. Booleans take the words of
// Go's ParseBool, sizes in MiB also "512Mi" and "4Gi", lists are JSON for virtio_fs_extra_args,
// ';'-separated for kernel_modules, else blank-separated.
Result<Value> pod_value(const PodKey& pod_key, const Key& key, const std::string& text,
                        Config& config);

}  // namespace kata::config
