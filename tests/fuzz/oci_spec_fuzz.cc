// config.json from a container manager: parsed, checked and transformed. Whatever the bytes, the
// result is a spec or an error text, and a spec for the guest never carries a host path.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "oci/namespaces.h"
#include "oci/spec.h"
#include "oci/transform.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)kata::oci::parse_process(text);
  (void)kata::oci::parse_resources(text);
  auto spec = kata::oci::parse_spec(text);
  if (!spec) {
    if (spec.error().message().empty()) std::abort();
    return 0;
  }
  (void)kata::oci::validate(*spec);
  (void)kata::oci::sandbox_id(*spec, "self");
  kata::oci::GuestContext context;
  context.rootfs = "/guest";
  for (int index : kata::oci::host_binds(*spec, context)) context.mounts[index] = std::nullopt;
  auto guest = kata::oci::to_guest(*spec, context);
  if (!guest) std::abort();  // every bind was answered for
  if (guest->spec.root().path() != "/guest") std::abort();
  for (const auto& entry : guest->spec.linux().namespaces()) {
    if (!entry.path().empty() || entry.type() == "network") std::abort();
  }
  return 0;
}
