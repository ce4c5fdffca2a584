#include "agent/container/launch_config.h"

#include <sys/mman.h>

#include <cstring>

#include "base/file.h"

namespace kata::agent {
namespace {

void put_number(std::string* out, uint32_t value) {
  char bytes[sizeof value];
  memcpy(bytes, &value, sizeof value);
  out->append(bytes, sizeof value);
}

void put_text(std::string* out, std::string_view text) {
  put_number(out, static_cast<uint32_t>(text.size()));
  *out += text;
}

// Reads the fields back; after the first short read everything is empty and ok() is false.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  bool ok() const { return ok_; }

  uint32_t number() {
    uint32_t value = 0;
    std::string_view bytes = take(sizeof value);
    if (ok_) memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
  std::string_view text() { return take(number()); }

 private:
  std::string_view take(size_t length) {
    if (!ok_ || rest_.size() < length) {
      ok_ = false;
      return {};
    }
    std::string_view out = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return out;
  }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace

std::string LaunchConfig::encode() const {
  std::string out;
  put_number(&out, static_cast<uint32_t>(mode));
  for (const std::string* text : {&id, &bundle, &rootfs, &view, &hook_kind, &state}) {
    put_text(&out, *text);
  }
  put_text(&out, spec.SerializeAsString());
  for (uint32_t value : {made, uint32_t{cgroup_v2}, pid, static_cast<uint32_t>(enter.size())}) {
    put_number(&out, value);
  }
  for (uint32_t type : enter) put_number(&out, type);
  put_number(&out, static_cast<uint32_t>(cgroup_mounts.size()));
  for (const auto& [mount, path] : cgroup_mounts) {
    put_text(&out, mount);
    put_text(&out, path);
  }
  return out;
}

Result<LaunchConfig> LaunchConfig::decode(std::string_view bytes) {
  LaunchConfig config;
  Reader reader(bytes);
  config.mode = static_cast<Mode>(reader.number());
  for (std::string* text : {&config.id, &config.bundle, &config.rootfs, &config.view,
                            &config.hook_kind, &config.state}) {
    *text = reader.text();
  }
  std::string_view spec = reader.text();
  bool parsed = config.spec.ParseFromArray(spec.data(), static_cast<int>(spec.size()));
  config.made = reader.number();
  config.cgroup_v2 = reader.number() != 0;
  config.pid = reader.number();
  for (uint32_t left = reader.number(); left > 0 && reader.ok(); --left) {
    config.enter.push_back(reader.number());
  }
  for (uint32_t left = reader.number(); left > 0 && reader.ok(); --left) {
    std::string mount(reader.text());
    config.cgroup_mounts.emplace_back(std::move(mount), reader.text());
  }
  if (!reader.ok() || !parsed) return fail(Code::kDataLoss, "launch configuration is damaged");
  return config;
}

Result<UniqueFd> LaunchConfig::to_memfd() const {
  UniqueFd fd(memfd_create("launch", MFD_CLOEXEC));
  if (!fd) return fail_errno("create launch configuration");
  TRY_STATUS(write_all(fd.get(), encode()));
  if (lseek(fd.get(), 0, SEEK_SET) < 0) return fail_errno("rewind launch configuration");
  return fd;
}

Result<LaunchConfig> LaunchConfig::from_fd(int fd) {
  TRY(std::string bytes, read_fd(fd));
  return decode(bytes);
}

}  // namespace kata::agent
