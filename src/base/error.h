#pragma once

#include <cerrno>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace kata {

// Failure classes. The numbers are those of google.rpc.Code, so that each maps to one ttrpc status.
enum class Code : int {
  kOk = 0,
  kCanceled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
};

// Upper-case name of a code, for example "NOT_FOUND".
std::string_view code_name(Code code);

// What went wrong: a class, the errno that caused it (0 = none) and a text that reads from the
// outermost step inwards ("create sandbox: start VM: open /x: No such file or directory").
class [[nodiscard]] Error {
 public:
  Error(Code code, std::string message, int saved_errno = 0)
      : code_(code), errno_(saved_errno), message_(std::move(message)) {}

  Code code() const { return code_; }
  int sys_errno() const { return errno_; }
  const std::string& message() const { return message_; }

  // Puts the step that failed in front of the text.
  Error&& context(std::string_view step) &&;
  // Same failure seen as another class.
  Error&& as(Code code) && {
    code_ = code;
    return std::move(*this);
  }

 private:
  Code code_;
  int errno_;
  std::string message_;
};

template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

inline std::unexpected<Error> fail(Code code, std::string message) {
  return std::unexpected(Error(code, std::move(message)));
}

// Failure of a system call: "<what>: <strerror>", the class follows from errno.
Error errno_error(std::string_view what, int saved_errno = errno);
inline std::unexpected<Error> fail_errno(std::string_view what, int saved_errno = errno) {
  return std::unexpected(errno_error(what, saved_errno));
}

// Adds a step to a failed result: `return in_step("start VM", launch());`
template <class T>
Result<T> in_step(std::string_view step, Result<T> result) {
  if (!result) return std::unexpected(std::move(result.error()).context(step));
  return result;
}

// Programming errors end the process and say where.
[[noreturn]] void panic(std::string_view what, const char* file = __builtin_FILE(),
                        int line = __builtin_LINE());

}  // namespace kata

#define KATA_CONCAT_(a, b) a##b
#define KATA_CONCAT(a, b) KATA_CONCAT_(a, b)

// TRY(auto x, expr): x = value of the Result, or return its error from this function.
// TRY_STATUS(expr) is the same for a Status. The CO_ forms serve coroutines.
#define KATA_TRY_(decl, expr, ret, tmp)          \
  auto tmp = (expr);                             \
  if (!tmp) [[unlikely]]                         \
    ret std::unexpected(std::move(tmp.error())); \
  decl = std::move(*tmp)
#define KATA_TRY_STATUS_(expr, ret, tmp)    \
  if (auto tmp = (expr); !tmp) [[unlikely]] \
  ret std::unexpected(std::move(tmp.error()))

#define TRY(decl, ...) KATA_TRY_(decl, (__VA_ARGS__), return, KATA_CONCAT(try_, __LINE__))
#define CO_TRY(decl, ...) KATA_TRY_(decl, (__VA_ARGS__), co_return, KATA_CONCAT(try_, __LINE__))
#define TRY_STATUS(...) KATA_TRY_STATUS_((__VA_ARGS__), return, KATA_CONCAT(try_, __LINE__))
#define CO_TRY_STATUS(...) KATA_TRY_STATUS_((__VA_ARGS__), co_return, KATA_CONCAT(try_, __LINE__))
