#include "monitor/scrape.h"

#include "base/event.h"
#include "http/client.h"
#include "metrics/process.h"
#include "runtime/pod_file.h"

namespace kata::monitor {

namespace {

constexpr Clock::duration kSandboxLimit = 3s;
// Prometheus waits 10 s unless told otherwise.
constexpr Clock::duration kRoundLimit = 8s;
// Connections at once. Each takes a descriptor and some 20 KiB, whatever comes through it.
constexpr size_t kAtOnce = 100;
constexpr size_t kMaxText = 4 << 20;

std::string labels_of(const Sandbox& sandbox) {
  const auto pod = runtime::read_pod_file(sandbox.state + "/pod.json");
  return metrics::label("sandbox_id", sandbox.id) + "," + metrics::label("cri_uid", pod.uid) + "," +
         metrics::label("cri_name", pod.name) + "," +
         metrics::label("cri_namespace", pod.name_space);
}

}  // namespace

// One scrape: some workers take sandboxes off one list.
struct Scraper::Round {
  explicit Round(asio::any_io_executor executor) : done(std::move(executor)) {}

  std::shared_ptr<Merged> merged = std::make_shared<Merged>();
  std::vector<Sandbox> sandboxes;
  size_t next = 0, workers = 0, failures = 0;
  Clock::time_point deadline = Clock::now() + kRoundLimit;
  std::string last_failure;
  Event done;
};

Task<std::shared_ptr<const Merged>> Scraper::scrape() {
  auto executor = co_await asio::this_coro::executor;
  const auto began = Clock::now();
  auto round = std::make_shared<Round>(executor);
  round->sandboxes = list_sandboxes(roots_);
  found_ = round->sandboxes.size();
  round->workers = std::min(kAtOnce, round->sandboxes.size());
  for (size_t i = 0; i < round->workers; ++i) spawn(executor, work(round));
  if (!round->sandboxes.empty()) co_await round->done.wait();
  ++scrapes_;
  failures_ += round->failures;
  durations_.observe("", Clock::now() - began);
  if (round->failures > 0) {
    complaints_.write(log::Level::kWarn, "sandboxes without figures",
                      {{"count", std::to_string(round->failures)}, {"last", round->last_failure}});
  }
  round->merged->settle_order();
  co_return round->merged;
}

Task<> Scraper::work(std::shared_ptr<Round> round) {
  while (round->next < round->sandboxes.size()) {
    const Sandbox& sandbox = round->sandboxes[round->next++];
    auto asked = co_await ask(round, sandbox);
    if (asked) continue;
    ++round->failures;
    round->last_failure = sandbox.id + ": " + asked.error().message();
  }
  if (--round->workers == 0) round->done.set();
}

Task<Status> Scraper::ask(std::shared_ptr<Round> round, const Sandbox& sandbox) {
  const auto left = round->deadline - Clock::now();
  if (left <= Clock::duration::zero()) {
    co_return fail(Code::kDeadlineExceeded, "no time left for it");
  }
  http::Ask request;
  request.socket = sandbox.socket;
  request.target = "/metrics";
  request.limit = std::min<Clock::duration>(kSandboxLimit, left);
  Merged::Reader reader(*round->merged);
  auto each = [&reader](std::string_view line) { return reader.add_line(line); };
  metrics::LineCutter cutter(kMaxText, each);
  auto take = [&cutter](std::string_view piece) { return cutter.add(piece); };
  auto answered = co_await http::ask(std::move(request), take);
  CO_TRY(const int status, std::move(answered));
  if (status != 200) co_return fail(Code::kUnavailable, "status " + std::to_string(status));
  CO_TRY_STATUS(cutter.finish());
  round->merged->keep(std::move(reader), labels_of(sandbox));
  co_return Status{};
}

std::string Scraper::own_figures() const {
  metrics::Text out;
  out.single("kata_monitor_running_shim_count", "gauge", "Sandboxes found on this node.",
             static_cast<double>(found_));
  out.single("kata_monitor_scrape_count", "counter", "Times that all sandboxes were asked.",
             static_cast<double>(scrapes_));
  out.single("kata_monitor_scrape_failed_count", "counter", "Times that a sandbox gave no figures.",
             static_cast<double>(failures_));
  durations_.write(&out);
  metrics::add_process_collector("kata_monitor_", "/proc", &out);
  return out.take();
}

}  // namespace kata::monitor
