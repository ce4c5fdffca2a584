#pragma once

#include <gtest/gtest.h>

#include <cctype>
#include <stdexcept>
#include <string>
#include <string_view>

// Golden bytes as readable text: pairs of hex digits and 'quoted ASCII', blanks between.
// Example: wire("0a 05 'tcon1'") is field 1 holding the string tcon1.
namespace kata::test {

inline std::string wire(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    if (std::isspace(static_cast<unsigned char>(text[i]))) {
      ++i;
    } else if (text[i] == '\'') {
      const size_t end = text.find('\'', i + 1);
      if (end == std::string_view::npos) throw std::invalid_argument("unclosed quote");
      out += text.substr(i + 1, end - i - 1);
      i = end + 1;
    } else {
      out += static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16));
      i += 2;
    }
  }
  return out;
}

// The message serializes to exactly `golden`, and `golden` parses back to the same message.
template <typename Message>
void expect_golden(const Message& message, std::string_view golden) {
  const std::string bytes = wire(golden);
  EXPECT_EQ(message.SerializeAsString(), bytes);
  Message parsed;
  ASSERT_TRUE(parsed.ParseFromString(bytes));
  EXPECT_EQ(parsed.SerializeAsString(), bytes);
}

}  // namespace kata::test
