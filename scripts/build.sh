#!/bin/bash
# Configures (once) and builds a preset.
#
#   build.sh [PRESET] [TARGET...]     PRESET: release (default), dev, asan, tsan
#
# KATA_BUILD names another build folder for the release preset.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

preset=${1:-release}
shift || true
folder=$repo/build/$preset
[[ $preset != release ]] || folder=$build

cd "$repo"
# Clones of this tree share what they compile; the precompiled headers ask for the sloppiness.
if command -v ccache >/dev/null; then
  export CMAKE_CXX_COMPILER_LAUNCHER=ccache CCACHE_BASEDIR=${CCACHE_BASEDIR:-$repo}
  export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
fi
[[ -f $folder/build.ninja ]] || cmake --preset "$preset" -B "$folder" >&2
# Each compiler takes up to 1.5 GB: not more of them than memory allows.
jobs=$(awk -v cpus="$(nproc)" '/^MemAvailable/ { n = int($2 / 1500000); print (n < 1 ? 1 : n < cpus ? n : cpus) }' /proc/meminfo)
ninja -C "$folder" -j "$jobs" "$@" >&2
