"""What Linux offers to lock a process in: Landlock, seccomp, a network namespace, resource limits.

Each is best effort: a kernel or a container may forbid any of them, and a function says whether it holds.
All are irrevocable for the process that calls them, so the child forks for each file and locks the fork.
"""

from __future__ import annotations

import ctypes
import math
import os
import platform
import resource
import struct
import sys
import sysconfig
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from zairyo.readers.limits import Limits

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _PR_SET_DUMPABLE = 1, 22, 38, 4
_SIGKILL = 9


def _prctl(option: int, *arguments: object) -> bool:
    padded = (*arguments, 0, 0, 0, 0)[:4]
    values = [ctypes.c_ulong(a) if isinstance(a, int) else a for a in padded]
    return bool(_libc.prctl(ctypes.c_int(option), *values) == 0)


def die_with_parent() -> None:
    """Be killed when the process that forked this one ends."""
    _prctl(_PR_SET_PDEATHSIG, _SIGKILL)


@cache
def _idle_memory() -> int:
    """Bytes of address space that the child has before it does anything."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * os.sysconf("SC_PAGE_SIZE")


def prepare() -> None:
    """Work out once, before any fork, what every fork needs."""
    _idle_memory()
    library_descriptors()
    _filter()


def limit_resources(limits: Limits) -> bool:
    """Processor time, memory, size of written files and open files; no core dumps."""
    memory = _idle_memory() + limits.memory
    seconds = math.ceil(limits.seconds) + 1
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, limits.output_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 256),
    ):
        hard = resource.getrlimit(what)[1]
        if hard != resource.RLIM_INFINITY:
            most = min(most, hard)
        resource.setrlimit(what, (most, most))
    return True


# --- network namespace ---------------------------------------------------------------------------------------

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000


def leave_network() -> bool:
    """Move into a network namespace with no interface.

    An ordinary user needs a user namespace for that. Root must not enter one: it would lose the right to
    read files that belong to others.
    """
    flags = _CLONE_NEWNET if os.geteuid() == 0 else _CLONE_NEWUSER | _CLONE_NEWNET
    return bool(_libc.unshare(flags) == 0)


# --- Landlock: which files, no TCP, no signals to others -------------------------------------------------------

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_READ = 1 << 2 | 1 << 3  # files, directories
#: Write, truncate, remove and make files and folders, and move them about; no links, devices, sockets or pipes.
_WRITE = 1 << 1 | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 13 | 1 << 14
_ALL_BY_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
_TCP = 1 << 0 | 1 << 1  # bind, connect
_SCOPES = 1 << 0 | 1 << 1  # abstract Unix sockets, signals


@cache
def landlock_abi() -> int:
    """The kernel's Landlock version; 0 if it has none."""
    return max(0, int(_libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(1))))


@cache
def library_descriptors() -> tuple[int, ...]:
    """Open descriptors of the folders that Python and its libraries are read from; none without Landlock."""
    if not landlock_abi():
        return ()
    folders = {sys.prefix, sys.base_prefix, *sysconfig.get_paths().values(), *(p for p in sys.path if p)}
    folders |= {"/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime"}
    found = [f for f in sorted(folders) if f not in ("/", str(Path.home())) and Path(f).exists()]
    return tuple(os.open(f, os.O_PATH | os.O_CLOEXEC) for f in found)


def restrict_files(read: Iterable[str], scratch: str) -> bool:
    """Allow opening Python's libraries and ``read`` for reading, and whatever is wanted inside the folder ``scratch``.

    Nothing else; what is open stays open.
    """
    abi = landlock_abi()
    if not abi:
        return False
    handled = _ALL_BY_ABI[min(abi, 5)]
    attributes = struct.pack("QQQ", handled, _TCP if abi >= 4 else 0, _SCOPES if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    ruleset = _libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(size), ctypes.c_uint32(0))
    if ruleset < 0:
        return False
    for descriptor in library_descriptors():
        _allow(ruleset, descriptor, _READ & handled)
    rights = [(path, _READ) for path in (*read, "/dev/urandom")]
    for path, wanted in (*rights, (scratch, _READ | _WRITE), ("/dev/null", _READ | _WRITE)):
        try:
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        _allow(ruleset, descriptor, wanted & handled)
        os.close(descriptor)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    held = _libc.syscall(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0)) == 0
    os.close(ruleset)
    return bool(held)


def _allow(ruleset: int, descriptor: int, rights: int) -> None:
    rule = struct.pack("=Qi", rights, descriptor)
    if _libc.syscall(_ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(1), rule, ctypes.c_uint32(0)) < 0:
        # A rule on a file takes only the rights that a file has.
        rule = struct.pack("=Qi", rights & (1 << 1 | 1 << 2), descriptor)
        _libc.syscall(_ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(1), rule, ctypes.c_uint32(0))


# --- seccomp: system calls that translating a file never needs ------------------------------------------------

# Processes and programs, network, other processes, name spaces and mounts, kernel doors. By machine.
_DENIED: dict[str, tuple[int, tuple[int, ...]]] = {
    "x86_64": (
        0xC000003E,
        (
            *(57, 58, 59, 322),  # fork, vfork, execve, execveat
            *(41, 42, 43, 44, 46, 49, 50, 53, 288),  # socket … listen, socketpair, accept4
            *(62, 200, 234, 129, 297, 101, 310, 311, 312),  # kill …, ptrace, process_vm_*, kcmp
            *(
                165,
                166,
                155,
                161,
                272,
                308,
                304,
                135,
            ),  # mount …, unshare, setns, open_by_handle_at, personality
            *(
                175,
                313,
                176,
                321,
                298,
                323,
                248,
                249,
                250,
                246,
                320,
            ),  # modules, bpf, perf, userfaultfd, keys, kexec
        ),
    ),
    "aarch64": (
        0xC00000B7,
        (
            *(221, 281),
            *(198, 199, 200, 201, 202, 203, 206, 211, 242),
            *(129, 130, 131, 138, 240, 117, 270, 271, 272),
            *(40, 39, 41, 51, 97, 268, 265, 92),
            *(105, 273, 106, 280, 241, 282, 217, 218, 219, 104, 294),
        ),
    ),
}
_DENIED_EVERYWHERE = (
    424,
    425,
    426,
    427,
    434,
    438,
    440,
    *range(428, 434),
    442,
)  # pidfd, io_uring, mounts
#: A library's threads are let be. ``clone`` says by a flag that it makes one; ``clone3`` says it where a filter cannot
#: look, so it is as if the kernel had none, and the C library asks for the other.
_CLONE, _CLONE3, _CLONE_THREAD = {"x86_64": 56, "aarch64": 220}, 435, 0x10000
_LOAD, _JUMP_EQUAL, _JUMP_GREATER, _JUMP_SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_REFUSE, _MISSING = 0x00050001, 0x00050026  # the call fails with EPERM, with ENOSYS
_X32 = 0x40000000


@cache
def _filter() -> bytes:
    """The BPF program, or nothing for a machine whose system calls are not listed here."""
    if platform.machine() not in _DENIED or sys.maxsize < 2**32:
        return b""
    architecture, own = _DENIED[platform.machine()]
    denied = sorted({*own, *_DENIED_EVERYWHERE})

    def step(code: int, yes: int, no: int, value: int) -> bytes:
        return struct.pack("HBBI", code, yes, no, value)

    program = [
        step(_LOAD, 0, 0, 4),
        step(_JUMP_EQUAL, 1, 0, architecture),
        step(_RETURN, 0, 0, _KILL),
        step(_LOAD, 0, 0, 0),
        step(_JUMP_GREATER, len(denied) + 5, 0, _X32),
    ]
    program += [step(_JUMP_EQUAL, len(denied) + 4 - i, 0, number) for i, number in enumerate(denied)]
    program += [
        step(_JUMP_EQUAL, 5, 0, _CLONE3),
        step(_JUMP_EQUAL, 0, 2, _CLONE[platform.machine()]),
        step(_LOAD, 0, 0, 16),  # its first argument
        step(_JUMP_SET, 0, 1, _CLONE_THREAD),
        step(_RETURN, 0, 0, _ALLOW),
        step(_RETURN, 0, 0, _REFUSE),
        step(_RETURN, 0, 0, _MISSING),
    ]
    return b"".join(program)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def restrict_calls() -> bool:
    """Refuse new processes, programs, sockets and everything else that reaches out of this process."""
    program = _filter()
    if not program or not _prctl(_PR_SET_NO_NEW_PRIVS, 1):
        return False
    _prctl(_PR_SET_DUMPABLE, 0)
    return _prctl(_PR_SET_SECCOMP, 2, ctypes.byref(_Program(len(program) // 8, program)))
