//! The header is clean C and C++ for each compiler and standard that a user may have.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::HashSet;
use std::process::Command;

/// Compiles header.c with each compiler that is here, with each of `standards`.
fn compiles(compilers: &[&str], language: &str, standards: &[&str]) {
    common::make_stage();
    for compiler in compilers {
        if !common::has_or_skip(compiler) {
            continue;
        }
        for standard in standards {
            for after_others in [&[][..], &["-DAFTER_OTHERS"]] {
                let mut command = Command::new(compiler);
                command.args(["-x", language, &format!("-std={standard}")]).args(after_others);
                command.args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-I"]);
                command.arg(common::stage().join("include"));
                command.arg(common::root().join("c-tests/unlinked/header.c"));
                common::run(command);
            }
        }
    }
}

#[test]
fn compiles_as_c() {
    compiles(&["gcc", "clang"], "c", &["c89", "gnu89", "c99", "c11", "c17", "gnu17"]);
}

#[test]
fn compiles_as_cpp() {
    compiles(&["g++", "clang++"], "c++", &["c++98", "c++11", "c++20", "gnu++20"]);
}

#[test]
fn includes_only_standard_headers() {
    /// Of the C standard and POSIX.
    const STANDARD: [&str; 9] = [
        "<poll.h>",
        "<pthread.h>",
        "<signal.h>",
        "<stddef.h>",
        "<stdint.h>",
        "<sys/socket.h>",
        "<sys/time.h>",
        "<sys/types.h>",
        "<time.h>",
    ];
    let header = common::header_without_comments();
    let included: Vec<&str> =
        header.lines().filter_map(|line| line.strip_prefix("#include ")).map(str::trim).collect();
    assert!(!included.is_empty());
    for header in included {
        assert!(STANDARD.contains(&header), "{header}");
    }
}

/// A parameter called `errno` compiles, and means something else.
#[test]
fn no_name_is_a_macro_of_the_c_library() {
    let mut preprocess = common::compiler(false);
    preprocess.args(["-E", "-dM", "-DAFTER_OTHERS", "-I"]).arg(common::root().join("include"));
    preprocess.arg(common::root().join("c-tests/unlinked/header.c"));
    let macros = String::from_utf8(common::run(preprocess).stdout).expect("macros");
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let macros: HashSet<&str> = macros
        .lines()
        .filter_map(|line| line.strip_prefix("#define ")?.split(|c| !is_name(c)).next())
        .collect();
    assert!(macros.contains("errno") && macros.contains("si_pid"));

    let header = common::header_without_comments();
    let code = header.lines().filter(|line| !line.starts_with('#'));
    for name in code.flat_map(|line| line.split(|c| !is_name(c))) {
        assert!(!macros.contains(name), "{name}");
    }
}
