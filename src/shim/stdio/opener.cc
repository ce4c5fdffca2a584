#include "shim/stdio/opener.h"

#include <sys/stat.h>

#include "shim/stdio/empty_source.h"
#include "shim/stdio/fifo.h"
#include "shim/stdio/file_sink.h"
#include "shim/stdio/uri.h"

namespace kata::shim {

namespace {

using Scheme = StdioUri::Scheme;

bool is_fifo(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 && S_ISFIFO(info.st_mode);
}

bool is_logger(Scheme scheme) {
  return scheme == Scheme::kBinary || scheme == Scheme::kBinaryV2;
}

}  // namespace

Result<std::unique_ptr<runtime::OutputSink>> StdioOpener::open_output(
    const std::string& value) const {
  TRY(StdioUri uri, parse_stdio_uri(value));
  if (uri.scheme == Scheme::kNone) return nullptr;
  if (uri.scheme == Scheme::kFile) return FileSink::open(uri.path, true);
  if (is_fifo(uri.path)) return FifoSink::open(executor_, uri.path);
  return FileSink::open(uri.path, false);
}

Result<std::unique_ptr<runtime::InputSource>> StdioOpener::open_input(
    const StdioPaths& paths) const {
  TRY(StdioUri uri, parse_stdio_uri(paths.in));
  if (uri.scheme == Scheme::kFifo) return FifoSource::open(executor_, uri.path);
  if (uri.scheme != Scheme::kNone) {
    return fail(Code::kInvalidArgument, "stdin cannot be \"" + paths.in + "\"");
  }
  // A terminal is left alone: the end of its input would hang it up.
  if (paths.terminal) return nullptr;
  return std::make_unique<EmptySource>();
}

Task<Result<runtime::ProcessIo>> StdioOpener::open(StdioPaths paths, std::string process_id) {
  runtime::ProcessIo io;
  CO_TRY(StdioUri out, parse_stdio_uri(paths.out));
  CO_TRY(io.in, in_step("stdin", open_input(paths)));
  if (is_logger(out.scheme)) {
    LoggerRequest request{std::move(out), std::move(process_id), containerd_namespace_};
    auto started = co_await start_logger(std::move(request), loggers_);
    CO_TRY(auto sinks, in_step("stdout", std::move(started)));
    io.out = std::move(sinks.out);
    io.err = std::move(sinks.err);
    if (paths.terminal) io.err->close();
  } else {
    CO_TRY(io.out, in_step("stdout", open_output(paths.out)));
    // file: both streams go into the one file, whatever the request says for stderr.
    const std::string& err = out.scheme == Scheme::kFile ? paths.out : paths.err;
    if (!paths.terminal) {
      CO_TRY(io.err, in_step("stderr", open_output(err)));
    }
  }
  if (paths.terminal) io.err.reset();
  co_return io;
}

}  // namespace kata::shim
