// What a client of kata-monitor or of a shim's management socket may send.
#include <cstdint>
#include <string_view>

#include "http/request.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto request = kata::http::parse_head(text);
  if (request && !request->path.starts_with('/')) __builtin_trap();
  return 0;
}
