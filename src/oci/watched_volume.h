#pragma once

#include <string_view>

// What our runtime tells our agent about a `watchable-bind` storage, as driver options. Other
// agents skip them and look at the original every two seconds, as ours does for other runtimes.
namespace kata::oci {

inline constexpr std::string_view kWatchableDriver = "watchable-bind";
// The host watches the original and calls UpdateEphemeralMounts with the storage when it changed.
inline constexpr std::string_view kHostWatches = "io.katacontainers.volume.watched=host";
// Key: where the link `..data` leads on the host.
inline constexpr std::string_view kGeneration = "io.katacontainers.volume.generation";

}  // namespace kata::oci
