#pragma once

#include <string>
#include <string_view>

namespace kata::monitor {

// Text as it may stand in HTML, in attributes too.
std::string escape_html(std::string_view text);
// A whole page.
std::string html_page(std::string_view title, std::string_view body);

}  // namespace kata::monitor
