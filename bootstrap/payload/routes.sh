#!/bin/sh
# Read by live.sh: the routes of this node, made what routes.batch and labels.batch say.
# Routes of ours have the protocol number 77; no other route is ever replaced or deleted. The keeper deletes none at all.
# shellcheck disable=SC2154,SC2034 # mode, root, state and unready are those of who reads this; ip is live.sh's

labels_file=/etc/mplskit/labels.batch
routes_record=/var/lib/mplskit/routes.sha256
protocol=77
# So many lines for each `ip`: that of iproute2 6.1 keeps 4 KiB or more for every line, until it ends.
most_lines=2000

# A route is known by FAMILY (4, 6, mpls) and KEY (prefix, table and metric, or label). What the kernel showed after a
# line was applied is kept beside it in $state/routes (FAMILY, KEY, line, shown, why it was refused): what is so is told
# by comparing the kernel's words with the kernel's words, whatever version of `ip` writes them. Of 100,000 routes that
# are so no word is taken apart: that is what takes the time.

# The keeper does this whenever something happens, so as few programs as can be are started.
apply_routes() {
    find_ip || return
    work=$state/work
    [ "$mode" != plan ] || work=$here/work
    [ -d "$work" ] || mkdir -p "$work"
    known=$state/routes
    [ -e "$known" ] || known=/dev/null
    [ ! -s "$work/said" ] || go_on || return
    did=
    for file in touched same actions errors routes said; do
        true >"$work/$file" || { report failed route routes "$work/$file cannot be written"; return; }
    done 2>/dev/null
    if ! todo=$(compare_routes); then
        report failed route routes "they could not be compared with the kernel's"
        return
    fi
    [ "$mode" != plan ] || todo=
    [ -z "$todo" ] || did=$(do_routes)
    case $mode:$todo in
    keep: | "keep:again "*) [ -n "$did" ] || { true >"$work/said"; return 0; } ;;
    esac
    { [ -z "$todo" ] || kernel_has; } | tell_routes
    case $? in
    0) ;;
    1) failures=1 ;;
    *) report failed route routes "what came of them could not be found out"; return ;;
    esac
    [ -z "$todo" ] || { mv -f "$work/routes" "$state/routes" && true >"$work/said"; } ||
        report failed route routes "$state/routes cannot be written"
    case $todo in *.2*) rm -f "$work"/batch.* ;; esac
}

# kernel_has: every route of ours that the kernel has, of all families: where none is named, `table all` is all of them.
# Then `end`: an `ip` that was killed did not tell them all.
kernel_has() { "$ip" -o -N route show table all proto "$protocol" 2>/dev/null && echo end; }

# Both sides in one form: no length for a host, 0.0.0.0/0 and ::/0 for the default, table 254 unless another is named, the
# metric that the kernel gives where none is, no type (with -N `ip` shows it as a number, which no label of ours is). A prefix or
# a label tells its family, but for `default`: IPv4 is asked for its own.
# shellcheck disable=SC2016 # it is awk
words='
    function family(words,   dst, text) {
        if (words ~ /^[1-9][0-9]+ /) return "mpls"
        dst = words
        sub(/^(unreachable|blackhole|prohibit|throw|[6-9]) /, "", dst)
        sub(/ .*/, "", dst)
        if (dst != "default") return dst ~ /:/ ? "6" : dst ~ /^[0-9]+$/ ? "mpls" : "4"
        while (!asked_default && ((ip " -4 -o -N route show table all proto '"$protocol"' exact default") | getline text) > 0)
            default_of_4[plain(text)]
        asked_default = 1
        return plain(words) in default_of_4 ? "4" : "6"
    }
    function key(words, of,   part, n, i, table, metric) {
        if (of == "mpls") return substr(words, 1, index(words " ", " ") - 1)
        sub(/^(unreachable|blackhole|prohibit|throw|[6-9]) /, "", words)
        n = split(words, part, " ")
        if (part[1] == "default") part[1] = of == "6" ? "::/0" : "0.0.0.0/0"
        sub(of == "6" ? "/128$" : "/32$", "", part[1])
        table = 254
        metric = of == "6" ? 1024 : 0
        for (i = 2; i < n; i++) {
            if (part[i] == "table") table = part[i + 1]
            else if (part[i] == "metric") metric = part[i + 1]
        }
        return part[1] " " table " " metric
    }
    function plain(words) {
        if (words ~ /  |[\t\\]| (dead|linkdown|offload|trap|rt_offload|rt_trap|notify)/) {
            gsub(/ (dead|linkdown|offload|trap|rt_offload|rt_trap|notify)/, "", words)
            gsub(/[ \t\\]+/, " ", words)
        }
        sub(/ $/, "", words)
        return words
    }
    # What a report calls it.
    function title(of, name,   part) {
        if (of == "mpls") return "label " name
        split(name, part, " ")
        return part[1] (part[2] == 254 ? "" : " table " part[2]) (part[3] == (of == 6 ? 1024 : 0) ? "" : " metric " part[3])
    }'

# compare_routes: what there is to do, in $work. `same` has what a report says of the routes that are so, `touched` has FAMILY,
# KEY and WORDS of all other lines, and of lines that are wanted no more the WORDS alone; `actions` has FAMILY, KEY and WORDS
# behind same, add, replace, del, or waits for a line that was tried already; batch.FAMILY.N are for `ip`; `errors` has
# FAMILY, KEY and why of what cannot be. On stdout, if there is anything: `again`, or `new` where something was not tried
# already, and the FAMILY.N.
compare_routes() {
    no_ipv6 || why=
    set -- phase=wanted
    for file in "$root$routes_file" "$root$labels_file"; do
        [ ! -e "$file" ] || set -- "$@" "$file"
    done
    {
        kernel_has
        printf '%s\n' /sys/class/net/*
    } | awk -F '\t' -v mode="$mode" -v work="$work/" -v ip="$ip" -v most="$most_lines" -v off="$why" -v known="$known" "$words"'
        function absent(words,   dev) {
            while (match(words, / dev [^ ]+/)) {
                dev = substr(words, RSTART + 5, RLENGTH - 5)
                words = substr(words, RSTART + RLENGTH)
                if (!(dev in link) && !asked) ask_names()
                if (!(dev in link)) return dev
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
        function refuse(of, name, why) { print of "\t" name "\t" why >(work "errors") }
        function act(what, of, name, words,   dev, part) {
            if (what != "same" || mode != "keep") print what "\t" of "\t" name "\t" words >(work "actions")
            if (what == "same") return
            if (off != "" && what != "del" && (of == "6" || words ~ / inet6 /)) {
                refuse(of, name, off)
                if (what != "waits") new = 1
                return
            }
            if (mode == "plan") return
            # Where one of several next hops has no interface, ip ends, and drops the rest of the batch.
            if (what != "del" && (dev = absent(words)) != "") {
                if (what == "waits") refuse(of, name, refused[words])
                else { refuse(of, name, "Cannot find device \"" dev "\""); new = 1 }
                return
            }
            if (what == "waits") what = "add"
            else new = 1
            if (what == "del") {
                split(name, part, " ")
                words = of == "mpls" ? name : part[1] " table " part[2] " metric " part[3] " proto '"$protocol"'"
            }
            if (lines[of]++ % most == 0) {
                if (of in batch) close(work batch[of])
                batch[of] = "batch." of "." ++batches[of]
                todo = todo " " of "." batches[of]
            }
            print "route " what " " words >(work batch[of])
        }
        function judge(text,   of, name, id, what) {
            of = family(text)
            name = key(text, of)
            id = of SUBSEP name
            wanted[id]
            print of "\t" name "\t" text >(work "touched")
            # What was refused the last time will be again; not by one that is ours.
            if (mode == "plan" && text in refused && refused[text] != "" && !(id in there && refused[text] ~ /File exists/)) refuse(of, name, refused[text])
            if (!(id in there)) what = text in shown && shown[text] == "" ? "waits" : "add"
            # It was applied by a run that was cut before it saw what the kernel makes of it.
            else if (text in shown && shown[text] == "?") { what = "same"; new = 1 }
            else what = "replace"
            act(what, of, name, text)
            delete shown[text]
        }
        function is_there(text,   of) {
            of = family(text)
            there[of, key(text, of)] = text
        }
        # One that was added by hand beside one of ours that is so has the same KEY: it stays.
        function look_for_ours(   row) {
            while ((getline row <known) > 0) {
                split(row, part, "\t")
                if (!(part[3] in so) && !(part[3] in shown)) wanted[part[1], part[2]]
            }
        }
        phase == "kernel" {
            if (told) link[substr($0, 16)]
            else if ($0 == "end") told = 1
            else kernel[plain($0)]
            next
        }
        phase == "known" {
            if ($4 in kernel) { so[$3] = $4; delete kernel[$4] }
            else { shown[$3] = $4; refused[$3] = $5 }
            next
        }
        sub(/^route add /, "") {
            if (!($0 in so)) { other[++others] = $0; next }
            delete so[$0]
            if (mode != "keep") {
                of = family($0)
                print "same\troute\t" title(of, key($0, of)) "\t" $0 >(work "same")
            }
        }
        END {
            if (!told) exit 1
            for (text in kernel) is_there(text)
            for (text in so) is_there(so[text])
            for (i = 1; i <= others; i++) judge(other[i])
            for (id in there) if (mode != "keep" && !(id in wanted)) {
                if (!looked++) look_for_ours()
                split(id, part, SUBSEP)
                if (!(id in wanted)) act("del", part[1], part[2], there[id])
            }
            for (text in so) print "\t\t" text >(work "touched")
            for (text in shown) print "\t\t" text >(work "touched")
            if (todo != "" || new) print (new ? "new" : "again") " " todo
        }' phase=kernel - phase=known "$known" "$@"
}

# do_routes: does the batches of $todo, and says `done` if any of it was; what failed is in `errors`, with the kernel's words
do_routes() {
    for batch in ${todo#* }; do
        case $batch in mpls.*) option="-f mpls" ;; *) option=-${batch%.*} ;; esac
        echo "= $batch"
        # shellcheck disable=SC2086 # one word or two
        "$ip" $option -force -batch "$work/batch.$batch" 2>&1
        [ $? -ge 128 ] || echo "- $batch"
    done >"$work/said"
    understand
}

# understand [LIST]: read what `ip` said of the batches. LIST gets FAMILY, KEY, line and ? of each line that was applied, as
# far as batches came to their end.
understand() {
    awk -v work="$work/" -v list="${1:-}" -v ip="$ip" "$words"'
        function added(number,   text) {
            text = line[number]
            sub(/^route [a-z]+ /, "", text)
            return text
        }
        /^= / {
            name = $2
            of = name
            sub(/\..*/, "", of)
            for (n = 0; (getline text <(work "batch." name)) > 0;) line[++n] = text
            close(work "batch." name)
            left += n
            said = ""
            split("", wrong)
            next
        }
        /^- / {
            if (list != "") for (i = 1; i <= n; i++) if (!(i in wrong)) print of "\t" key(added(i), of) "\t" added(i) "\t?" >>list
            next
        }
        /^Command failed / {
            sub(/.*:/, "")
            wrong[$0 + 0]
            print of "\t" key(added($0 + 0), of) "\t" said >>(work "errors")
            said = ""
            left--
            next
        }
        { sub(/^(Error|RTNETLINK answers): /, ""); sub(/\.$/, ""); said = said (said == "" ? "" : "; ") $0 }
        END { if (left) print "done" }' "$work/said"
}

# go_on: a run was cut in the middle of its batches: what it did is not done again
go_on() {
    [ "$known" != /dev/null ] || true >"$state/routes"
    known=$state/routes
    understand "$known" >/dev/null || {
        report failed route routes "$known cannot be written"
        return 1
    }
}

# tell_routes: one line for each action, the keeper's up to a bound; 1 if one has failed. What time brings is waited for: see
# lacks(). With what the kernel has now on stdin, after something was tried, $work/routes is what is known from now on: a
# route that could not be made what it should be is not known by what it is: it is tried again. One that the kernel does
# not show has failed, whatever was said. One of ours that other changes hid from the first look (NLM_F_DUMP_INTR) is refused
# as being there already: it may be what it should be. Only what was touched is looked at again.
tell_routes() {
    cat "$work/same"
    router=yes
    [ -d /proc/sys/net/mpls ] || router=
    awk -F '\t' -v mode="$mode" -v router="$router" -v unready="$unready" -v remember="$todo" -v file="$work/routes" -v ip="$ip" \
        -v optional="$here/want/optional" -v known="$known" "$words"'
        function tell(state, detail) {
            if (mode == "keep" && state == "same") return
            if (state == "failed") failed = 1
            if (mode == "keep" && ++told[state] > 20) return
            print state "\troute\t" name "\t" detail
        }
        # Usable addresses of the interfaces that are up and have a carrier: has[NAME, FAMILY].
        function ask_addresses(   text, part, n, i, dev) {
            for (asked = 1; ((ip " address show up scope global") | getline text) > 0;) {
                n = split(text, part, " ")
                if (text ~ /^[0-9]/) {
                    dev = part[2]
                    sub(/(@.*)?:$/, "", dev)
                    if (text !~ /LOWER_UP/) dev = ""
                } else if (part[1] == "altname") real[part[2]] = dev
                else if (dev != "" && part[1] ~ /^inet6?$/ && part[2] !~ /^169\.254\./)
                    has[dev, part[1]] = has[dev, part[1]] (has[dev, part[1]] == "" ? "" : ", ") part[2]
            }
        }
        # What is wrong with a next hop by the routes that the kernel has on its interface: behind a router is in no network.
        function amiss(of, via, dev, onlink,   show, text, type) {
            show = ip " -" (of == "inet6" ? 6 : 4) " -o route show table all dev " dev " match " via
            while ((show | getline text) > 0) if (text !~ / via /) type = text ~ /^(local|broadcast) / ? text : type == "" ? "network" : type
            close(show)
            if (type ~ /^broadcast / || (onlink && type ~ /^local /)) return via " can be no other machine on " dev
            return onlink || type != "" ? "" : via " is in no network of " dev ", which is up and has " has[dev, of]
        }
        # lacks(WORDS): what no time brings, of the next hops of a route that the kernel does not take. Of an interface that
        # is down, has no carrier, or has no address of that family yet, nothing is known; nor where no interface is named.
        function lacks(words,   hop, part, n, i, j, via, of, dev, why, names) {
            if (!asked) ask_addresses()
            for (n = split(words, hop, " nexthop "); ++j <= n;) {
                via = dev = why = ""
                split(hop[j], part, " ")
                for (i = 1; i in part; i++) {
                    if (part[i] == "via") via = part[i + 1] ~ /^inet/ ? part[i + 2] : part[i + 1]
                    else if (part[i] == "dev") dev = part[i + 1] in real ? real[part[i + 1]] : part[i + 1]
                }
                of = via ~ /:/ ? "inet6" : "inet"
                if (via != "" && (dev, of) in has) why = amiss(of, via, dev, hop[j] ~ / onlink( |$)/)
                if (why != "") names = names (names == "" ? "" : "; ") why
            }
            if (names ~ / is in no network /) return names "; if it is on that link all the same, onlink: true with the route says so, else correct via or dev"
            return names == "" ? "" : names "; correct via or dev"
        }
        function may_come_later(words,   part, n, i, name) {
            if (!optional_read) while ((getline name <optional) > 0) later[name]
            optional_read = 1
            n = split(words, part, " ")
            for (i = 2; i < n; i++) if (part[i] == "dev" && part[i + 1] in later) return 1
        }
        function refused(of, why, words,   wrong) {
            if (of != "mpls" && why ~ /[Nn]exthop has invalid|unreachable|No route to host/ && (wrong = lacks(words)) != "")
                tell("failed", why ": " wrong ": " words)
            else if (why ~ /[Cc]annot find device|No such device|[Nn]exthop has invalid|unreachable|not up|is down|No route to host|Invalid device/)
                tell(mode == "keep" || may_come_later(words) ? "note" : "waits", "waits for its interface or next hop (" why "): " words)
            else tell("failed", why ": " words)
        }
        phase == "errors" { error[$1, $2] = $3; if ($3 ~ /File exists/) exists[$1, $2]; next }
        phase == "near" {
            if (known != "/dev/null") dropped[$3]
            split($2, part, " ")
            near[part[1] ~ /^(0\.0\.0\.0|::)\/0$/ ? "default" : part[1]]
            next
        }
        phase == "known" {
            if (remember && !($3 in dropped)) print >file
            if (($1, $2) in exists) was[$1, $2] = $3 "\t" $4
            next
        }
        phase == "kernel" && $0 == "end" { whole = 1; next }
        phase == "kernel" {
            if (!(substr($0, 1, index($0, " ") - 1) in near) && !/^[6-9] /) next
            of = family($0)
            there[of, key($0, of)] = plain($0)
            next
        }
        phase == "touched" {
            if (!remember || $1 == "") next
            id = $1 SUBSEP $2
            if (!(id in error) && !(id in there)) error[id] = "the kernel does not show it"
            if (id in exists && id in there) {
                ours[id]
                if (was[id] == $3 "\t" there[id]) delete error[id]
            }
            print $0 "\t" (id in error ? "\t" error[id] : there[id]) >file
            next
        }
        {
            name = title($2, $3)
            why = error[$2, $3]
            if ($1 == "same" || (($2, $3) in ours && why == "")) tell("same", $4)
            else if (($2, $3) in ours) tell("failed", "it is there and ours, which did not show before: run it again: " $4)
            else if (why ~ /File exists/) tell("failed", "there is one already that is not ours; it is left alone")
            else if (!router && $2 == "mpls" && why != "") tell(unready, why ": " $4)
            else if (why != "") refused($2, why, $4)
            else if ($1 == "del") tell("changed", "taken away: " $4)
            else tell("changed", ($1 == "replace" ? "made anew: " : "added: ") $4)
        }
        END {
            for (state in told) if (told[state] > 20) print state "\troute\troutes\tand " told[state] - 20 " more"
            exit remember && !whole ? 2 : failed
        }' phase=errors "$work/errors" phase=near "$work/touched" phase=known "$known" \
        phase=kernel - phase=touched "$work/touched" phase=actions "$work/actions"
}

# --- what the files were when a node run brought them --------------------------------------------------------------

record_routes() {
    [ -e "$root$routes_file" ] || [ -e "$root$labels_file" ] || [ -e "$routes_record" ] || return 0
    mkdir -p "${routes_record%/*}"
    for file in "$routes_file" "$labels_file"; do
        [ -e "$root$file" ] || continue
        # What could not be put stays recorded as it is.
        if cmp -s "$root$file" "$file"; then sha256sum "$file"; else grep -sF "  $file" "$routes_record"; fi
    done | store "$routes_record" || report failed file "$routes_record" "cannot be written"
}

# as_recorded: whether they are still what they were: a lost or an edited file is nothing to go by. They are read when they
# are newer than the last look, or when the keeper looks of its own accord. An image of the release before has no record.
as_recorded() {
    [ "$mode" = keep ] && [ -e "$routes_record" ] || return 0
    wrong=
    look=
    [ -e "$state/checked" ] && [ "$event" != look ] || look=yes
    while read -r _ path; do
        # shellcheck disable=SC3013 # dash has it, and POSIX since 2024
        if [ ! -e "$path" ]; then
            wrong=yes
            report failed file "$path" "is not there: its routes stay as they are, and none is brought back; node.bootstrap writes it again"
        elif [ "$path" -nt "$state/checked" ]; then
            look=yes
        fi
    done <"$routes_record"
    [ -n "$wrong$look" ] || return 0
    true >"$state/checked"
    for path in $(sha256sum --check --quiet "$routes_record" 2>/dev/null | sed -n 's/: FAILED$//p'); do
        wrong=yes
        report failed file "$path" "is not what node.bootstrap wrote: the routes stay as they are, and none is brought back; change the spec and run it again"
    done
    [ -z "$wrong" ] || { rm -f "$state/checked"; return 1; }
}
