#include "agent/sandbox/kept_resources.h"

#include <gtest/gtest.h>

namespace kata::agent {
namespace {

grpc::LinuxResources full() {
  grpc::LinuxResources all;
  all.add_devices()->set_access("rwm");
  all.add_hugepagelimits()->set_limit(1);
  all.mutable_network()->add_priorities()->set_name("eth0");
  auto* block = all.mutable_blockio();
  block->add_weightdevice();
  block->add_throttlereadbpsdevice();
  block->add_throttlewritebpsdevice();
  block->add_throttlereadiopsdevice();
  block->add_throttlewriteiopsdevice();
  (*all.mutable_unified())["memory.high"] = "1";
  all.mutable_cpu()->set_cpus("0-1");
  return all;
}

TEST(KeptResources, TheSameUpdateAgainAndAgainDoesNotGrowTheSpec) {
  grpc::LinuxResources kept = full();
  const size_t size = kept.ByteSizeLong();
  for (int i = 0; i < 100; ++i) keep_resources(full(), &kept);
  EXPECT_EQ(kept.ByteSizeLong(), size);
}

TEST(KeptResources, WhatAnUpdateNamesReplacesAndTheRestStays) {
  grpc::LinuxResources kept = full(), update;
  update.add_hugepagelimits()->set_limit(7);
  update.mutable_memory()->set_limit(99);
  (*update.mutable_unified())["memory.high"] = "2";
  keep_resources(update, &kept);
  ASSERT_EQ(kept.hugepagelimits_size(), 1);
  EXPECT_EQ(kept.hugepagelimits(0).limit(), 7u);
  EXPECT_EQ(kept.memory().limit(), 99);
  EXPECT_EQ(kept.unified().at("memory.high"), "2");
  EXPECT_EQ(kept.cpu().cpus(), "0-1");
  EXPECT_EQ(kept.blockio().weightdevice_size(), 1);
  EXPECT_EQ(kept.network().priorities_size(), 1);
  EXPECT_EQ(kept.devices_size(), 1);
}

}  // namespace
}  // namespace kata::agent
