#pragma once

#include <memory>
#include <string>

#include "http/server.h"
#include "monitor/collections.h"
#include "monitor/scrape.h"

namespace kata::monitor {

// The pages of kata-monitor (facts/cli-and-monitor.md section 6). Nothing can be changed through
// them: of what a sandbox offers only what reads is passed on. One event loop; outlives its calls.
class Pages {
 public:
  explicit Pages(Roots roots) : roots_(roots), scraper_(std::move(roots)) {}
  Task<http::Response> answer(http::Request request);

 private:
  Task<http::Response> metrics(http::Request request);
  Task<http::Response> all_metrics(http::Request request);
  Task<http::Response> pass_on(std::string id, std::string target, std::string type);
  http::Response index(bool html) const;
  http::Response sandboxes(bool html) const;

  Roots roots_;
  Scraper scraper_;
  Collections collections_{scraper_};
};

}  // namespace kata::monitor
