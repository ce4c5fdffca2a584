#include "agent/storage/tree_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <climits>
#include <deque>

#include "base/file.h"
#include "base/path_beneath.h"

namespace kata::agent {
namespace {

constexpr mode_t kPermissions = 07777;
// What is not complete yet. Kubernetes' keys never start like this; the second is the name that
// kubelet uses itself, which those who watch a volume know.
constexpr char kTemporary[] = "..kata_tmp";
constexpr char kDataTemporary[] = "..data_tmp";
// Looks at so many files between two turns of others: each is a call to the host.
constexpr size_t kFilesAtOnce = 16;

// The folder that `path` lies in.
Result<UniqueFd> open_parent(int root, const std::string& path) {
  const size_t slash = path.rfind('/');
  return beneath::open(root, slash == std::string::npos ? "." : path.substr(0, slash),
                       O_PATH | O_DIRECTORY);
}

Status own(int fd, const TreeEntry& entry) {
  if (fchown(fd, entry.uid, entry.gid) < 0) return fail_errno("chown");
  if (fchmod(fd, entry.mode & kPermissions) < 0) return fail_errno("chmod");
  return {};
}

Status rename_into_place(int folder, const char* temporary, const std::string& name) {
  if (renameat(folder, temporary, folder, name.c_str()) < 0) return fail_errno("rename " + name);
  return {};
}

// False when the name has gone meanwhile or is of a type that is not copied.
Result<bool> look_at(int folder, const std::string& name, TreeEntry* entry) {
  struct stat info {};
  if (fstatat(folder, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) < 0) {
    if (errno == ENOENT) return false;
    return fail_errno("stat " + name);
  }
  *entry = {info.st_mode, info.st_uid, info.st_gid, info.st_mtim, info.st_size, {}};
  if (S_ISLNK(info.st_mode)) {
    TRY(entry->link, read_link_at(folder, name));
  }
  return S_ISDIR(info.st_mode) || S_ISREG(info.st_mode) || S_ISLNK(info.st_mode);
}

// Lets other calls of the loop have their turn.
Task<> yield() {
  co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

// At most as much as the entry was said to have: a file that grows meanwhile is copied again.
Task<Status> copy_content(int from, int to, off_t size) {
  constexpr size_t kChunk = 64 << 10;
  std::string chunk(static_cast<size_t>(std::min<off_t>(size, kChunk)), '\0');
  while (size > 0) {
    const size_t want = static_cast<size_t>(std::min<off_t>(size, kChunk));
    const ssize_t got = read(from, chunk.data(), want);
    if (got < 0) co_return fail_errno("read");
    if (got == 0) co_return fail(Code::kAborted, "the file became shorter");
    CO_TRY_STATUS(write_all(to, std::string_view(chunk).substr(0, static_cast<size_t>(got))));
    size -= got;
    if (size > 0) co_await yield();
  }
  co_return Status{};
}

}  // namespace

bool TreeEntry::operator==(const TreeEntry& other) const {
  if (mode != other.mode || uid != other.uid || gid != other.gid) return false;
  // Size and time of a folder or link say nothing that its entries or its end do not.
  if (!S_ISREG(mode)) return link == other.link;
  return size == other.size && changed.tv_sec == other.changed.tv_sec &&
         changed.tv_nsec == other.changed.tv_nsec;
}

Result<std::string> read_link_at(int folder, const std::string& name) {
  char target[PATH_MAX];
  const ssize_t n = readlinkat(folder, name.c_str(), target, sizeof target);
  if (n < 0 && errno == EINVAL) return fail(Code::kNotFound, name + " is no link");
  if (n < 0) return fail_errno("read link " + name);
  return std::string(target, static_cast<size_t>(n));
}

Task<Result<TreeEntries>> scan_tree(int root,
                                    bool (*skip)(const std::string& name, const std::string& word),
                                    std::string word) {
  TreeEntries found;
  std::deque<std::string> folders{""};
  size_t looked = 0;
  while (!folders.empty()) {
    const std::string folder = std::move(folders.front());
    folders.pop_front();
    CO_TRY(UniqueFd fd, beneath::open(root, folder, O_RDONLY | O_DIRECTORY));
    CO_TRY(auto names, list_dir(beneath::fd_path(fd.get())));
    for (const auto& name : names) {
      if (folder.empty() && skip(name, word)) continue;
      if (++looked % kFilesAtOnce == 0) co_await yield();
      const std::string path = folder.empty() ? name : folder + "/" + name;
      TreeEntry entry;
      CO_TRY(bool there, look_at(fd.get(), name, &entry));
      if (!there) continue;
      if (S_ISDIR(entry.mode)) folders.push_back(path);
      found[path] = std::move(entry);
      if (found.size() > kMaxTreeEntries) {
        co_return fail(Code::kResourceExhausted,
                       "more than " + std::to_string(kMaxTreeEntries) + " files");
      }
    }
    co_await yield();
  }
  co_return found;
}

Status write_tree_folder(int root, const std::string& path, const TreeEntry& entry) {
  TRY(UniqueFd parent, open_parent(root, path));
  if (mkdirat(parent.get(), basename(path).c_str(), 0700) < 0 && errno != EEXIST) {
    return fail_errno("mkdir " + path);
  }
  TRY(UniqueFd made, beneath::open(parent.get(), basename(path), O_RDONLY | O_DIRECTORY));
  return in_step(path, own(made.get(), entry));
}

Status write_tree_link(int root, const std::string& path, const TreeEntry& entry) {
  TRY(UniqueFd parent, open_parent(root, path));
  const std::string name = basename(path);
  const char* made = name.c_str();
  // A new one appears at once, as kubelet's do; one that moves does so by a rename.
  if (symlinkat(entry.link.c_str(), parent.get(), made) < 0) {
    if (errno != EEXIST) return fail_errno("symlink " + path);
    made = path == "..data" ? kDataTemporary : kTemporary;
    TRY_STATUS(remove_tree_at(parent.get(), made));
    if (symlinkat(entry.link.c_str(), parent.get(), made) < 0) return fail_errno("symlink " + path);
  }
  if (fchownat(parent.get(), made, entry.uid, entry.gid, AT_SYMLINK_NOFOLLOW) < 0) {
    return fail_errno("chown " + path);
  }
  if (made == name.c_str()) return {};
  return rename_into_place(parent.get(), made, name);
}

Task<Status> write_tree_file(int source, int root, std::string path, TreeEntry entry) {
  co_await yield();
  CO_TRY(UniqueFd parent, open_parent(root, path));
  CO_TRY(UniqueFd from, beneath::open(source, path, O_RDONLY | O_NONBLOCK));
  CO_TRY_STATUS(remove_tree_at(parent.get(), kTemporary));
  constexpr int kNew = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  UniqueFd to(openat(parent.get(), kTemporary, kNew, 0600));
  if (!to) co_return fail_errno("create " + path);
  Status done = co_await copy_content(from.get(), to.get(), entry.size);
  if (done) done = own(to.get(), entry);
  const timespec times[] = {entry.changed, entry.changed};
  if (done && futimens(to.get(), times) < 0) done = fail_errno("set the time");
  if (done) done = rename_into_place(parent.get(), kTemporary, basename(path));
  if (!done) unlinkat(parent.get(), kTemporary, 0);
  co_return in_step(path, std::move(done));
}

Status remove_tree_entry(int root, const std::string& path) {
  auto parent = open_parent(root, path);
  if (!parent) {
    // Gone with its folder, in the place of which there may be something else.
    const int why = parent.error().sys_errno();
    if (why == ENOENT || why == ENOTDIR || why == ELOOP) return {};
    return std::unexpected(std::move(parent.error()));
  }
  return remove_tree_at(parent->get(), basename(path));
}

}  // namespace kata::agent
