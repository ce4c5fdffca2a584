#!/bin/bash
# Builds the fuzz targets and runs each for some seconds on its corpus and new inputs.
#
#   fuzz.sh [SECONDS [TARGET...]]     default: 10 seconds, all targets
#
# FUZZ_SEED starts another sequence of inputs (default 1, so that a run can be repeated).
# What is found is kept in build/asan/found; new corpus entries are not (grow the corpus by hand).
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

seconds=${1:-10}
shift || true
folder=$repo/build/asan

"$repo/scripts/build.sh" asan "${@:-tests/fuzz/all}"
mkdir -p "$folder/found"
status=0
for program in "$folder"/fuzz/*_fuzz; do
  name=${program##*/}
  [[ $# -eq 0 || " $* " == *" $name "* ]] || continue
  scratch=$(mktemp -d)
  corpus=$repo/tests/fuzz/corpus/${name%_fuzz}
  [[ -d $corpus ]] || corpus=
  if "$program" -max_total_time="$seconds" -seed="${FUZZ_SEED:-1}" -timeout=10 -rss_limit_mb=1024 -artifact_prefix="$folder/found/$name-" \
    -print_final_stats=1 "$scratch" $corpus >"$scratch.log" 2>&1; then
    say "$name: $(grep -oE 'number_of_executed_units: [0-9]+' "$scratch.log" || echo ran)"
  else
    status=1
    tail -n 40 "$scratch.log" >&2
    say "$name: FAILED, inputs in $folder/found"
  fi
  rm -rf "$scratch" "$scratch.log"
done
exit "$status"
