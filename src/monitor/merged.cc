#include "monitor/merged.h"

#include <algorithm>
#include <numeric>

#include "metrics/text.h"

namespace kata::monitor {

namespace {

constexpr size_t kPiece = 64 << 10;
// Per sandbox; an honest one has some 1500.
constexpr size_t kMaxSamples = 20000;

constexpr std::string_view kOurs[] = {"sandbox_id", "cri_uid", "cri_name", "cri_namespace"};

bool has_our_label(std::string_view labels) {
  bool found = false;
  metrics::for_each_label(labels, [&](std::string_view name, std::string_view) {
    found = found || std::ranges::find(kOurs, name) != std::end(kOurs);
  });
  return found;
}

// Those of a program's own libraries are a shim's here.
std::string own_name(std::string_view name) {
  const bool generic = name.starts_with("go_") || name.starts_with("process_");
  return (generic ? "kata_shim_" : "") + std::string(name);
}

}  // namespace

Status Merged::Reader::add_line(std::string_view text) {
  auto line = metrics::parse_line(text);
  if (!line) {
    ++refused_;
    return {};
  }
  switch (line->kind) {
    case metrics::Line::Kind::kNothing:
      break;
    case metrics::Line::Kind::kHelp:
      enter(own_name(line->name));
      help_ = line->text;
      break;
    case metrics::Line::Kind::kType:
      enter(own_name(line->name));
      type_ = line->text;
      break;
    case metrics::Line::Kind::kSample:
      if (!add_sample(*line)) ++refused_;
  }
  return {};
}

void Merged::Reader::enter(std::string name) {
  if (name == name_) return;
  name_ = std::move(name);
  type_ = "untyped";
  help_.clear();
}

bool Merged::Reader::add_sample(const metrics::Line& line) {
  const std::string name = own_name(line.name);
  if (!metrics::belongs_to(name, name_, type_)) enter(name);
  if (has_our_label(line.labels) || samples_.size() == kMaxSamples) return false;
  const uint32_t family = merged_.family(name_, type_, help_);
  const auto at = static_cast<uint32_t>(samples_.size());
  samples_.push_back({merged_.series(name, line.labels), line.value});
  if (runs_.empty() || runs_.back().family != family) runs_.push_back({family, at, at});
  runs_.back().end = at + 1;
  return true;
}

bool Merged::Writer::wanted(std::string_view name) const {
  return only_.empty() || std::ranges::any_of(only_, [&](const std::string& begin) {
           return name.starts_with(begin);
         });
}

uint32_t Merged::family(const std::string& name, const std::string& type, const std::string& help) {
  const auto next = static_cast<uint32_t>(families_.size());
  const auto [found, added] = family_numbers_.try_emplace(name + " " + type, next);
  if (added) families_.push_back({name, type, help, 0});
  return found->second;
}

uint32_t Merged::series(std::string_view name, std::string_view labels) {
  std::string key(name);
  key.append("{").append(labels);
  const auto next = static_cast<uint32_t>(series_.size());
  const auto [found, added] = series_numbers_.try_emplace(std::move(key), next);
  if (added) series_.push_back({std::string(name), std::string(labels)});
  return found->second;
}

void Merged::keep(Reader reader, std::string labels) {
  Kept kept{std::move(labels), std::move(reader.samples_), std::move(reader.runs_)};
  kept.samples.shrink_to_fit();
  std::ranges::stable_sort(kept.runs, {}, &Reader::Run::family);
  kept.runs.shrink_to_fit();
  uint32_t before = UINT32_MAX;
  for (const Reader::Run& run : kept.runs) {
    if (run.family != before) ++families_[run.family].sandboxes;
    before = run.family;
  }
  kept_.push_back(std::move(kept));
}

void Merged::write(const Kept& kept, const Reader::Run& run, std::string* piece) const {
  for (uint32_t i = run.begin; i < run.end; ++i) {
    const Series& series = series_[kept.samples[i].series];
    piece->append(series.name);
    if (!kept.labels.empty() || !series.labels.empty()) {
      piece->append("{").append(series.labels);
      if (!series.labels.empty() && !kept.labels.empty()) piece->append(",");
      piece->append(kept.labels).append("}");
    }
    piece->append(" ").append(metrics::number(kept.samples[i].value)).append("\n");
  }
}

void Merged::settle_order() {
  order_.resize(families_.size());
  std::iota(order_.begin(), order_.end(), 0U);
  std::ranges::sort(order_, [&](uint32_t left, uint32_t right) {
    const Family &a = families_[left], &b = families_[right];
    return a.name != b.name ? a.name < b.name : a.sandboxes > b.sandboxes;
  });
  const auto same_name = [&](uint32_t left, uint32_t right) {
    return families_[left].name == families_[right].name;
  };
  const auto repeated = std::ranges::unique(order_, same_name);
  order_.erase(repeated.begin(), repeated.end());
}

bool Merged::Writer::next_piece(std::string* piece) {
  const Merged& all = *merged_;
  for (; next_family_ < all.order_.size(); ++next_family_, next_kept_ = 0, announced_ = false) {
    const uint32_t number = all.order_[next_family_];
    const Family& family = all.families_[number];
    if (!wanted(family.name)) continue;
    for (; next_kept_ < all.kept_.size(); ++next_kept_) {
      if (piece->size() >= kPiece) return true;
      const Kept& kept = all.kept_[next_kept_];
      const auto runs = std::ranges::equal_range(kept.runs, number, {}, &Reader::Run::family);
      for (const auto& run : runs) {
        if (!announced_) {
          metrics::Text head;
          head.family(family.name, family.type, family.help);
          piece->append(head.take());
          announced_ = true;
        }
        all.write(kept, run, piece);
      }
    }
  }
  return false;
}

}  // namespace kata::monitor
