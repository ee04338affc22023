//! The static library: handlers that leave by C++ exception or longjmp() through it, as its unwind information is put together by the
//! program's own linker, and so is the order in which the program's constructors and its own come.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::path::Path;
use std::process::Command;

const SOURCES: [&str; 5] =
    ["throw.cpp", "throw_blocking.cpp", "longjmp.c", "longjmp_blocking.c", "early.c"];

/// Links with librsig.a by its name: beside it is the shared library, which the linker would prefer.
fn compile(source: &Path, program: &Path, flags: &[&str]) {
    let mut command = common::compiler(source.extension().is_some_and(|ending| ending == "cpp"));
    command.args(["-Wall", "-Wextra", "-Werror", "-pthread"]).args(flags).arg(source);
    command.arg("-o").arg(program).arg(common::stage().join("lib/librsig.a"));
    let needed = common::pkg_config(&common::stage(), &["--static", "--cflags", "--libs"]);
    command.args(needed.iter().filter(|flag| *flag != "-lrsig"));
    common::run(command);
}

/// Every case, each in a process of its own; with nothing to find the shared library by.
fn run_all(program: &Path) {
    let names = common::run(Command::new(program)).stdout;
    let names = String::from_utf8(names).unwrap();
    assert!(!names.is_empty());
    for name in names.lines() {
        let mut command = Command::new(program);
        command.arg(name);
        common::run(command);
    }
}

fn check(name: &str, flags: &[&str]) {
    common::make_stage();
    let folder = common::scratch(&format!("static_library/{name}"));
    for source in SOURCES {
        let source = common::root().join("c-tests").join(source);
        let program = folder.join(source.file_name().expect("a file's name"));
        compile(&source, &program, flags);
        run_all(&program);
    }
}

#[test]
fn with_the_static_library() {
    check("dynamic", &[]);
}

#[test]
fn with_all_libraries_static() {
    check("static", &["-static"]);
}
