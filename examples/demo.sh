#!/usr/bin/env bash
# rsig in one screen: compiles the examples against an installed library and uses them as people do.
#
#     examples/demo.sh PREFIX         where PREFIX/include and PREFIX/lib are, as `make demo` does
#
# Exit status: 0 if everything went as promised.
set -euo pipefail

if [ $# -ne 1 ] || [ ! -d "$1/lib" ] || [ ! -d "$1/include" ]; then
    echo "usage: demo.sh PREFIX, the folder below which rsig is installed" >&2
    exit 2
fi
prefix=$(cd "$1" && pwd)
examples=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
export LD_LIBRARY_PATH=$prefix/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}

work=$(mktemp -d)
running=
clean_up() {
    if [ -n "$running" ]; then kill -KILL "$running" 2>/dev/null || :; fi
    rm -rf "$work"
}
trap clean_up EXIT
cd "$work"

heading() { printf '\n== %s\n' "$1"; }

broken() {
    echo "NOT AS PROMISED: $1" >&2
    exit 1
}

# expect WHAT ACTUAL PATTERN
expect() {
    # shellcheck disable=SC2053 # a pattern, on purpose
    [[ $2 == $3 ]] || broken "$1 is '$2', not '$3'"
}

# Starts a program; its output is to be read line by line, which is how we wait for what it does.
start() {
    mkfifo "$1.out"
    "./$1" >"$1.out" &
    running=$!
    exec 3<"$1.out"
}

# next_line PATTERN: shows the program's next line, which must be like this.
next_line() {
    local line
    IFS= read -r line <&3 || broken "the program ended before it said '$1'"
    printf '%s\n' "$line"
    expect "the line" "$line" "$1"
    last_line=$line
}

# The program must end by itself, with exit status 0, and have nothing more to say.
ended() {
    local status=0
    wait "$running" || status=$?
    running=
    expect "the rest of the output" "$(cat <&3)" ""
    exec 3<&-
    expect "the exit status" "$status" 0
}

heading "compiling: cc NAME.c -o NAME -pthread \$(pkg-config --cflags --libs rsig)"
for name in tour alarm_open http_server sigpipe worker_threads; do
    # shellcheck disable=SC2046 # several words, on purpose
    ${CC:-cc} "$examples/$name.c" -o "$name" -pthread $(pkg-config --cflags --libs rsig)
    printf '%s ' "$name.c"
done
echo

heading "tour: what each part of Python's signal module is in C"
./tour

heading "alarm_open: a device that never answers; the handler of SIGALRM ends open()"
status=0
./alarm_open || status=$?
echo "exit status $status"
expect "the exit status" "$status" 1

heading "http_server: SIGTERM in the middle of a request"
start http_server
next_line "listening on http://127.0.0.1:*/"
port=${last_line##*:} port=${port%/}
exec 4<>"/dev/tcp/127.0.0.1/$port"
next_line "visitor 1"
printf 'GET / HTTP/1.1\r\n' >&4
echo "\$ kill -TERM $running"
kill -TERM "$running"
next_line "SIGTERM from process $$: stopping"
printf '\r\n' >&4
answer=$(tr -d '\r' <&4)
exec 4<&-
echo "the visitor is answered all the same: ${answer%%$'\n'*}"
expect "the answer" "$answer" "HTTP/1.1 200 OK*<p>Stop me with Ctrl-C.</p>"
next_line "stopped, visitors: 1"
ended

heading "sigpipe | head -1: the reader leaves, the writer ends quietly"
set +e
./sigpipe 2>sigpipe.err | head -1
status=${PIPESTATUS[0]}
set -e
echo "exit status $status"
expect "the exit status" "$status" 1
expect "the error output" "$(cat sigpipe.err)" ""

heading "worker_threads: blocked in all threads, accepted by one"
start worker_threads
next_line "3 workers; *"
echo "\$ kill -USR1 $running"
kill -USR1 "$running"
next_line "job 1 done"
echo "\$ kill -TERM $running"
kill -TERM "$running"
next_line "SIGTERM: 3 workers ended, jobs done: 1, left: 0"
ended

heading "client.py: the same library from Python's ctypes"
if python3 -c 'import ctypes' 2>/dev/null; then
    python3 "$examples/client.py" "$prefix/lib/librsig.so.0" | tee client.out
    expect "its last line" "$(tail -n 1 client.out)" "fini       Ctrl-C is *again"
else
    echo "left out: there is no python3 with ctypes here"
fi

heading "all as promised"
