#pragma once

#include <string>
#include <string_view>

namespace kata {

// Bytes of the whole character that `text` begins with; 0 when it is empty or begins with none.
size_t utf8_length(std::string_view text);

// Replaces every byte that is not part of valid UTF-8 by U+FFFD. Text that quotes what a workload
// made up (a path, an interface name, a message) needs it before it becomes a protobuf string: the
// peer refuses the whole message otherwise.
std::string to_valid_utf8(std::string_view text);

// The character does not show but moves cursors and changes colours: C0, DEL, C1.
bool is_control(std::string_view character);

// For terminals and error texts: valid UTF-8 without control characters but newline and tab; every
// other byte shows up as \xNN.
std::string printable(std::string_view text);

// The first `limit` bytes at most, and no character cut in two.
std::string_view cut_text(std::string_view text, size_t limit);

}  // namespace kata
