#include "monitor/html.h"

namespace kata::monitor {

std::string escape_html(std::string_view text) {
  std::string escaped;
  for (char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string html_page(std::string_view title, std::string_view body) {
  std::string page =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>";
  page += escape_html(title);
  page +=
      "</title>\n<style>\nbody { font-family: sans-serif; margin: 2em; max-width: 70em; }\n"
      "td, th { text-align: left; padding: 0.3em 1.5em 0.3em 0; }\n"
      "td:first-child { font-family: monospace; }\n</style>\n</head>\n<body>\n<h1>";
  page.append(escape_html(title)).append("</h1>\n").append(body).append("</body>\n</html>\n");
  return page;
}

}  // namespace kata::monitor
