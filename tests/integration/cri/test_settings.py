"""What a pod's specification says about its containers, as seen by a process in them."""
import pytest

from bed import run

PRIMARY_ONLY = True


def settings(**context):
    return {"linux": {"security_context": context}}


def value(number):
    return {"value": number}


@pytest.fixture(scope="module")
def plain(pod):
    id = pod.run("plain", "sleep", "1000", working_dir="/tmp",
                 envs=[{"key": "A", "value": "1"}, {"key": "SPACED", "value": "two words"}])
    yield id
    pod.remove_container(id)


def test_names(pod, plain):
    assert pod.sh(plain, "hostname") == f"{pod.name}\n"
    assert pod.sh(plain, "cat /etc/hostname") == f"{pod.name}\n"
    assert "localhost" in pod.sh(plain, "cat /etc/hosts")
    resolv = pod.sh(plain, "cat /etc/resolv.conf").splitlines()
    assert resolv == ["search svc.test test", "nameserver 10.77.0.250", "options ndots:3"]


def test_environment(pod, plain):
    lines = pod.sh(plain, "env").splitlines()
    assert {"A=1", "SPACED=two words", f"HOSTNAME={pod.name}"} <= set(lines)
    assert pod.sh(plain, "pwd") == "/tmp\n"


def test_sysctls(pod, plain):
    assert pod.sh(plain, "cat /proc/sys/kernel/shm_rmid_forced") == "1\n"
    assert pod.sh(plain, "cat /proc/sys/net/ipv4/ip_unprivileged_port_start") == "1234\n"


def test_paths_are_masked_or_read_only(pod):
    """kubelet names the paths: a masked file is empty, a masked folder too."""
    id = pod.run("masked", "sleep", "1000", **settings(
        masked_paths=["/proc/uptime", "/sys/kernel", "/no/such/path"], readonly_paths=["/proc/sys"]))
    assert pod.sh(id, "wc -c < /proc/uptime; ls /sys/kernel | wc -l") == "0\n0\n"
    assert " ro," in pod.sh(id, "grep ' /proc/sys ' /proc/mounts")
    pod.remove_container(id)


def test_users_and_groups(pod):
    id = pod.run("user", "sleep", "1000", **settings(
        run_as_user=value(1000), run_as_group=value(3000), supplemental_groups=[4000, 5000]))
    assert pod.sh(id, "id -u; id -g") == "1000\n3000\n"
    assert {"3000", "4000", "5000"} <= set(pod.sh(id, "id -G").split())
    assert pod.sh(id, "cat /proc/1/status | grep ^Uid").split()[1:] == ["1000"] * 4
    pod.remove_container(id)

    id = pod.run("username", "sleep", "1000", **settings(run_as_username="user"))
    assert pod.sh(id, "id -u") == "1000\n"
    assert "2000" in pod.sh(id, "id -G").split()  # /etc/group of the image
    pod.remove_container(id)


def test_root_file_system(pod):
    id = pod.run("readonly", "sleep", "1000", **settings(readonly_rootfs=True))
    assert pod.exec(id, "touch", "/file").code != 0
    pod.sh(id, "touch /dev/shm/file")
    pod.remove_container(id)
    id = pod.run("writable", "sleep", "1000")
    pod.sh(id, "echo data > /file; test -s /file")
    pod.remove_container(id)


def capabilities(pod, id):
    return int(pod.sh(id, "grep CapEff /proc/1/status").split()[1], 16)


NET_RAW, SYS_TIME = 1 << 13, 1 << 25


def test_capabilities(pod):
    id = pod.run("caps", "sleep", "1000", **settings(
        capabilities={"add_capabilities": ["SYS_TIME"], "drop_capabilities": ["NET_RAW"]}))
    assert capabilities(pod, id) & SYS_TIME
    assert not capabilities(pod, id) & NET_RAW
    pod.remove_container(id)
    id = pod.run("nocaps", "sleep", "1000", **settings(capabilities={"drop_capabilities": ["ALL"]}))
    assert capabilities(pod, id) == 0
    pod.remove_container(id)


@pytest.mark.parametrize("profile, mode", [("RuntimeDefault", "2"), ("Unconfined", "0")])
def test_seccomp(pod, profile, mode):
    id = pod.run(f"seccomp{mode}", "sleep", "1000", **settings(seccomp={"profile_type": profile}))
    assert pod.sh(id, "grep Seccomp: /proc/1/status").split()[1] == mode
    pod.remove_container(id)


def test_seccomp_profile_of_the_node(pod):
    profile = pod.logs / "no-mkdir.json"
    profile.write_text('{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"], "syscalls":'
                       ' [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13}]}')
    id = pod.run("localhost", "sleep", "1000", **settings(
        seccomp={"profile_type": "Localhost", "localhost_ref": str(profile)}))
    refused = pod.exec(id, "mkdir", "/tmp/new")
    assert refused.code != 0 and "ermission denied" in refused.err
    pod.remove_container(id)


def test_no_new_privileges(pod):
    id = pod.run("nonewprivs", "sleep", "1000", **settings(no_new_privs=True))
    assert pod.sh(id, "grep NoNewPrivs /proc/1/status").split()[1] == "1"
    pod.remove_container(id)


def test_privileged(pod):
    id = pod.run("privileged", "sleep", "1000", **settings(privileged=True))
    assert capabilities(pod, id) & SYS_TIME
    assert pod.sh(id, "grep Seccomp: /proc/1/status").split()[1] == "0"
    pod.sh(id, "mkdir /mnt/t && mount -t tmpfs none /mnt/t && umount /mnt/t")
    pod.sh(id, "test -w /sys/kernel")
    pod.sh(id, "cat /dev/null")
    pod.remove_container(id)


def test_out_of_memory(pod):
    status = pod.run_to_end("oom", "dd", "if=/dev/zero", "of=/dev/null", "bs=150M", "count=1",
                            linux={"resources": {"memory_limit_in_bytes": 32 << 20}})
    assert status.exit_code == 137
    # The event comes on a way of its own and may be a little later.
    run.wait_until(lambda: pod.container(status.id).reason == "OOMKilled", 20, "the reason")


def test_termination_log(pod):
    """kubelet puts a file of the node on this path and reads it after the end."""
    log = pod.logs / "termination-log"
    log.write_text("")
    pod.run_to_end("lastwords", "sh", "-c", "echo the reason > /dev/termination-log; exit 1",
                   mounts=[{"container_path": "/dev/termination-log", "host_path": str(log)}])
    assert log.read_text() == "the reason\n"


def test_limits_can_be_updated(pod):
    id = pod.run("updated", "sleep", "1000", linux={"resources": {
        "memory_limit_in_bytes": 64 << 20, "cpu_quota": 50000, "cpu_period": 100000, "cpu_shares": 512}})
    read = ("cd /sys/fs/cgroup; cat memory.max cpu.max 2>/dev/null ||"
            " cat memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us")
    before = pod.sh(id, read).split()
    assert before[0] == str(64 << 20) and before[1] == "50000"
    pod.cri.call("UpdateContainerResources", container_id=id, linux={
        "memory_limit_in_bytes": 96 << 20, "cpu_quota": 70000, "cpu_period": 100000, "cpu_shares": 512})
    after = pod.sh(id, read).split()
    assert after[0] == str(96 << 20) and after[1] == "70000"
    pod.remove_container(id)
