# Tries every operation on labels in a network namespace of its own, which goes with everything in it when this ends.
# $1: ip of iproute2. Each line: PART<TAB>ok|failed<TAB>what was said. Nothing is judged by an exit status alone: what
# the kernel then shows is compared by who reads this.
ip=$1
tab=$(printf '\t')

try() {
    part=$1
    shift
    if said=$("$@" 2>&1); then state=ok; else state=failed; fi
    printf '%s\t%s\t%s\n' "$part" "$state" "$(printf '%s' "$said" | tr '\n\t' '; ')"
    [ $state = ok ]
}

grow() { echo 1000 >/proc/sys/net/mpls/platform_labels; }

# A dummy interface where the node has the module in use already: asking for one would load it.
dev=lo via=127.0.0.2
try lo "$ip" link set lo up
if [ -d /sys/module/dummy ] && try dummy "$ip" link add probe0 type dummy; then
    dev=probe0 via=192.0.2.2
    try up "$ip" link set probe0 up
    try address "$ip" address add 192.0.2.1/24 dev probe0
fi
printf 'hop\tok\t%s %s\n' "$via" "$dev"
try push "$ip" route add 198.51.100.1/32 encap mpls 16/17 via "$via" dev "$dev"
try table grow
try size cat /proc/sys/net/mpls/platform_labels
try pop "$ip" -f mpls route add 100 dev lo
try swap "$ip" -f mpls route add 101 as 102/103 via inet "$via" dev "$dev"
"$ip" -o -N -f inet route show | sed "s/^/push shown${tab}ok${tab}/"
"$ip" -o -N -f mpls route show | sed "s/^/label shown${tab}ok${tab}/"
