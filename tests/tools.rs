//! gdb sees through the library at each instruction of a call, and gdb and valgrind through one that sleeps. Where one of them is missing,
//! its tests say so and pass, unless CI is set.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;

/// Compiled once.
static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
    common::make_stage();
    let program = common::scratch("tools").join("blocked");
    // Its own function shall not be optimised out of a backtrace.
    let flags = ["-g", "-fno-optimize-sibling-calls"];
    common::compile(&common::root().join("c-tests/unlinked/blocked.c"), &program, &flags);
    program
});

#[test]
fn gdb_shows_who_sleeps_in_a_call() {
    if !common::has_or_skip("gdb") {
        return;
    }
    let sleeper = start(common::program(&PROGRAM));
    let mut gdb = Command::new("gdb");
    gdb.args(["-nx", "-batch", "-ex", "backtrace", "-p", &sleeper.id().to_string()]);
    let backtrace = String::from_utf8_lossy(&common::run(gdb).stdout).into_owned();
    let end = interrupt(sleeper);
    let mut rest = backtrace.as_str();
    for frame in ["#0 ", "rsig_read", "reads_for_ever", "main"] {
        let at = rest.find(frame);
        rest = &rest[at.unwrap_or_else(|| panic!("no {frame} there:\n{backtrace}"))..];
    }
    assert!(!backtrace.contains("corrupt stack"), "{backtrace}");
    assert_interrupted(&end);
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod gdb_shows_who_calls_at_each_instruction {
    use super::common;

    /// Where a function returns to, at its entry.
    #[cfg(target_arch = "x86_64")]
    const RETURN_ADDRESS: &str = "*(long *)$sp";
    #[cfg(target_arch = "aarch64")]
    const RETURN_ADDRESS: &str = "$lr";

    /// What gdb says of the program of stepped.c, with a backtrace at each instruction from the entry of rsig_syscall(), or from when
    /// `begin` is done, to its return.
    fn step(program: &str, arguments: &[&str], begin: &[&str]) -> String {
        common::make_stage();
        let program = common::scratch("tools").join(program);
        let source = common::root().join("c-tests/unlinked/stepped.c");
        common::compile(&source, &program, &["-g", "-fno-optimize-sibling-calls"]);
        let script = program.with_extension("gdb");
        let after = format!("set $after = {RETURN_ADDRESS}");
        let before =
            ["set width 0", "handle SIGUSR1 nostop noprint pass", "break *rsig_syscall", "run"];
        let walk = ["backtrace", "while $pc != $after", "stepi", "backtrace", "end", "continue"];
        let lines = [&before[..], &[&after], begin, &walk].concat();
        std::fs::write(&script, lines.join("\n")).expect("written");
        let mut gdb = common::program("gdb".as_ref());
        gdb.args(["-nx", "-batch", "-x"]).arg(script).arg("--args").arg(program).args(arguments);
        String::from_utf8_lossy(&common::run(gdb).stdout).into_owned()
    }

    /// Each ends in main(), by way of who has called; how many there are.
    fn check_backtraces(said: &str) -> usize {
        let frames: Vec<_> = said.lines().filter(|line| line.starts_with('#')).collect();
        let traces = frames.chunk_by(|_, next| !next.starts_with("#0 "));
        let is_whole = |trace: &[&str]| match trace {
            [.., caller, main] => caller.contains("calls_it (") && main.contains(" main ("),
            _ => false,
        };
        traces.inspect(|trace| assert!(is_whole(trace), "{trace:#?}")).count()
    }

    #[test]
    fn of_the_call() {
        if !common::has_or_skip("gdb") {
            return;
        }
        let said = step("stepped", &[], &[]);
        assert!(check_backtraces(&said) > 100, "{said}");
        assert!(said.contains("\n#0  0x") && said.contains(" in race_free_syscall ("), "{said}");
        assert!(said.contains("\nresult 1\n"), "{said}");
    }

    /// From the stub's window, through the handler, to its way out.
    #[test]
    fn of_a_handler_within() {
        if !common::has_or_skip("gdb") {
            return;
        }
        let signal = ["tbreak race_free_window", "continue", "queue-signal SIGUSR1"];
        let said = step("stepped_signal", &["no byte"], &signal);
        assert!(check_backtraces(&said) > 100, "{said}");
        assert!(said.contains("\n#1  <signal handler called>\n#2 "), "{said}");
        assert!(said.contains("\nresult -1\n"), "{said}");
    }
}

#[test]
fn valgrind_runs_a_call_that_a_signal_ends() {
    if common::has_or_skip("valgrind") {
        assert_interrupted(&interrupt(start(valgrind(&[]))));
    }
}

#[test]
fn valgrind_runs_a_call_that_a_signal_on_another_thread_ends() {
    if common::has_or_skip("valgrind") {
        assert_interrupted(&interrupt(start(valgrind(&["on another thread"]))));
    }
}

/// memcheck: what it finds is its exit status.
fn valgrind(arguments: &[&str]) -> Command {
    let mut command = common::program("valgrind".as_ref());
    command.args(["--quiet", "--error-exitcode=9"]);
    command.arg(&*PROGRAM).args(arguments);
    command
}

/// Starts it, and returns when its first thread sleeps reading the standard input.
fn start(mut command: Command) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("spawn");
    let path = format!("/proc/{}/syscall", child.id());
    let reads_stdin = format!("{} 0x0 ", libc::SYS_read);
    while !std::fs::read_to_string(&path).expect("/proc").starts_with(&reads_stdin) {
        assert_eq!(child.try_wait().expect("wait"), None, "it has ended");
        std::thread::yield_now();
    }
    child
}

fn interrupt(mut child: Child) -> Output {
    // The end of its input would end the read as well.
    let _stdin = child.stdin.take();
    let pid = i32::try_from(child.id()).expect("pid");
    // SAFETY: our own child, which nobody has waited for.
    assert_eq!(unsafe { libc::kill(pid, libc::SIGUSR1) }, 0);
    child.wait_with_output().expect("wait")
}

fn assert_interrupted(end: &Output) {
    let stderr = String::from_utf8_lossy(&end.stderr);
    assert!(end.status.success(), "{}\n{stderr}", end.status);
    assert_eq!(String::from_utf8_lossy(&end.stdout), "interrupted by 1\n", "{stderr}");
}
