#pragma once

#include <string>

#include "agent/container/channel.h"
#include "base/error.h"

// Small steps that both kinds of children take.
namespace kata::agent {

// Waits for the agent's next word; anything else, its end too, is a failure.
Status wait_for(ChannelMessage::Kind kind);

// A session, and a session keyring, of its own.
Status new_session(const std::string& container_id);

// uid and gid 0 of a user namespace that was just entered.
Status become_namespace_root();

}  // namespace kata::agent
