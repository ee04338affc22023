//! No panic from C, read off the machine code of the libraries as they are shipped: what of Rust's panic machinery the exported
//! functions can get to.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::code::Code;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// How code gets to the machinery: where it stands in a name, it is a function that does nothing but panic, or end the process.
const WAYS_IN: [&str; 14] = [
    "core::panicking::",
    "core::option::expect_failed",
    "core::option::unwrap_failed",
    "core::result::unwrap_failed",
    "core::cell::panic_",
    "core::slice::index::slice_",
    "core::str::slice_error_fail",
    "copy_from_slice_impl::len_mismatch_fail",
    "alloc::raw_vec::handle_error",
    "alloc::raw_vec::capacity_overflow",
    "alloc::alloc::handle_alloc_error",
    "std::alloc::rust_oom",
    "std::panicking::panic_handler",
    "std::process::abort",
];

/// Who gets there all the same, where to, and why that never happens.
const EXCEPTIONS: [(&str, &str, &str); 4] = [
    (
        "rsig_",
        "core::panicking::panic_cannot_unwind",
        "The landing pad of an `extern \"C\"` function: only an exception on its way through it enters there. Rust's own are \
         what this test excludes, and those of the user's come from functions that only `extern \"C-unwind\"` ones call, \
         which have no such pad: that is tested below.",
    ),
    (
        "core::fmt::float::",
        "",
        "A number of seconds in a sentence. core's own assertions about its buffers, which hold for every double; \
         the unit test in runtime/text.rs makes sentences of doubles of every size.",
    ),
    ("core::num::flt2dec::", "", "As above."),
    ("<core::num::bignum::Big32x40>::", "", "As above."),
];

fn exported() -> Vec<String> {
    let code = common::header_without_comments();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let before = code.split('(').map(|before| &before[before.trim_end_matches(is_name).len()..]);
    let mut names: Vec<_> = before.filter(|n| n.starts_with("rsig_")).map(str::to_owned).collect();
    names.sort();
    names.dedup();
    assert!(names.len() > 60, "{names:?}");
    names
}

static LIBRARIES: LazyLock<[(&str, Code); 2]> = LazyLock::new(|| Code::of_both("no_panic"));

fn is_way_in(name: &str) -> bool {
    WAYS_IN.iter().any(|way| name.contains(way))
}

#[test]
fn no_exported_function_reaches_the_panic_machinery() {
    let exported = exported();
    let roots: Vec<_> = exported.iter().map(String::as_str).collect();
    for (library, code) in &*LIBRARIES {
        let reach = code.reach(&roots, is_way_in);
        for (caller, ways_in) in &reach.stopped {
            for way_in in ways_in {
                let excepted = EXCEPTIONS.iter().any(|(who, where_to, _)| {
                    caller.starts_with(who) && (where_to.is_empty() || where_to == way_in)
                });
                let way = &reach.functions[caller];
                assert!(excepted, "{library}: {caller} can get to {way_in}: {way}");
            }
        }
        // And there is no other way in.
        for end in ["_Unwind_RaiseException", "_Unwind_Backtrace", "abort"] {
            assert_eq!(reach.imports.get(end), None, "{end}, {library}");
        }
    }
}

/// Who calls a function of the user's that may throw, at how many places at most, and which.
const THROWING: [(&str, usize, &str); 3] = [
    ("rsig::runtime::pump::run_tripped", 1, "a handler"),
    ("rsig::runtime::pump::warn_dropped", 1, "the warning hook"),
    ("rsig::runtime::wakeup::tell_failure", 1, "the warning hook"),
];

/// Who else calls by a pointer, at how many places at most, and why no exception comes from there.
const NOT_THROWING: [(&str, usize, &str); 7] = [
    (
        "rsig::async_safe::chain::call",
        4,
        "A displaced handler, which the low-level handler calls: the exported functions do no more than give its address to \
         the kernel.",
    ),
    (
        "rsig::async_safe::handler::record_for",
        1,
        "The function of rsig_set_notify(), which has to be async-signal-safe: it cannot throw.",
    ),
    ("<rsig::runtime::dump::Json as core::fmt::Display>::fmt", 1, FORMATTING),
    ("core::fmt::", usize::MAX, FORMATTING),
    ("<core::fmt::Formatter>::", usize::MAX, FORMATTING),
    ("<core::slice::ascii::EscapeAscii as core::fmt::", usize::MAX, FORMATTING),
    ("<nix::errno::consts::Errno as core::fmt::", usize::MAX, FORMATTING),
];
const FORMATTING: &str =
    "A sentence is made of arguments, each with a function of Rust's or rsig's own.";

/// The first of the exceptions.
#[test]
fn what_no_exception_can_leave_calls_nobody_who_throws() {
    let is_known = |list: &[(&str, usize, &str)], name: &str, count| {
        let is_it = |(known, at_most, _): &_| name.starts_with(known) && count <= *at_most;
        list.iter().any(is_it)
    };
    for (library, code) in &*LIBRARIES {
        let mut seen = BTreeSet::new();
        for name in exported() {
            let reach = code.reach(&[&name], is_way_in);
            let ways_in = reach.stopped.get(&name);
            let has_pad =
                ways_in.is_some_and(|ways| ways.contains("core::panicking::panic_cannot_unwind"));
            for (caller, &count) in &reach.indirect {
                let way = &reach.functions[caller];
                let throws = is_known(&THROWING, caller, count);
                assert!(
                    throws || is_known(&NOT_THROWING, caller, count),
                    "{library}: whom does {caller} call by {count} pointers? {way}"
                );
                assert!(!throws || !has_pad, "{library}: an exception cannot leave {name}: {way}");
                seen.insert(caller.clone());
            }
        }
        let throwing: Vec<_> = THROWING.iter().map(|(name, ..)| *name).collect();
        let seen: Vec<_> = throwing.iter().filter(|name| seen.contains(**name)).copied().collect();
        assert_eq!(seen, throwing, "{library}: who calls the user's functions");
    }
}

/// That nothing was found above is not for want of looking.
#[test]
fn the_machinery_is_found_behind_each_way_in() {
    for (library, code) in &*LIBRARIES {
        let reach = code.reach(&["core::panicking::panic_bounds_check"], |_| false);
        assert!(reach.imports.contains_key("_Unwind_RaiseException"), "{library}");
        assert!(reach.imports.contains_key("abort"), "{library}");
    }
}
