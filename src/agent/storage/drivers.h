#pragma once

#include "agent/storage/storage_set.h"

// The storage drivers, one file per family; facts/agent-behaviour.md section 7 says what each is
// given.
namespace kata::agent {

// virtio-fs, 9p: source = tag or channel of the share.
Task<Result<StorageMade>> mount_share(const StorageContext&, const grpc::Storage&);
// bind: source = path in the guest.
Task<Result<StorageMade>> mount_bind(const StorageContext&, const grpc::Storage&);
// ephemeral: tmpfs, or hugetlbfs with its pages reserved first.
Task<Result<StorageMade>> mount_ephemeral(const StorageContext&, const grpc::Storage&);
// local: a plain folder of the guest.
Task<Result<StorageMade>> make_local(const StorageContext&, const grpc::Storage&);
// overlayfs: lower layers by option; writable layer below the bundle when asked for.
Task<Result<StorageMade>> mount_overlay(const StorageContext&, const grpc::Storage&);
// blk, mmioblk, nvdimm, scsi: waits for the device, makes a file system when asked for, mounts.
Task<Result<StorageMade>> mount_block(const StorageContext&, const grpc::Storage&);
// watchable-bind: a copy on tmpfs that follows the shared folder, so that inotify works.
Task<Result<StorageMade>> mount_watchable(const StorageContext&, const grpc::Storage&);

// The option words of a storage.
std::vector<std::string> words_of(const grpc::Storage& storage);

}  // namespace kata::agent
