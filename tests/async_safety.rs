//! Async-signal safety, read off the machine code: what a signal handler can get to in the libraries as they are shipped, from
//! the low-level handlers and from each function that the header calls async-signal-safe. (That the loader has looked up every
//! symbol by then is in exports.rs.)
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg_attr(not(all(target_os = "linux", target_arch = "x86_64")), allow(dead_code))]

mod common;

use common::code::{Code, Reach};
use std::sync::LazyLock;

const HANDLERS: [&str; 2] =
    ["rsig::async_safe::handler::low_level", "rsig::async_safe::handler::stand_in"];

/// What may be called of the C library, and why.
const ALLOWED: [(&str, &str); 15] = [
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
    (
        "syscall",
        "the kernel's call and errno, nothing else; that nobody waits for a futex by it is seen by the functions allowed",
    ),
];

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
const POINTERS: [(&str, usize, &str); 4] = [
    ("rsig::async_safe::chain::call", 4, "the displaced handler"),
    ("rsig::async_safe::handler::pass_by", 2, "the displaced handler, after rsig_fini()"),
    // With chain::call() and pass_by() inlined.
    ("rsig::async_safe::handler::receive", 6, "the displaced handler"),
    ("rsig::async_safe::handler::record_for", 1, "the function of rsig_set_notify()"),
];

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

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
#[test]
fn signal_context() {
    eprintln!("skipped: reads the machine code of x86-64 alone");
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod machine_code {
    use super::*;

    #[test]
    fn what_the_kernel_calls_reaches_only_what_is_safe() {
        for (library, code) in &*LIBRARIES {
            let reach = code.reach(&HANDLERS, |_| false);
            assert_eq!(faults(&reach), [""; 0], "{library}");
            // It has been followed to its ends.
            for end in ["sigaction", "syscall", "__errno_location"] {
                assert!(reach.imports.contains_key(end), "{end} is not called");
            }
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

    /// That nothing was found above is not for want of looking.
    #[test]
    fn what_is_unsafe_is_found() {
        let [(_, code), _] = &*LIBRARIES;
        let reach = code.reach(&["rsig_init"], |_| false);
        let faults = format!("\n{}", faults(&reach).join("\n"));
        // An allocator; a lock; a lazily allocated thread-local; the panic machinery; a pointer made elsewhere.
        for fault in [
            "\nmalloc: ",
            "Mutex>::lock_contended: ",
            "thread-local storage: ",
            "_Unwind_RaiseException: ",
            "a call through a pointer: core::fmt::write",
        ] {
            assert!(faults.contains(fault), "{fault} is not found:\n{faults}");
        }
    }
}
