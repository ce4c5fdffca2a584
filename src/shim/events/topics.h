#pragma once

// Topics of task events (facts/shim-v2.md section 10.1). Order per task: create < start < exit <
// delete; exec-added < exec-started < exit.
namespace kata::shim::topics {

inline constexpr char kCreate[] = "/tasks/create";
inline constexpr char kStart[] = "/tasks/start";
inline constexpr char kExit[] = "/tasks/exit";
inline constexpr char kDelete[] = "/tasks/delete";
inline constexpr char kOom[] = "/tasks/oom";
inline constexpr char kExecAdded[] = "/tasks/exec-added";
inline constexpr char kExecStarted[] = "/tasks/exec-started";
inline constexpr char kPaused[] = "/tasks/paused";
inline constexpr char kResumed[] = "/tasks/resumed";

}  // namespace kata::shim::topics
