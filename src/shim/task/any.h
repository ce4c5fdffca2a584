#pragma once

#include <string_view>

#include "wkt/any.pb.h"

namespace kata::shim {

// Types are compared by their last words: containerd writes no "type.googleapis.com/", others do,
// and very old ones put a prefix before the package (facts/shim-v2.md sections 1.3 and 11).
inline bool type_is(const kata::wkt::Any& any, std::string_view name) {
  std::string_view url = any.type_url();
  if (!url.ends_with(name)) return false;
  url.remove_suffix(name.size());
  return url.empty() || url.back() == '/' || url.back() == '.';
}

}  // namespace kata::shim
