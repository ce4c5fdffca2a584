#include "shim/address.h"

#include <sys/types.h>

#include <sha256.h>

#include <vector>

#include "base/file.h"

namespace kata::shim {

namespace {

constexpr std::string_view kUnixScheme = "unix://";
constexpr size_t kMaxAddressFile = 4096;

std::string sha256_hex(std::string_view text) {
  char hex[SHA256_DIGEST_STRING_LENGTH];
  SHA256Data(reinterpret_cast<const uint8_t*>(text.data()), text.size(), hex);
  return hex;
}

}  // namespace

std::string clean_join(std::initializer_list<std::string_view> parts) {
  std::string joined;
  for (std::string_view part : parts) {
    if (part.empty()) continue;
    if (!joined.empty()) joined += '/';
    joined += part;
  }
  if (joined.empty()) return "";
  const bool rooted = joined.front() == '/';
  std::vector<std::string_view> kept;
  for (size_t at = 0; at <= joined.size();) {
    size_t slash = std::min(joined.find('/', at), joined.size());
    std::string_view word = std::string_view(joined).substr(at, slash - at);
    at = slash + 1;
    if (word.empty() || word == ".") continue;
    if (word != "..") {
      kept.push_back(word);
    } else if (!kept.empty() && kept.back() != "..") {
      kept.pop_back();
    } else if (!rooted) {
      kept.push_back(word);
    }
  }
  std::string clean = rooted ? "/" : "";
  for (size_t i = 0; i < kept.size(); ++i) {
    if (i > 0) clean += '/';
    clean += kept[i];
  }
  return clean.empty() ? "." : clean;
}

std::string socket_address(std::string_view containerd_address,
                           std::string_view containerd_namespace, std::string_view id,
                           std::string_view socket_dir) {
  std::string name = sha256_hex(clean_join({containerd_address, containerd_namespace, id}));
  return std::string(kUnixScheme) + std::string(socket_dir) + "/" + name;
}

Result<std::string> socket_path(std::string_view address) {
  if (address.starts_with(kUnixScheme)) address.remove_prefix(kUnixScheme.size());
  if (address.empty() || address.front() != '/') {
    return fail(Code::kInvalidArgument,
                "\"" + std::string(address) + "\" is not the address of a unix socket");
  }
  return std::string(address);
}

Status write_address_file(const std::string& bundle, std::string_view address) {
  return write_file_atomic(bundle + "/address", address, 0600);
}

Result<std::string> read_address_file(const std::string& bundle) {
  TRY(std::string text, read_file(bundle + "/address", kMaxAddressFile));
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

}  // namespace kata::shim
