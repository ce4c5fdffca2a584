#pragma once

#include <list>
#include <memory>
#include <optional>

#include "base/event.h"
#include "monitor/scrape.h"

namespace kata::monitor {

// The figures of all sandboxes as of one moment, for everybody who asks about then. They live as
// long as somebody takes them.
struct Collection {
  std::shared_ptr<const Merged> merged;
  Clock::time_point made = Clock::now();
  bool cut = false;  // who still takes it has to stop
};

// Hands collections out and bounds the memory that they take, whoever asks how often and takes the
// answer how slowly. One event loop; outlives its calls.
class Collections {
 public:
  static constexpr size_t kMost = 4;

  // `fresh`: so long a collection serves newcomers.
  explicit Collections(Scraper& scraper, Clock::duration fresh = 1s)
      : scraper_(scraper), fresh_(fresh) {}

  // The one under way, or a fresh one, or a new one. When kMost are still being taken it is the
  // newest of them, and the oldest is cut, so that the next call has room.
  Task<std::shared_ptr<const Collection>> get();

 private:
  std::list<std::weak_ptr<Collection>> alive_;  // oldest first
  std::optional<Promise<std::shared_ptr<const Collection>>> running_;
  Scraper& scraper_;
  Clock::duration fresh_;
};

}  // namespace kata::monitor
