//! Programs that list their cases when they have no arguments, and run one that is named: each becomes a test, in a process of
//! its own. One that skips itself is shown as ignored, and has failed where CI is set.

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use std::collections::BTreeSet;
use std::io::Read;
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;

/// Turns a hang into a failure; far beyond what any machine needs.
const HANG: Duration = Duration::from_secs(600);
/// The exit status of a case that cannot be checked on this machine.
const SKIPS: i32 = 77;
/// Who has done so.
static SKIPPED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Tells at the end who has skipped itself: among so many it is easily overlooked.
pub fn run(arguments: &Arguments, trials: Vec<Trial>) -> ExitCode {
    let conclusion = libtest_mimic::run(arguments, trials);
    let skipped = SKIPPED.lock().unwrap_or_else(PoisonError::into_inner);
    if !skipped.is_empty() {
        let names: Vec<_> = skipped.iter().map(String::as_str).collect();
        println!("{} skipped by themselves: {}", names.len(), names.join(", "));
    }
    conclusion.exit_code()
}

/// `program` starts it.
pub fn trials(name: &str, program: impl Fn() -> Command) -> Vec<Trial> {
    let cases = String::from_utf8(super::run(program()).stdout).expect("names");
    assert!(!cases.is_empty(), "{name} has no cases");
    let trial = |case: &str| {
        let mut command = program();
        command.arg(case);
        let name = format!("{name}::{case}");
        let own_name = name.clone();
        Trial::ignorable_test(name, move || run_case(&own_name, command))
    };
    cases.lines().map(trial).collect()
}

fn run_case(name: &str, mut command: Command) -> Result<Completion, Failed> {
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
        Some(0) => Ok(Completion::Completed),
        Some(SKIPS) => {
            let why = text.lines().filter_map(|line| line.strip_prefix("skipped: ")).next_back();
            let why = why.unwrap_or(&text);
            if std::env::var_os("CI").is_some() {
                return Err(format!("not checked, and CI is set: {why}").into());
            }
            SKIPPED.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
            Ok(Completion::ignored_with(why))
        }
        _ => Err(format!("{status}\n{text}").into()),
    }
}
