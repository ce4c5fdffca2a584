#!/bin/bash
# clang-tidy over the sources, with the agreed checks as errors (.clang-tidy).
#
#   tidy.sh [FILE...]      default: every source of the release build
#
# A file is checked again only when it or something it includes has changed: passes are kept in
# the cache by the hash of all of it. TIDY_SECONDS (default 900) bounds a run; files that were not
# reached are counted and named in the closing line, newest first are checked.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

passes=$cache/tidy
budget=${TIDY_SECONDS:-900}
tidy=$(command -v clang-tidy-19 || command -v clang-tidy || true)

# The compile commands as clang understands them.
prepare() {
  mkdir -p "$passes" "$repo/build/tidy"
  python3 "$repo/scripts/tidy_commands.py" "$build/compile_commands.json" >"$repo/build/tidy/compile_commands.json"
}

# check_one FILE: 0 passed now or before, 1 findings, 2 no time left.
check_one() {
  local file=$1 key
  key=$(python3 "$repo/scripts/tidy_commands.py" --hash "$build" "$file" "$repo/.clang-tidy")
  [[ ! -e $passes/$key ]] || return 0
  (($(date +%s) < deadline)) || return 2
  if "$tidy" --quiet -p "$repo/build/tidy" "$file" 2>"$passes/$key.err" >"$passes/$key.out"; then
    rm -f "$passes/$key.err" "$passes/$key.out"
    : >"$passes/$key"
    return 0
  fi
  cat "$passes/$key.out" >&2
  grep -E 'error:' "$passes/$key.err" >&2 || true
  rm -f "$passes/$key.err" "$passes/$key.out"
  return 1
}

export -f check_one say
main() {
  [[ -n $tidy ]] || die "no clang-tidy (scripts/packages.sh lint)"
  [[ -f $build/compile_commands.json ]] || die "build first"
  prepare
  export repo build passes tidy deadline=$(($(date +%s) + budget))
  local files=("$@") report
  ((${#files[@]})) || mapfile -t files < <(python3 "$repo/scripts/tidy_commands.py" --files "$build/compile_commands.json")
  report=$(mktemp)
  printf '%s\0' "${files[@]}" | xargs -0 -P "$(nproc)" -I {} bash -c '
    status=0; check_one "$1" || status=$?; echo "$status $1" >>"$2"' _ {} "$report"
  local found late
  found=$(grep -c '^1 ' "$report" || true)
  late=$(grep -c '^2 ' "$report" || true)
  say "clang-tidy: $(grep -c '^0 ' "$report" || true) clean, $found with findings, $late not reached in $budget s"
  # A skip is never silent.
  ((late == 0)) || printf '<testsuite><testcase classname="tidy" name="not reached"><skipped message="%s files not reached in %s s"/></testcase></testsuite>\n' \
    "$late" "$budget" >"$repo/build/results/tidy-late.xml"
  grep '^2 ' "$report" | cut -c 3- | sed "s|^$repo/|  not reached: |" >&2 || true
  rm -f "$report"
  ((found == 0))
}

main "$@"
