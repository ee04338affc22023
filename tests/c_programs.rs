//! Compiles each program of c-tests/ against the staged install and runs each of its cases in a process of its
//! own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use libtest_mimic::{Arguments, Failed, Trial};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Turns a hang into a failure; far beyond what any machine needs.
const HANG: Duration = Duration::from_secs(600);
/// The exit status of a case that cannot be checked on this machine.
const SKIPPED: i32 = 77;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    common::make_stage();
    let programs = compile_all();
    let trials = programs.iter().flat_map(|program| trials(program)).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn sources() -> Vec<PathBuf> {
    let folder = std::fs::read_dir(common::root().join("c-tests")).expect("c-tests");
    let mut sources: Vec<_> = folder
        .map(|entry| entry.expect("entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "c" || ending == "cpp"))
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
    let name = program.file_name().expect("a file's name").to_string_lossy().into_owned();
    let cases = common::run(common::program(program)).stdout;
    let cases = String::from_utf8(cases).expect("names");
    assert!(!cases.is_empty(), "{name} has no cases");
    cases
        .lines()
        .map(|case| {
            let mut command = common::program(program);
            command.arg(case);
            Trial::test(format!("{name}::{case}"), move || run_case(command))
        })
        .collect()
}

fn run_case(mut command: Command) -> Result<(), Failed> {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut stdout = child.stdout.take().ok_or("no stdout")?;
    let mut stderr = child.stderr.take().ok_or("no stderr")?;
    let (ended, end) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut text = Vec::new();
        let _ = stderr.read_to_end(&mut text).and_then(|_| stdout.read_to_end(&mut text));
        let _ = ended.send(());
        String::from_utf8_lossy(&text).into_owned()
    });
    // The pipes end with the last process that the case has started.
    let hung = end.recv_timeout(HANG).is_err();
    if hung {
        child.kill()?;
    }
    let status = child.wait()?;
    if hung {
        return Err("hung".into());
    }
    let text = reader.join().map_err(|_| "reader failed")?;
    match status.code() {
        Some(0) => Ok(()),
        Some(SKIPPED) => {
            eprintln!("{text}");
            Ok(())
        }
        _ => Err(format!("{status}\n{text}").into()),
    }
}
