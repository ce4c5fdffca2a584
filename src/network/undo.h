#pragma once

#include <map>
#include <string>
#include <string_view>

#include "journal/undo.h"
#include "network/netns.h"

// What the network enters into a sandbox's journal (docs/design/network.md, "Journal"). Every entry
// names the namespace by path, inode and cookie; one that is gone has taken what was in it along.
// A tap is named by its name, which is ours alone; a link of the pod's by its index, as it may be
// renamed and another one may get its name.
namespace kata::network {

inline constexpr std::string_view kTapKind = "tap";          // a tap link of ours
inline constexpr std::string_view kIngressKind = "ingress";  // an ingress qdisc with its filters

journal::Entry tap_entry(const NetnsId& netns, const std::string& tap);
journal::Entry ingress_entry(const NetnsId& netns, int link);

// Undoers of these kinds. `held_netns` is the sandbox's namespace while somebody holds it; it stays
// the caller's and must outlive the map. A namespace without a path can be reached only so.
std::map<std::string, journal::Undoer> undoers(int held_netns = -1);

}  // namespace kata::network
