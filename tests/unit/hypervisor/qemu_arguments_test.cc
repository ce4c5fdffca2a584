// The command lines as a whole: what an operator sees in `ps`, and what upstream's users know.
#include <gtest/gtest.h>
#include <unistd.h>

#include "hypervisor/qemu/devices.h"

namespace kata::hypervisor::qemu {
namespace {

VmConfig small() {
  VmConfig vm;
  vm.id = "abc";
  vm.vm_dir = "/run/vc/vm/abc";
  vm.vmm_path = "/usr/bin/qemu-system-x86_64";
  vm.kernel = "/k/vmlinux";
  vm.initrd = "/k/initrd";
  vm.pci_bridges = 1;
  return vm;
}

LaunchPlan plan(Accelerator accel) {
  LaunchPlan p;
  p.accel = accel;
  p.tsc_khz = accel == Accelerator::kTcg ? 2596000 : 0;
  p.uuid = "f9c6a4d6-5b7e-4d8a-9c6f-0123456789ab";
  p.qmp_fd = 10;
  p.console_fd = 11;
  p.vsock_fd = 12;
  return p;
}

std::vector<std::string> lines(const VmConfig& vm, const LaunchPlan& p) {
  // "-option value" in one line each, as a reader would write it.
  std::vector<std::string> out;
  Arguments args = build_arguments(Build{vm, p});
  for (const auto& word : args.words()) {
    if (word.starts_with("-") || out.empty()) {
      out.push_back(word);
    } else {
      out.back() += " " + word;
    }
  }
  return out;
}

std::string find(const std::vector<std::string>& all, const std::string& start) {
  for (const auto& line : all) {
    if (line.starts_with(start)) return line;
  }
  return {};
}

TEST(QemuArguments, TcgWithInitrdAndNothingElse) {
  const std::vector<std::string> expected = {
      "-name sandbox-abc,debug-threads=on",
      "-uuid f9c6a4d6-5b7e-4d8a-9c6f-0123456789ab",
      "-machine q35,smbus=off,sata=off,hpet=off,vmport=off,dump-guest-core=off,"
      "memory-backend=dimm1",
      "-accel tcg,tb-size=256",
      "-rtc base=utc,driftfix=slew,clock=host",
      "-global kvm-pit.lost_tick_policy=discard",
      "-no-user-config",
      "-nodefaults",
      "-nographic",
      "--no-reboot",
      "-vga none",
      "-sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
      "-pidfile /run/vc/vm/abc/pid",
      "-chardev socket,id=qmp,fd=3",
      "-mon chardev=qmp,mode=control",
      "-cpu max,erms=off,fsrm=off",
      "-smp 1,cores=1,threads=1,sockets=1,maxcpus=1",
      "-m 2048M",
      "-object memory-backend-memfd,id=dimm1,size=2048M,share=on",
      "-device pci-bridge,bus=pcie.0,id=pci-bridge-0,chassis_nr=1,shpc=off,addr=2,romfile=,"
      "io-reserve=4k,mem-reserve=1m,pref64-reserve=1m",
      "-chardev socket,id=charconsole0,fd=4",
      "-device virtio-serial-pci,disable-modern=false,romfile=,id=serial0,max_ports=2",
      "-device virtconsole,chardev=charconsole0,id=console0",
      "-device virtio-scsi-pci,disable-modern=false,romfile=,id=scsi0",
      "-object rng-random,id=rng0,filename=/dev/urandom",
      "-device virtio-rng-pci,disable-modern=false,romfile=,rng=rng0",
      "-chardev socket,id=charvsock0,fd=5",
      "-device vhost-user-vsock-pci,romfile=,chardev=charvsock0,id=vsock0",
      "-kernel /k/vmlinux",
      "-initrd /k/initrd",
      "-append tsc=reliable no_timer_check rcupdate.rcu_expedited=1 i8042.direct=1 "
      "i8042.dumbkbd=1 i8042.nopnp=1 i8042.noaux=1 noreplace-smp reboot=k cryptomgr.notests "
      "net.ifnames=0 pci=lastbus=0 dummy.numdummies=0 ifb.numifbs=0 percpu_alloc=page "
      "swiotlb=noforce "
      "tsc_early_khz=2596000 nolapic_timer console=hvc0 console=hvc1 quiet panic=1 nr_cpus=1 "
      "selinux=0 scsi_mod.scan=none",
  };
  EXPECT_EQ(lines(small(), plan(Accelerator::kTcg)), expected);
}

TEST(QemuArguments, KvmHasHostCpuAndNoTcgWords) {
  VmConfig vm = small();
  vm.cpu_features = "pmu=off";
  vm.vcpus = 2;
  vm.max_vcpus = 8;
  auto all = lines(vm, plan(Accelerator::kKvm));
  EXPECT_EQ(find(all, "-cpu"), "-cpu host,pmu=off");
  EXPECT_EQ(find(all, "-smp"), "-smp 2,cores=1,threads=1,sockets=8,maxcpus=8");
  EXPECT_NE(find(all, "-machine").find("accel=kvm"), std::string::npos);
  EXPECT_EQ(find(all, "-smbios"), "");
  std::string words = find(all, "-append");
  EXPECT_EQ(words.find("nolapic_timer"), std::string::npos);
  EXPECT_EQ(words.find("tsc_early_khz"), std::string::npos);
  EXPECT_NE(words.find("nr_cpus=8"), std::string::npos);
}

TEST(QemuArguments, VcpuHotPlugUnderTcgNeedsAKnownHypervisor) {
  VmConfig vm = small();
  vm.max_vcpus = 4;
  auto all = lines(vm, plan(Accelerator::kTcg));
  EXPECT_EQ(find(all, "-cpu"), "-cpu max,erms=off,fsrm=off,-hypervisor");
  EXPECT_EQ(find(all, "-smbios"), "-smbios type=1,serial=VMware-1");
  EXPECT_NE(find(all, "-machine").find("vmport=on"), std::string::npos);
}

TEST(QemuArguments, VirtioFs) {
  VmConfig vm = small();
  vm.shared_fs.kind = SharedFsKind::kVirtioFs;
  vm.shared_fs.socket_path = "/run/vc/vm/abc/vhost-fs.sock";
  auto all = lines(vm, plan(Accelerator::kKvm));
  EXPECT_EQ(find(all, "-chardev socket,id=char-"),
            "-chardev socket,id=char-kataShared,path=/run/vc/vm/abc/vhost-fs.sock");
  EXPECT_EQ(find(all, "-device vhost-user-fs"),
            "-device vhost-user-fs-pci,romfile=,chardev=char-kataShared,tag=kataShared,"
            "queue-size=1024");
}

TEST(QemuArguments, Virtio9p) {
  VmConfig vm = small();
  vm.shared_fs.kind = SharedFsKind::kVirtio9p;
  vm.shared_fs.source = "/run/kata/a,b";
  auto all = lines(vm, plan(Accelerator::kTcg));
  // A comma in a path cannot add a property.
  EXPECT_EQ(find(all, "-fsdev"),
            "-fsdev local,id=extra-9p-kataShared,path=/run/kata/a,,b,security_model=none,"
            "multidevs=remap");
  EXPECT_EQ(find(all, "-device virtio-9p"),
            "-device virtio-9p-pci,disable-modern=false,romfile=,fsdev=extra-9p-kataShared,"
            "mount_tag=kataShared");
}

TEST(QemuArguments, KernelVsockTakesTheClaimedCid) {
  LaunchPlan p = plan(Accelerator::kKvm);
  p.vsock = LaunchPlan::Vsock::kKernel;
  p.guest_cid = 123456;
  auto all = lines(small(), p);
  EXPECT_EQ(find(all, "-device vhost-vsock"),
            "-device vhost-vsock-pci,disable-modern=false,romfile=,vhostfd=5,id=vsock-123456,"
            "guest-cid=123456");
  // Nothing outside of QEMU maps the memory.
  EXPECT_EQ(find(all, "-object memory"),
            "-object memory-backend-memfd,id=dimm1,size=2048M,share=off");
}

TEST(QemuArguments, ImageAsNvdimm) {
  char path[] = "/tmp/image-XXXXXX";
  int fd = mkstemp(path);
  ASSERT_EQ(ftruncate(fd, 128 << 20), 0);
  close(fd);
  VmConfig vm = small();
  vm.initrd.clear();
  vm.image.path = path;
  vm.memory.max = 4096;
  auto all = lines(vm, plan(Accelerator::kKvm));
  EXPECT_NE(find(all, "-machine").find("nvdimm=on"), std::string::npos);
  EXPECT_EQ(find(all, "-m "), "-m 2048M,slots=10,maxmem=4096M");
  EXPECT_EQ(find(all, "-object memory-backend-file"),
            std::string("-object memory-backend-file,id=mem0,mem-path=") + path +
                ",size=134217728,readonly=on");
  EXPECT_EQ(find(all, "-device nvdimm"), "-device nvdimm,id=nv0,memdev=mem0,unarmed=on");
  std::string words = find(all, "-append");
  EXPECT_NE(words.find("root=/dev/pmem0p1 rootflags=dax,data=ordered,errors=remount-ro ro "
                       "rootfstype=ext4"),
            std::string::npos)
      << words;
  EXPECT_NE(words.find("systemd.unit=kata-containers.target"), std::string::npos);
  unlink(path);
}

TEST(QemuArguments, ImageAsDisk) {
  VmConfig vm = small();
  vm.initrd.clear();
  vm.image.path = "/i/kata.img";
  vm.image.driver = ImageDriver::kVirtioBlk;
  vm.image.fs_type = "erofs";
  auto all = lines(vm, plan(Accelerator::kKvm));
  EXPECT_EQ(find(all, "-drive"),
            "-drive id=image-root,file=/i/kata.img,format=raw,if=none,aio=threads,readonly=on");
  EXPECT_NE(find(all, "-append").find("root=/dev/vda1 rootflags=ro ro rootfstype=erofs"),
            std::string::npos);
}

TEST(QemuArguments, NetworkQueuesArePassedByNumber) {
  VmConfig vm = small();
  NetDevice net;
  net.id = "network-0";
  net.mac = "02:00:00:00:00:01";
  net.mtu = 1450;
  for (int i = 0; i < 2; ++i) net.tap_fds.emplace_back(dup(0));
  for (int i = 0; i < 2; ++i) net.vhost_fds.emplace_back(dup(0));
  vm.nets.push_back(std::move(net));
  LaunchPlan p = plan(Accelerator::kKvm);
  auto all = lines(vm, p);
  EXPECT_EQ(find(all, "-netdev"), "-netdev tap,id=network-0,vhost=on,vhostfds=6:7,fds=8:9");
  EXPECT_EQ(find(all, "-device virtio-net"),
            "-device virtio-net-pci,disable-modern=false,romfile=,id=virtio-network-0,"
            "netdev=network-0,mac=02:00:00:00:00:01,host_mtu=1450,mq=on,vectors=6");
  EXPECT_EQ(build_arguments(Build{vm, p}).fds().size(), 7u);
}

TEST(QemuArguments, MemoryVariants) {
  VmConfig vm = small();
  vm.memory.hugepages = true;
  EXPECT_EQ(find(lines(vm, plan(Accelerator::kKvm)), "-object memory"),
            "-object memory-backend-file,id=dimm1,size=2048M,mem-path=/dev/hugepages,share=on,"
            "prealloc=on");
  vm.memory.hugepages = false;
  vm.memory.file_backend = "/dev/shm";
  EXPECT_EQ(find(lines(vm, plan(Accelerator::kKvm)), "-object memory"),
            "-object memory-backend-file,id=dimm1,size=2048M,mem-path=/dev/shm,share=on");
  vm.memory.free_page_reporting = true;
  EXPECT_EQ(find(lines(vm, plan(Accelerator::kKvm)), "-device virtio-balloon"),
            "-device virtio-balloon-pci,disable-modern=false,romfile=,id=balloon0,"
            "deflate-on-oom=on,free-page-reporting=on");
}

TEST(QemuArguments, MicrovmHasNoPci) {
  VmConfig vm = small();
  vm.machine_type = "microvm";
  for (const auto& line : lines(vm, plan(Accelerator::kTcg))) {
    EXPECT_EQ(line.find("-pci"), std::string::npos) << line;
    EXPECT_EQ(line.find("romfile"), std::string::npos) << line;
  }
}

TEST(QemuArguments, AdministratorsWordsWin) {
  VmConfig vm = small();
  vm.machine_options = " kernel_irqchip=on , usb=off ";
  vm.seccomp = "on,obsolete=deny";
  vm.kernel_params = {"panic=7", "quiet", "my.word=1", "console=ttyS0"};
  auto all = lines(vm, plan(Accelerator::kKvm));
  EXPECT_TRUE(find(all, "-machine").ends_with(",kernel_irqchip=on,usb=off"));
  EXPECT_EQ(find(all, "-sandbox"), "-sandbox on,obsolete=deny");
  std::string words = find(all, "-append");
  EXPECT_EQ(words.find("panic=1"), std::string::npos);
  EXPECT_TRUE(words.ends_with("panic=7 quiet my.word=1 console=ttyS0")) << words;
}

TEST(QemuArguments, DisksReportTheirErrorsToTheGuest) {
  VmConfig vm = small();
  vm.iothreads = true;
  vm.indep_iothreads = 1;
  DiskDevice disk;
  disk.id = "d0";
  disk.path = "/dev/vg/a";
  disk.direct = true;
  disk.aio = "native";
  vm.disks.push_back(disk);
  auto all = lines(vm, plan(Accelerator::kKvm));
  EXPECT_EQ(find(all, "-drive"),
            "-drive if=none,id=drive-d0,file=/dev/vg/a,format=raw,aio=native,readonly=off,"
            "cache.direct=on");
  EXPECT_EQ(find(all, "-device virtio-scsi"),
            "-device virtio-scsi-pci,disable-modern=false,romfile=,id=scsi0,"
            "iothread=iothread-scsi0");
  EXPECT_EQ(find(all, "-device scsi-hd"),
            "-device scsi-hd,id=virtio-d0,drive=drive-d0,share-rw=on,bus=scsi0.0,channel=0,"
            "scsi-id=0,lun=0,werror=report,rerror=report");
  EXPECT_EQ(find(all, "-object iothread,id=indep"), "-object iothread,id=indep-iothread-0");
}

TEST(QemuArguments, ExtraMonitorForDebugging) {
  VmConfig vm = small();
  vm.extra_monitor = "hmp";
  auto all = lines(vm, plan(Accelerator::kKvm));
  EXPECT_EQ(find(all, "-chardev socket,id=extra"),
            "-chardev socket,id=extra-monitor,path=/run/vc/vm/abc/extra-monitor.sock,server=on,"
            "wait=off");
  EXPECT_EQ(find(all, "-mon chardev=extra"), "-mon chardev=extra-monitor,mode=readline");
}

TEST(QemuConfig, RefusesWhatCannotBoot) {
  auto refusal = [](auto change) {
    VmConfig vm = small();
    vm.vmm_path = vm.kernel = vm.initrd = "/dev/null";
    change(&vm);
    Status status = check_config(vm);
    return status ? std::string() : status.error().message();
  };
  EXPECT_EQ(refusal([](VmConfig*) {}), "");
  EXPECT_NE(refusal([](VmConfig* vm) { vm->image.path = "/dev/null"; }), "");
  EXPECT_NE(refusal([](VmConfig* vm) { vm->initrd.clear(); }), "");
  EXPECT_NE(refusal([](VmConfig* vm) { vm->kernel = "/no/such/kernel"; }).find("/no/such/kernel"),
            std::string::npos);
  EXPECT_NE(refusal([](VmConfig* vm) { vm->machine_type = "pseries"; }), "");
  EXPECT_NE(refusal([](VmConfig* vm) { vm->vcpus = 0; }), "");
  EXPECT_NE(refusal([](VmConfig* vm) { vm->shared_fs.kind = SharedFsKind::kVirtioFs; }), "");
  EXPECT_NE(refusal([](VmConfig* vm) { vm->pci_bridges = 6; }), "");
}

}  // namespace
}  // namespace kata::hypervisor::qemu
