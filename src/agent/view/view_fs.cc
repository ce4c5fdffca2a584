#include "agent/view/view_fs.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "base/file.h"
#include "base/log.h"
#include "base/process.h"

namespace kata::agent {
namespace {

// The kernel refuses to write a request into less; ours never are larger.
constexpr size_t kRequestSize = 16 << 10;
constexpr uint32_t kMaxWrite = 4096;
constexpr uint32_t kMinorVersion = 31;
constexpr uint64_t kForever = 3600;  // seconds: names of files and folders never change
// Node numbers: the root is 1, folder n is n << 8, its files have their kind in the low byte.
constexpr uint64_t kFolderShift = 8;
constexpr uint64_t kFileMask = 0xff;

template <class T>
bool take(std::string_view bytes, T* out) {
  if (bytes.size() < sizeof *out) return false;
  memcpy(out, bytes.data(), sizeof *out);
  return true;
}

template <class T>
std::string_view bytes_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

std::string reply(uint64_t unique, std::string_view body) {
  fuse_out_header header{};
  header.unique = unique;
  header.len = static_cast<uint32_t>(sizeof header + body.size());
  return std::string(bytes_of(header)) + std::string(body);
}

std::string refuse(uint64_t unique, int number) {
  fuse_out_header header{};
  header.unique = unique;
  header.len = sizeof header;
  header.error = -number;
  return std::string(bytes_of(header));
}

bool is_file(uint64_t node) {
  return node != FUSE_ROOT_ID && (node & kFileMask) != 0;
}

fuse_attr attributes(uint64_t node) {
  fuse_attr attr{};
  attr.ino = node;
  attr.mode = is_file(node) ? S_IFREG | 0444 : S_IFDIR | 0555;
  attr.nlink = 1;
  attr.blksize = 4096;
  return attr;
}

std::string hello(uint64_t unique, std::string_view body) {
  fuse_init_in in{};
  // Older kernels send less of it.
  memcpy(&in, body.data(), std::min(body.size(), sizeof in));
  fuse_init_out out{};
  out.major = FUSE_KERNEL_VERSION;
  out.minor = std::min(kMinorVersion, in.minor);
  out.max_readahead = in.max_readahead;
  out.max_write = kMaxWrite;
  out.max_background = 16;
  out.congestion_threshold = 12;
  out.time_gran = 1;
  return reply(unique, bytes_of(out));
}

}  // namespace

Status ViewFs::start(asio::any_io_executor executor, const std::string& mount_point) {
  if (tried_) return started_;
  tried_ = true;
  auto mount_it = [&]() -> Status {
    TRY_STATUS(make_dirs(mount_point, 0755));
    TRY(device_, open_file("/dev/fuse", O_RDWR | O_NONBLOCK));
    const std::string options =
        "fd=" + std::to_string(device_.get()) +
        ",rootmode=40555,user_id=0,group_id=0,allow_other,default_permissions";
    if (mount("kata-view", mount_point.c_str(), "fuse.kata-view",
              MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, options.c_str()) < 0) {
      return fail_errno("mount " + mount_point);
    }
    return {};
  };
  started_ = in_step("views of limited resources", mount_it());
  if (started_) spawn(executor, serve(this));
  return started_;
}

Task<Error> ViewFs::answer_all() {
  const int device = device_.get();
  while (true) {
    auto readable = co_await wait_readable(device);
    if (!readable) co_return std::move(readable.error());
    char buffer[kRequestSize];
    const ssize_t size = ::read(device, buffer, sizeof buffer);
    if (size < 0) {
      if (errno == EAGAIN || errno == EINTR || errno == ENOENT) continue;
      co_return errno_error("read /dev/fuse");  // ENODEV: unmounted
    }
    const std::string reply = answer({buffer, static_cast<size_t>(size)});
    // Who asked may be gone: ENOENT.
    if (!reply.empty()) (void)!::write(device, reply.data(), reply.size());
  }
}

Task<> ViewFs::serve(ViewFs* self) {
  const Error why = co_await self->answer_all();
  log::failure("views of limited resources end", why);
  // Closed, so that whoever reads a view gets an error instead of waiting for ever.
  self->device_.reset();
  self->started_ = fail(Code::kUnavailable, "the views ended: " + why.message());
}

void ViewFs::add(const std::string& id, Maker maker) {
  remove(id);
  folders_[next_++] = Folder{id, std::move(maker), {}};
}

void ViewFs::remove(const std::string& id) {
  std::erase_if(folders_, [&](const auto& entry) { return entry.second.id == id; });
}

bool ViewFs::exists(uint64_t node) const {
  if (node == FUSE_ROOT_ID) return true;
  return (node & kFileMask) <= static_cast<uint64_t>(ViewFile::kOnline) &&
         folders_.contains(node >> kFolderShift);
}

std::string ViewFs::look_up(uint64_t unique, uint64_t parent, std::string_view name) {
  fuse_entry_out out{};
  if (parent == FUSE_ROOT_ID) {
    for (const auto& [number, folder] : folders_) {
      if (folder.id == name) out.nodeid = number << kFolderShift;
    }
  } else if (!is_file(parent) && exists(parent)) {
    for (const ViewPlace& place : kViewPlaces) {
      if (name == place.name) out.nodeid = parent | static_cast<uint64_t>(place.file);
    }
  }
  if (out.nodeid == 0) return refuse(unique, ENOENT);
  // Folders come and go, and an id may come again.
  out.entry_valid = is_file(out.nodeid) ? kForever : 0;
  out.attr_valid = is_file(out.nodeid) ? 0 : kForever;
  out.attr = attributes(out.nodeid);
  return reply(unique, bytes_of(out));
}

const std::string& ViewFs::text_of(uint64_t node, bool from_start) {
  Folder& folder = folders_.at(node >> kFolderShift);
  const auto file = static_cast<ViewFile>(node & kFileMask);
  auto& [text, made] = folder.texts[file];
  const Time now = clock_();
  if (!made || (from_start && now - *made >= kFresh)) {
    text = folder.maker(file);
    made = now;
  }
  return text;
}

std::string ViewFs::read(uint64_t unique, uint64_t node, std::string_view body) {
  fuse_read_in in{};
  if (!take(body, &in) || !is_file(node)) return refuse(unique, EINVAL);
  const std::string_view text = text_of(node, in.offset == 0);
  if (in.offset >= text.size()) return reply(unique, {});
  return reply(unique, text.substr(in.offset, in.size));
}

std::string ViewFs::answer(std::string_view request) {
  fuse_in_header header{};
  if (!take(request, &header)) return {};
  const std::string_view body = request.substr(sizeof header);
  switch (header.opcode) {
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT:
      return {};
    case FUSE_INIT:
      return hello(header.unique, body);
    case FUSE_LOOKUP:
      return look_up(header.unique, header.nodeid, body.substr(0, body.find('\0')));
  }
  if (!exists(header.nodeid)) return refuse(header.unique, ENOENT);
  switch (header.opcode) {
    case FUSE_GETATTR: {
      fuse_attr_out out{};
      out.attr = attributes(header.nodeid);
      if (is_file(header.nodeid)) {
        // Asked at each open, as permissions are to be checked: sendfile(2) ends at this size,
        // read(2) where the text does.
        out.attr.size = text_of(header.nodeid, true).size();
      } else {
        out.attr_valid = kForever;
      }
      return reply(header.unique, bytes_of(out));
    }
    case FUSE_OPEN: {
      if (!is_file(header.nodeid)) return refuse(header.unique, EISDIR);
      fuse_open_out out{};
      out.open_flags = FOPEN_DIRECT_IO;  // each read comes here
      return reply(header.unique, bytes_of(out));
    }
    case FUSE_READ:
      return read(header.unique, header.nodeid, body);
    case FUSE_RELEASE:
      return reply(header.unique, {});
    case FUSE_STATFS: {
      fuse_statfs_out out{};
      out.st.namelen = 255;
      out.st.bsize = 4096;
      return reply(header.unique, bytes_of(out));
    }
    default:
      return refuse(header.unique, ENOSYS);
  }
}

}  // namespace kata::agent
