#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/utf8.h"
#include "cli/memory_report.h"

// A report about memory as text and as JSON.
namespace kata::cli {
namespace {

using nlohmann::ordered_json;

constexpr double kMib = 1 << 20;

std::string row(const std::string& name, uint64_t bytes, const std::string& note = {}) {
  constexpr int kName = 44, kNumber = 9;
  char line[160];
  snprintf(line, sizeof line, "  %-*.*s%*.1f", kName, kName, name.c_str(), kNumber,
           static_cast<double>(bytes) / kMib);
  return line + (note.empty() ? "" : "  " + note) + "\n";
}

std::string mib(uint64_t bytes) {
  char text[32];
  snprintf(text, sizeof text, "%.1f MiB", static_cast<double>(bytes) / kMib);
  return text;
}

std::string container_row(const ContainerMemory& container) {
  constexpr size_t kShown = 12;
  std::string name = "container " + printable(container.id.substr(0, kShown));
  if (!container.name.empty()) name += " (" + printable(container.name) + ")";
  if (!container.problem.empty()) return "  " + name + ": " + printable(container.problem) + "\n";
  return row(name, container.anonymous + container.shared,
             "and " + mib(container.page_cache) + " of the page cache");
}

std::string guest_text(const MemoryReport& report) {
  const GuestMemory& guest = report.guest;
  if (guest.total == 0) return "  the guest gave no figures; the shim's log says why\n";
  std::string text = row("guest kernel", report.kernel(), "code, tables, slab, page records") +
                     row("page cache", report.page_cache(), "freed when memory runs short") +
                     row("tmpfs, shared memory", report.tmpfs(), "not charged to a container") +
                     row("agent", guest.agent);
  for (const ContainerMemory& container : report.shim_view.containers) {
    text += container_row(container);
  }
  text += row("other processes", report.other_processes()) + row("free", guest.free);
  return text + row("the VM's memory", std::max(report.vmm.guest_size, guest.total));
}

std::string host_text(const MemoryReport& report) {
  std::string text = row("VMM", report.vmm.rest);
  if (report.vmm.code) {
    text += row("VMM: translated code", report.vmm.code, "emulation only; grows up to 256 MiB");
  }
  if (report.shim_view.fs) text += row("file-system daemon", report.fs.rest + report.fs.code);
  text += row("shim", report.shim.rest + report.shim.code);
  text += row("guest memory that is in use", report.guest_resident(), "the pages above that exist");
  return text + row("all", report.host_processes() + report.guest_resident());
}

std::string advice(const MemoryReport& report) {
  if (report.guest.total == 0) return {};
  char amount[32];
  snprintf(amount, sizeof amount, "%.0fMi", static_cast<double>(report.suggested()) / kMib);
  std::string text =
      std::string("suggested overhead.podFixed.memory of the RuntimeClass: ") + amount + "\n";
  text += row("VMM, file-system daemon, shim", report.host_processes());
  text += row("guest: kernel, agent, tmpfs, other processes",
              report.needed() - report.host_processes());
  text += row("together", report.needed(), "plus an eighth, rounded up to 16 MiB");
  text +=
      "  Containers and the page cache are left out: they are paid for by the containers' "
      "limits.\n";
  if (report.vmm.code) {
    text += "  Under emulation add what translated code may still grow by: " +
            mib(256 * static_cast<uint64_t>(kMib) -
                std::min(report.vmm.code, 256 * static_cast<uint64_t>(kMib))) +
            ".\n";
  }
  return text;
}

}  // namespace

std::string memory_text(const MemoryReport& report) {
  return "sandbox " + report.sandbox + ", MiB\n\nin the guest\n" + guest_text(report) +
         "\non the host (PSS)\n" + host_text(report) + "\n" + advice(report);
}

std::string memory_json(const MemoryReport& report) {
  const GuestMemory& guest = report.guest;
  ordered_json containers = ordered_json::array();
  for (const ContainerMemory& container : report.shim_view.containers) {
    ordered_json entry = {{"id", container.id}, {"name", container.name}};
    if (container.problem.empty()) {
      entry["anonymous"] = container.anonymous;
      entry["shared"] = container.shared;
      entry["page_cache"] = container.page_cache;
    } else {
      entry["error"] = container.problem;
    }
    containers.push_back(std::move(entry));
  }
  ordered_json document = {{"sandbox", report.sandbox}, {"unit", "bytes"}};
  document["guest"] = nullptr;
  if (guest.total) {
    document["guest"] = {{"vm", std::max(report.vmm.guest_size, guest.total)},
                         {"kernel", report.kernel()},
                         {"page_cache", report.page_cache()},
                         {"tmpfs", report.tmpfs()},
                         {"agent", guest.agent},
                         {"other_processes", report.other_processes()},
                         {"free", guest.free}};
  }
  document["containers"] = std::move(containers);
  document["host"] = {{"vmm", report.vmm.rest},
                      {"translated_code", report.vmm.code},
                      {"fs_daemon", report.fs.rest + report.fs.code},
                      {"shim", report.shim.rest + report.shim.code},
                      {"guest_memory", report.guest_resident()}};
  document["overhead"] = nullptr;
  if (guest.total) {
    document["overhead"] = {{"measured", report.needed()}, {"suggested", report.suggested()}};
  }
  return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace kata::cli
