#include "cli/config_show.h"

#include <nlohmann/json.hpp>

#include "cli/context.h"
#include "config/effective.h"

namespace kata::cli {
namespace {

using config::EffectiveKey;
using nlohmann::ordered_json;

std::string_view effect_word(config::Effect effect) {
  switch (effect) {
    case config::Effect::kAccepted:
      return "accepted, not yet effective";
    case config::Effect::kHistoric:
      return "obsolete, no meaning";
    case config::Effect::kEffective:
      break;
  }
  return "effective";
}

ordered_json json_value(const config::Key& key, config::Config& values) {
  if (!key.field) return nullptr;
  return std::visit(
      [&](auto field) -> ordered_json {
        using Member = decltype(field);
        if constexpr (std::is_same_v<Member, config::ChoiceRef>) {
          return key.words[field.get(field.member)];
        } else if constexpr (std::is_same_v<Member, config::Millis*>) {
          return field->count() / key.unit;
        } else {
          return *field;
        }
      },
      key.field(values));
}

// A password is nobody's business, whoever may read the output.
bool is_secret(const config::Key& key) {
  return key.name.find("password") != std::string_view::npos;
}

std::string comment(const EffectiveKey& row) {
  std::string text = row.source;
  if (row.key->effect != config::Effect::kEffective) {
    text += "; " + std::string(effect_word(row.key->effect));
  }
  return text;
}

}  // namespace

std::string show_toml(config::LoadedConfig& loaded, bool only_set) {
  std::string text = "# " + loaded.path + "\n";
  for (const std::string& file : loaded.drop_ins) text += "# with " + file + "\n";
  for (const std::string& warning : loaded.warnings) text += "# warning: " + warning + "\n";
  std::string section;
  for (const EffectiveKey& row : config::effective_keys(loaded)) {
    if (only_set && !row.set) continue;
    if (row.section != section) {
      section = row.section;
      text += "\n[" + section + "]\n";
    }
    const std::string name(row.key->name);
    if (!row.has_value()) {
      text += "# " + name + " is not kept";
    } else if (is_secret(*row.key)) {
      text += "# " + name + " is not shown";
    } else {
      text += name + " = " + config::show(*row.key, loaded.config);
    }
    text += "  # " + comment(row) + "\n";
  }
  return printable(text);
}

std::string show_json(config::LoadedConfig& loaded, bool only_set) {
  ordered_json document = {{"file", loaded.path},
                           {"drop_ins", loaded.drop_ins},
                           {"warnings", loaded.warnings},
                           {"keys", ordered_json::object()}};
  for (const EffectiveKey& row : config::effective_keys(loaded)) {
    if (only_set && !row.set) continue;
    const std::string name = row.section + "." + std::string(row.key->name);
    ordered_json value = is_secret(*row.key) ? nullptr : json_value(*row.key, loaded.config);
    document["keys"][name] = {{"value", std::move(value)},
                              {"source", row.source},
                              {"set", row.set},
                              {"effect", effect_word(row.key->effect)}};
  }
  return document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace kata::cli
