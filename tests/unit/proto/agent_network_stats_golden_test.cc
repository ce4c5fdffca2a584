// Agent network and statistics messages against bytes encoded by hand from the wire tables.
#include "proto/wire_text.h"

#include "agent/agent.pb.h"

namespace {

using kata::test::expect_golden;

TEST(AgentGolden, UpdateInterface) {
  grpc::UpdateInterfaceRequest request;
  auto& nic = *request.mutable_interface();
  nic.set_device("tap");
  nic.set_name("eth0");
  auto& address = *nic.add_ipaddresses();
  address.set_family(types::v6);
  address.set_address("::1");
  address.set_mask("128");
  nic.set_mtu(1500);
  nic.set_hwaddr("02:00:00:00:00:01");
  nic.set_devicepath("02/01");
  nic.set_type("veth");
  nic.set_raw_flags(128);
  expect_golden(request,
                "0a 3f 0a 03 'tap' 12 04 'eth0' 1a 0c 08 01 12 03 '::1' 1a 03 '128' 20 dc 0b"
                "      2a 11 '02:00:00:00:00:01' 32 05 '02/01' 3a 04 'veth' 40 80 01");
}

TEST(AgentGolden, UpdateRoutes) {
  grpc::UpdateRoutesRequest request;
  auto& route = *request.mutable_routes()->add_routes();
  route.set_dest("10.0.0.0/8");
  route.set_gateway("10.0.0.1");
  route.set_device("eth0");
  route.set_scope(253);
  route.set_flags(4);
  route.set_mtu(1500);
  expect_golden(request,
                "0a 26 0a 24 0a 0a '10.0.0.0/8' 12 08 '10.0.0.1' 1a 04 'eth0' 28 fd 01 38 04"
                "            40 dc 0b");
}

TEST(AgentGolden, AddArpNeighbors) {
  grpc::AddARPNeighborsRequest request;
  auto& neighbour = *request.mutable_neighbors()->add_arpneighbors();
  neighbour.mutable_toipaddress()->set_address("10.0.0.2");
  neighbour.set_device("eth0");
  neighbour.set_lladdr("02:00:00:00:00:02");
  neighbour.set_state(128);
  neighbour.set_flags(2);
  expect_golden(request,
                "0a 2c 0a 2a 0a 0a 12 08 '10.0.0.2' 12 04 'eth0' 1a 11 '02:00:00:00:00:02'"
                "            20 80 01 28 02");
}

void fill_memory(grpc::MemoryStats& memory) {
  memory.set_cache(5);
  auto& usage = *memory.mutable_usage();
  usage.set_usage(1);
  usage.set_max_usage(2);
  usage.set_failcnt(3);
  usage.set_limit(4);
  memory.set_use_hierarchy(true);
  (*memory.mutable_stats())["rss"] = 7;
}

void fill_network(grpc::NetworkStats& network) {
  network.set_name("eth0");
  network.set_rx_bytes(1);
  network.set_rx_packets(2);
  network.set_rx_errors(3);
  network.set_rx_dropped(4);
  network.set_tx_bytes(5);
  network.set_tx_packets(6);
  network.set_tx_errors(7);
  network.set_tx_dropped(8);
}

TEST(AgentGolden, StatsContainer) {
  grpc::StatsContainerResponse response;
  auto& cgroup = *response.mutable_cgroup_stats();
  auto& cpu = *cgroup.mutable_cpu_stats()->mutable_cpu_usage();
  cpu.set_total_usage(1000);
  cpu.add_percpu_usage(1);
  cpu.add_percpu_usage(2);
  cpu.set_usage_in_kernelmode(3);
  cpu.set_usage_in_usermode(4);
  auto& throttling = *cgroup.mutable_cpu_stats()->mutable_throttling_data();
  throttling.set_periods(1);
  throttling.set_throttled_periods(2);
  throttling.set_throttled_time(3);
  fill_memory(*cgroup.mutable_memory_stats());
  cgroup.mutable_pids_stats()->set_current(2);
  cgroup.mutable_pids_stats()->set_limit(100);
  auto& io = *cgroup.mutable_blkio_stats()->add_io_service_bytes_recursive();
  io.set_major(253);
  io.set_minor(16);
  io.set_op("read");
  io.set_value(4096);
  auto& huge = (*cgroup.mutable_hugetlb_stats())["2MB"];
  huge.set_usage(1);
  huge.set_max_usage(2);
  huge.set_failcnt(3);
  fill_network(*response.add_network_stats());
  expect_golden(response,
                "0a 57"
                "  0a 15 0a 0b 08 e8 07 12 02 01 02 18 03 20 04 12 06 08 01 10 02 18 03"
                "  12 17 08 05 12 08 08 01 10 02 18 03 20 04 28 01 32 07 0a 03 'rss' 10 07"
                "  1a 04 08 02 10 64"
                "  22 10 0a 0e 08 fd 01 10 10 1a 04 'read' 20 80 20"
                "  2a 0d 0a 03 '2MB' 12 06 08 01 10 02 18 03"
                "12 16 0a 04 'eth0' 10 01 18 02 20 03 28 04 30 05 38 06 40 07 48 08");
}

TEST(AgentGolden, VolumeStats) {
  grpc::VolumeStatsResponse response;
  auto& usage = *response.add_usage();
  usage.set_available(1);
  usage.set_total(2);
  usage.set_used(3);
  usage.set_unit(grpc::VolumeUsage::BYTES);
  response.mutable_volume_condition()->set_message("OK");
  expect_golden(response, "0a 08 08 01 10 02 18 03 20 01 12 04 12 02 'OK'");
}

}  // namespace
