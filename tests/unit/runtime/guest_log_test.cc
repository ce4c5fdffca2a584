#include "runtime/guest_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kata::runtime {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class GuestLogTest : public ::testing::Test {
 protected:
  GuestLogTest() {
    log::set_common_field("sandbox", "mine");
    log::set_common_field("source", "containerd-kata-shim-v2");
    log::set_sink([this](log::Level level, std::string_view message, const log::Fields& fields) {
      const std::string line = log::format_logfmt(level, message, fields);
      said_.push_back(line.substr(line.find("level=")));
    });
  }
  ~GuestLogTest() override { log::set_sink(nullptr); }

  std::vector<std::string> said_;
};

constexpr char kWarning[] =
    R"({"msg":"slow","level":"WARN","ts":"2026","pid":"1","name":"kata-agent","cgroup":"x y","n":3})";
constexpr char kEveryday[] = R"({"msg":"sandbox created","level":"INFO","subsystem":"agent"})";

TEST_F(GuestLogTest, WarningsOfTheAgentAreAlwaysThere) {
  GuestLog log(false, false);
  log.add("[    0.1] booting");
  log.add(kEveryday);
  log.add(kWarning);
  EXPECT_THAT(said_,
              ElementsAre("level=warning msg=slow source=agent cgroup=\"x y\" sandbox=mine\n"));
}

TEST_F(GuestLogTest, EachSectionHasItsSwitch) {
  GuestLog console(true, false);
  console.add("[    0.1] booting");
  console.add(kEveryday);
  EXPECT_THAT(said_,
              ElementsAre(HasSubstr("level=debug msg=\"guest console\" vmconsole=\"[    0.1] "
                                    "booting\"")));
  said_.clear();
  GuestLog agent(false, true);
  agent.add("[    0.1] booting");
  agent.add(kEveryday);
  EXPECT_THAT(said_, ElementsAre(StartsWith("level=info msg=\"sandbox created\" source=agent ")));
}

TEST_F(GuestLogTest, AGuestSpeaksForNobodyElse) {
  GuestLog log(true, true);
  log.add(R"({"msg":"m\nlevel=error","level":"ERRO","sandbox":"other","source":"x","time":"y",)"
          R"("a b":"1","k\n":"2","subsystem":"s"})");
  ASSERT_EQ(said_.size(), 1U);
  EXPECT_EQ(said_[0],
            "level=error msg=\"m\\nlevel=error\" source=agent subsystem=s sandbox=mine\n");
  said_.clear();
  // No line of the agent: shown as what it is.
  for (const char* line : {"{", "{\"msg\":1}", R"({"msg":"x","level":"LOUD"})", "[1]", "{}"}) {
    log.add(line);
  }
  EXPECT_EQ(said_.size(), 5U);
  EXPECT_THAT(said_, testing::Each(HasSubstr("vmconsole=")));
}

TEST_F(GuestLogTest, AFloodIsCounted) {
  GuestLog log(false, false);
  for (int i = 0; i < 10'000; ++i) log.add(kWarning);
  EXPECT_LT(said_.size(), 300U);
  EXPECT_THAT(said_, Not(IsEmpty()));
}

}  // namespace
}  // namespace kata::runtime
