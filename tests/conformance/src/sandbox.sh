# Makes the sandbox's root and keeps it, as process 1 of its namespaces. Arguments: an empty folder, the agent.
# Says "ready", then waits for its standard input to end: when the runner is done or dead, nothing may stay frozen.
set -eu
root=$1 agent=$2
mount --make-rprivate /
mount -t tmpfs -o size=1g,mode=755 sandbox "$root"
cd "$root"
mkdir -p bin sbin dev etc fake images old proc run scratch state tmp

# The agent with its libraries, and the tools that transcripts and this script use. Only links that are needed: the
# tools' own poweroff and reboot must not be found.
for file in $( (ldd "$agent" || true) 2>/dev/null | grep -o '/[^ )]*'); do cp -L --parents "$file" .; done
cp "$agent" bin/qemu-ga
cp "$(command -v busybox)" bin/busybox
for tool in basename cat chmod cp cut fsfreeze ls mkdir mount rm rmdir sh sleep sort \
    stat touch umount; do ln -s busybox "bin/$tool"; done

# Programs that switch a machine off would be run by the agent: these only say that they were.
cat > bin/faketool <<'TOOL'
#!/bin/sh
name=$(basename "$0")
echo "$name${*:+ $*}" >> /fake/log
[ ! -e "/fake/$name $1.status" ] || name="$name $1"
[ ! -e "/fake/$name.output" ] || cat "/fake/$name.output"
[ ! -e "/fake/$name.status" ] || exit "$(cat "/fake/$name.status")"
TOOL
chmod 755 bin/faketool
for tool in poweroff halt reboot shutdown; do cp bin/faketool "sbin/$tool"; done
cp bin/faketool bin/hook
touch fake/log
mknod -m 666 dev/null c 1 3
mknod -m 666 dev/zero c 1 5
mknod -m 666 dev/full c 1 7

# Three file systems: ext4, another ext4 below it, xfs; and the xfs once more in a second place.
if [ "${FILE_SYSTEMS-}" = yes ]; then
    mkdir -p a b bind
    truncate -s 24M images/1 images/2
    truncate -s 300M images/3
    mkfs.ext4 -q -F images/1
    mkfs.ext4 -q -F images/2
    mkfs.xfs -q -f images/3
    mount -o loop images/1 a
    mkdir a/sub
    mount -o loop images/2 a/sub
    mount -o loop images/3 b
    mount --bind b bind
fi

# From here on the machine's own file systems are out of reach: not hidden, but no longer mounted here.
pivot_root . old
cd /
exec /bin/sh -c '
    umount -l /old && rmdir /old || exit 1
    mount -t proc proc /proc
    echo ready
    read -r _
    kill -KILL -1 2>/dev/null
    cut -d " " -f 5 /proc/self/mountinfo | while read -r place; do
        while fsfreeze --unfreeze "$place" 2>/dev/null; do :; done
    done
'
