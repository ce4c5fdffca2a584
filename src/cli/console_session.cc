#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <cstdlib>

#include "base/console_mark.h"
#include "cli/console.h"
#include "cli/context.h"

namespace kata::cli {
namespace {

// What ends input on a terminal. It is lost when the shell has not set its terminal up yet, or
// taken by a program that runs in it: so it is said again until the shell has ended.
constexpr char kEndOfInput = '\x04';
constexpr int kAgainMs = 1000;
constexpr char kLeaveKey = '\x1d';  // Ctrl-]
constexpr int kLeaveKeys = 3;
constexpr int kLeft = 255;       // as ssh's
constexpr int kSignalled = 128;  // as a shell's
constexpr size_t kMostWaiting = 64 << 10;

// Our terminal hands every key on, unchanged, as long as this lives.
class RawTerminal {
 public:
  RawTerminal() {
    if (tcgetattr(STDIN_FILENO, &before_) < 0) return;
    termios raw = before_;
    cfmakeraw(&raw);
    is_raw_ = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
  }
  ~RawTerminal() {
    if (is_raw_) tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
  }
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  bool is_raw() const { return is_raw_; }

 private:
  termios before_{};
  bool is_raw_ = false;
};

class Session {
 public:
  Session(UniqueFd guest, bool interactive)
      : guest_(std::move(guest)), interactive_(interactive), passing_(interactive) {}

  void type(std::string_view text) { to_guest_ += text; }
  // Three times Ctrl-] in a row on a terminal end the session.
  void make_leavable() { leavable_ = true; }
  void watch_signals(int signal_fd) { signal_fd_ = signal_fd; }

  Result<int> run() {
    fcntl(guest_.get(), F_SETFL, fcntl(guest_.get(), F_GETFL) | O_NONBLOCK);
    while (!ended_) TRY_STATUS(step());
    say(scanner_.rest());
    if (signal_) return kSignalled + signal_;
    if (left_) {
      complain("\r\nkata-runtime: left the console; the guest did not end it\r\n");
      return kLeft;
    }
    if (exit_code_ && (interactive_ || begun_)) return *exit_code_;
    if (!greeted_ && interactive_) return 0;  // an agent that does not tell
    return fail(Code::kUnavailable,
                "the guest closed the console before the command ended" +
                    (last_words_.empty() ? std::string() : ": " + printable(last_words_)));
  }

 private:
  Status step() {
    // On a terminal a guest that takes nothing must not keep us from seeing the keys that leave it.
    const bool reading =
        interactive_ && input_open_ && (leavable_ || to_guest_.size() < kMostWaiting);
    pollfd fds[] = {
        {guest_.get(), static_cast<short>(POLLIN | (to_guest_.empty() ? 0 : POLLOUT)), 0},
        {reading ? STDIN_FILENO : -1, POLLIN, 0},
        {signal_fd_, POLLIN, 0}};
    const int ready = poll(fds, std::size(fds), input_open_ ? -1 : kAgainMs);
    if (ready < 0) return errno == EINTR ? Status() : fail_errno("poll");
    if (ready == 0 && to_guest_.empty()) to_guest_ += kEndOfInput;
    if (fds[2].revents) take_signal();
    if (fds[1].revents) take_input();
    if (fds[0].revents & POLLOUT) send_some();
    if (fds[0].revents & (POLLIN | POLLHUP | POLLERR)) take_output();
    return {};
  }

  void take_signal() {
    signalfd_siginfo taken{};
    if (read(signal_fd_, &taken, sizeof taken) != sizeof taken) return;
    if (taken.ssi_signo == SIGWINCH) return tell_size();
    signal_ = static_cast<int>(taken.ssi_signo);
    ended_ = true;
  }

  // A hanging guest hears no Ctrl-C; these keys are ours.
  void watch_for_leave(std::string_view keys) {
    if (!leavable_) return;
    for (char key : keys) {
      leave_keys_ = key == kLeaveKey ? leave_keys_ + 1 : 0;
      if (leave_keys_ == kLeaveKeys) left_ = ended_ = true;
    }
  }

  void take_input() {
    char buffer[4096];
    const ssize_t n = read(STDIN_FILENO, buffer, sizeof buffer);
    if (n > 0) {
      const std::string_view keys(buffer, static_cast<size_t>(n));
      watch_for_leave(keys);
      if (!leavable_ || to_guest_.size() < kMostWaiting) to_guest_ += keys;
    } else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
      input_open_ = false;
      to_guest_ += kEndOfInput;
    }
  }

  void send_some() {
    const ssize_t n = send(guest_.get(), to_guest_.data(), to_guest_.size(), MSG_NOSIGNAL);
    if (n > 0) to_guest_.erase(0, static_cast<size_t>(n));
    if (n < 0 && errno != EAGAIN && errno != EINTR) to_guest_.clear();  // reading tells the end
  }

  void take_output() {
    char buffer[16384];
    const ssize_t n = recv(guest_.get(), buffer, sizeof buffer, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) {
      ended_ = true;
      return;
    }
    scanner_.feed(
        {buffer, static_cast<size_t>(n)}, [this](std::string_view t) { show(t); },
        [this](std::string_view m) { obey(m); });
  }

  void show(std::string_view text) {
    if (!passing_) {
      last_words_ = std::string(text.substr(0, 200));
      return;
    }
    if (interactive_) return say(text);
    // A command's output went through a terminal, which made CR LF of every LF.
    std::string plain;
    for (char c : text) {
      if (c != '\r') plain += c;
    }
    say(plain);
  }

  void obey(std::string_view mark) {
    if (mark == "hello" && !greeted_) {
      greeted_ = true;
      tell_size();
    } else if (mark == "begin") {
      begun_ = true;
      passing_ = !exit_code_;
    } else if (mark.starts_with("exit=") && !exit_code_) {
      exit_code_ = atoi(std::string(mark.substr(5)).c_str()) & 0xff;
      if (!interactive_) passing_ = false;
    }
  }

  void tell_size() {
    winsize size{};
    if (!greeted_ || !interactive_ || ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0) return;
    if (size.ws_row == 0 || size.ws_col == 0) return;
    to_guest_ +=
        console_mark("size=" + std::to_string(size.ws_row) + "x" + std::to_string(size.ws_col));
  }

  UniqueFd guest_;
  int signal_fd_ = -1;
  const bool interactive_;
  bool passing_;  // what the guest says is for the user
  bool input_open_ = true, greeted_ = false, begun_ = false, ended_ = false, left_ = false;
  bool leavable_ = false;
  int leave_keys_ = 0, signal_ = 0;
  std::string to_guest_, last_words_;
  MarkScanner scanner_;
  std::optional<int> exit_code_;
};

std::string quoted(const std::string& word) {
  std::string text = "'";
  for (char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

// A mark as the shell prints it; its echo on the terminal is none.
std::string printed(const std::string& word) {
  return "printf '\\033]7770;kata;" + word + "\\007'";
}

}  // namespace

Result<std::string> command_line_of(const std::vector<std::string>& words) {
  constexpr size_t kTerminalLine = 4000;  // of 4095 bytes
  std::string command;
  for (const std::string& word : words) {
    if (word.find_first_of(std::string_view("\n\r\0", 3)) != std::string::npos) {
      return fail(Code::kInvalidArgument, "a word of the command has a line break");
    }
    command += (command.empty() ? "" : " ") + quoted(word);
  }
  std::string line =
      printed("begin") + "; (" + command + ") </dev/null; " + printed("exit=%d") + " $?; exit\n";
  if (line.size() <= kTerminalLine) return line;
  return fail(Code::kInvalidArgument, "the command is longer than a terminal's line (" +
                                          std::to_string(kTerminalLine) +
                                          " bytes); put it into a script in the guest");
}

Result<int> join_console(UniqueFd guest) {
  // With these unseen, one would leave the terminal raw.
  sigset_t watched;
  sigemptyset(&watched);
  for (int number : {SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGQUIT}) sigaddset(&watched, number);
  sigprocmask(SIG_BLOCK, &watched, nullptr);
  UniqueFd signals(signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals) return fail_errno("watch for signals");
  RawTerminal terminal;
  Session session(std::move(guest), true);
  session.watch_signals(signals.get());
  if (terminal.is_raw()) session.make_leavable();
  return session.run();
}

Result<int> run_in_console(UniqueFd guest, const std::string& line) {
  Session session(std::move(guest), false);
  session.type(line);
  return session.run();
}

}  // namespace kata::cli
