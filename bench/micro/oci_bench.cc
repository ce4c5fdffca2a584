// Reading the configuration of a container as a CRI runtime writes it.
#include <benchmark/benchmark.h>

#include "base/file.h"
#include "oci/spec.h"

namespace kata::oci {
namespace {

void oci_parse_spec(benchmark::State& state) {
  auto text = read_file(KATA_BENCH_DATA "/cri-config.json");
  if (!text) return state.SkipWithError("no cri-config.json");
  for (auto _ : state) {
    auto spec = parse_spec(*text);
    if (!spec || !validate(*spec)) return state.SkipWithError("the document is refused");
    benchmark::DoNotOptimize(spec->mounts_size());
  }
}
BENCHMARK(oci_parse_spec)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace kata::oci
