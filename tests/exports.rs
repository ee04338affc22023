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

/// As docs/portability.md says it; more would lock out users of older systems. Built on such a one, the library needs no more than that has.
const NEWEST_GLIBC: (u32, u32) = (2, 34);

#[test]
fn the_glibc_it_needs() {
    common::make_stage();
    let mut readelf = Command::new("readelf");
    readelf.args(["--dyn-syms", "--wide"]).arg(common::stage().join("lib/librsig.so"));
    let symbols = String::from_utf8(common::run(readelf).stdout).expect("text");
    let versions: Vec<_> = symbols.lines().filter_map(glibc_version).collect();
    assert!(versions.len() > 10, "{symbols}");
    for (name, version) in versions {
        assert!(version <= NEWEST_GLIBC, "{name} needs glibc {version:?}");
    }
}

/// "...  UND pthread_kill@GLIBC_2.34 (5)"; a weak one may be missing where the program runs.
fn glibc_version(line: &str) -> Option<(&str, (u32, u32))> {
    let (name, rest) = line.split_once("@GLIBC_")?;
    if name.contains(" WEAK ") {
        return None;
    }
    let mut parts =
        rest.split_whitespace().next()?.split('.').map(|part| part.parse().expect(line));
    Some((name.split_whitespace().last()?, (parts.next()?, parts.next()?)))
}
