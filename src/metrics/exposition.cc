#include "metrics/exposition.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <span>

#include "base/utf8.h"

namespace kata::metrics {

namespace {

constexpr size_t kMaxLabels = 32;

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_name_part(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') || c == ':';
}

Result<Line> malformed(const char* what) {
  return fail(Code::kDataLoss, what);
}

// Takes a name off the front; empty when there is none.
std::string_view take_name(std::string_view* text) {
  if (text->empty() || !(is_letter(text->front()) || text->front() == ':')) return {};
  const auto end = std::ranges::find_if_not(*text, is_name_part);
  std::string_view name = text->substr(0, static_cast<size_t>(end - text->begin()));
  text->remove_prefix(name.size());
  return name;
}

void skip_blanks(std::string_view* text) {
  text->remove_prefix(std::min(text->size(), text->find_first_not_of(" \t")));
}

// Length of a quoted label value up to its closing quote; npos when it is not well-formed.
size_t value_length(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    if (text[i] == '"') return i;
    if (text[i] == '\\') {
      if (i + 1 >= text.size() ||
          std::string_view("\\\"n").find(text[i + 1]) == std::string_view::npos)
        return std::string_view::npos;
      i += 2;
      continue;
    }
    const size_t length = utf8_length(text.substr(i));
    if (length == 0 || is_control(text.substr(i, length))) return std::string_view::npos;
    i += length;
  }
  return std::string_view::npos;
}

// Takes `a="b",c="d"}` off the front; false when it is not well-formed.
bool take_labels(std::string_view* text, std::string_view* labels) {
  const std::string_view begin = *text;
  std::array<std::string_view, kMaxLabels> seen;
  size_t count = 0;
  while (!text->starts_with('}')) {
    if (count > 0) {
      if (!text->starts_with(',')) return false;
      text->remove_prefix(1);
    }
    const std::string_view name = take_name(text);
    if (name.empty() || name.find(':') != std::string_view::npos || count == kMaxLabels)
      return false;
    const auto known = std::span(seen).first(count);
    if (std::ranges::find(known, name) != known.end()) return false;
    seen[count++] = name;
    if (!text->starts_with("=\"")) return false;
    text->remove_prefix(2);
    const size_t length = value_length(*text);
    if (length == std::string_view::npos) return false;
    text->remove_prefix(length + 1);
  }
  *labels = begin.substr(0, begin.size() - text->size());
  text->remove_prefix(1);
  return true;
}

bool parse_value(std::string_view word, double* value) {
  if (word == "NaN") {
    *value = std::numeric_limits<double>::quiet_NaN();
    return true;
  }
  if (word == "+Inf" || word == "-Inf") {
    *value = std::numeric_limits<double>::infinity() * (word[0] == '-' ? -1 : 1);
    return true;
  }
  // What strtod(3) takes besides decimal numbers is not meant.
  char text[64];
  const bool decimal = word.find_first_not_of("0123456789.eE+-") == std::string_view::npos &&
                       word.find_first_of("0123456789") != std::string_view::npos;
  if (!decimal || word.size() >= sizeof text) return false;
  text[word.copy(text, sizeof text - 1)] = '\0';
  char* end = nullptr;
  *value = strtod(text, &end);
  return *end == '\0';
}

Result<Line> parse_comment(std::string_view line) {
  line.remove_prefix(1);
  skip_blanks(&line);
  Line result;
  if (line.starts_with("HELP ")) result.kind = Line::Kind::kHelp;
  if (line.starts_with("TYPE ")) result.kind = Line::Kind::kType;
  if (result.kind == Line::Kind::kNothing) return result;
  line.remove_prefix(5);
  skip_blanks(&line);
  result.name = take_name(&line);
  if (result.name.empty()) return malformed("comment about nothing");
  if (!line.empty() && line[0] != ' ' && line[0] != '\t') return malformed("name of a family");
  skip_blanks(&line);
  result.text = line;
  if (result.kind == Line::Kind::kType) {
    static constexpr std::string_view kTypes[] = {"counter", "gauge", "histogram", "summary",
                                                  "untyped"};
    if (std::ranges::find(kTypes, line) == std::end(kTypes)) return malformed("unknown type");
    return result;
  }
  for (std::string_view rest = line; !rest.empty();) {
    const size_t length = utf8_length(rest);
    if (length == 0 || is_control(rest.substr(0, length))) return malformed("help text");
    rest.remove_prefix(length);
  }
  return result;
}

}  // namespace

Result<Line> parse_line(std::string_view line) {
  skip_blanks(&line);
  if (line.empty()) return Line{};
  if (line[0] == '#') return parse_comment(line);
  Line sample;
  sample.kind = Line::Kind::kSample;
  sample.name = take_name(&line);
  if (sample.name.empty()) return malformed("name of a sample");
  if (line.starts_with('{')) {
    line.remove_prefix(1);
    if (!take_labels(&line, &sample.labels)) return malformed("labels of a sample");
  } else if (line.empty() || (line[0] != ' ' && line[0] != '\t')) {
    return malformed("name of a sample");
  }
  skip_blanks(&line);
  const std::string_view word = line.substr(0, line.find_first_of(" \t"));
  if (!parse_value(word, &sample.value)) return malformed("value of a sample");
  line.remove_prefix(word.size());
  skip_blanks(&line);
  int64_t stamp = 0;
  const auto end = std::from_chars(line.data(), line.data() + line.size(), stamp);
  if (!line.empty() && (end.ec != std::errc() || end.ptr != line.data() + line.size())) {
    return malformed("time stamp of a sample");
  }
  return sample;
}

void for_each_label(std::string_view labels,
                    const std::function<void(std::string_view, std::string_view)>& each) {
  while (!labels.empty()) {
    const std::string_view name = labels.substr(0, labels.find('='));
    labels.remove_prefix(name.size() + 2);
    const size_t length = value_length(labels);
    each(name, labels.substr(0, length));
    labels.remove_prefix(std::min(labels.size(), length + 2));  // the quote and the comma
  }
}

bool belongs_to(std::string_view sample, std::string_view family, std::string_view type) {
  if (sample == family) return true;
  if ((type != "histogram" && type != "summary") || !sample.starts_with(family)) return false;
  sample.remove_prefix(family.size());
  return sample == "_sum" || sample == "_count" || (sample == "_bucket" && type == "histogram");
}

Status LineCutter::add(std::string_view piece) {
  if (piece.size() > left_) return fail(Code::kResourceExhausted, "too much text");
  left_ -= piece.size();
  while (!piece.empty()) {
    const size_t end = piece.find('\n');
    std::string_view line = piece.substr(0, end);
    if (partial_.size() + line.size() > kMaxLine) {
      return fail(Code::kResourceExhausted, "a line is too long");
    }
    if (end == std::string_view::npos || !partial_.empty()) {
      partial_ += line;
      line = partial_;
    }
    if (end == std::string_view::npos) return {};
    TRY_STATUS(each_(line));
    partial_.clear();
    piece.remove_prefix(end + 1);
  }
  return {};
}

Status LineCutter::finish() {
  if (partial_.empty()) return {};
  auto done = each_(partial_);
  partial_.clear();
  return done;
}

}  // namespace kata::metrics
