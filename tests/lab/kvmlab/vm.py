"""QEMU and its virtiofs daemons: started, listened to, and always ended."""
import ctypes
import os
import re
import select
import shlex
import signal
import socket
import subprocess
import sys
import time

from kvmlab import image, kernel

VIRTIOFSD = ["/usr/lib/qemu/virtiofsd", "/usr/libexec/virtiofsd"]
# EPYC less what emulation lacks (each would print a warning), plus SVM with nested paging, which
# is faster than shadow paging. "max" would mean 5-level page tables, which are slower still.
CPU = ("EPYC,+svm,+npt,-nrip-save,-topoext,-xsavec,-sha-ni,-fxsr-opt,"
       "-misalignsse,-3dnowprefetch,-osvw,-rdseed")
APPEND = ("console=ttyS0 quiet panic=-1 mitigations=off tsc=reliable no_timer_check noreplace-smp "
          "random.trust_cpu=on")
TIME_LIMIT, FAILED = 124, 125


def _die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _root_view(daemon_args):
    """Shell text: the host's root and its local file systems below /mnt, read-only, then the daemon."""
    lines = ["set -e", "mount --make-rprivate /", "mount -o bind / /mnt", "mount -o remount,bind,ro /mnt"]
    for line in open("/proc/self/mountinfo", encoding="utf-8"):
        fields = line.split()
        kind, point = fields[fields.index("-") + 1], fields[4]
        local = kind in ("ext4", "xfs", "btrfs", "tmpfs", "overlay") and os.path.isdir(point)
        if local and point != "/" and not re.match(r"/(dev|proc|sys|run|mnt)(/|$)", point):
            quoted = shlex.quote(point)
            lines.append(f"mount -o bind {quoted} /mnt{quoted} && mount -o remount,bind,ro /mnt{quoted} || true")
    return "\n".join([*lines, "exec " + shlex.join(daemon_args)])


class Lab:
    """One VM. run() returns the command's exit status; close() ends every process of the lab."""

    def __init__(self, options):
        self.options, self.processes, self.ends = options, [], []

    def _spawn(self, argv, **keywords):
        process = subprocess.Popen(argv, preexec_fn=_die_with_parent, start_new_session=True, **keywords)
        self.processes.append(process)
        return process

    def _virtiofsd(self, source, readonly):
        """Starts a daemon for the folder; returns the descriptor of QEMU's end of its socket."""
        daemon = next((path for path in VIRTIOFSD if os.path.exists(path)), None)
        if not daemon:
            raise kernel.LabError("no virtiofsd (package qemu-system-common)")
        server = socket.socket(socket.AF_UNIX)
        server.bind("")  # an abstract name that the kernel chooses: nothing to remove later
        server.listen(1)
        client = socket.socket(socket.AF_UNIX)
        client.connect(server.getsockname())
        argv = [daemon, f"--fd={server.fileno()}", "-o", f"source={'/mnt' if readonly else source}",
                "-o", "sandbox=chroot", "-o", "xattr", "-o", "log_level=err", "--thread-pool-size=1",
                "-o", "cache=auto"]
        if readonly:
            argv = ["unshare", "-m", "sh", "-c", _root_view(argv)]
        noise = None if self.options.verbose else subprocess.DEVNULL
        self._spawn(argv, pass_fds=[server.fileno()], stdin=subprocess.DEVNULL, stdout=noise, stderr=noise)
        server.close()
        self.ends.append(client)
        return client.fileno()

    def _arguments(self, bzimage, initrd, tags):
        """QEMU's command line, the descriptors it inherits, and our ends of its three streams."""
        options = self.options
        argv = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
                "-machine", "q35,memory-backend=mem,hpet=off", "-accel", "tcg,thread=multi", "-cpu", CPU,
                "-smp", str(options.cpus), "-m", f"{options.mem}M",
                "-object", f"memory-backend-memfd,id=mem,size={options.mem}M,share=on",
                "-kernel", str(bzimage), "-initrd", f"/proc/self/fd/{initrd}", "-append", APPEND,
                "-device", "virtio-serial-pci", "-device", "virtio-rng-pci"]
        inherited, streams = [initrd], {}
        for number, (tag, source, readonly) in enumerate(tags):
            handle = self._virtiofsd(source, readonly)
            inherited.append(handle)
            argv += ["-chardev", f"socket,id=fs{number},fd={handle}",
                     "-device", f"vhost-user-fs-pci,chardev=fs{number},tag={tag}"]
        for name in ("out", "err", "con"):
            ours, theirs = socket.socketpair()
            inherited.append(theirs.fileno())
            self.ends.append(theirs)
            streams[ours] = name
            argv += ["-chardev", f"socket,id={name},fd={theirs.fileno()}"]
        for name in ("out", "err"):
            argv += ["-device", f"virtserialport,chardev={name},name=kvmlab.{name}"]
        return [*argv, "-serial", "chardev:con"], inherited, streams

    def run(self):
        bzimage, modules = kernel.find()
        mark = image.new_mark()
        shares = [(f"kvmlab-s{n}", os.path.abspath(folder)) for n, folder in enumerate(self.options.share)]
        for _, folder in shares:
            if not os.path.isdir(folder):
                raise kernel.LabError(f"no folder {folder}")
        initrd = os.memfd_create("initrd")
        with os.fdopen(os.dup(initrd), "wb") as out:
            out.write(image.build(self.options, mark, shares, modules))
        tags = [("kvmlab-root", "/", True)] + [(tag, folder, False) for tag, folder in shares]
        argv, inherited, streams = self._arguments(bzimage, initrd, tags)
        began = time.monotonic()
        self._spawn(argv, pass_fds=inherited, stdin=subprocess.DEVNULL)
        for end in self.ends:
            end.close()
        os.close(initrd)
        return Pump(self.options, streams, mark).run(began)

    def close(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.kill()
        for process in self.processes:
            process.wait()


class Pump:
    """Passes the streams of the VM on until the mark ends both outputs."""

    def __init__(self, options, streams, mark):
        self.options, self.streams = options, streams
        self.key = mark.encode() + b" "
        self.sinks = {"out": sys.stdout.buffer, "err": sys.stderr.buffer}
        self.held = {"out": b"", "err": b""}
        self.console, self.status, self.done = bytearray(), None, set()

    def run(self, began):
        deadline = began + self.options.timeout
        while len(self.done) < 2 and self.streams:
            left = deadline - time.monotonic()
            if left <= 0:
                print(f"kvm-lab: time limit of {self.options.timeout} s", file=sys.stderr)
                return TIME_LIMIT
            for sock in select.select(list(self.streams), [], [], left)[0]:
                self._take(sock)
        if self.status is None:
            print("kvm-lab: the VM ended early; its console:", file=sys.stderr)
            sys.stderr.write(self.console.decode(errors="replace")[-4000:] + "\n")
            return FAILED
        if self.options.times:
            ready = re.search(rb"ready at ([\d.]+) s", self.console)
            print(f"kvm-lab: ready at {ready.group(1).decode() if ready else '?'} s guest time, "
                  f"{time.monotonic() - began:.1f} s in all, status {self.status}", file=sys.stderr)
        return self.status

    def _take(self, sock):
        try:
            data = sock.recv(65536)
        except ConnectionError:
            data = b""
        name = self.streams[sock]
        if not data:
            del self.streams[sock]
        elif name == "con":
            self.console += data
            if self.options.verbose:
                sys.stderr.buffer.write(data)
                sys.stderr.flush()
        else:
            self._pass_on(name, self.held[name] + data)

    def _pass_on(self, name, data):
        found = re.search(re.escape(self.key) + rb"(\d+)\n", data)
        if found:
            self.status = int(found.group(1))
            self.done.add(name)
            data, self.held[name] = data[:found.start()], b""
        else:
            cut = self._mark_start(data)
            data, self.held[name] = data[:cut], data[cut:]
        self.sinks[name].write(data)
        self.sinks[name].flush()

    def _mark_start(self, data):
        """Where the mark may begin near the end of the data: what follows is held back."""
        for at in range(max(0, len(data) - len(self.key) - 8), len(data)):
            tail = data[at:]
            if self.key.startswith(tail[:len(self.key)]) or tail.startswith(self.key):
                return at
        return len(data)
