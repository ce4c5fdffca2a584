#include "journal/journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/file.h"
#include "base/log.h"

namespace kata::journal {

namespace {

// A line that begins so takes an entry back.
constexpr char kDone = '-';
// Lines beyond twice the entries that count before the file is written anew.
constexpr size_t kSlack = 256;

void strike(std::vector<Entry>* live, const Entry& entry) {
  auto found = std::find(live->rbegin(), live->rend(), entry);
  if (found != live->rend()) live->erase(std::next(found).base());
}

}  // namespace

Result<std::vector<Entry>> read_journal(const std::string& path, size_t* lines) {
  std::vector<Entry> live;
  size_t count = 0;
  auto text = read_file(path);
  if (!text) {
    if (text.error().sys_errno() != ENOENT) return std::unexpected(std::move(text.error()));
    text = std::string();
  }
  for (size_t begin = 0; begin < text->size(); ++count) {
    size_t end = std::min(text->find('\n', begin), text->size());
    std::string_view line = std::string_view(*text).substr(begin, end - begin);
    begin = end + 1;
    if (line.empty()) continue;
    const bool done = line[0] == kDone;
    if (done) line.remove_prefix(1);
    auto entry = decode(line);
    if (!entry) {
      log::warn("a broken line of the resource journal is skipped",
                {{"journal", path}, {"line", std::string(line.substr(0, 256))}});
    } else if (done) {
      strike(&live, *entry);
    } else {
      live.push_back(std::move(*entry));
    }
  }
  if (lines) *lines = count;
  return live;
}

Journal::Journal(Journal&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::move(other.fd_)),
      live_(std::move(other.live_)),
      lines_(other.lines_) {}

Result<Journal> Journal::open(const std::string& path) {
  size_t lines = 0;
  TRY(auto live, in_step("open the resource journal", read_journal(path, &lines)));
  TRY(UniqueFd fd, open_file(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0600));
  Journal journal(path, std::move(fd), std::move(live), lines);
  // Ends a line that a crash cut short.
  if (lines > 0) TRY_STATUS(journal.append("\n"));
  return journal;
}

Status Journal::append(const std::string& line) {
  ssize_t n;
  do {
    n = write(fd_.get(), line.data(), line.size());
  } while (n < 0 && errno == EINTR);
  if (n == static_cast<ssize_t>(line.size())) {
    ++lines_;
    return {};
  }
  if (n < 0) return fail_errno("write " + path_);
  // Nobody else writes, so the piece is what stands at the end. The next entry would continue it.
  struct stat info {};
  if (fstat(fd_.get(), &info) < 0 || ftruncate(fd_.get(), info.st_size - n) < 0) {
    return fail_errno("take back a part of an entry of " + path_);
  }
  return fail(Code::kResourceExhausted, "write " + path_ + ": no space");
}

Status Journal::add(const Entry& entry) {
  std::lock_guard lock(mutex_);
  TRY_STATUS(in_step("note a resource", append(encode(entry) + "\n")));
  live_.push_back(entry);
  return {};
}

Status Journal::done(const Entry& entry) {
  std::lock_guard lock(mutex_);
  if (std::find(live_.begin(), live_.end(), entry) == live_.end()) return {};
  TRY_STATUS(in_step("strike a resource", append(kDone + encode(entry) + "\n")));
  strike(&live_, entry);
  return compact_if_long();
}

Status Journal::compact_if_long() {
  if (lines_ <= 2 * live_.size() + kSlack) return {};
  std::string text;
  for (const auto& entry : live_) text += encode(entry) + "\n";
  TRY_STATUS(in_step("compact the resource journal", write_file_atomic(path_, text)));
  TRY(fd_, open_file(path_, O_WRONLY | O_APPEND | O_NOFOLLOW));
  lines_ = live_.size();
  return {};
}

std::vector<Entry> Journal::live() const {
  std::lock_guard lock(mutex_);
  return live_;
}

}  // namespace kata::journal
