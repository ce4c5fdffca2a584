#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "metrics/exposition.h"

namespace kata::monitor {

// The figures of many sandboxes, family by family, as Prometheus wants them. Sandboxes have nearly
// the same families and samples, so that each keeps numbers only: about 16 bytes a sample. One
// thread.
class Merged {
 public:
  // One sandbox's text, line by line. What is not well-formed or has labels of ours is left out.
  // Nothing of it counts unless keep() is called.
  class Reader {
   public:
    explicit Reader(Merged& merged) : merged_(merged) {}
    Status add_line(std::string_view line);
    size_t refused() const { return refused_; }

   private:
    friend class Merged;
    struct Sample {
      uint32_t series;
      double value;
    };
    struct Run {  // samples of one family
      uint32_t family, begin, end;
    };
    bool add_sample(const metrics::Line& line);
    void enter(std::string name);

    Merged& merged_;
    std::vector<Sample> samples_;
    std::vector<Run> runs_;
    std::string name_, type_ = "untyped", help_;  // as announced last
    size_t refused_ = 0;
  };

  Merged() = default;
  Merged(const Merged&) = delete;
  Merged& operator=(const Merged&) = delete;

  // `labels` go to every sample, `a="b",c="d"`.
  void keep(Reader reader, std::string labels);

  // No more will be kept; to be called once before anything is written.
  void settle_order();

  // Writes the figures, for any number of readers. Keeps them alive.
  class Writer {
   public:
    // Only families whose name begins with one of the words; none = all.
    Writer(std::shared_ptr<const Merged> merged, std::vector<std::string> only)
        : merged_(std::move(merged)), only_(std::move(only)) {}
    // Some 64 KiB at a time; false when that was all.
    bool next_piece(std::string* piece);

   private:
    bool wanted(std::string_view name) const;

    std::shared_ptr<const Merged> merged_;
    std::vector<std::string> only_;
    bool announced_ = false;
    size_t next_family_ = 0, next_kept_ = 0;
  };

 private:
  struct Series {
    std::string name, labels;
  };
  // Of families that bear one name with different types (those of shims of several releases), the
  // one that most sandboxes have is written. Guests have no say in it: runtime/guest_metrics.h.
  struct Family {
    std::string name, type, help;
    size_t sandboxes = 0;
  };
  struct Kept {
    std::string labels;
    std::vector<Reader::Sample> samples;
    std::vector<Reader::Run> runs;  // by family
  };

  uint32_t family(const std::string& name, const std::string& type, const std::string& help);
  uint32_t series(std::string_view name, std::string_view labels);
  void write(const Kept& kept, const Reader::Run& run, std::string* piece) const;

  std::vector<Family> families_;
  std::unordered_map<std::string, uint32_t> family_numbers_;
  std::vector<Series> series_;
  std::unordered_map<std::string, uint32_t> series_numbers_;
  std::vector<Kept> kept_;
  std::vector<uint32_t> order_;  // of families, by name
};

}  // namespace kata::monitor
