// Growing and shrinking against a VMM and a guest that refuse, dawdle and give only part.
#include "runtime/vm_resizer.h"

#include <algorithm>

#include "base/log.h"
#include "runtime/fake_agent.h"

namespace kata::runtime {
namespace {

using Steps = std::vector<std::string>;

// Does what the test says; notes what it was asked for. At most one change at a time may reach it.
class FakeVm : public ResizableVm {
 public:
  explicit FakeVm(Steps* steps) : steps_(steps) {}

  hypervisor::Capabilities capabilities() const override { return can; }
  uint32_t vcpus() const override { return cpus; }
  Task<Result<uint32_t>> resize_vcpus(uint32_t wanted) override {
    CO_TRY_STATUS(co_await enter("vcpus " + std::to_string(wanted)));
    if (wanted > cpus || can.unplug_cpu) cpus = std::min(wanted, most_cpus);
    co_return cpus;
  }
  Task<Result<uint64_t>> resize_memory(uint64_t wanted) override {
    CO_TRY_STATUS(co_await enter("memory " + std::to_string(wanted)));
    mib = std::clamp(wanted, mib, most_mib);
    co_return mib;
  }

  hypervisor::Capabilities can{.hotplug_cpu = true, .unplug_cpu = true, .hotplug_memory = true};
  uint32_t cpus = 1, most_cpus = 8;
  uint64_t mib = 256, most_mib = 64 << 10;
  std::optional<Error> error;  // what every change fails with
  bool held = false;           // changes wait until this is false

 private:
  Task<Status> enter(std::string what) {
    steps_->push_back(std::move(what));
    EXPECT_EQ(++inside_, 1) << "one change at a time";
    while (held) co_await sleep_for(2ms);
    --inside_;
    if (error) co_return std::unexpected(*error);
    co_return Status{};
  }

  Steps* steps_;
  int inside_ = 0;
};

class VmResizerTest : public FakeAgentTest {
 protected:
  VmResizerTest() {
    log::set_sink([this](log::Level level, std::string_view message, const log::Fields&) {
      if (level >= log::Level::kWarn) warnings_.emplace_back(message);
    });
    server_.handle_raw("grpc.AgentService", "OnlineCPUMem",
                       [this](ttrpc::CallContext, std::string bytes) {
                         grpc::OnlineCPUMemRequest request;
                         EXPECT_TRUE(request.ParseFromString(bytes));
                         EXPECT_EQ(request.cpu_only(), request.nb_cpus() > 0);
                         steps_.push_back("online " + std::to_string(request.nb_cpus()));
                         return reply("");
                       });
  }
  ~VmResizerTest() override { log::set_sink({}); }

  Status grow(uint32_t vcpus, uint32_t mib) { return run(resizer_.grow({vcpus, mib}, *agent_)); }
  void shrink(Result<VmSize> needed) {
    EXPECT_TRUE(run(shrunk(&resizer_, [needed] { return needed; })));
  }
  Steps taken() { return std::exchange(steps_, {}); }

  // Several at once: they run while the test turns the loop.
  struct Job {
    bool done = false;
    Status status;
  };
  std::shared_ptr<Job> start(Task<Status> task) {
    auto job = std::make_shared<Job>();
    spawn(loop_.get_executor(), finish(std::move(task), job));
    turn_loop([] { return false; }, 20ms);
    return job;
  }
  void turn_loop(const std::function<bool()>& until, Clock::duration limit = 10s) {
    const auto end = Clock::now() + limit;
    loop_.restart();
    while (!until() && Clock::now() < end) loop_.run_one_for(5ms);
  }
  void await(const std::shared_ptr<Job>& job) {
    turn_loop([&] { return job->done; });
    EXPECT_TRUE(job->done);
  }
  static Task<Status> shrunk(VmResizer* resizer, std::function<Result<VmSize>()> needed) {
    co_await resizer->shrink(std::move(needed));
    co_return Status{};
  }

  Steps steps_, warnings_;
  Status placed_;
  FakeVm vm_{&steps_};
  VmResizer resizer_{loop_.get_executor(), vm_, VmSize{1, 256}, [this] { return place(this); }};

 private:
  static Task<Status> place(VmResizerTest* test) {
    test->steps_.emplace_back("place");
    co_return test->placed_;
  }
  static Task<> finish(Task<Status> task, std::shared_ptr<Job> job) {
    job->status = co_await std::move(task);
    job->done = true;
  }
};

TEST_F(VmResizerTest, MemoryComesFirstAndThreadsArePlacedBeforeTheGuestUsesThem) {
  EXPECT_TRUE(grow(3, 512));
  EXPECT_EQ(taken(), (Steps{"memory 512", "online 0", "vcpus 3", "place", "online 3"}));
  EXPECT_TRUE(grow(2, 512));
  EXPECT_EQ(taken(), Steps{}) << "large enough";
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(VmResizerTest, MemoryGrowsInStepsThatTheGuestCanKeepBooksOf) {
  EXPECT_TRUE(grow(1, 40'000));
  EXPECT_EQ(taken(), (Steps{"memory 4096", "online 0", "memory 40000", "online 0"}));
}

TEST_F(VmResizerTest, AVmThatCannotIsNotAsked) {
  vm_.can = {};
  EXPECT_TRUE(grow(4, 1024));
  shrink(VmSize{1, 256});
  EXPECT_EQ(taken(), Steps{});
}

TEST_F(VmResizerTest, ARefusingVmmFailsTheCallWithTheStepAndTheNextOneTriesAgain) {
  vm_.error = Error(Code::kInternal, "QEMU says no");
  auto memory = grow(2, 512);
  ASSERT_FALSE(memory);
  EXPECT_EQ(memory.error().message(), "memory: QEMU says no");
  auto cpus = grow(2, 256);
  ASSERT_FALSE(cpus);
  EXPECT_EQ(cpus.error().message(), "vCPUs: QEMU says no");
  EXPECT_EQ(taken(), (Steps{"memory 512", "vcpus 2"})) << "no vCPU without the memory";
  vm_.error.reset();
  EXPECT_TRUE(grow(2, 512));
  EXPECT_EQ(taken(), (Steps{"memory 512", "online 0", "vcpus 2", "place", "online 2"}));
}

TEST_F(VmResizerTest, AGuestThatIsLateIsAWarning) {
  keep_silent("OnlineCPUMem");
  EXPECT_TRUE(grow(1, 512));
  EXPECT_EQ(warnings_, Steps{"the guest does not use all its memory yet"});
  warnings_.clear();
  fail_with("OnlineCPUMem", Error(Code::kInternal, "only 1 of 2 came"));
  EXPECT_TRUE(grow(2, 512));
  EXPECT_EQ(warnings_, Steps{"the guest does not use all its vCPUs yet"});
  taken();
  EXPECT_TRUE(grow(2, 512));
  EXPECT_EQ(taken(), Steps{}) << "they come by themselves";
}

TEST_F(VmResizerTest, PartOfTheVcpusIsUsedAndTheRestAskedForAgain) {
  vm_.most_cpus = 2;
  EXPECT_TRUE(grow(4, 256));
  EXPECT_EQ(taken(), (Steps{"vcpus 4", "place", "online 2"}));
  EXPECT_TRUE(grow(4, 256));
  EXPECT_EQ(taken(), Steps{"vcpus 4"}) << "nothing new to place or to bring online";
  vm_.most_cpus = 8;
  EXPECT_TRUE(grow(4, 256));
  EXPECT_EQ(taken(), (Steps{"vcpus 4", "place", "online 4"}));
}

TEST_F(VmResizerTest, TheCeilingOfMemoryIsAWarningAndIsRemembered) {
  vm_.most_mib = 384;
  EXPECT_TRUE(grow(1, 512));
  EXPECT_EQ(taken(), (Steps{"memory 512", "online 0", "memory 512"})) << "part of it, then nothing";
  EXPECT_EQ(warnings_, Steps{"the VM cannot get more memory"});
  EXPECT_TRUE(grow(2, 1024));
  EXPECT_EQ(taken(), (Steps{"vcpus 2", "place", "online 2"}));
}

TEST_F(VmResizerTest, NoMemorySlotLeftIsTheCeilingToo) {
  vm_.error = Error(Code::kResourceExhausted, "no free memory slot");
  EXPECT_TRUE(grow(1, 512));
  EXPECT_TRUE(grow(1, 512));
  EXPECT_EQ(taken(), Steps{"memory 512"});
  EXPECT_EQ(warnings_, Steps{"the VM cannot get more memory"});
}

TEST_F(VmResizerTest, ThreadsThatCouldNotBePlacedArePlacedByTheNextOne) {
  placed_ = fail(Code::kInternal, "the group is gone");
  auto grown = grow(2, 256);
  ASSERT_FALSE(grown);
  EXPECT_EQ(grown.error().message(), "vCPUs: control groups: the group is gone");
  EXPECT_FALSE(grow(1, 256)) << "they must not be used by a container that needs none";
  placed_ = {};
  taken();
  EXPECT_TRUE(grow(1, 256));
  EXPECT_EQ(taken(), (Steps{"place", "online 2"}));
  EXPECT_TRUE(grow(2, 256));
  EXPECT_EQ(taken(), Steps{});
}

TEST_F(VmResizerTest, GrowthsQueueAndAskOnlyForWhatIsStillMissing) {
  vm_.held = true;
  auto first = start(resizer_.grow({3, 256}, *agent_));
  auto same = start(resizer_.grow({3, 256}, *agent_));
  auto more = start(resizer_.grow({4, 256}, *agent_));
  EXPECT_EQ(taken(), Steps{"vcpus 3"});
  auto enough = start(resizer_.grow({1, 256}, *agent_));
  EXPECT_TRUE(enough->done) << "nobody waits for what he does not need";
  vm_.held = false;
  for (const auto& job : {first, same, more}) {
    await(job);
    EXPECT_TRUE(job->status);
  }
  EXPECT_EQ(taken(), (Steps{"place", "online 3", "vcpus 4", "place", "online 4"}));
}

TEST_F(VmResizerTest, ADeadVmEndsTheWholeQueue) {
  vm_.held = true;
  auto first = start(resizer_.grow({2, 256}, *agent_));
  auto second = start(resizer_.grow({3, 512}, *agent_));
  auto last = start(shrunk(&resizer_, [] { return VmSize{1, 256}; }));
  vm_.error = Error(Code::kUnavailable, "the VMM is gone");
  agent_->close();
  vm_.held = false;
  for (const auto& job : {first, second}) {
    await(job);
    ASSERT_FALSE(job->status);
    EXPECT_EQ(job->status.error().code(), Code::kUnavailable);
  }
  await(last);
  EXPECT_EQ(taken(), (Steps{"vcpus 2", "memory 512"}));
}

TEST_F(VmResizerTest, ShrinksToWhatIsNeededAndNeverBelowTheBoot) {
  EXPECT_TRUE(grow(6, 512));
  taken();
  shrink(VmSize{6, 256});
  EXPECT_EQ(taken(), Steps{});
  shrink(VmSize{4, 256});
  EXPECT_EQ(taken(), Steps{"vcpus 4"});
  shrink(VmSize{0, 0});
  EXPECT_EQ(taken(), Steps{"vcpus 1"});
  EXPECT_EQ(vm_.mib, 512u) << "memory is never taken away";
  EXPECT_TRUE(grow(3, 256));
  EXPECT_EQ(taken(), (Steps{"vcpus 3", "place", "online 3"}));
}

TEST_F(VmResizerTest, NothingIsTakenFromASandboxThatEndsNorWhereItDoesNotWork) {
  EXPECT_TRUE(grow(2, 256));
  taken();
  shrink(fail(Code::kFailedPrecondition, "the sandbox ends"));
  vm_.can.unplug_cpu = false;
  shrink(VmSize{1, 256});
  EXPECT_EQ(taken(), Steps{});
}

TEST_F(VmResizerTest, AGuestThatKeepsItsVcpuIsAWarning) {
  EXPECT_TRUE(grow(2, 256));
  vm_.error = Error(Code::kDeadlineExceeded, "the guest keeps it");
  shrink(VmSize{1, 256});
  EXPECT_EQ(warnings_, Steps{"vCPUs cannot be taken away"});
  vm_.error.reset();
  taken();
  EXPECT_TRUE(grow(3, 256));
  EXPECT_EQ(taken(), (Steps{"vcpus 3", "place", "online 3"}));
}

TEST_F(VmResizerTest, AShrinkGoesByTheContainersThereAreWhenItsTurnHasCome) {
  VmSize needed{1, 256};
  vm_.held = true;
  auto growing = start(resizer_.grow({3, 256}, *agent_));
  auto shrinking = start(shrunk(&resizer_, [&needed] { return needed; }));
  needed = {3, 256};
  vm_.held = false;
  await(growing);
  await(shrinking);
  EXPECT_EQ(vm_.cpus, 3u);
}

TEST_F(VmResizerTest, AGrowthDuringAShrinkWaitsAndGetsItsVcpusBack) {
  EXPECT_TRUE(grow(3, 256));
  taken();
  vm_.held = true;
  auto shrinking = start(shrunk(&resizer_, [] { return VmSize{1, 256}; }));
  auto growing = start(resizer_.grow({3, 256}, *agent_));
  EXPECT_FALSE(growing->done) << "the vCPUs that are there now are about to go";
  vm_.held = false;
  await(shrinking);
  await(growing);
  EXPECT_TRUE(growing->status);
  EXPECT_EQ(taken(), (Steps{"vcpus 1", "vcpus 3", "place", "online 3"}));
}

}  // namespace
}  // namespace kata::runtime
