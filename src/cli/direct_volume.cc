#include "storage/direct_volume.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/management.h"

// direct-volume: notes that storage drivers leave about the disks of volumes.
namespace kata::cli {
namespace {

struct Words {
  std::string path;
  std::string note;
  uint64_t size = 0;
};
using Verb = Status (*)(const Words&);

Status add(const Words& words) {
  return storage::DirectVolumes().add(words.path, words.note);
}

Status remove(const Words& words) {
  return storage::DirectVolumes().remove(words.path);
}

// Sandboxes whose containers have the volume; at least one.
Result<std::vector<std::string>> users(const std::string& path) {
  const storage::DirectVolumes volumes;
  TRY(auto note, volumes.find(path));
  if (!note) return fail(Code::kNotFound, path + " is no direct volume: nobody left a note of it");
  TRY(auto ids, volumes.users(path));
  if (ids.empty()) return fail(Code::kNotFound, "no container uses volume " + path);
  return ids;
}

Status stats(const Words& words) {
  TRY(auto ids, users(words.path));
  http::Ask request;
  request.target = "/direct-volume/stats?path=" + http::encode_percent(words.path);
  request.limit = kShimLimit;
  TRY(std::string answer, ask_shim(ids.front(), std::move(request)));
  say(printable(answer) + "\n");
  return {};
}

Status resize(const Words& words) {
  TRY(auto ids, users(words.path));
  for (const std::string& id : ids) {
    http::Ask request;
    request.target = "/direct-volume/resize";
    request.method = "POST";
    request.body = nlohmann::json({{"VolumePath", words.path}, {"Size", words.size}})
                       .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    request.limit = kShimLimit;
    TRY(std::string answer, ask_shim(id, std::move(request)));
  }
  return {};
}

// A command below direct-volume. Upstream's first tool takes options, its second one bare words.
CLI::App* add_verb(CLI::App& parent, Context& context, const std::shared_ptr<Words>& words,
                   const char* name, const char* what, Verb verb) {
  CLI::App* command = parent.add_subcommand(name, what);
  command->add_option("--volume-path,VOLUME_PATH", words->path, "Path of the volume on this host")
      ->required();
  command->callback([&context, words, verb] {
    context.command = [words, verb] {
      auto done = verb(*words);
      return done ? 0 : report(done.error());
    };
  });
  return command;
}

}  // namespace

void add_direct_volume(CLI::App& app, Context& context) {
  CLI::App* parent = app.add_subcommand(
      "direct-volume", "Volumes whose disk a VM mounts itself, for storage drivers");
  parent->require_subcommand(1);
  auto words = std::make_shared<Words>();
  add_verb(*parent, context, words, "add", "Note the disk of a volume", &add)
      ->add_option("--mount-info,MOUNT_INFO", words->note,
                   "JSON: volume-type, device, fstype, options, metadata")
      ->required();
  add_verb(*parent, context, words, "remove", "Forget the disk of a volume", &remove);
  add_verb(*parent, context, words, "stats", "Print the use of a mounted volume as JSON", &stats);
  add_verb(*parent, context, words, "resize", "Grow a mounted volume with its disk", &resize)
      ->add_option("--size,SIZE", words->size,
                   "Bytes of the file system; the disk has them already")
      ->required();
}

}  // namespace kata::cli
