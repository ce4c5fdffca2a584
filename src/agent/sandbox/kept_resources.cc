#include "agent/sandbox/kept_resources.h"

namespace kata::agent {

// protobuf merges lists by appending: those that the update names go first.
void keep_resources(const grpc::LinuxResources& update, grpc::LinuxResources* kept) {
  const auto devices = kept->devices();
  if (!update.hugepagelimits().empty()) kept->clear_hugepagelimits();
  if (!update.network().priorities().empty()) kept->mutable_network()->clear_priorities();
  const grpc::LinuxBlockIO& block = update.blockio();
  grpc::LinuxBlockIO* old = kept->mutable_blockio();
  if (!block.weightdevice().empty()) old->clear_weightdevice();
  if (!block.throttlereadbpsdevice().empty()) old->clear_throttlereadbpsdevice();
  if (!block.throttlewritebpsdevice().empty()) old->clear_throttlewritebpsdevice();
  if (!block.throttlereadiopsdevice().empty()) old->clear_throttlereadiopsdevice();
  if (!block.throttlewriteiopsdevice().empty()) old->clear_throttlewriteiopsdevice();
  kept->MergeFrom(update);
  *kept->mutable_devices() = devices;
}

}  // namespace kata::agent
