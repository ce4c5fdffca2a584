#pragma once

#include "base/error.h"
#include "rtnetlink/objects.h"

// Traffic control that ties two links together (facts/runtime-behaviour.md 5.2).
namespace kata::network {

// Sends every frame that comes in on link `from` out on link `to`: an ingress qdisc ffff: with one
// u32 filter that matches all and a mirred redirect. kAlreadyExists when `from` has an ingress
// qdisc already; it is left alone.
Status redirect(nl_sock* socket, int from, int to);
// Whether anything sits where redirect() puts its qdisc.
Result<bool> has_ingress(nl_sock* socket, int link);
// Removes the ingress qdisc with its filters; success when there is none. One with filters that
// are not of redirect()'s kind is somebody else's and stays.
Status remove_redirect(nl_sock* socket, int from);

}  // namespace kata::network
