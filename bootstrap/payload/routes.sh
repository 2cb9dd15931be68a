#!/bin/sh
# Read by live.sh: the routes of this node, made what routes.batch and labels.batch say.
# Routes of ours have the protocol number 77; no other route is ever replaced or deleted.
# shellcheck disable=SC2154,SC2034 # mode, root, state and unready are those of who reads this; ip is live.sh's

labels_file=/etc/mplskit/labels.batch
protocol=77

# A route is known by FAMILY (4, 6, mpls) and KEY (prefix and table, or label). What the kernel showed after a line was
# applied is kept beside it in $state/routes (FAMILY, KEY, line, shown): what is so is told by comparing the kernel's
# words with the kernel's words, whatever version of `ip` writes them.

# The keeper does this whenever something happens, so as few programs as can be are started.
apply_routes() {
    find_ip || return
    work=$state/work
    [ "$mode" != plan ] || work=$here/work
    [ -d "$work" ] || mkdir -p "$work"
    known=$state/routes
    [ -e "$known" ] || known=/dev/null
    did=
    for file in wanted actions errors routes batch.4 batch.6 batch.mpls; do : >"$work/$file"; done
    if ! todo=$(compare_routes); then
        report failed route routes "they could not be compared with the kernel's"
        return
    fi
    [ "$mode" != plan ] || todo=
    [ -z "$todo" ] || did=$(do_routes)
    case $mode:$todo in keep: | "keep:again "*) [ -n "$did" ] || return 0 ;; esac
    told=$({ [ -z "$todo" ] || kernel_has; } | tell_routes)
    [ -z "$todo" ] || mv -f "$work/routes" "$state/routes"
    [ -z "$told" ] || printf '%s\n' "$told"
    case $newline$told in *"${newline}failed$tab"*) failures=1 ;; esac
}

# kernel_has: every route of ours that the kernel has, of all families: where none is named, `table all` is all of them
kernel_has() { "$ip" -o -N route show table all proto $protocol 2>/dev/null; }

# Both sides in one form: no length for a host, 0.0.0.0/0 and ::/0 for the default, table 254 unless another is named.
# shellcheck disable=SC2016 # it is awk
words='
    function family(words,   dst) {
        dst = words
        sub(/ .*/, "", dst)
        if (dst == "default") return words ~ / pref (low|medium|high)/ ? "6" : "4"
        return dst ~ /:/ ? "6" : dst ~ /^[0-9]+$/ ? "mpls" : "4"
    }
    function key(words, kind,   part, n, i, table) {
        n = split(words, part, " ")
        if (kind == "mpls") return part[1]
        if (part[1] == "default") part[1] = kind == "6" ? "::/0" : "0.0.0.0/0"
        sub(kind == "6" ? "/128$" : "/32$", "", part[1])
        table = 254
        for (i = 2; i < n; i++) if (part[i] == "table") table = part[i + 1]
        return part[1] " " table
    }
    function plain(words) {
        gsub(/ (dead|linkdown|offload|trap|rt_offload|rt_trap|notify)/, "", words)
        gsub(/[ \t\\]+/, " ", words)
        sub(/ $/, "", words)
        return words
    }'

# compare_routes: what there is to do, in $work: `wanted` has FAMILY, KEY and WORDS of each line; `actions` has the same
# behind same, add, replace, del, or waits for a line that was tried already; batch.FAMILY is for `ip`; `errors` has FAMILY,
# KEY and why of what cannot be. On stdout, if there is anything: `again`, or `new` where something was not tried already, and
# the families that have a batch.
compare_routes() {
    set -- phase=wanted
    for file in "$root$routes_file" "$root$labels_file"; do
        [ ! -e "$file" ] || set -- "$@" "$file"
    done
    {
        kernel_has
        printf '%s\n' /sys/class/net/*
    } | awk -F '\t' -v mode="$mode" -v work="$work/" -v ip="$ip" "$words"'
        function absent(words,   part, n, i) {
            n = split(words, part, " ")
            for (i = 1; i < n; i++) if (part[i] == "dev" && !(part[++i] in link)) {
                if (!asked) ask_names()
                if (!(part[i] in link)) return part[i]
            }
        }
        # What the folder does not know: other names of an interface, and those of a namespace that has no /sys of its own.
        function ask_names(   text, part, n, i) {
            for (asked = 1; ((ip " -o link show") | getline text) > 0;) {
                n = split(text, part, " ")
                sub(/(@.*)?:$/, "", part[2])
                link[part[2]]
                for (i = 3; i < n; i++) if (part[i] == "altname") link[part[i + 1]]
            }
        }
        function refuse(of, id, why) { print of "\t" id "\t" why >(work "errors") }
        function act(what, of, id, words,   dev, part) {
            print what "\t" of "\t" id "\t" words >(work "actions")
            if (what == "same" || mode == "plan") return
            # Where one of several next hops has no interface, ip ends, and drops the rest of the batch.
            if (what != "del" && (dev = absent(words)) != "") {
                if (what == "waits") refuse(of, id, refused[of, id])
                else { refuse(of, id, "Cannot find device \"" dev "\""); new = 1 }
                return
            }
            any = batch[of] = 1
            if (what == "waits") what = "add"
            else new = 1
            if (what == "del") {
                split(id, part, " ")
                words = of == "mpls" ? id : part[1] " table " part[2] " proto '$protocol'"
            }
            print "route " what " " words >(work "batch." of)
        }
        phase == "known" {
            line[$1, $2] = $3
            seen[$1, $2] = $4
            refused[$1, $2] = $5
            # What was refused the last time will be again.
            if (mode == "plan" && $5 != "") refuse($1, $2, $5)
            next
        }
        phase == "kernel" && /^\/sys/ { link[substr($0, 16)]; next }
        phase == "kernel" { there[family($0), key($0, family($0))] = plain($0); next }
        /^route add / {
            text = substr($0, 11)
            of = family(text)
            id = of SUBSEP key(text, of)
            wanted[id] = 1
            print of "\t" key(text, of) "\t" text >(work "wanted")
            as_it_was = id in line && line[id] == text
            if (id in there) what = as_it_was && seen[id] == there[id] ? "same" : "replace"
            else what = as_it_was && seen[id] == "" ? "waits" : "add"
            act(what, of, key(text, of), text)
        }
        END {
            for (id in there) if (!(id in wanted)) {
                split(id, part, SUBSEP)
                act("del", part[1], part[2], there[id])
            }
            if (any || new) print (new ? "new " : "again ") (batch[4] ? " 4" : "") (batch[6] ? " 6" : "") (batch["mpls"] ? " mpls" : "")
        }' phase=known "$known" phase=kernel - "$@"
}

# do_routes: does the batches of $todo, and says `done` if any of it was; what failed is in `errors`, with the kernel's words
do_routes() {
    for family in ${todo#* }; do
        case $family in mpls) option="-f mpls" ;; *) option=-$family ;; esac
        echo "= $family"
        # shellcheck disable=SC2086 # one word or two
        "$ip" $option -force -batch "$work/batch.$family" 2>&1
    done | awk -v work="$work/" "$words"'
        /^= / {
            of = $2
            for (n = 0; (getline text <(work "batch." of)) > 0; line[++n] = text) sub(/^route [a-z]+ /, "", text)
            left += n
            next
        }
        /^Command failed / {
            sub(/.*:/, "")
            print of "\t" key(line[$0 + 0], of) "\t" said >>(work "errors")
            said = ""
            left--
            next
        }
        { sub(/^(Error|RTNETLINK answers): /, ""); said = said (said == "" ? "" : "; ") $0 }
        END { if (left) print "done" }'
}

# tell_routes: one line for each action; what cannot be done before its interface or its next hop is there waits for it.
# With what the kernel has now on stdin, after something was tried, $work/routes is what is known from now on: a route that could not be made what it
# should be is not known by what it is: it is tried again. One that the kernel does not show has failed, whatever was said.
tell_routes() {
    router=yes
    [ -d /proc/sys/net/mpls ] || router=
    awk -F '\t' -v mode="$mode" -v router="$router" -v unready="$unready" -v remember="$todo" -v file="$work/routes" "$words"'
        function tell(state, detail) { if (mode != "keep" || state != "same") print state "\troute\t" name "\t" detail }
        phase == "errors" { error[$1, $2] = $3; next }
        phase == "kernel" { there[family($0), key($0, family($0))] = plain($0); next }
        phase == "wanted" {
            if (!remember) next
            id = $1 SUBSEP $2
            if (!(id in error) && !(id in there)) error[id] = "the kernel does not show it"
            print $0 "\t" (id in error ? "\t" error[id] : there[id]) >file
            next
        }
        {
            name = $3
            if ($2 == "mpls") name = "label " $3
            else if (!sub(/ 254$/, "", name)) sub(/ /, " table ", name)
            why = error[$2, $3]
            if ($1 == "same") tell("same", $4)
            else if (why ~ /File exists/) tell("failed", "there is one already that is not ours; it is left alone")
            else if (!router && $2 == "mpls" && why != "") tell(unready, why ": " $4)
            else if (why ~ /[Cc]annot find device|No such device|[Nn]exthop has invalid|unreachable|not up|is down|No route to host|Invalid device/)
                tell("note", "waits for its interface or next hop (" why "): " $4)
            else if (why != "") tell("failed", why ": " $4)
            else if ($1 == "del") tell("changed", "taken away: " $4)
            else tell("changed", ($1 == "replace" ? "made anew: " : "added: ") $4)
        }' phase=errors "$work/errors" phase=kernel - phase=wanted "$work/wanted" phase=actions "$work/actions"
}
