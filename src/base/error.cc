#include "base/error.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace kata {

namespace {

Code code_of_errno(int number) {
  switch (number) {
    case ENOENT:
    case ESRCH:
      return Code::kNotFound;
    case EEXIST:
      return Code::kAlreadyExists;
    case EINVAL:
    case ENAMETOOLONG:
    case ELOOP:
    case ENOTDIR:
      return Code::kInvalidArgument;
    case EACCES:
    case EPERM:
    case EROFS:
      return Code::kPermissionDenied;
    case ENOSPC:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case EDQUOT:
      return Code::kResourceExhausted;
    case ETIMEDOUT:
      return Code::kDeadlineExceeded;
    case ENOSYS:
    case EOPNOTSUPP:
      return Code::kUnimplemented;
    case ECONNREFUSED:
    case ECONNRESET:
    case EPIPE:
      return Code::kUnavailable;
    default:
      return Code::kInternal;
  }
}

}  // namespace

std::string_view code_name(Code code) {
  static constexpr std::array<std::string_view, 16> kNames = {"OK",
                                                              "CANCELED",
                                                              "UNKNOWN",
                                                              "INVALID_ARGUMENT",
                                                              "DEADLINE_EXCEEDED",
                                                              "NOT_FOUND",
                                                              "ALREADY_EXISTS",
                                                              "PERMISSION_DENIED",
                                                              "RESOURCE_EXHAUSTED",
                                                              "FAILED_PRECONDITION",
                                                              "ABORTED",
                                                              "OUT_OF_RANGE",
                                                              "UNIMPLEMENTED",
                                                              "INTERNAL",
                                                              "UNAVAILABLE",
                                                              "DATA_LOSS"};
  auto index = static_cast<size_t>(code);
  return index < kNames.size() ? kNames[index] : "UNKNOWN";
}

Error&& Error::context(std::string_view step) && {
  message_.insert(0, ": ");
  message_.insert(0, step);
  return std::move(*this);
}

Error errno_error(std::string_view what, int saved_errno) {
  std::string message(what);
  message += ": ";
  message += strerrordesc_np(saved_errno) ? strerrordesc_np(saved_errno) : "unknown error";
  return Error(code_of_errno(saved_errno), std::move(message), saved_errno);
}

void panic(std::string_view what, const char* file, int line) {
  std::fprintf(stderr, "panic at %s:%d: %.*s\n", file, line, static_cast<int>(what.size()),
               what.data());
  std::abort();
}

}  // namespace kata
