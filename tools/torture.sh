#!/usr/bin/env bash
# torture.sh [PART ...]: looks at length for what must not happen, and fails where it has. Without an argument: every part.
# What each is, and what it leaves out: docs/torture.md.
set -uo pipefail
cd "$(dirname "$0")/.."

parts="asan tsan memcheck models fuzz soak"

about_asan() { echo "the C programs, the fuzzer and the soak under AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer"; }
asan() {
    # With debug assertions: Rust's standard library has some about unsafe code.
    sanitized asan "-Zsanitizer=address -Cdebug-assertions" "-fsanitize=address,undefined -fno-sanitize-recover=all"
    export ASAN_OPTIONS="$ours" UBSAN_OPTIONS=print_stacktrace=1
    c_programs asan && random_calls
}

about_tsan() { echo "the C programs that ThreadSanitizer can follow"; }
tsan() {
    rust_source
    export CARGO_UNSTABLE_BUILD_STD=std,panic_unwind
    sanitized tsan "-Zsanitizer=thread" "-fsanitize=thread -D_GNU_SOURCE -include $PWD/c-tests/tsan.h"
    export TSAN_OPTIONS="$ours:suppressions=$PWD/c-tests/tsan_suppressions.txt"
    c_programs tsan
}

about_memcheck() { echo "the C programs under valgrind's memcheck, with the library as it is shipped"; }
memcheck() {
    tools/need.sh valgrind=valgrind || return
    export CARGO_BUILD_TARGET=$machine CFLAGS="-D_GNU_SOURCE -include $PWD/c-tests/valgrind.h"
    export CXXFLAGS=$CFLAGS
    export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER="valgrind --quiet --vgdb=no --error-exitcode=86 --fair-sched=yes --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite"
    c_programs memcheck
}

about_models() { echo "the lock-free core in every order of threads and memory"; }
models() { make --no-print-directory models; }

# Another one each day, the same all day.
about_fuzz() { echo "random calls, beside a model and in several threads at once, from seed ${SEED:=$(date -u +%Y%m%d)} on"; }
fuzz() { make --no-print-directory fuzz SEED="$SEED" SEEDS="${SEEDS:-40000}"; }

about_soak() { echo "a storm of ${MINUTES:=3} minutes, and a balance"; }
soak() { make --no-print-directory soak MINUTES="$MINUTES"; }

machine=x86_64-unknown-linux-gnu

# sanitized NAME RUSTFLAGS CFLAGS: from here on the library and the C programs are made so. As if for another machine: what cargo
# builds for itself has none of it, and it leaves the library of `make stage` alone.
sanitized() {
    export CARGO_BUILD_TARGET=$machine CARGO_TARGET_DIR=$PWD/target/torture/$1
    # A stable toolchain has the sanitizers too.
    export RUSTC_BOOTSTRAP=1 RUSTFLAGS="$2" CARGO_PROFILE_RELEASE_DEBUG=line-tables-only CARGO_PROFILE_RELEASE_STRIP=none
    export CFLAGS="$3 -fno-omit-frame-pointer" CXXFLAGS="$3 -fno-omit-frame-pointer"
    # A sanitizer's own handlers and alternate stack are in the way: the tests have theirs, and look at what was there.
    ours=exitcode=86:use_sigaltstack=0:handle_segv=0:handle_sigbus=0:handle_abort=0:handle_sigfpe=0:handle_sigill=0
}

# The standard library has to be built with ThreadSanitizer as well.
rust_source() {
    [ -e "$(rustc --print sysroot)/lib/rustlib/src" ] || rustup component add rust-src
}

# runner NAME: where cargo has put that test, which then runs without cargo, as what is exported is not for the test itself.
runner() {
    local said
    said=$(env -u RUSTFLAGS -u CARGO_BUILD_TARGET -u CARGO_TARGET_DIR -u RUSTC_BOOTSTRAP -u CARGO_UNSTABLE_BUILD_STD \
        -u CARGO_PROFILE_RELEASE_DEBUG -u CARGO_PROFILE_RELEASE_STRIP -u CFLAGS -u CXXFLAGS \
        cargo test --locked --no-run --test "$1" 2>&1) || { echo "$said" >&2 && return 1; }
    sed -n 's/^ *Executable.*(\(.*\))$/\1/p' <<<"$said"
}

# c_programs NAME: without what c-tests/NAME_cannot.txt names.
c_programs() {
    local runner
    runner=$(runner c_programs) && WITHOUT=c-tests/$1_cannot.txt "$runner" --quiet
}

# Some seconds' worth of the fuzzers and the soak.
random_calls() {
    local runner
    runner=$(runner fuzz) && "$runner" --test-threads 1
}

one() {
    local began=$SECONDS result=ok
    echo "== $1: $("about_$1")"
    # In a shell of its own, for what it exports.
    ("about_$1" >/dev/null; "$1") </dev/null || result=FAILED
    echo "== $1: $result after $((SECONDS - began)) s"
    [ $result = ok ]
}

tools/need.sh make=make cc=gcc g++=g++ pkg-config=pkg-config || exit
failed=
for part in ${*:-$parts}; do
    case " $parts " in
    *" $part "*) one "$part" || failed="$failed $part" ;;
    *) echo "no such part: $part; there are $parts" >&2 && exit 2 ;;
    esac
done
[ -z "$failed" ] || { echo "FAILED:$failed" && exit 1; }
