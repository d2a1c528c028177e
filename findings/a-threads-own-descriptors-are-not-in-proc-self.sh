#!/usr/bin/env bash
# /proc/self/fd is the table of the process's first thread, also for a thread that has a table of its own.
#
# Kernel: seen on Linux 6.18 (close_range(2) with CLOSE_RANGE_UNSHARE is there since 5.9); Python 3.11 asks.
# A guess from memory: "self" is whoever asks, so a thread that took its descriptors apart (CLOSE_RANGE_UNSHARE, or
# unshare(CLONE_FILES)) finds them under /proc/self/fd. Seen: it finds those of the process's first thread. A number that
# only the thread has open is not there, and one that both have leads to what the *other* has open, without an error: reopening
# "/proc/self/fd/N" opens another file. /proc/thread-self/fd is the thread's. (/dev/fd leads to /proc/self/fd.)
# Why it matters: reopening by /proc/self/fd is how O_PATH descriptors become readable ones, and a thread of its own
# table is how a program keeps what may hang away from the rest.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat >stated <<'END'
before: /proc/self/fd/N is the first file, /proc/thread-self/fd/N the first file
the thread has the second file at N now: /proc/self/fd/N is the first file, /proc/thread-self/fd/N the second file
the thread alone has M open: /proc/self/fd/M is nothing, /proc/thread-self/fd/M the third file
END

python3 - <<'END' | tee -a seen
import ctypes, os, threading

UNSHARE = 2  # CLOSE_RANGE_UNSHARE
CLOSE_RANGE = 436  # the same number on every architecture
libc = ctypes.CDLL(None, use_errno=True)
for number, name in enumerate(["first", "second", "third"]):
    with open(name, "w") as file:
        file.write(f"the {name} file")


def read(path):
    try:
        with open(path) as file:
            return file.read()
    except FileNotFoundError:
        return "nothing"


def both(name, number):
    own, thread = read(f"/proc/self/fd/{number}"), read(f"/proc/thread-self/fd/{number}")
    return f"/proc/self/fd/{name} is {own}, /proc/thread-self/fd/{name} {thread}"


n = os.open("first", os.O_RDONLY)


def thread():
    print("before:", both("N", n))
    # From here on the table is this thread's own; what is closed by it is closed here alone.
    if libc.syscall(CLOSE_RANGE, ctypes.c_uint(1 << 20), ctypes.c_uint(1 << 20), ctypes.c_uint(UNSHARE)) != 0:
        raise OSError(ctypes.get_errno(), "close_range")
    second = os.open("second", os.O_RDONLY)
    os.dup2(second, n)
    print("the thread has the second file at N now:", both("N", n))
    m = os.dup2(os.open("third", os.O_RDONLY), 500)
    print("the thread alone has M open:", both("M", m))


worker = threading.Thread(target=thread)
worker.start()
worker.join()
END
diff -u --label stated --label seen stated seen && echo "as stated"
