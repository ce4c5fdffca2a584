#include "monitor/gzip.h"

#include <zlib.h>

#include <algorithm>

#include "base/error.h"

namespace kata::monitor {

namespace {

class Gzip {
 public:
  explicit Gzip(Source text) : text_(std::move(text)) {
    constexpr int kLevel = 1, kGzipWindow = 15 + 16, kMemory = 8;
    if (deflateInit2(&state_, kLevel, Z_DEFLATED, kGzipWindow, kMemory, Z_DEFAULT_STRATEGY) != Z_OK)
      panic("zlib does not start");
  }
  ~Gzip() { deflateEnd(&state_); }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  bool next(std::string* piece) {
    std::string text;
    const bool more = text_(&text);
    state_.next_in = reinterpret_cast<Bytef*>(text.data());
    state_.avail_in = static_cast<uInt>(text.size());
    unsigned char out[16 << 10];
    do {
      state_.next_out = out;
      state_.avail_out = sizeof out;
      deflate(&state_, more ? Z_NO_FLUSH : Z_FINISH);
      piece->append(reinterpret_cast<char*>(out), sizeof out - state_.avail_out);
    } while (state_.avail_out == 0);
    return more;
  }

 private:
  Source text_;
  z_stream state_{};
};

}  // namespace

bool takes_gzip(const std::string& accept_encoding) {
  std::string_view rest = accept_encoding;
  while (!rest.empty()) {
    std::string word(rest.substr(0, rest.find(',')));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    std::erase(word, ' ');
    if (word == "gzip" ||
        (word.starts_with("gzip;q=") && word.find_first_of("123456789", 7) != std::string::npos))
      return true;
  }
  return false;
}

Source gzip(Source text) {
  auto state = std::make_shared<Gzip>(std::move(text));
  return [state](std::string* piece) { return state->next(piece); };
}

}  // namespace kata::monitor
