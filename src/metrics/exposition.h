#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"

// Reading Prometheus text of others (a guest, a shim of another release). One line that Prometheus
// does not understand costs it the whole answer, the good lines too: what is passed on must be
// proven well-formed first.
namespace kata::metrics {

struct Line {
  enum class Kind { kNothing, kHelp, kType, kSample };
  Kind kind = Kind::kNothing;  // kNothing: blank, or a comment
  std::string_view name;
  std::string_view labels;  // of a sample, without braces
  std::string_view text;    // of kHelp and kType
  double value = 0;         // of a sample; a time stamp behind it is dropped
};

// One line without its newline. kDataLoss when it is not well-formed; of samples also when a label
// is there twice, a text is no UTF-8 or has control characters. Blanks between labels are not
// taken: nobody writes them.
Result<Line> parse_line(std::string_view line);

// Calls `each(name, value)` for the labels of a well-formed sample; the values stay escaped.
void for_each_label(std::string_view labels,
                    const std::function<void(std::string_view, std::string_view)>& each);

// The family that a sample belongs to: its name, or that without _bucket, _sum or _count when such
// a histogram or summary was announced last.
bool belongs_to(std::string_view sample, std::string_view family, std::string_view type);

// Cuts text that arrives in pieces into lines. kResourceExhausted beyond the limits.
class LineCutter {
 public:
  using Each = std::function<Status(std::string_view line)>;
  static constexpr size_t kMaxLine = 16 << 10;

  LineCutter(size_t most_bytes, Each each) : left_(most_bytes), each_(std::move(each)) {}
  Status add(std::string_view piece);
  // The last line may lack its newline.
  Status finish();

 private:
  size_t left_;
  Each each_;
  std::string partial_;
};

}  // namespace kata::metrics
