#include "monitor/collections.h"

namespace kata::monitor {

Task<std::shared_ptr<const Collection>> Collections::get() {
  if (running_) co_return co_await running_->wait();
  std::erase_if(alive_, [](const auto& each) { return each.expired(); });
  if (!alive_.empty()) {
    auto newest = alive_.back().lock();
    if (Clock::now() - newest->made < fresh_) co_return newest;
    if (alive_.size() >= kMost) {
      if (auto oldest = alive_.front().lock()) oldest->cut = true;
      co_return newest;
    }
  }
  auto executor = co_await asio::this_coro::executor;
  running_.emplace(executor);
  auto made = std::make_shared<Collection>();
  made->merged = co_await scraper_.scrape();
  made->made = Clock::now();
  alive_.push_back(made);
  auto running = std::move(running_);
  running_.reset();
  running->set(made);
  co_return made;
}

}  // namespace kata::monitor
