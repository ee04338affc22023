//! Programs that list their cases when they have no arguments, and run one that is named: each becomes a test, in a process of
//! its own.

use libtest_mimic::{Failed, Trial};
use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// Turns a hang into a failure; far beyond what any machine needs.
const HANG: Duration = Duration::from_secs(600);
/// The exit status of a case that cannot be checked on this machine.
const SKIPPED: i32 = 77;

/// `program` starts it.
pub fn trials(name: &str, program: impl Fn() -> Command) -> Vec<Trial> {
    let cases = String::from_utf8(super::run(program()).stdout).expect("names");
    assert!(!cases.is_empty(), "{name} has no cases");
    let trial = |case: &str| {
        let mut command = program();
        command.arg(case);
        Trial::test(format!("{name}::{case}"), move || run_case(command))
    };
    cases.lines().map(trial).collect()
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
