#include "cli/config_page.h"

#include "cli/generated_text.h"
#include "config/keys.h"
#include "config/search.h"
#include "version.h"

namespace kata::cli {
namespace {

using config::Key;

std::string numbers(const Key& key) {
  const Key anything;
  if (key.min == anything.min && key.max == anything.max) return "";
  const auto whole = [](double number) { return std::to_string(static_cast<int64_t>(number)); };
  if (key.max == anything.max) return ", at least " + whole(key.min);
  return ", " + whole(key.min) + " to " + whole(key.max);
}

std::string choice_of(config::Words words) {
  std::string text;
  for (std::string_view word : words) {
    if (word.empty()) continue;
    text += (text.empty() ? "" : ", ") + std::string(word);
  }
  return "one of: " + text;
}

// What the file may hold for a key.
std::string kind(const Key& key, config::Config& values) {
  struct Describe {
    const Key& key;
    std::string operator()(bool*) const { return "true or false"; }
    std::string operator()(uint64_t*) const { return "whole number" + numbers(key); }
    std::string operator()(double*) const { return "number" + numbers(key); }
    std::string operator()(config::Text*) const {
      if (!key.words.empty()) return choice_of(key.words);
      return key.is_file ? "path of a file" : "text";
    }
    std::string operator()(config::TextList*) const { return "list of texts"; }
    std::string operator()(config::Millis*) const {
      return (key.unit == 1 ? "milliseconds" : "seconds") + numbers(key);
    }
    std::string operator()(config::ChoiceRef) const { return choice_of(key.words); }
  };
  return std::visit(Describe{key}, key.field(values));
}

void add_section(std::string_view name, std::span<const Key> keys, std::string& text) {
  config::Config defaults;
  text += ".SH " + roff("[" + std::string(name) + "]") + "\n";
  for (const Key& key : keys) {
    text += ".TP\n.B " + roff(std::string(key.name)) + "\n";
    if (key.effect == config::Effect::kHistoric) {
      text += "Of older releases; has no meaning any more.\n";
      continue;
    }
    std::string line = "Accepted.";
    if (key.field) {
      const std::string value = config::show(key, defaults);
      line = kind(key, defaults) + "; default: " + (value == "\"\"" ? "unset" : value) + ".";
    }
    if (key.effect == config::Effect::kAccepted) line += " Has no effect yet.";
    text += roff(line) + "\n";
  }
}

}  // namespace

std::string config_page() {
  std::string text = ".TH CONFIGURATION.TOML 5 \"\" \"kata\\-cpp " + roff(kVersion) +
                     "\"\n.SH NAME\nconfiguration.toml \\- settings of containers' virtual "
                     "machines\n.SH FILES\nThe first of these that exists, unless the container "
                     "manager or KATA_CONF_FILE names another; then every file of config.d/ beside "
                     "it, in the order of their names:\n";
  for (const std::string& path : config::default_paths()) text += ".br\n" + roff(path) + "\n";
  add_section("hypervisor.NAME", config::hypervisor_keys(), text);
  add_section("factory", config::factory_keys(), text);
  add_section("agent.kata", config::agent_keys(), text);
  add_section("runtime", config::runtime_keys(), text);
  return text + ".SH SEE ALSO\n.BR kata\\-runtime (1)\n";
}

}  // namespace kata::cli
