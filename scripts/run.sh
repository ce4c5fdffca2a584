#!/bin/bash
# From a fresh machine to a container in its own VM: packages, build, guest, a private containerd,
# `ctr run` and a short tour. Leaves nothing running.
#
#   KATA_WORK  where the private containerd lives meanwhile (default /var/lib/kata-cpp)
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

guest_artefacts() { artefacts=$("$repo/scripts/guest.sh"); }

main() {
  need_root
  local artefacts
  step "packages" "$repo/scripts/packages.sh" build run
  step "build of the shim and the agent" "$repo/scripts/build.sh" release containerd-shim-kata-v2 kata-agent
  step "guest kernel and initrd" guest_artefacts
  export $artefacts
  exec python3 "$repo/scripts/tour.py"
}

main "$@"
