//! A part of what `make fuzz` and `make soak` do at length: random calls beside a model, random calls of several threads at once, and
//! a storm at whose end the books are balanced.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

/// Some seconds' worth.
const SEEDS: &str = "6000";
const ROUNDS: &str = "400";
const SOAK_SECONDS: &str = "5";

/// Compiled anew for each test, as these run at the same time.
fn program(source: &str, test: &str) -> Command {
    common::make_stage();
    let source = common::root().join("tests").join(source);
    let program: PathBuf = common::scratch("fuzz").join(test);
    let check = common::root().join("c-tests");
    common::compile(&source, &program, &["-g", "-I", check.to_str().expect("a path")]);
    common::program(&program)
}

fn check_every_function_is_called(source: &str, test: &str) {
    let mut fuzz = program(source, test);
    fuzz.arg("--functions");
    let called = String::from_utf8(common::run(fuzz).stdout).expect("names");
    assert_eq!(called.lines().map(str::to_owned).collect::<BTreeSet<_>>(), common::declared());
}

#[test]
fn every_function_is_called() {
    check_every_function_is_called("fuzz/fuzz.c", "functions");
}

#[test]
fn every_function_is_called_at_once_with_others() {
    check_every_function_is_called("fuzz/concurrent.c", "functions_at_once");
}

#[test]
fn random_calls() {
    let mut fuzz = program("fuzz/fuzz.c", "fuzz");
    fuzz.args(["--seed", "1", "--seeds", SEEDS, "--jobs", "2"]);
    common::run(fuzz);
}

#[test]
fn random_calls_at_once() {
    let mut concurrent = program("fuzz/concurrent.c", "concurrent");
    concurrent.args(["--seed", "1", "--seeds", ROUNDS, "--jobs", "2"]);
    common::run(concurrent);
}

#[test]
fn storm() {
    let mut soak = program("soak/soak.c", "soak");
    soak.arg("soak").env("SOAK_SECONDS", SOAK_SECONDS);
    common::run(soak);
}
