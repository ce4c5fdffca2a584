#pragma once

#include <google/protobuf/message_lite.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

// Encoding of ttrpc's envelopes and of statuses.
namespace kata::ttrpc {

bool parse_message(std::string_view bytes, google::protobuf::MessageLite* message);

// Fields of type bytes are written and read in place where they hold much of what moves: protobuf
// itself copies them once at either end. `number` is below 16.

// What stands before the `size` bytes of such a field; empty when there are none, as an empty field
// is left out.
std::string bytes_field_head(unsigned number, size_t size);
// Where the content begins in a message that is this field and nothing else. Any other message,
// also a malformed one, is the general parser's.
std::optional<size_t> sole_bytes_field(std::string_view message, unsigned number);

// What stands before the payload in a ttrpc.Response.
std::string success_head(size_t payload_size);
// Serialized ttrpc.Response.
std::string encode_failure(const Error& error);
// Payload of a serialized ttrpc.Response, or the failure it carries. The peer may be hostile: an
// unknown code becomes kUnknown, the text is cut and stripped of control characters.
Result<std::string> decode_response(std::string bytes);

}  // namespace kata::ttrpc
