#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

// Small readers of kernel files. What cannot be read is empty or zero: a missing file costs its own
// figures only.
namespace kata::metrics {

// Words of a line, separated by blanks.
std::vector<std::string_view> words_in(std::string_view line);
// Runs `each(line)` for every line of a file.
void for_each_line(const std::string& path, const std::function<void(std::string_view)>& each);
// Whole decimal number that the text begins with.
uint64_t whole_number(std::string_view text);
// Fields of a /proc/<pid>/stat from the third ("state") on, so that field N of proc(5) is at N - 3.
// The program's name, which may hold anything, is left out.
std::vector<std::string> stat_fields(const std::string& folder);

}  // namespace kata::metrics
