#pragma once

#include <string>
#include <vector>

#include "metrics/text.h"

// Figures of processes as the kernel counts them, under the names of facts/cli-and-monitor.md
// section 7.
namespace kata::metrics {

// Folders below /proc; the figures of several are summed. One that is gone counts nothing.
using ProcFolders = std::vector<std::string>;

enum class Unit { kKilobytes, kBytes };  // of the memory figures of a status file

// <prefix>_proc_status with the memory and context switch figures.
void add_status(const std::string& prefix, const ProcFolders& folders, Unit unit, Text* out);
// <prefix>_proc_stat: clock ticks.
void add_ticks(const std::string& prefix, const ProcFolders& folders, Text* out);
// <prefix>_io_stat; the agent writes read_bytes where the host's side writes readbytes.
enum class IoNames { kJoined, kKernel };
void add_io(const std::string& prefix, const ProcFolders& folders, IoNames names, Text* out);
// <prefix>_threads, _fds and the three above in bytes: what the host's side says of each process.
void add_process_group(const std::string& prefix, const ProcFolders& folders, Text* out);

// The families that Prometheus' client libraries write: <prefix>process_cpu_seconds_total,
// _open_fds, _max_fds, _virtual_memory_bytes, _resident_memory_bytes, _start_time_seconds.
void add_process_collector(const std::string& prefix, const std::string& proc, Text* out);

// `name` with the labels interface and item, from a file like /proc/net/dev.
void add_interfaces(const std::string& name, const std::string& path, Text* out);

// CPU time of processes in nanoseconds.
double cpu_nanoseconds(const ProcFolders& folders);

}  // namespace kata::metrics
