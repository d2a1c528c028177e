#!/usr/bin/env bash
# qemu-user with -L and a program that goes from / step by step.
#
# Package: qemu-user-static 1:7.2+dfsg-7+deb12u18+b3 (Debian 12), on an x86-64 machine, whose own Python it runs.
# A guess from memory: -L names where the loader and the libraries are, and of other paths those that are there; all else is the
# machine's. Seen: a path counts as a whole. "/" is there, so opening it gives the folder of -L, of which /etc is no part:
#   - "/etc/passwd" is the machine's, and "etc/passwd" from a descriptor of "/" is not there;
#   - "." in the folder / is the machine's root, and "/" is not.
# A program that looks paths up name by name, because there is no openat2 (this qemu answers ENOSYS), finds nothing under -L. By the
# loader (ld-linux --library-path ... PROGRAM) instead of -L it does.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
apt-get download --quiet --quiet qemu-user-static=1:7.2+dfsg-7+deb12u18+b3
dpkg-deb --extract qemu-user-static_*.deb package
mkdir prefix
touch prefix/marker

cat >stated <<'SEEN'
/: the folder of -L
/etc/passwd: there
etc/passwd from /: No such file or directory
. in /: the machine's root
openat2: Function not implemented
SEEN

cat >look.py <<'PYTHON'
import ctypes, os

def told(what, look):
    try:
        print(what + ":", look())
    except OSError as error:
        print(what + ":", error.strerror)

root = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
told("/", lambda: "the folder of -L" if os.listdir("/") == ["marker"] else "the machine's root")
told("/etc/passwd", lambda: "there" if os.stat("/etc/passwd") else "")
told("etc/passwd from /", lambda: "there" if os.stat("etc/passwd", dir_fd=root) else "")
os.chdir("/")
told(". in /", lambda: "the folder of -L" if os.listdir(".") == ["marker"] else "the machine's root")

def openat2():
    libc = ctypes.CDLL(None, use_errno=True)
    how = (ctypes.c_uint64 * 3)(os.O_RDONLY, 0, 0)
    if libc.syscall(437, root, b".", how, 24) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return "there"

told("openat2", openat2)
PYTHON

package/usr/bin/qemu-x86_64-static --version | head -n 1
package/usr/bin/qemu-x86_64-static -L prefix "$(python3 -c 'import os, sys; print(os.path.realpath(sys.executable))')" look.py | tee seen
diff stated seen
