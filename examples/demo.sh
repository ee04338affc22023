#!/usr/bin/env bash
# rsig in two screens: compiles the examples against an installed library and uses them as people do.
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

# A script's background jobs have SIGINT ignored: this gives them Ctrl-C, where env can.
with_ctrl_c=(env --default-signal=INT)
"${with_ctrl_c[@]}" true 2>/dev/null || with_ctrl_c=()

# A standard input on which nothing comes.
mkfifo nothing
exec 5<>nothing

# start NAME [ARGUMENT...]: its output is to be read line by line, which is how we wait for what it does.
start() {
    mkfifo "$1.out"
    "${with_ctrl_c[@]}" "./$1" "${@:2}" <&5 >"$1.out" &
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

# signal NAME [PID]: to the program, if to nobody else.
signal() {
    echo "\$ kill -$1 ${2:-$running}"
    kill "-$1" "${2:-$running}"
}

# ended [STATUS]: the program must end by itself, with this exit status or 0, and have nothing more to say.
ended() {
    local status=0
    wait "$running" || status=$?
    running=
    expect "the rest of the output" "$(cat <&3)" ""
    exec 3<&-
    expect "the exit status" "$status" "${1:-0}"
}

heading "compiling: cc NAME.c -o NAME -pthread \$(pkg-config --cflags --libs rsig)"
for name in tour alarm_open http_server sigpipe worker_threads event_loop_epoll interpreter_loop dispatch_loop supervisor; do
    # shellcheck disable=SC2046 # several words, on purpose
    ${CC:-cc} "$examples/$name.c" -o "$name" -pthread $(pkg-config --cflags --libs rsig)
    printf '%s ' "$name.c"
done
if command -v "${CXX:-c++}" >/dev/null; then
    # shellcheck disable=SC2046 # several words, on purpose
    ${CXX:-c++} "$examples/throwing_handler.cpp" -o throwing_handler $(pkg-config --cflags --libs rsig)
    printf 'throwing_handler.cpp'
fi
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
signal TERM
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
signal USR1
next_line "job 1 done"
signal TERM
next_line "SIGTERM: 3 workers ended, jobs done: 1, left: 0"
ended

heading "event_loop_epoll: signals beside all else that an event loop waits for"
start event_loop_epoll 0
next_line "process $running is ready"
signal USR1
next_line "SIGUSR1 from process $$: 0 lines"
signal TERM
next_line "SIGTERM: stopping"
ended

heading "dispatch_loop: all signals blocked, and handled one by one with their payloads"
start dispatch_loop 1000000
next_line "process $running is ready"
echo "\$ ./dispatch_loop send $running 3 4"
./dispatch_loop send "$running" 3 4
next_line "3 from process *, sum 3"
next_line "4 from process *, sum 7"
signal TERM
next_line "SIGTERM: the sum is 7"
ended

heading "interpreter_loop: an interpreter that looks for signals at every jump back"
./interpreter_loop 0.1

heading "throwing_handler: Ctrl-C as a C++ exception, out of a read that waits"
if [ -x throwing_handler ] && [ ${#with_ctrl_c[@]} -gt 0 ]; then
    start throwing_handler
    next_line "copying"
    signal INT
    next_line "lines copied: 0"
    next_line "interrupted by the keyboard"
    ended 130
else
    echo "left out: there is no C++ compiler here, or no env --default-signal"
fi

heading "supervisor: restarts what dies, and dies of what it is told to die of"
start supervisor 1 sleep 60
next_line "worker 1: started, pid *"
signal KILL "${last_line##* }"
next_line "worker 1: died of SIGKILL"
next_line "worker 1: started, pid *"
signal TERM
next_line "SIGTERM from pid $$"
next_line "worker 1: died of SIGTERM"
next_line "all have stopped"
ended 143

heading "client.py: the same library from Python's ctypes"
if python3 -c 'import ctypes' 2>/dev/null; then
    python3 "$examples/client.py" "$prefix/lib/librsig.so.0" | tee client.out
    expect "its last line" "$(tail -n 1 client.out)" "fini       Ctrl-C is *again"
else
    echo "left out: there is no python3 with ctypes here"
fi

heading "all as promised"
