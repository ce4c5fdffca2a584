#pragma once

#include "cli/context.h"

// One function per command: it adds the command with its options to the parser. Parsing puts the
// command into the context.
namespace kata::cli {

void add_check(CLI::App& app, Context& context);
void add_collect_data(CLI::App& app, Context& context);
void add_completion(CLI::App& app, Context& context);
void add_config(CLI::App& app, Context& context);
void add_direct_volume(CLI::App& app, Context& context);
void add_env(CLI::App& app, Context& context);
void add_doctor(CLI::App& app, Context& context);
void add_exec(CLI::App& app, Context& context);
void add_factory(CLI::App& app, Context& context);
void add_gc(CLI::App& app, Context& context);
void add_iptables(CLI::App& app, Context& context);
void add_memory(CLI::App& app, Context& context);
void add_metrics(CLI::App& app, Context& context);
void add_policy(CLI::App& app, Context& context);
void add_version(CLI::App& app, Context& context);
void add_why_slow(CLI::App& app, Context& context);

}  // namespace kata::cli
