#pragma once

namespace kata::agent {

// True in a guest whose instructions are translated one by one (QEMU's TCG), by the hypervisor's
// signature in CPUID. Asked once.
bool runs_emulated();

// For a process about to execute the agent's image again: under emulation its addresses are not
// random. Translated code is kept by address, so a child at known addresses runs what the child
// before it had translated; that is most of the cost of a short exec. Emulation is no boundary
// that random addresses could strengthen. Elsewhere nothing changes.
void prefer_known_addresses();

// In the child, so that the container's program has random addresses again.
void want_random_addresses();

}  // namespace kata::agent
