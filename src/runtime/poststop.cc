#include "runtime/poststop.h"

#include "base/log.h"
#include "oci/spec.h"
#include "runtime/hooks.h"

namespace kata::runtime {

namespace {

constexpr std::string_view kPoststop = "poststop";

void pay(const journal::Entry& debt, Clock::time_point end) {
  const std::string &id = debt.fields[0], &bundle = debt.fields[1];
  auto spec = oci::load_bundle(bundle);
  if (!spec) {
    log::failure("poststop hooks are lost", spec.error(), {{"container", id}});
    return;
  }
  asio::io_context loop(1);
  spawn(loop.get_executor(),
        run_hooks_to_the_end(spec->hooks().poststop(), HookState(*spec, id, bundle, 0),
                             {"poststop", "stopped", end}));
  loop.run();
}

}  // namespace

journal::Entry poststop_entry(const std::string& container_id, const std::string& bundle) {
  return {std::string(kPoststop), {container_id, bundle}};
}

Status undo_sandbox(const std::string& journal_path, journal::UndoOptions options,
                    PoststopDebts& owed) {
  options.undoers[std::string(kPoststop)] = [&owed](const journal::Entry& entry) -> Status {
    if (entry.fields.size() != 2) return fail(Code::kDataLoss, "entry needs container and bundle");
    owed.push_back(entry);
    return {};
  };
  return undo_all(journal_path, options);
}

void pay_poststop(const PoststopDebts& owed, Clock::duration limit) {
  const auto end = Clock::now() + limit;
  for (const auto& debt : owed) pay(debt, end);
}

void drop_poststop(const PoststopDebts& owed) {
  for (const auto& debt : owed) {
    log::warn("poststop hooks of an earlier container are lost", {{"container", debt.fields[0]}});
  }
}

}  // namespace kata::runtime
