#!/bin/bash
# Boots a guest kernel with a probe initrd (probe/build.sh) under emulation.
#
#   check-boot.sh KERNEL INITRD [WORD...]
#
# Succeeds when the probe's init comes up within BOOT_LIMIT seconds (default 60)
# and the probe ends by itself; shows what the guest said.  WORDs are the probe's
# (see probe.c): modules, features, reboot.
set -euo pipefail

(($# >= 2)) || { sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0" >&2 && exit 2; }
kernel=$1 initrd=$2
shift 2
limit=${BOOT_LIMIT:-60}

# What saves time under emulation; none of it is needed with KVM.  Without a TSC
# frequency the kernel measures it, against a timer that may fail to tick.
host_khz=$(awk -F: '/^cpu MHz/ { printf "%d", $2 * 1000; exit }' /proc/cpuinfo)
parameters="console=ttyS0 quiet panic=-1 reboot=t no_timer_check nolapic_timer noreplace-smp
 cryptomgr.notests swiotlb=noforce dummy.numdummies=0 ifb.numifbs=0"
[[ -z $host_khz || $host_khz == 0 ]] || parameters+=" tsc_early_khz=$host_khz"

status=0
output=$(timeout --foreground "$limit" qemu-system-x86_64 -M q35 -accel tcg -cpu max -smp 1 \
  -m 256M -nodefaults -no-user-config -display none -no-reboot -serial stdio \
  -kernel "$kernel" -initrd "$initrd" -append "${parameters//$'\n'/} -- $*" \
  2>&1 </dev/null) || status=$?
printf '%s\n' "$output" | tr -d '\r'

fail() {
  echo "check-boot: FAIL: $*" >&2
  exit 1
}
((status != 124)) || fail "the guest did not end within $limit s"
((status == 0)) || fail "QEMU ended with status $status"
[[ $output == *"kata-probe: init reached"* ]] || fail "init was not reached"
[[ $output == *"kata-probe: done"* ]] || fail "the probe did not finish"
[[ $output != *" failed with "* ]] || fail "the probe met errors"
echo "check-boot: ok"
