# Shared by the scripts of this folder (sourced, bash with `set -euo pipefail`):
# where things lie, and how a step says what it does and how long it took.
# Results that other scripts read go to standard output, all talk to standard error.

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${KATA_CACHE:-/var/cache/kata-cpp}
build=${KATA_BUILD:-$repo/build/release}

say() { printf '%s\n' "$*" >&2; }

die() {
  say "error: $*"
  exit 1
}

need_root() { ((EUID == 0)) || die "run this as root (sudo)"; }

# step TEXT COMMAND...: runs the command between two lines, the second with the time.
step() {
  local text=$1 began=$EPOCHREALTIME status=0
  shift
  say "==> $text"
  "$@" || status=$?
  say "<== $text: $(elapsed "$began") s$( ((status)) && printf ', FAILED (status %d)' "$status" || true)"
  return "$status"
}

elapsed() {
  awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }'
}
