#include "network/redirect.h"

#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/tc_act/tc_mirred.h>
#include <netlink/errno.h>
#include <netlink/route/act/mirred.h>
#include <netlink/route/action.h>
#include <netlink/route/classifier.h>
#include <netlink/route/cls/u32.h>
#include <netlink/route/qdisc.h>
#include <netlink/route/tc.h>

#include <chrono>
#include <string_view>
#include <thread>

namespace kata::network {

namespace {

using namespace rtnetlink;
using NlQdisc = std::unique_ptr<rtnl_qdisc, NlFree<&rtnl_qdisc_put>>;
using NlFilter = std::unique_ptr<rtnl_cls, NlFree<&rtnl_cls_put>>;
using NlAction = std::unique_ptr<rtnl_act, NlFree<&rtnl_act_put>>;

constexpr uint32_t kIngress = TC_H_MAKE(0xffffU << 16, 0);  // "ffff:"

NlQdisc ingress_qdisc(int link) {
  NlQdisc qdisc(rtnl_qdisc_alloc());
  rtnl_tc_set_ifindex(TC_CAST(qdisc.get()), link);
  rtnl_tc_set_parent(TC_CAST(qdisc.get()), TC_H_INGRESS);
  rtnl_tc_set_handle(TC_CAST(qdisc.get()), kIngress);
  rtnl_tc_set_kind(TC_CAST(qdisc.get()), "ingress");
  return qdisc;
}

// A link that is being set up answers "busy" for a moment.
Status add_ingress(nl_sock* socket, int link) {
  constexpr int kTries = 8;
  auto pause = std::chrono::milliseconds(5);
  for (int attempt = 0;; ++attempt) {
    int code = rtnl_qdisc_add(socket, ingress_qdisc(link).get(), NLM_F_CREATE | NLM_F_EXCL);
    if (code >= 0) return {};
    if (code != -NLE_BUSY || attempt == kTries) return fail_nl("add ingress qdisc", code);
    std::this_thread::sleep_for(pause);
    pause *= 2;
  }
}

Result<NlFilter> redirect_filter(int from, int to) {
  NlAction action(rtnl_act_alloc());
  rtnl_tc_set_kind(TC_CAST(action.get()), "mirred");
  rtnl_mirred_set_action(action.get(), TCA_EGRESS_REDIR);
  rtnl_mirred_set_policy(action.get(), TC_ACT_STOLEN);
  rtnl_mirred_set_ifindex(action.get(), static_cast<uint32_t>(to));
  NlFilter filter(rtnl_cls_alloc());
  rtnl_tc_set_ifindex(TC_CAST(filter.get()), from);
  rtnl_tc_set_parent(TC_CAST(filter.get()), kIngress);
  rtnl_tc_set_kind(TC_CAST(filter.get()), "u32");
  rtnl_cls_set_protocol(filter.get(), ETH_P_ALL);
  int code = rtnl_u32_set_cls_terminal(filter.get());
  if (code >= 0) code = rtnl_u32_add_key_uint32(filter.get(), 0, 0, 0, 0);
  if (code >= 0) code = rtnl_u32_add_action(filter.get(), action.get());
  if (code < 0) return fail_nl("build redirect filter", code);
  return filter;
}

// The qdisc in the place of ours, of whatever kind; null when there is none.
Result<NlQdisc> find_ingress(nl_sock* socket, int link) {
  nl_cache* raw = nullptr;
  if (int code = rtnl_qdisc_alloc_cache(socket, &raw); code < 0)
    return fail_nl("list qdiscs", code);
  NlCache qdiscs(raw);
  NlQdisc found;
  for_each<rtnl_qdisc>(raw, [&](rtnl_qdisc* qdisc) {
    if (rtnl_tc_get_ifindex(TC_CAST(qdisc)) != link) return;
    if (rtnl_tc_get_parent(TC_CAST(qdisc)) != TC_H_INGRESS) return;
    nl_object_get(OBJ_CAST(qdisc));
    found.reset(qdisc);
  });
  return found;
}

bool has_kind(rtnl_tc* object, std::string_view kind) {
  const char* own = rtnl_tc_get_kind(object);
  return own && own == kind;
}

// Hash tables, which u32 keeps for itself, are listed too.
bool may_be_ours(rtnl_cls* filter) {
  if (!has_kind(TC_CAST(filter), "u32")) return false;
  if (TC_U32_NODE(rtnl_tc_get_handle(TC_CAST(filter))) == 0) return true;
  rtnl_act* action = rtnl_u32_get_action(filter);
  return action && has_kind(TC_CAST(action), "mirred");
}

Result<bool> is_ours(nl_sock* socket, int link) {
  TRY(NlQdisc qdisc, find_ingress(socket, link));
  if (!qdisc || !has_kind(TC_CAST(qdisc.get()), "ingress")) return false;
  nl_cache* raw = nullptr;
  if (int code = rtnl_cls_alloc_cache(socket, link, kIngress, &raw); code < 0) {
    return fail_nl("list filters", code);
  }
  NlCache filters(raw);
  bool ours = true;
  int nodes = 0;
  for_each<rtnl_cls>(raw, [&](rtnl_cls* filter) {
    ours = ours && may_be_ours(filter);
    if (TC_U32_NODE(rtnl_tc_get_handle(TC_CAST(filter))) != 0) ++nodes;
  });
  return ours && nodes <= 1;
}

}  // namespace

Status redirect(nl_sock* socket, int from, int to) {
  TRY_STATUS(add_ingress(socket, from));
  TRY(NlFilter filter, redirect_filter(from, to));
  int code = rtnl_cls_add(socket, filter.get(), NLM_F_CREATE | NLM_F_EXCL);
  if (code < 0) return fail_nl("add redirect filter", code);
  return {};
}

Result<bool> has_ingress(nl_sock* socket, int link) {
  TRY(NlQdisc found, find_ingress(socket, link));
  return found != nullptr;
}

Status remove_redirect(nl_sock* socket, int from) {
  TRY(bool ours, is_ours(socket, from));
  if (!ours) return {};
  int code = rtnl_qdisc_delete(socket, ingress_qdisc(from).get());
  if (code >= 0) return {};
  // EINVAL: no such qdisc on this link.
  if (code == -NLE_OBJ_NOTFOUND || code == -NLE_NODEV || code == -NLE_INVAL) return {};
  return fail_nl("remove ingress qdisc", code);
}

}  // namespace kata::network
