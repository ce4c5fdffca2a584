# PID 1 in the overlay: sets the system up, runs the command, tells its exit status.
L=/run/kvm-lab
B=$L/busybox
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
$B mkdir -p /dev/pts /dev/shm /dev/mqueue
$B mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
$B mount -t tmpfs -o mode=1777 tmpfs /dev/shm
$B mount -t mqueue mqueue /dev/mqueue
$B mount -t cgroup2 cgroup2 /sys/fs/cgroup
$B mkdir /sys/fs/cgroup/init.scope
echo 1 >/sys/fs/cgroup/init.scope/cgroup.procs
for controller in $($B cat /sys/fs/cgroup/cgroup.controllers); do
  echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control
done
$B ln -sf /proc/self/fd /dev/fd
for n in 0:stdin 1:stdout 2:stderr; do $B ln -sf "fd/${n%%:*}" "/dev/${n##*:}"; done
for folder in $($B cat $L/tmpfs); do
  $B mkdir -p "$folder"
  $B mount -t tmpfs -o mode=755 tmpfs "$folder"
done
while read -r tag folder; do
  $B mkdir -p "$folder"
  $B mount -t virtiofs "$tag" "$folder" || echo "kvm-lab: no share $folder"
done <$L/shares
$B hostname kvm-lab
$B ip link set lo up
# By path: the shell would take its own, lesser modprobe.
/sbin/modprobe -d "$($B cat $L/modules)" -a $($B cat $L/late) || echo "kvm-lab: modprobe failed"
$B chmod 666 /dev/kvm /dev/vhost-vsock /dev/vhost-net /dev/net/tun 2>/dev/null
for port in /sys/class/virtio-ports/*; do
  case $($B cat "$port/name") in
    kvmlab.out) out=/dev/${port##*/} ;;
    kvmlab.err) err=/dev/${port##*/} ;;
  esac
done
# Pipes, so that the command can open /dev/stdout anew (a port opens only once).
$B mkfifo $L/out $L/err
$B cat $L/out >"$out" &
$B cat $L/err >"$err" &
exec 8>$L/out 9>$L/err
read -r up idle </proc/uptime
echo "kvm-lab: ready at $up s"
/bin/sh $L/command </dev/null >&8 2>&9 8>&- 9>&- &
wait $!
status=$?
$B sync
mark=$($B cat $L/mark)
echo "$mark $status" >&8
echo "$mark $status" >&9
$B sleep 5
$B poweroff -f
