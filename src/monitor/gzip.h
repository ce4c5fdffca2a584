#pragma once

#include <functional>
#include <memory>
#include <string>

namespace kata::monitor {

// Whether an Accept-Encoding header takes gzip.
bool takes_gzip(const std::string& accept_encoding);

// A source of text pieces (see http::Response::more) as a source of gzip pieces. Level 1: figures
// of many sandboxes repeat themselves, and the scrape is to be quick.
using Source = std::function<bool(std::string* piece)>;
Source gzip(Source text);

}  // namespace kata::monitor
