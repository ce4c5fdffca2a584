#!/bin/bash
# Runs stages of building and testing, all to their end, and closes with one line that sums
# their results: `N passed, N failed, N skipped`.
#
#   check.sh STAGE...
#
# Stages: packages build kernel unit asan guest integration lab soak format tidy fuzz.
# JUnit files of the stages are left in build/results. A failed packages or build stage ends
# the run; a stage without test cases of its own (format, build, ...) counts as one case.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

results=$repo/build/results
tests=$repo/tests

stage_packages() { "$repo/scripts/packages.sh" all; }
stage_build() { "$repo/scripts/build.sh" release; }
stage_kernel() { "$repo/scripts/guest.sh" --own; }
stage_format() { "$repo/scripts/format.sh" --check; }
stage_tidy() { "$repo/scripts/tidy.sh"; }

# What the tests of the VMM driver boot: our kernel, and an initrd of their own. Prints nothing and
# succeeds without it; those tests then say what they miss.
export_test_guest() {
  local lines initrd=$build/guest/boot-test.img
  if ! mapfile -t lines < <("$repo/scripts/guest.sh") || ((${#lines[@]} != 2)); then
    say "no guest kernel (stage kernel failed or was not run): the boot tests of the VMM driver are skipped"
    return 0
  fi
  if [[ ${lines[0]} == */cloud-kernel/* ]]; then
    say "only Debian's cloud kernel is there, and it needs modules: the boot tests of the VMM driver are skipped"
    return 0
  fi
  mkdir -p "${initrd%/*}"
  "$repo/tests/unit/hypervisor/guest/build.sh" "$initrd"
  export KATA_TEST_KERNEL=${lines[0]#*=} KATA_TEST_INITRD=$initrd KATA_TEST_PORT=1024
}

stage_unit() {
  export_test_guest
  grep -qwE 'vmx|svm' /proc/cpuinfo ||
    say "the CPU has neither vmx nor svm: AccelTest.ProofIsKeptForOneBootInAFileOfOurOwn is skipped (the lab proves KVM)"
  ctest --test-dir "$build" -j "$(nproc)" --timeout 120 --output-on-failure --no-tests=error \
    --output-junit "$results/unit.xml"
}

stage_asan() {
  "$repo/scripts/build.sh" asan
  UBSAN_OPTIONS=print_stacktrace=1 ctest --test-dir "$repo/build/asan" -j "$(nproc)" --timeout 240 \
    --output-on-failure --no-tests=error --output-junit "$results/asan.xml"
}

run_pytest() {
  local name=$1
  shift
  # Debian's own interpreter: the packages of the tests are installed for it.
  (cd "$tests" && /usr/bin/python3 -m pytest --color=no -q --junitxml="$results/$name.xml" "$@")
}

stage_guest() { run_pytest guest guest; }
stage_integration() { run_pytest integration integration; }
stage_lab() { run_pytest lab lab; }
stage_soak() {
  KATA_CYCLES=${KATA_CYCLES:-200} KATA_KILL=full run_pytest soak \
    integration/test_leaks.py integration/cri/test_leaks.py integration/cri/test_kill.py \
    integration/cri/test_kill_sandbox_api.py
}

stage_fuzz() {
  [[ -f $tests/fuzz/CMakeLists.txt ]] || { say "no fuzz targets" && return 0; }
  "$repo/scripts/fuzz.sh" "${FUZZ_SECONDS:-10}"
}

# limit STAGE: its seconds. The hours of a soak are the point of it.
limit() {
  local own=3000
  [[ $1 != soak ]] || own=14400
  printf '%s\n' "${STAGE_LIMIT:-$own}"
}

# record STAGE STATUS: the stage as one test case, unless its own file tells of the failure.
record() {
  local file=$results/$1.xml failure=
  if [[ -f $file ]] && { (($2 == 0)) || grep -Eq '<(failure|error)' "$file"; }; then return; fi
  (($2 == 0)) || failure="<failure message=\"status $2, see the output above\"/>"
  printf '<testsuite><testcase classname="stage" name="%s">%s</testcase></testsuite>\n' \
    "$1" "$failure" >"$results/stage-$1.xml"
}

main() {
  local stage status
  (($#)) || die "no stages given"
  need_root
  mkdir -p "$results"
  rm -f "$results"/*.xml
  for stage in "$@"; do
    status=0
    step "$stage" timeout --foreground "$(limit "$stage")" bash -c '
      source "$0" --functions; "stage_$1"' "${BASH_SOURCE[0]}" "$stage" >&2 || status=$?
    record "$stage" "$status"
    if ((status)) && [[ $stage == packages || $stage == build ]]; then break; fi
  done
  status=0
  python3 "$repo/scripts/summary.py" "$results" || status=$?
  exit "$status"
}

[[ ${1:-} == --functions ]] || main "$@"
