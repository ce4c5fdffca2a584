"""A static x86-64 program of a few bytes, for system calls that no shell tool makes."""
import base64
import struct

_ADDRESS = 0x400000
_HEADERS = 64 + 56  # of the file and of its one segment


def call_errno(number):
    """ELF bytes of a program that makes one system call with invalid arguments and exits with its errno."""
    code = (b"\xb8" + struct.pack("<I", number)      # mov eax, number
            + b"\xbf\xff\xff\xff\xff"                # mov edi, -1
            + b"\x0f\x05\xf7\xd8\x89\xc7"            # syscall; neg eax; mov edi, eax
            + b"\xb8\xe7\x00\x00\x00\x0f\x05")       # mov eax, exit_group; syscall
    size = _HEADERS + len(code)
    header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 2, 62, 1, _ADDRESS + _HEADERS, 64, 0, 0,
                         64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _ADDRESS, _ADDRESS, size, size, 0x1000)
    return header + segment + code


def make(program, path):
    """Shell text that writes the program to a path and makes it executable."""
    return f"echo {base64.b64encode(program).decode()} | base64 -d > {path}; chmod 755 {path}"
