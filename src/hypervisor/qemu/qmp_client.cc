#include "hypervisor/qemu/qmp_client.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/log.h"
#include "hypervisor/qemu/qmp_parse.h"

namespace kata::hypervisor::qemu {

struct QmpClient::Pending {
  explicit Pending(asio::any_io_executor executor) : done(std::move(executor)) {}
  Event done;
  std::optional<Result<Json>> result;

  void finish(Result<Json> value) {
    if (!result) result = std::move(value);
    done.set();
  }
};

QmpClient::QmpClient(asio::any_io_executor executor, Stream stream)
    : stream_(std::move(stream)), greeted_(executor), closed_(executor) {}

QmpClient::~QmpClient() = default;

Result<std::shared_ptr<QmpClient>> QmpClient::adopt(asio::any_io_executor executor,
                                                    UniqueFd socket) {
  Stream stream(executor);
  boost::system::error_code failed;
  stream.assign(asio::local::stream_protocol(), socket.get(), failed);
  if (!failed) {
    [[maybe_unused]] int owned_by_stream = socket.release();
    stream.native_non_blocking(true, failed);
  }
  if (failed) return fail(Code::kInternal, "watch the QMP socket: " + failed.message());
  std::shared_ptr<QmpClient> self(new QmpClient(executor, std::move(stream)));
  kata::spawn(executor, read_lines(self));
  return self;
}

void QmpClient::close() {
  boost::system::error_code ignored;
  stream_.close(ignored);
  fail_all(close_error_);
}

void QmpClient::fail_all(const Error& error) {
  if (closed_.is_set()) return;
  close_error_ = error;
  closed_.set();
  greeted_.set();
  on_event_ = {};
  for (auto& [id, pending] : std::exchange(pending_, {})) {
    pending->finish(std::unexpected(error));
  }
}

Task<> QmpClient::read_lines(std::shared_ptr<QmpClient> self) {
  std::vector<char> buffer(16 * 1024);
  for (;;) {
    auto [failed, size] = co_await self->stream_.async_read_some(asio::buffer(buffer), use_tuple);
    if (failed) {
      self->fail_all(Error(Code::kUnavailable, "QMP connection closed by the VMM"));
      break;
    }
    Status status = self->on_bytes({buffer.data(), size});
    if (!status) {
      self->fail_all(status.error());
      break;
    }
  }
  boost::system::error_code ignored;
  self->stream_.close(ignored);
}

Status QmpClient::on_bytes(std::string_view bytes) {
  while (!bytes.empty()) {
    size_t end = bytes.find('\n');
    std::string_view part = bytes.substr(0, end);
    if (line_.size() + part.size() > kMaxLine) {
      return fail(Code::kDataLoss, "QMP line longer than " + std::to_string(kMaxLine) + " bytes");
    }
    line_ += part;
    if (end == std::string_view::npos) return {};
    bytes.remove_prefix(end + 1);
    TRY_STATUS(on_line(std::exchange(line_, {})));
  }
  return {};
}

Status QmpClient::on_line(const std::string& line) {
  if (line.find_first_not_of(" \t\r") == std::string::npos) return {};
  TRY(Json message, parse_qmp_line(line, kMaxDepth));
  if (message.contains("QMP")) {
    greeted_.set();
  } else if (auto event = message.find("event"); event != message.end()) {
    if (!event->is_string()) return fail(Code::kDataLoss, "QMP event without a name");
    static const Json kNoData;
    auto data = message.find("data");
    if (on_event_)
      on_event_(event->get_ref<const std::string&>(), data != message.end() ? *data : kNoData);
  } else if (message.contains("return") || message.contains("error")) {
    on_reply(message);
  } else {
    return fail(Code::kDataLoss, "QMP message of unknown kind");
  }
  return {};
}

void QmpClient::on_reply(const Json& message) {
  auto target = pending_.begin();
  if (auto id = message.find("id"); id != message.end()) {
    target = id->is_number_unsigned() ? pending_.find(id->get<uint64_t>()) : pending_.end();
  }
  if (target == pending_.end()) {
    log::debug("QMP reply that nobody waits for");
    return;
  }
  auto pending = std::move(target->second);
  pending_.erase(target);
  if (auto value = message.find("return"); value != message.end()) {
    pending->finish(*value);
  } else {
    pending->finish(std::unexpected(qmp_error(message["error"])));
  }
}

Task<Status> QmpClient::negotiate(Clock::duration limit) {
  auto deadline = Clock::now() + limit;
  auto self = shared_from_this();
  if (!co_await greeted_.wait_for(limit)) {
    co_return fail(Code::kDeadlineExceeded, "no QMP greeting");
  }
  auto reply = co_await execute("qmp_capabilities", nullptr, {}, deadline - Clock::now());
  if (!reply) co_return std::unexpected(std::move(reply.error()));
  co_return Status();
}

Task<Result<Json>> QmpClient::execute(std::string command) {
  co_return co_await execute(std::move(command), nullptr, {}, kCommandLimit);
}

Task<Result<Json>> QmpClient::execute(std::string command, Json arguments) {
  co_return co_await execute(std::move(command), std::move(arguments), {}, kCommandLimit);
}

Task<Result<Json>> QmpClient::execute(std::string command, Json arguments, std::vector<int> fds,
                                      Clock::duration limit) {
  auto self = shared_from_this();
  if (closed_.is_set()) co_return std::unexpected(close_error_);
  if (pending_.size() >= kMaxPending) {
    co_return fail(Code::kResourceExhausted, "too many QMP commands at once");
  }
  uint64_t id = next_id_++;
  Json message = {{"execute", command}, {"id", id}};
  if (!arguments.is_null()) message["arguments"] = std::move(arguments);
  // Invalid UTF-8 in a path is replaced instead of thrown over.
  std::string text = message.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  auto pending = std::make_shared<Pending>(stream_.get_executor());
  CO_TRY_STATUS(queue(std::move(text), fds));
  pending_.emplace(id, pending);
  if (!co_await pending->done.wait_for(limit)) {
    pending_.erase(id);
    co_return fail(Code::kDeadlineExceeded, "QMP " + command + ": no reply");
  }
  co_return in_step("QMP " + command, std::move(*pending->result));
}

Status QmpClient::queue(std::string text, const std::vector<int>& fds) {
  Outgoing item{std::move(text), {}};
  for (int fd : fds) {
    UniqueFd copy(fcntl(fd, F_DUPFD_CLOEXEC, 3));
    if (!copy) return fail_errno("duplicate a descriptor for the VMM");
    item.fds.push_back(std::move(copy));
  }
  outgoing_.push_back(std::move(item));
  if (!writing_) {
    writing_ = true;
    kata::spawn(stream_.get_executor(), write_queue(shared_from_this()));
  }
  return {};
}

Task<> QmpClient::write_queue(std::shared_ptr<QmpClient> self) {
  while (!self->outgoing_.empty() && self->stream_.is_open()) {
    Outgoing& item = self->outgoing_.front();
    auto sent = send_with_fds(self->stream_.native_handle(), item.text, item.fds);
    if (!sent) {
      self->fail_all(sent.error());
      break;
    }
    if (*sent > 0) item.fds.clear();
    item.text.erase(0, *sent);
    if (item.text.empty()) {
      self->outgoing_.pop_front();
      continue;
    }
    auto [failed] = co_await self->stream_.async_wait(Stream::wait_write, use_tuple);
    if (failed) break;
  }
  self->outgoing_.clear();
  self->writing_ = false;
}

}  // namespace kata::hypervisor::qemu
