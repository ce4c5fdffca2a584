#!/bin/bash
# Formats the C++ sources with clang-format, or with --check only tells what it would change.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

mode=(-i)
[[ ${1:-} != --check ]] || mode=(--dry-run --Werror)
cd "$repo"
git ls-files -z -- '*.cc' '*.h' | xargs -0 -r -n 40 -P "$(nproc)" clang-format "${mode[@]}"
