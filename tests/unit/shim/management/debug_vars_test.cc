#include "shim/management/debug_vars.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace kata::shim {
namespace {

TEST(DebugVars, MemoryAndCommandLineAsJson) {
  const auto response = answer_debug("/debug/vars");
  EXPECT_EQ(response.status, 200);
  const auto json = nlohmann::json::parse(response.body);
#if !defined(KATA_SANITIZED)  // whose allocator tells mallinfo2(3) nothing
  EXPECT_GT(json["memory"]["used_bytes"].get<int64_t>(), 0);
#endif
  EXPECT_NE(json["cmdline"][0].get<std::string>().find("shim_test"), std::string::npos);
}

TEST(DebugVars, OtherPagesSayWhatThereIs) {
  EXPECT_NE(answer_debug("/debug/pprof/").body.find("/debug/vars"), std::string::npos);
  EXPECT_EQ(answer_debug("/debug/pprof/cmdline").body.back(), '\0');
  EXPECT_EQ(answer_debug("/debug/pprof/profile").status, 501);
  EXPECT_EQ(answer_debug("/debug/else").status, 404);
}

}  // namespace
}  // namespace kata::shim
