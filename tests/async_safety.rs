//! Async-signal safety, read off the machine code: what a signal handler can get to in the libraries as they are shipped, from
//! the low-level handlers and from each function that the header calls async-signal-safe. (That the loader has looked up every
//! symbol by then is in exports.rs.)
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::code::{Code, Reach};
use libc::c_long;
use std::sync::LazyLock;

const HANDLERS: [&str; 2] =
    ["rsig::async_safe::handler::low_level", "rsig::async_safe::handler::stand_in"];

/// What may be called of the C library, and why.
const ALLOWED: [(&str, &str); 14] = [
    // On the list of signal-safety(7): POSIX requires it.
    ("_exit", "POSIX"),
    ("alarm", "POSIX"),
    ("getpid", "POSIX"),
    ("getuid", "POSIX"),
    ("kill", "POSIX"),
    ("memcpy", "POSIX"),
    ("memset", "POSIX"),
    ("pthread_self", "POSIX"),
    ("pthread_sigmask", "POSIX"),
    ("raise", "POSIX"),
    ("sigaction", "POSIX"),
    ("sigpending", "POSIX"),
    // Not on it.
    (
        "__errno_location",
        "errno itself: the address of the thread's own, which the C library has allocated with the thread",
    ),
    (
        "__libc_current_sigrtmin",
        "SIGRTMIN itself: reads a number that is fixed when the process starts",
    ),
];

/// What the kernel may be asked for by syscall(2), which itself is nothing but that and errno; by whom; and why that does not
/// wait, for a lock or for anything else.
const SYSTEM_CALLS: [(c_long, &str, &str); 7] = [
    (libc::SYS_gettid, ANYBODY, "a number"),
    (libc::SYS_tgkill, ANYBODY, "as kill()"),
    (libc::SYS_rt_sigqueueinfo, ANYBODY, "as kill(), with a siginfo"),
    (libc::SYS_rt_tgsigqueueinfo, ANYBODY, "as kill(), with a siginfo"),
    (libc::SYS_timer_settime, ANYBODY, "as timer_settime(), which is POSIX"),
    (
        libc::SYS_write,
        ANYBODY,
        "as write(), which is POSIX: to an eventfd or a wakeup fd, which do not block",
    ),
    (
        libc::SYS_rt_sigtimedwait,
        "rsig::sys::write::",
        "without time: takes what is pending, and waits for nothing",
    ),
];

const ANYBODY: &str = "";

/// Who may enter the kernel by itself: the stub, which a handler never runs, but whose addresses it looks at.
const TRAPS: [&str; 1] = ["race_free_syscall"];

/// Of the library itself: its own layers, where nothing of Rust's that locks, allocates or panics can be among them unseen, as
/// that is code of std's, alloc's and core's.
const OWN: [&str; 5] = [
    "rsig_",
    "rsig::async_safe::",
    "rsig::sys::",
    "race_free_",
    // A number's value as an enum.
    "nix::errno::consts::from_i32",
];

/// Who calls by a pointer that something else has made, at how many places at most, and whom. A signal handler may call such a
/// function where it was promised to be async-signal-safe, or would have run in the same place without rsig.
const POINTERS: [(&str, usize, &str); 2] = [
    ("rsig::async_safe::chain::call", 4, "the displaced handler"),
    ("rsig::async_safe::handler::record_for", 1, "the function of rsig_set_notify()"),
];

fn is_known_call(number: u64, by: &str) -> bool {
    let is_it = |(known, who, _): &(c_long, &str, &str)| {
        u64::try_from(*known) == Ok(number) && by.starts_with(who)
    };
    SYSTEM_CALLS.iter().any(is_it)
}

/// What is wrong with what a signal handler can get to.
fn faults(reach: &Reach) -> Vec<String> {
    let is_own = |name: &str| OWN.iter().any(|own| name.starts_with(own));
    let functions = reach.functions.iter().filter(|(name, _)| !is_own(name));
    let imports = reach.imports.iter();
    let imports = imports.filter(|(name, _)| !ALLOWED.iter().any(|(allowed, _)| allowed == name));
    let is_known = |name: &str, count| {
        POINTERS.iter().any(|(known, at_most, _)| *known == name && count <= *at_most)
    };
    let pointers = reach.indirect.iter().filter(|(name, count)| !is_known(name, **count));
    // The shortest way first: those behind it are seldom of interest.
    let mut reached: Vec<_> = functions.chain(imports).collect();
    reached.sort_by_key(|(_, way)| way.matches(" > ").count());
    let mut faults: Vec<_> = reached.iter().map(|(name, way)| format!("{name}: {way}")).collect();
    faults.extend(pointers.map(|(name, _)| format!("a call through a pointer: {name}")));
    let calls = reach.system_calls.iter();
    let calls = calls.filter(|((number, by), _)| !is_known_call(*number, by));
    faults.extend(calls.map(|((number, _), way)| format!("system call {number}: {way}")));
    let traps = reach.traps.iter().filter(|(name, _)| !TRAPS.contains(&name.as_str()));
    faults.extend(traps.map(|(_, way)| format!("a system call's instruction: {way}")));
    faults.extend(reach.thread_local.iter().map(|way| format!("thread-local storage: {way}")));
    faults
}

/// Each function that the header calls async-signal-safe.
fn documented() -> Vec<String> {
    let header = std::fs::read_to_string(common::root().join("include/rsig.h")).expect("rsig.h");
    let mut documented = Vec::new();
    for part in header.split("/**").skip(1) {
        let (comment, code) = part.split_once("*/").expect("end of comment");
        let declared = code.split('(').next().expect("first part");
        let name = declared.rsplit([' ', '*', '\n']).next().expect("last part");
        if comment.contains("Async-signal-safe") && name.starts_with("rsig_") {
            documented.push(name.to_owned());
        }
    }
    for known in ["rsig_restore_signals", "rsig_die", "rsig_tripped"] {
        assert!(documented.iter().any(|name| name == known), "{known}");
    }
    documented
}

static LIBRARIES: LazyLock<[(&str, Code); 2]> = LazyLock::new(|| Code::of_both("async_safety"));

#[test]
fn what_the_kernel_calls_reaches_only_what_is_safe() {
    for (library, code) in &*LIBRARIES {
        let reach = code.reach(&HANDLERS, |_| false);
        assert_eq!(faults(&reach), [""; 0], "{library}");
        // It has been followed to its ends.
        for end in ["sigaction", "__errno_location"] {
            assert!(reach.imports.contains_key(end), "{end} is not called");
        }
        let calls = reach.system_calls.keys().map(|(number, _)| *number as c_long);
        assert!(calls.collect::<Vec<_>>().contains(&libc::SYS_rt_tgsigqueueinfo));
    }
}

#[test]
fn what_is_documented_as_safe_reaches_only_what_is_safe() {
    for (library, code) in &*LIBRARIES {
        for name in documented() {
            let mut reach = code.reach(&[&name], |_| false);
            if name == "rsig_die" {
                // It is safe with a number that is right; for another one it makes a sentence, in the thread's own place.
                let is_sentence = |name: &str| {
                    name.contains("core::fmt::") || name.contains("panic_cannot_unwind")
                };
                reach = code.reach(&[&name], is_sentence);
                reach.thread_local = None;
                reach.imports.remove("__tls_get_addr");
                let death = code.reach(&["rsig::async_safe::death::of"], |_| false);
                assert_eq!(faults(&death), [""; 0], "{library}");
            }
            assert_eq!(faults(&reach), [""; 0], "{name}, {library}");
        }
    }
}

/// Handlers that are wrong, and what is to be said of them; the first one is not.
const HANDLED: [(&str, &[&str]); 16] = [
    ("rsig_clean", &[]),
    ("rsig_prints", &["std::io::stdio::_print: ", "a call through a pointer: core::fmt::write"]),
    ("rsig_locks", &["Mutex>::lock_contended: "]),
    ("rsig_allocates", &["malloc: "]),
    ("rsig_panics", &["core::panicking::panic: ", "_Unwind_RaiseException: "]),
    ("rsig_counts_by_thread", &["thread-local storage: "]),
    ("rsig_counts_by_thread_lazily", &["thread-local storage: ", "malloc: "]),
    ("rsig_waits", &["system call 202: "]),
    ("rsig_waits_among_others", &["system call 202: "]),
    ("rsig_reads", &["system call 0: "]),
    ("rsig_reads_by_name", &["read: "]),
    ("rsig_asks_for_word", &["syscall: "]),
    ("rsig_asks_for_either", &["syscall: "]),
    ("rsig_asks_by_function", &["syscall: "]),
    ("rsig_enters_kernel", &["a system call's instruction: "]),
    ("rsig_calls_what_is_set", &["syscall: ", "a call through a pointer: rsig_calls_what_is_set"]),
];

/// That nothing was found above is not for want of looking.
#[test]
fn what_is_unsafe_is_found() {
    let library = common::scratch("async_safety").join("handlers.so");
    let mut rustc = common::rustc();
    rustc.args(["--edition=2024", "-O", "-Clink-arg=-Wl,-z,now", "-o"]).arg(&library);
    rustc.arg(common::root().join("tests/handlers/handlers.rs"));
    common::run(rustc);
    let code = Code::of(&library);
    for (handler, expected) in HANDLED {
        let found = faults(&code.reach(&[handler], |_| false));
        for fault in expected {
            let is_found = found.iter().any(|one| one.contains(fault));
            assert!(is_found, "{handler}: {fault} is not among {found:#?}");
        }
        assert_eq!(found.is_empty(), expected.is_empty(), "{handler}: {found:#?}");
    }
}
