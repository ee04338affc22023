//! Compiles each program of c-tests/ against the staged install and runs each of its cases in a process of its
//! own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::cases;
use libtest_mimic::{Arguments, Trial};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    common::make_stage();
    let programs = compile_all();
    let trials = programs.iter().flat_map(|program| trials(program)).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Without those in C++ where there is no library for it: Debian has none for musl.
fn sources() -> Vec<PathBuf> {
    let endings: &[_] = if common::ONLY_STATIC { &["c"] } else { &["c", "cpp"] };
    let folder = std::fs::read_dir(common::root().join("c-tests")).expect("c-tests");
    let mut sources: Vec<_> = folder
        .map(|entry| entry.expect("entry").path())
        .filter(|path| {
            path.extension().is_some_and(|ending| endings.iter().any(|one| ending == *one))
        })
        .collect();
    sources.sort();
    sources
}

/// Two at a time, as a test machine has two cores.
fn compile_all() -> Vec<PathBuf> {
    let folder = common::scratch("c-tests");
    let sources = sources();
    let next = Mutex::new(sources.iter());
    let compile_some = || {
        while let Some(source) = {
            let mut next = next.lock().unwrap_or_else(PoisonError::into_inner);
            next.next()
        } {
            common::compile(source, &program_of(&folder, source), &[]);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(compile_some);
        scope.spawn(compile_some);
    });
    sources.iter().map(|source| program_of(&folder, source)).collect()
}

fn program_of(folder: &Path, source: &Path) -> PathBuf {
    folder.join(source.file_stem().expect("a file's name"))
}

fn trials(program: &Path) -> Vec<Trial> {
    let name = program.file_name().expect("a file's name").to_string_lossy();
    cases::trials(&name, || {
        let mut command = common::program(program);
        // Where its own files are.
        command.current_dir(common::scratch("c-tests"));
        command
    })
}
