//! The libraries show the functions of the header, and nothing else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

/// Names of the functions that a library shows; there is nothing but functions.
fn shown(library: PathBuf, nm_arguments: &[&str]) -> BTreeSet<String> {
    let mut nm = Command::new("nm");
    nm.args(nm_arguments).args(["--format=posix", "--defined-only"]).arg(library);
    let output = String::from_utf8(common::run(nm).stdout).expect("names");
    let symbols = output.lines().filter_map(|line| line.split_once(' '));
    symbols
        .map(|(name, rest)| {
            assert!(rest.starts_with('T'), "{name} is no function: {rest}");
            name.to_owned()
        })
        .collect()
}

#[test]
fn shared_library() {
    common::make_stage();
    assert_eq!(shown(common::stage().join("lib/librsig.so"), &["--dynamic"]), common::declared());
}

#[test]
fn static_library() {
    common::make_stage();
    assert_eq!(
        shown(common::stage().join("lib/librsig.a"), &["--extern-only"]),
        common::declared()
    );
}

#[test]
fn what_the_loader_is_told() {
    common::make_stage();
    let mut readelf = Command::new("readelf");
    readelf.args(["--dynamic", "--wide"]).arg(common::stage().join("lib/librsig.so"));
    let dynamic = String::from_utf8(common::run(readelf).stdout).expect("text");
    let entry = |tag: &str| {
        let line = dynamic.lines().find(|line| line.contains(&format!("({tag})")));
        line.unwrap_or_else(|| panic!("no {tag}:\n{dynamic}"))
    };
    let soname = format!("[librsig.so.{}]", env!("CARGO_PKG_VERSION_MAJOR"));
    assert!(entry("SONAME").ends_with(&soname), "{dynamic}");
    let flags: Vec<_> = entry("FLAGS_1").split_whitespace().collect();
    // The signal handler must survive a dlclose(), and must not have the loader look up a symbol.
    assert!(flags.contains(&"NODELETE") && flags.contains(&"NOW"), "{dynamic}");
    assert!(!dynamic.contains("(TEXTREL)"), "{dynamic}");
}
