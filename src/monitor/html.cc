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
      "</title>\n<style>\n:root { color-scheme: light dark; }\n"
      "body { font-family: sans-serif; margin: 2em; max-width: 75em; }\n"
      "table { border-collapse: collapse; }\ntr { border-bottom: 1px solid #8886; }\n"
      "td, th { text-align: left; vertical-align: top; padding: 0.4em 1.5em 0.4em 0; }\n"
      "td { overflow-wrap: anywhere; }\ntd:first-child { font-family: monospace; }\n"
      ".links { white-space: nowrap; }\n</style>\n</head>\n<body>\n<h1>";
  page.append(escape_html(title)).append("</h1>\n").append(body).append("</body>\n</html>\n");
  return page;
}

}  // namespace kata::monitor
