#!/bin/busybox sh
# PID 1 in the initramfs: makes the root (the host's, read-only, below a tmpfs) and switches to it.
B=/bin/busybox
fail() {
  echo "kvm-lab: $*"
  $B poweroff -f
}
$B mount -t proc proc /proc
$B mount -t sysfs sysfs /sys
$B mount -t devtmpfs dev /dev
for module in $($B cat /lab/early); do
  $B insmod "/lab/$module" || fail "insmod $module"
done
$B mkdir -p /lower /rw /root
$B mount -t virtiofs -o ro kvmlab-root /lower || fail "no root file system"
$B mount -t tmpfs -o mode=755,size=80% tmpfs /rw
$B mkdir /rw/u /rw/w
$B mount -t overlay -o lowerdir=/lower,upperdir=/rw/u,workdir=/rw/w root /root || fail "no overlay"
cd /root || fail "no root"
$B mkdir -p proc sys dev run tmp
for folder in proc sys dev; do $B mount --move /$folder $folder; done
$B mount -t tmpfs -o mode=755 tmpfs run
$B mkdir run/kvm-lab
$B cp -a /bin/busybox /lab/* run/kvm-lab/
$B umount -l /lower
$B umount -l /rw
exec $B switch_root /root /run/kvm-lab/busybox sh /run/kvm-lab/stage2
