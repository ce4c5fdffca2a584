#include "ttrpc/message.h"

#include "base/utf8.h"
#include "ttrpc/ttrpc.pb.h"

namespace kata::ttrpc {

namespace {

constexpr size_t kMaxErrorText = 4096;
constexpr unsigned kLengthDelimited = 2;  // protobuf's wire type

std::string clean_text(std::string_view text) {
  std::string out = to_valid_utf8(text.substr(0, kMaxErrorText));
  for (char& c : out) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) c = ' ';
  }
  return out;
}

Code code_from_wire(int32_t code) {
  return code >= 1 && code <= 15 ? static_cast<Code>(code) : Code::kUnknown;
}

}  // namespace

bool parse_message(std::string_view bytes, google::protobuf::MessageLite* message) {
  return message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

std::string bytes_field_head(unsigned number, size_t size) {
  std::string head;
  if (size == 0) return head;
  head.push_back(static_cast<char>(number << 3 | kLengthDelimited));
  for (; size >= 0x80; size >>= 7) head.push_back(static_cast<char>(size | 0x80));
  head.push_back(static_cast<char>(size));
  return head;
}

std::optional<size_t> sole_bytes_field(std::string_view message, unsigned number) {
  constexpr size_t kLongestLength = 5;  // bytes of a length below 2^35
  if (message.empty()) return std::nullopt;
  if (static_cast<uint8_t>(message[0]) != (number << 3 | kLengthDelimited)) return std::nullopt;
  uint64_t length = 0;
  for (size_t i = 0; i < kLongestLength && 1 + i < message.size(); ++i) {
    const auto byte = static_cast<uint8_t>(message[1 + i]);
    length |= uint64_t{byte & 0x7fU} << (7 * i);
    if ((byte & 0x80) != 0) continue;
    const size_t begin = 2 + i;
    return length == message.size() - begin ? std::optional(begin) : std::nullopt;
  }
  return std::nullopt;
}

std::string success_head(size_t payload_size) {
  return bytes_field_head(::ttrpc::Response::kPayloadFieldNumber, payload_size);
}

std::string encode_failure(const Error& error) {
  ::ttrpc::Response response;
  response.mutable_status()->set_code(static_cast<int32_t>(error.code()));
  // Texts quote paths and names that a workload made up.
  response.mutable_status()->set_message(to_valid_utf8(error.message()));
  return response.SerializeAsString();
}

Result<std::string> decode_response(std::string bytes) {
  if (auto begin = sole_bytes_field(bytes, ::ttrpc::Response::kPayloadFieldNumber)) {
    bytes.erase(0, *begin);
    return bytes;
  }
  ::ttrpc::Response response;
  if (!parse_message(bytes, &response)) return fail(Code::kInternal, "malformed ttrpc response");
  if (response.has_status() && response.status().code() != 0) {
    return fail(code_from_wire(response.status().code()), clean_text(response.status().message()));
  }
  return std::move(*response.mutable_payload());
}

}  // namespace kata::ttrpc
