//! Compiles each program of c-tests/ against the staged install and runs each of its cases in a process of its
//! own. WITHOUT=FILE leaves out, as ignored, the cases and whole programs (`name::`) that FILE names.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::cases;
use libtest_mimic::{Arguments, Trial};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    common::make_stage();
    let programs = compile_all();
    let mut trials = programs.iter().flat_map(|program| trials(program)).collect();
    if let Some(list) = std::env::var_os("WITHOUT") {
        trials = leave_out(trials, &std::fs::read_to_string(list).expect("the file WITHOUT names"));
    }
    cases::run(&arguments, trials)
}

/// A line of the list is a name, or words about names. Each name has to name something, or it has outlived what it named.
fn leave_out(trials: Vec<Trial>, list: &str) -> Vec<Trial> {
    let mut names: HashMap<_, _> = list
        .lines()
        .filter(|line| line.contains("::") && !line.contains(' '))
        .map(|name| (name, false))
        .collect();
    let trials = trials
        .into_iter()
        .map(|trial| {
            let case = trial.name().to_owned();
            let program = case.split_inclusive("::").next().unwrap_or_default();
            let by_case = names.get_mut(case.as_str()).map(|named| *named = true).is_some();
            let by_program = names.get_mut(program).map(|named| *named = true).is_some();
            trial.with_ignored_flag(by_case || by_program)
        })
        .collect();
    let stale: Vec<_> = names.iter().filter(|(_, named)| !**named).map(|(name, _)| name).collect();
    assert!(stale.is_empty(), "left out, but there are none such: {stale:?}");
    trials
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
