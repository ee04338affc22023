//! The examples that wait or poll: compiled as their first lines tell
//! the user to, and used with real pipes and real signals from another process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The compiled example. Its compiler line is the one in its text, with and without more warnings.
fn build(source: &str) -> PathBuf {
    common::make_stage();
    let (name, _) = source.split_once('.').expect("an ending");
    let path = common::root().join("examples").join(source);
    let text = fs::read_to_string(&path).expect("an example");
    let line = text.lines().find_map(|line| line.strip_prefix(" *     ")).expect("a command");
    let (compiler, rest) = line.split_once(' ').expect("arguments");
    assert!(rest.starts_with(&format!("{source} -o {name} $(pkg-config")), "{line}");
    let standard = if compiler == "c++" { "-std=c++11" } else { "-std=c11" };
    let strict = format!("-Wall -Wextra -Wpedantic -Werror {standard}");

    // A folder for each test: they run at the same time.
    let test = std::thread::current().name().expect("a test's name").to_owned();
    let folder = common::scratch(&format!("examples_waiting/{test}"));
    fs::copy(&path, folder.join(source)).expect("a copy");
    for flags in ["", &strict] {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{compiler} {flags} {rest}")]).current_dir(&folder);
        shell.env("PKG_CONFIG_PATH", common::stage().join("lib/pkgconfig"));
        common::run(shell);
    }
    folder.join(name)
}

/// A program that is killed when the test fails before its end.
struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

/// As an interactive shell starts it; tests that run in the background have SIGINT ignored.
fn start(source: &str, arguments: &[&str]) -> Running {
    start_with(source, arguments, libc::SIG_DFL)
}

fn start_with(source: &str, arguments: &[&str], sigint: libc::sighandler_t) -> Running {
    Running::start(common::program(&build(source)).args(arguments), sigint)
}
impl Running {
    fn start(command: &mut Command, sigint: libc::sighandler_t) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        // SAFETY: signal() is async-signal-safe.
        unsafe {
            command.pre_exec(move || {
                libc::signal(libc::SIGINT, sigint);
                Ok(())
            });
        }
        let mut child = command.spawn().expect("a process");
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().expect("stdout"));
        Self { child, stdin, stdout }
    }

    fn kill(&self, signum: i32) {
        let pid = i32::try_from(self.child.id()).expect("a process number");
        // SAFETY: passes numbers only.
        assert_eq!(unsafe { libc::kill(pid, signum) }, 0);
    }

    /// Until it sleeps inside a system call.
    fn await_syscall(&self, number: libc::c_long) {
        let path = format!("/proc/{}/syscall", self.child.id());
        let wanted = number.to_string();
        while fs::read_to_string(&path).expect("a process").split(' ').next() != Some(&wanted) {
            std::thread::yield_now();
        }
    }

    fn write(&mut self, text: &str) {
        self.stdin.as_mut().expect("stdin").write_all(text.as_bytes()).expect("a reader");
    }

    /// The next line; empty if there is none.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }

    /// Its exit status, and what of its output has not been read.
    fn end(mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).expect("text");
        (self.child.wait().expect("a child").code(), rest)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ended(code: i32, stdout: &str) -> (Option<i32>, String) {
    (Some(code), stdout.to_owned())
}

// event_loop_epoll

/// What epoll_wait() is to the kernel.
#[cfg(target_arch = "x86_64")]
const EPOLL_WAIT: libc::c_long = libc::SYS_epoll_wait;
#[cfg(not(target_arch = "x86_64"))]
const EPOLL_WAIT: libc::c_long = libc::SYS_epoll_pwait;

/// Where its timer never fires.
fn start_loop() -> Running {
    let mut event_loop = start("event_loop_epoll.c", &["0"]);
    assert_eq!(event_loop.line(), format!("process {} is ready", event_loop.child.id()));
    event_loop
}

#[test]
fn event_loop_runs_handlers_between_events() {
    let mut event_loop = start_loop();
    let sender = std::process::id();
    for _ in 0..3 {
        event_loop.await_syscall(EPOLL_WAIT);
        event_loop.kill(libc::SIGUSR1);
        let expected = format!("SIGUSR1 from process {sender}: 0 lines");
        assert_eq!(event_loop.line(), expected);
    }
    event_loop.kill(libc::SIGTERM);
    assert_eq!(event_loop.end(), ended(0, "SIGTERM: stopping\n"));
}

#[test]
fn event_loop_is_ended_by_sigint() {
    let event_loop = start_loop();
    event_loop.kill(libc::SIGINT);
    assert_eq!(event_loop.end(), ended(0, "SIGINT: stopping\n"));
}

#[test]
fn event_loop_reads_to_the_end_of_its_input() {
    let mut event_loop = start_loop();
    event_loop.write("one\ntwo\nthree\n");
    event_loop.stdin = None;
    assert_eq!(event_loop.end(), ended(0, "end of input: 3 lines\n"));
}

#[test]
fn event_loop_ticks() {
    let mut event_loop = start("event_loop_epoll.c", &["0.001"]);
    assert!(event_loop.line().ends_with(" is ready"));
    // A tick may stand for several on a busy machine.
    assert!(event_loop.line().starts_with("tick "));
    assert!(event_loop.line().starts_with("tick "));
    event_loop.kill(libc::SIGTERM);
    let (code, rest) = event_loop.end();
    assert_eq!(code, Some(0));
    assert!(rest.contains("SIGTERM: stopping\n"), "{rest}");
}

// throwing_handler

fn start_copy(sigint: libc::sighandler_t) -> Running {
    let mut copy = start_with("throwing_handler.cpp", &[], sigint);
    assert_eq!(copy.line(), "copying");
    copy
}

#[test]
fn throwing_handler_leaves_the_read_and_cleans_up() {
    let mut copy = start_copy(libc::SIG_DFL);
    copy.write("one\ntwo\n");
    assert_eq!((copy.line(), copy.line()), ("one".to_owned(), "two".to_owned()));
    copy.await_syscall(libc::SYS_read);
    copy.kill(libc::SIGINT);
    assert_eq!(copy.end(), ended(130, "lines copied: 2\ninterrupted by the keyboard\n"));
}

#[test]
fn throwing_handler_leaves_it_whenever_the_signal_comes() {
    let copy = start_copy(libc::SIG_DFL);
    copy.kill(libc::SIGINT);
    assert_eq!(copy.end(), ended(130, "lines copied: 0\ninterrupted by the keyboard\n"));
}

#[test]
fn throwing_handler_copies_to_the_end() {
    let mut copy = start_copy(libc::SIG_DFL);
    copy.write("one\n");
    copy.stdin = None;
    assert_eq!(copy.end(), ended(0, "one\nlines copied: 1\n"));
}

#[test]
fn throwing_handler_in_the_background_leaves_sigint_ignored() {
    let mut copy = start_copy(libc::SIG_IGN);
    copy.kill(libc::SIGINT);
    copy.write("one\n");
    copy.stdin = None;
    assert_eq!(copy.end(), ended(0, "one\nlines copied: 1\n"));
}

// interpreter_loop

#[test]
fn interpreter_loop_is_ended_by_its_alarm() {
    let mut interpreter = start("interpreter_loop.c", &["0.05"]);
    assert_eq!(interpreter.line(), "counting");
    assert_eq!(interpreter.end(), ended(0, "time is up, N > 0: yes\n"));
}

#[test]
fn interpreter_loop_is_ended_by_sigint() {
    // Its alarm is far away.
    let mut interpreter = start("interpreter_loop.c", &["1000000"]);
    assert_eq!(interpreter.line(), "counting");
    interpreter.kill(libc::SIGINT);
    assert_eq!(interpreter.end(), ended(130, "line 20: SIGINT\n"));
}

// supervisor

/// Says that it is ready, and what it gets; a SIGTERM kills it.
const WORKER: &str = "$| = 1; $SIG{HUP} = sub { print qq(hup\\n) }; print qq(ready\\n); \
                      sleep 1000 while 1";

struct Supervisor {
    running: Running,
    pids: [i32; 2],
}

/// With two workers that are ready.
fn start_supervisor() -> Supervisor {
    let running = start("supervisor.c", &["2", "perl", "-e", WORKER]);
    let mut supervisor = Supervisor { running, pids: [0; 2] };
    let [ready, also_ready, first, second] = supervisor.lines();
    assert_eq!([ready, also_ready], ["ready", "ready"]);
    supervisor.pids = [pid_of(&first, 1), pid_of(&second, 2)];
    supervisor
}

fn pid_of(line: &str, number: i32) -> i32 {
    let pid = line.strip_prefix(&format!("worker {number}: started, pid "));
    pid.and_then(|pid| pid.parse().ok()).unwrap_or_else(|| panic!("{line}"))
}

impl Supervisor {
    /// Whichever comes first.
    fn lines<const N: usize>(&mut self) -> [String; N] {
        let mut lines = std::array::from_fn(|_| self.running.line());
        lines.sort();
        lines
    }

    /// It dies of the signal that it was sent, after its workers.
    fn stops_by(mut self, signum: i32, name: &str) {
        self.running.kill(signum);
        assert_eq!(self.running.line(), format!("{name} from pid {}", std::process::id()));
        assert_eq!(self.lines(), ["worker 1: died of SIGTERM", "worker 2: died of SIGTERM"]);
        assert_eq!(self.running.line(), "all have stopped");
        assert_eq!(self.running.line(), "");
        let status = self.running.child.wait().expect("a child");
        assert_eq!(status.signal(), Some(signum));
    }
}

#[test]
fn supervisor_stops_all_and_dies_of_sigterm() {
    start_supervisor().stops_by(libc::SIGTERM, "SIGTERM");
}

#[test]
fn supervisor_stops_all_and_dies_of_sigint() {
    start_supervisor().stops_by(libc::SIGINT, "SIGINT");
}

#[test]
fn supervisor_restarts_what_dies() {
    let mut supervisor = start_supervisor();
    let [pid, _] = supervisor.pids;
    // SAFETY: passes numbers only.
    assert_eq!(unsafe { libc::kill(pid, libc::SIGKILL) }, 0);
    assert_eq!(supervisor.running.line(), "worker 1: died of SIGKILL");
    let [ready, started] = supervisor.lines();
    assert_eq!(ready, "ready");
    assert_ne!(pid_of(&started, 1), pid);
    supervisor.stops_by(libc::SIGTERM, "SIGTERM");
}

#[test]
fn supervisor_passes_sighup_on() {
    let mut supervisor = start_supervisor();
    supervisor.running.kill(libc::SIGHUP);
    let from = format!("SIGHUP from pid {}", std::process::id());
    assert_eq!(supervisor.lines(), [from.as_str(), "hup", "hup"]);
    supervisor.stops_by(libc::SIGTERM, "SIGTERM");
}

/// What a process blocks, and what it ignores.
fn sets(pid: u32) -> Vec<String> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("a process");
    let sets =
        status.lines().filter(|line| line.starts_with("SigBlk") || line.starts_with("SigIgn"));
    sets.map(str::to_owned).collect()
}

#[test]
fn supervisor_gives_its_workers_the_signals_that_it_was_started_with() {
    // What perl itself makes of its signals, started in the same way.
    let mut perl = Running::start(Command::new("perl").args(["-e", WORKER]), libc::SIG_DFL);
    assert_eq!(perl.line(), "ready");
    let expected = sets(perl.child.id());
    let supervisor = start_supervisor();
    for pid in supervisor.pids {
        assert_eq!(sets(pid.unsigned_abs()), expected);
    }
    supervisor.stops_by(libc::SIGTERM, "SIGTERM");
}

#[test]
fn supervisor_says_what_cannot_be_started() {
    let mut supervisor = start("supervisor.c", &["1", "/nowhere/to/be/found"]);
    assert!(supervisor.line().starts_with("worker 1: started, pid "));
    assert_eq!(supervisor.line(), "worker 1: exited with status 127");
    supervisor.kill(libc::SIGTERM);
    let (code, rest) = supervisor.end();
    assert_eq!(code, None);
    assert!(rest.contains(&format!("SIGTERM from pid {}\n", std::process::id())), "{rest}");
    assert!(rest.ends_with("all have stopped\n"), "{rest}");
}
