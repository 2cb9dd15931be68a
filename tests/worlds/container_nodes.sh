#!/bin/sh
# Nodes as containers, inside a VM: each has its own network, mount, pid, uts and ipc namespaces, an overlay over the
# VM's own root whose changes are in memory, and an sshd that takes the VM's keys. For tests and for benchmarks:
#   ssh vm sh -s start 1 2 3 <container_nodes.sh      nodes 1, 2, 3 at 10.32.0.101, 102, 103: root, through the VM
#   ssh vm sh -s KIND NUMBER … <container_nodes.sh    what a node is like, before it is started (see below)
#   ssh vm sh -s stop NUMBER … <container_nodes.sh
#   ssh vm sh -s wipe NUMBER … <container_nodes.sh    stop them, and throw away all that they are and have
# tests/worlds/container_nodes.py writes the ssh_config (the VM is the jump host) and calls this.
# Of a node: eth0 on a bridge of the VM, no default route, MPLS as the VM's kernel has it, no systemd.
set -eu
export LC_ALL=C PATH=/usr/sbin:/sbin:/usr/bin:/bin
fleet=/run/nodes

start() {
    prepare
    for number in "$@"; do ground "$number"; done
    for number in "$@"; do wire "$number"; done | ip -batch -
    for number in "$@"; do begin "$number"; done
    for number in "$@"; do await "$number"; done
}

# The VM's own set-up is none of the nodes': they begin bare.
prepare() {
    [ ! -e /sys/class/net/nodes ] || return 0
    modprobe -a overlay veth bridge mpls_router mpls_iptunnel mpls_gso
    rm -rf /etc/mplskit /var/lib/mplskit /etc/modules-load.d/mplskit.conf /etc/sysctl.d/90-mplskit.conf \
        /etc/udev/rules.d/90-mplskit.rules /etc/systemd/system/mplskit-* /usr/local/lib/mplskit
    ip link add nodes type bridge
    ip addr add 10.32.0.1/24 dev nodes
    ip link set nodes up
}

# wire NUMBER: what ip does for it
wire() {
    [ ! -e "$fleet/$1/dead" ] || return 0
    echo "netns add node-$1"
    echo "link add node-$1 type veth peer name eth0 netns node-$1"
    echo "link set node-$1 master nodes up"
}

begin() {
    home=$fleet/$1
    [ ! -e "$home/dead" ] || return 0
    setsid nsenter --net="/run/netns/node-$1" unshare --mount --pid --uts --ipc --fork --kill-child \
        sh -c "$inside" sh "$home" "node-$1" "10.32.0.$((100 + $1))/24" >"$home/log" 2>&1 </dev/null &
    echo $! >"$home/pid"
}

# ground NUMBER: where the changes of a node go
ground() {
    mountpoint -q "$fleet/$1/disk" 2>/dev/null && return
    mkdir -p "$fleet/$1/disk" "$fleet/$1/root"
    mount -t tmpfs -o size=16m none "$fleet/$1/disk"
    mkdir "$fleet/$1/disk/upper" "$fleet/$1/disk/work"
    mount -t overlay -o "lowerdir=/,upperdir=$fleet/$1/disk/upper,workdir=$fleet/$1/disk/work" none "$fleet/$1/root"
}

# The first process of a node: its sshd.
# shellcheck disable=SC2016 # expanded in there
inside='
mount --make-rprivate / && cd "$1/root" && hostname "$2" || exit
printf "link set lo up\nlink set eth0 up\naddr add %s dev eth0\n" "$3" | ip -batch - || exit
[ ! -e "$1/slow" ] || tc qdisc add dev eth0 root netem delay 200ms || exit
mount -t proc none proc && mount -t sysfs none sys && mount --rbind /dev dev && mount -t tmpfs none run || exit
mkdir -m 755 run/sshd && pivot_root . mnt && umount -l /mnt && cd / &&
    exec /usr/sbin/sshd -D -e -o UseDNS=no -o MaxStartups=100 -o PidFile=none'

await() {
    [ ! -e "$fleet/$1/dead" ] || return 0
    tries=0
    until grep -q '^Server listening' "$fleet/$1/log"; do
        tries=$((tries + 1))
        [ $tries -lt 300 ] || { cat "$fleet/$1/log" >&2; exit 1; }
        sleep 0.1
    done
}

stop() {
    for number in "$@"; do
        [ ! -e "$fleet/$number/pid" ] || kill -9 "$(cat "$fleet/$number/pid")" 2>/dev/null || true
        rm -f "$fleet/$number/pid"
        ip netns delete "node-$number" 2>/dev/null || true
    done
}

wipe() {
    stop "$@"
    for number in "$@"; do
        ip link delete "node-$number" 2>/dev/null || true
        [ ! -e "$fleet/$number" ] || { umount -l "$fleet/$number/root" "$fleet/$number/disk" && rm -r "${fleet:?}/$number"; }
    done
}

# --- what a node is like ----------------------------------------------------------------------------------------

# each KIND NUMBER …
each() {
    kind=$1
    shift
    for number in "$@"; do
        ground "$number"
        "$kind" "$fleet/$number"
    done
}

# no sshd, and nobody at its address
dead() { : >"$1/dead"; }

# each packet of its takes 200 ms
slow() { : >"$1/slow"; }

# who logs in waits 3 seconds
sleepy() {
    # shellcheck disable=SC2016 # sshd sets it
    printf 'sleep 3\nexec sh -c "$SSH_ORIGINAL_COMMAND"\n' >"$1/root/root/sleepy"
    printf 'Match all\n    ForceCommand sh /root/sleepy\n' >"$1/root/etc/ssh/sshd_config.d/sleepy.conf"
}

# its disk is full, until `room`
full() { dd if=/dev/zero of="$1/root/var/full" bs=64k 2>/dev/null || true; }
room() { rm "$1/root/var/full"; }

# its first session is cut when the payload puts its first file in place
cut() {
    cat >"$1/root/usr/local/sbin/mv" <<'END'
#!/bin/sh
parent() { sed 's/.*) . \([0-9]*\) .*/\1/' "/proc/$1/stat"; }
if mkdir /root/was-cut 2>/dev/null; then
    session=$$
    while [ "$(parent "$session")" != 1 ]; do session=$(parent "$session"); done
    kill -9 "$session"
fi
exec /usr/bin/mv "$@"
END
    chmod 755 "$1/root/usr/local/sbin/mv"
}

task=$1
shift
case $task in
start | stop | wipe) "$task" "$@" ;;
dead | slow | sleepy | full | room | cut) each "$task" "$@" ;;
*) echo "start, stop, wipe, dead, slow, sleepy, full, room or cut, not '$task'" >&2; exit 2 ;;
esac
