#include "storage/volume_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <ranges>
#include <set>

#include "base/unique_fd.h"
#include "oci/watched_volume.h"

namespace kata::storage {

namespace {

// kubelet changes a volume by some ten steps, of which the rename of `..data` is the one that
// counts. After this time the others are done, too.
constexpr Clock::duration kSettle = 20ms;
constexpr uint32_t kEvents = IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM | IN_ONLYDIR;

std::string generation_of(const std::string& folder) {
  char target[NAME_MAX + 1];
  const ssize_t n = readlink((folder + "/..data").c_str(), target, sizeof target);
  // A longer or odd one is not kubelet's; the guest looks itself then.
  if (n <= 0 || static_cast<size_t>(n) == sizeof target) return {};
  const std::string name(target, static_cast<size_t>(n));
  const auto odd = [](char c) { return c <= ' ' || c > '~' || c == '/'; };
  return std::ranges::any_of(name, odd) ? std::string() : name;
}

}  // namespace

Result<std::unique_ptr<VolumeWatch>> VolumeWatch::create(asio::any_io_executor executor) {
  UniqueFd notify(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!notify) return fail_errno("inotify (fs.inotify.max_user_instances)");
  return std::unique_ptr<VolumeWatch>(new VolumeWatch(std::move(executor), notify.release()));
}

Status VolumeWatch::add(const std::string& owner, const ConfigVolume& volume) {
  const int number = inotify_add_watch(notify_.native_handle(), volume.host_path.c_str(), kEvents);
  if (number < 0) return fail_errno("watch " + volume.host_path);
  watched_.emplace(number, Watched{owner, volume});
  return {};
}

void VolumeWatch::remove(const std::string& owner) {
  for (auto it = watched_.begin(); it != watched_.end();) {
    if (it->second.owner != owner) {
      ++it;
      continue;
    }
    const int number = it->first;
    it = watched_.erase(it);
    if (!watched_.contains(number)) (void)inotify_rm_watch(notify_.native_handle(), number);
  }
}

std::vector<int> VolumeWatch::drain() {
  std::set<int> numbers;
  alignas(inotify_event) char buffer[8192];
  ssize_t got = 0;
  while ((got = read(notify_.native_handle(), buffer, sizeof buffer)) > 0) {
    for (ssize_t at = 0; at < got;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
      if (event->mask & IN_Q_OVERFLOW) {
        for (int number : std::views::keys(watched_)) numbers.insert(number);
      } else if (event->mask & IN_IGNORED) {
        watched_.erase(event->wd);  // the folder is gone
      } else {
        numbers.insert(event->wd);
      }
      at += static_cast<ssize_t>(sizeof *event + event->len);
    }
  }
  return {numbers.begin(), numbers.end()};
}

Task<Result<std::vector<grpc::Storage>>> VolumeWatch::changed() {
  std::vector<grpc::Storage> storages;
  while (storages.empty()) {
    if (!notify_.is_open()) co_return fail(Code::kCanceled, "the watch ended");
    auto [error] =
        co_await notify_.async_wait(asio::posix::stream_descriptor::wait_read, use_tuple);
    if (error) co_return fail(Code::kCanceled, "the watch ended");
    co_await sleep_for(kSettle);
    if (!notify_.is_open()) co_return fail(Code::kCanceled, "the watch ended");
    for (int number : drain()) {
      const auto [begin, end] = watched_.equal_range(number);
      for (auto it = begin; it != end; ++it) {
        grpc::Storage storage = it->second.volume.storage;
        if (std::string now = generation_of(it->second.volume.host_path); !now.empty()) {
          storage.add_driver_options(std::string(oci::kGeneration) + "=" + now);
        }
        storages.push_back(std::move(storage));
      }
    }
  }
  co_return storages;
}

void VolumeWatch::close() {
  boost::system::error_code ignored;
  notify_.close(ignored);
}

}  // namespace kata::storage
