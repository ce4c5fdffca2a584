#include "cli/generated_text.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/commands.h"
#include "cli/config_page.h"
#include "version.h"

namespace kata::cli {
namespace {

std::vector<const CLI::App*> children(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

std::string full_name(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return parent ? full_name(*parent) + " " + app.get_name() : app.get_name();
}

// Everything that may follow the command: its commands, their other names, its options.
std::string words(const CLI::App& app) {
  std::string text;
  for (const CLI::App* child : children(app)) {
    text += child->get_name() + " ";
    for (const std::string& alias : child->get_aliases()) text += alias + " ";
  }
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) text += "--" + name + " ";
  }
  if (!text.empty()) text.pop_back();
  return text;
}

// One case per command: its name and those below it, joined by blanks.
void add_cases(const CLI::App& app, const std::string& path, std::string& text) {
  text += "    \"" + path + "\") words=\"" + words(app) + "\" ;;\n";
  for (const CLI::App* child : children(app)) {
    const std::string before = path.empty() ? "" : path + " ";
    add_cases(*child, before + child->get_name(), text);
    for (const std::string& alias : child->get_aliases()) add_cases(*child, before + alias, text);
  }
}

void add_section(const CLI::App& app, std::string& text) {
  text += ".SS " + roff(full_name(app)) + "\n" + roff(app.get_description()) + "\n";
  for (const CLI::Option* option : app.get_options()) {
    text += ".TP\n.B " + roff(option->get_name(true, true)) + "\n" +
            roff(option->get_description()) + "\n";
  }
  for (const CLI::App* child : children(app)) add_section(*child, text);
}

}  // namespace

std::string roff(const std::string& text) {
  std::string escaped;
  for (char c : text) {
    if (c == '\\')
      escaped += "\\e";
    else if (c == '-')
      escaped += "\\-";
    else if (escaped.empty() && (c == '.' || c == '\''))
      escaped += std::string("\\&") + c;
    else
      escaped += c;
  }
  return escaped;
}

std::string bash_completion(const CLI::App& app) {
  std::string text =
      "# bash completion of kata-runtime: source <(kata-runtime completion)\n"
      "_kata_runtime() {\n"
      "  local word path=\"\" words=\"\"\n"
      "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
      "    [[ $word == -* ]] || path+=\"${path:+ }$word\"\n"
      "  done\n"
      "  case $path in\n";
  add_cases(app, "", text);
  return text +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
         "}\n"
         "complete -o default -F _kata_runtime kata-runtime\n";
}

std::string manual_page(const CLI::App& app) {
  std::string text = ".TH KATA\\-RUNTIME 1 \"\" \"kata\\-cpp " + roff(kVersion) +
                     "\"\n.SH NAME\nkata\\-runtime \\- looks after containers that run in virtual "
                     "machines\n.SH SYNOPSIS\n.B kata\\-runtime\n[OPTIONS] COMMAND [OPTIONS]\n.SH "
                     "COMMANDS AND OPTIONS\n";
  add_section(app, text);
  return text + ".SH EXIT STATUS\n0, or 1 after a failure; of exec, that of the command.\n";
}

void add_completion(CLI::App& app, Context& context) {
  CLI::App* completion = app.add_subcommand("completion", "Print completions for bash");
  completion->callback([&app, &context] {
    context.command = [&app] {
      say(bash_completion(app));
      return 0;
    };
  });
  CLI::App* manual = app.add_subcommand("manual", "Print a manual page, for man -l -");
  auto page = std::make_shared<std::string>("kata-runtime");
  manual->add_option("PAGE", *page, "kata-runtime (default) or configuration.toml")
      ->check(CLI::IsMember({"kata-runtime", "configuration.toml"}));
  manual->callback([&app, &context, page] {
    context.command = [&app, page] {
      say(*page == "kata-runtime" ? manual_page(app) : config_page());
      return 0;
    };
  });
}

}  // namespace kata::cli
