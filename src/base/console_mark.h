#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace kata {

// Words that the two ends of the guest's debug console say to each other within the text of the
// terminal: ESC ] 7770 ; kata ; WORD BEL, an operating system command that terminals ignore. Older
// clients and agents thus keep working with newer ones.
//   hello       agent, first: it understands marks
//   exit=N      agent, last: how the shell ended
//   size=RxC    client: rows and columns of its terminal
std::string console_mark(std::string_view word);

// Takes the marks out of a stream of text, however it is cut into pieces.
class MarkScanner {
 public:
  // `shortest_held`: a piece that ends with fewer bytes of a mark's beginning is not held back.
  // 2 lets a lone ESC key through at once.
  explicit MarkScanner(size_t shortest_held = 1) : shortest_held_(shortest_held) {}

  // Calls `on_text` and `on_mark` in the order of the stream.
  using Handler = std::function<void(std::string_view)>;
  void feed(std::string_view data, const Handler& on_text, const Handler& on_mark);
  // What was held back at the end of the stream.
  std::string rest() { return std::move(held_); }

 private:
  size_t shortest_held_;
  std::string held_;
};

}  // namespace kata
