//! Compiles the examples against the staged install, as their first lines tell the user to, and
//! uses them as a user would: real pipes, real connections, real signals from another process.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod common;

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;

/// Turns a hang into a failure; far beyond what any machine needs.
const HANG: Duration = Duration::from_secs(600);
const PAGE: &str = "<!doctype html><title>rsig</title><p>Stop me with Ctrl-C.</p>\n";

fn folder() -> PathBuf {
    common::root().join("examples")
}

fn sources() -> Vec<PathBuf> {
    let mut sources: Vec<_> = fs::read_dir(folder())
        .expect("examples")
        .map(|entry| entry.expect("entry").path())
        .filter(|path| path.extension() == Some(OsStr::new("c")))
        .collect();
    sources.sort();
    sources
}

/// The folder of the compiled examples.
fn programs() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        common::make_stage();
        let folder = common::scratch("examples");
        for source in sources() {
            let program = folder.join(source.file_stem().expect("a file's name"));
            common::compile(&source, &program, &["-std=c11", "-Wpedantic"]);
        }
        folder
    })
}

fn example(name: &str) -> Command {
    let mut command = common::program(&programs().join(name));
    command.current_dir(programs());
    as_user(command)
}

fn client() -> Command {
    let mut command = Command::new("python3");
    command.arg(folder().join("client.py"));
    command
}

/// As an interactive shell starts it; tests that run in the background have SIGINT ignored.
fn as_user(command: Command) -> Command {
    with_sigint(command, libc::SIG_DFL)
}

fn as_background_job(command: Command) -> Command {
    with_sigint(command, libc::SIG_IGN)
}

fn with_sigint(mut command: Command, disposition: libc::sighandler_t) -> Command {
    // SAFETY: signal() is async-signal-safe.
    unsafe {
        command.pre_exec(move || {
            libc::signal(libc::SIGINT, disposition);
            Ok(())
        });
    }
    command
}

/// A program in a process group of its own, of which nothing is left when the test is over.
struct Running {
    child: Child,
    stdout: Option<BufReader<ChildStdout>>,
    _alive: Sender<()>,
}

/// How a program ended, and what of its output had not been read.
#[derive(Debug, PartialEq)]
struct End {
    /// None: it died of a signal.
    code: Option<i32>,
    signal: Option<i32>,
    stdout: String,
    stderr: String,
}

fn end(code: i32, stdout: &str) -> End {
    End { code: Some(code), signal: None, stdout: stdout.to_owned(), stderr: String::new() }
}

fn failed(code: i32, stderr: &str) -> End {
    End { stderr: stderr.to_owned(), ..end(code, "") }
}

fn died(signum: i32, stdout: &str) -> End {
    End { code: None, signal: Some(signum), ..end(0, stdout) }
}

fn start(mut command: Command) -> Running {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let group = -pid_of(&child);
    let (alive, ended) = mpsc::channel();
    std::thread::spawn(move || {
        if ended.recv_timeout(HANG) == Err(RecvTimeoutError::Timeout) {
            kill(group, libc::SIGKILL);
        }
    });
    let stdout = child.stdout.take().map(BufReader::new);
    Running { child, stdout, _alive: alive }
}

fn run(command: Command) -> End {
    start(command).end()
}

fn pid_of(child: &Child) -> i32 {
    i32::try_from(child.id()).expect("a process number")
}

fn kill(pid: i32, signum: i32) {
    // SAFETY: passes numbers only.
    unsafe { libc::kill(pid, signum) };
}

impl Running {
    fn pid(&self) -> i32 {
        pid_of(&self.child)
    }

    fn kill(&self, signum: i32) {
        kill(self.pid(), signum);
    }

    /// The next line, without its end; empty if there is none.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.as_mut().expect("stdout").read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }

    /// Waits until it ends by itself.
    fn end(mut self) -> End {
        let (mut stdout, mut stderr) = (String::new(), String::new());
        if let Some(mut pipe) = self.stdout.take() {
            pipe.read_to_string(&mut stdout).expect("text");
        }
        self.child.stderr.take().expect("stderr").read_to_string(&mut stderr).expect("text");
        let status = self.child.wait().expect("a child");
        End { code: status.code(), signal: status.signal(), stdout, stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Until it has been waited for, the number is its own.
        if let Ok(None) = self.child.try_wait() {
            kill(-self.pid(), libc::SIGKILL);
            let _ = self.child.wait();
        }
    }
}

// Compiling.

#[test]
fn each_example_says_how_to_compile_it_and_that_works() {
    programs();
    for source in sources() {
        let name = source.file_stem().unwrap().to_str().unwrap();
        let text = fs::read_to_string(&source).unwrap();
        let start = format!("cc {name}.c -o {name} ");
        let line = text.lines().take(12).find_map(|line| line.strip_prefix(" *     "));
        let line = line.filter(|line| line.starts_with(&start)).expect("a line for the compiler");

        let copy = common::scratch("examples-copied");
        fs::copy(&source, copy.join(format!("{name}.c"))).unwrap();
        let mut shell = Command::new("sh");
        shell.args(["-c", line]).current_dir(copy);
        shell.env("PKG_CONFIG_PATH", common::stage().join("lib/pkgconfig"));
        assert_eq!(run(shell), end(0, ""), "{line}");
    }
}

// tour

#[test]
fn tour_shows_what_it_says() {
    let expected = r#"
names         15 is SIGTERM, "Terminated"; SIGCLD is SIGCHLD
constants     for callers without C headers: SIG_BLOCK 0, ITIMER_PROF 2
sets          {SIGHUP, SIGINT, SIGTERM} without SIGINT is {SIGHUP, SIGTERM}
handlers      SIGUSR1 came 3 times, calls so far: 0; after rsig_pump(): 1, for 3 deliveries
              rsig_raise_signal() pumps by itself: calls 2
refusals      Ctrl-C: -5, "the handler of SIGINT (2) refused with 130"
              rsig_raised() is 130, from SIGINT
errors        -3, errno 22: cannot change the action of SIGKILL (9), which the kernel keeps: EINVAL: Invalid argument
              -1, errno 22: no signal is called "SIGNAL"
masks         blocked: pending {SIGUSR1}, calls 0; unblocked: calls 1
waits         rsig_sigwait() accepts SIGUSR2
              rsig_sigwaitinfo(): SIGUSR1 with 42, from this process
              rsig_sigtimedwait() for 10 ms: 0
timers        rsig_setitimer() for 10 ms, rsig_pause(): calls 1, then 0 s left
              rsig_alarm(3600), rsig_alarm(0): time left
wakeup fd     bytes in the order of delivery: SIGUSR2 SIGUSR1; calls 0, rsig_pump() 2
rsig_fd()     readable: 0; after SIGUSR1: 1; after rsig_pump(): 0
blocking      rsig_write() to a pipe: 1, rsig_read(): 1
              rsig_read() of an empty pipe, 10 ms: -1, EINTR
senders       rsig_pthread_kill(): calls 1; rsig_thread_kill(): calls 2
              rsig_pidfd_send_signal(): calls 3
restarts      rsig_siginterrupt(SIGUSR1, 0): system calls are restarted
strangers     a handler by signal(2): RSIG_FOREIGN; given back to rsig_signal(): restored
rsig_fini()   SIGUSR1 is as it was found
"#;
    let version = env!("CARGO_PKG_VERSION");
    let expected = end(0, &format!("rsig {version}{expected}"));
    let no_pidfd = expected
        .stdout
        .replace("rsig_pidfd_send_signal(): calls 3", "this kernel has no pidfd_open (Linux 5.3)");
    for command in [example("tour"), as_background_job(example("tour"))] {
        let shown = run(command);
        if shown.stdout == no_pidfd {
            common::skip("there is no pidfd_open() here for rsig_pidfd_send_signal()");
        } else {
            assert_eq!(shown, expected);
        }
    }
}

// alarm_open

#[test]
fn alarm_open_gives_up() {
    assert_eq!(run(example("alarm_open")), gave_up());
}

fn gave_up() -> End {
    end(
        1,
        "Signal handler called with signal SIGALRM (14)\n\
         cannot open the device: no answer in time\n",
    )
}

#[test]
fn alarm_open_opens_a_device_that_answers() {
    let (command, fifo) = alarm_open_of("answers");
    let running = start(command);
    // Blocks until the example opens its end.
    drop(OpenOptions::new().write(true).open(fifo).unwrap());
    assert_eq!(running.end(), end(0, "open\n"));
}

#[test]
fn alarm_open_can_be_interrupted() {
    let (command, _) = alarm_open_of("interrupted");
    let running = start(command);
    // Its flags tell this open() from those of the dynamic loader.
    await_syscall(running.pid(), libc::SYS_openat, 2, libc::O_RDONLY | libc::O_NOCTTY);
    running.kill(libc::SIGINT);
    assert_eq!(running.end(), end(1, "cannot open the device: interrupted\n"));
}

#[test]
fn alarm_open_tells_why_a_device_cannot_be_opened() {
    let mut command = example("alarm_open");
    command.args(["1000000", "/nonexistent"]);
    assert_eq!(run(command), end(1, "cannot open the device: No such file or directory\n"));
}

/// The example, with a time limit that no test reaches, on a FIFO.
fn alarm_open_of(name: &str) -> (Command, PathBuf) {
    let mut command = example("alarm_open");
    let fifo = common::scratch("fifos").join(name);
    let _ = fs::remove_file(&fifo);
    let mut mkfifo = Command::new("mkfifo");
    mkfifo.arg(&fifo);
    common::run(mkfifo);
    command.arg("1000000").arg(&fifo);
    (command, fifo)
}

/// Returns when the process sleeps inside this system call, with this argument at this place.
fn await_syscall(pid: i32, number: libc::c_long, place: usize, argument: i32) {
    loop {
        // "running", or the number and the arguments in hexadecimal.
        let now = fs::read_to_string(format!("/proc/{pid}/syscall")).expect("a process");
        let words: Vec<_> = now.split_whitespace().collect();
        if words[0] == number.to_string() && words[place + 1] == format!("{argument:#x}") {
            return;
        }
        std::thread::yield_now();
    }
}

// http_server

fn start_server(command: Command) -> (Running, u16) {
    let mut server = start(command);
    let line = server.line();
    let port = line.strip_prefix("listening on http://127.0.0.1:");
    let port = port.and_then(|rest| rest.strip_suffix('/')).and_then(|port| port.parse().ok());
    (server, port.unwrap_or_else(|| panic!("the server says {line:?}")))
}

/// Returns when the server sleeps for want of a visitor.
fn await_accept(server: &Running) {
    await_syscall(server.pid(), libc::SYS_accept4, 1, 0);
}

/// Returns when the server sleeps for want of a word from its visitor: what was sent before has been read.
fn await_poll(server: &Running) {
    await_syscall(server.pid(), libc::SYS_ppoll, 1, 1);
}

fn connect(port: u16) -> TcpStream {
    TcpStream::connect(("127.0.0.1", port)).expect("a connection")
}

fn get(port: u16) -> String {
    let mut connection = connect(port);
    connection.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    read_answer(connection)
}

fn read_answer(mut connection: TcpStream) -> String {
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("an answer");
    answer
}

fn answer() -> String {
    let size = PAGE.len();
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {size}\r\n\
         Connection: close\r\n\r\n{PAGE}"
    )
}

fn stopping(signame: &str) -> String {
    format!("{signame} from process {}: stopping", std::process::id())
}

#[test]
fn http_server_serves_until_sigterm() {
    serves_until(libc::SIGTERM, "SIGTERM");
}

#[test]
fn http_server_serves_until_sigint() {
    serves_until(libc::SIGINT, "SIGINT");
}

fn serves_until(signum: i32, signame: &str) {
    let (mut server, port) = start_server(example("http_server"));
    for visitor in 1..=2 {
        assert_eq!(get(port), answer());
        assert_eq!(server.line(), format!("visitor {visitor}"));
    }
    server.kill(signum);
    assert_eq!(server.end(), end(0, &format!("{}\nstopped, visitors: 2\n", stopping(signame))));
}

#[test]
fn http_server_stops_when_the_signal_catches_it_waiting() {
    let (server, _) = start_server(example("http_server"));
    await_accept(&server);
    server.kill(libc::SIGTERM);
    assert_eq!(server.end(), end(0, &format!("{}\nstopped, visitors: 0\n", stopping("SIGTERM"))));
}

#[test]
fn http_server_answers_a_request_in_flight_before_it_stops() {
    let (mut server, port) = start_server(example("http_server"));
    let mut visitor = connect(port);
    visitor.write_all(b"GET / HT").unwrap();
    assert_eq!(server.line(), "visitor 1");
    await_poll(&server);
    server.kill(libc::SIGTERM);
    assert_eq!(server.line(), stopping("SIGTERM"));
    visitor.write_all(b"TP/1.1\r\n\r\n").unwrap();
    assert_eq!(read_answer(visitor), answer());
    assert_eq!(server.end(), end(0, "stopped, visitors: 1\n"));
}

#[test]
fn http_server_is_not_held_up_by_a_visitor_who_asks_nothing() {
    let (mut server, port) = start_server(example("http_server"));
    let visitor = connect(port);
    assert_eq!(server.line(), "visitor 1");
    await_poll(&server);
    server.kill(libc::SIGTERM);
    assert_eq!(server.end(), end(0, &format!("{}\nstopped, visitors: 1\n", stopping("SIGTERM"))));
    drop(visitor);
}

#[test]
fn http_server_survives_visitors_who_leave() {
    let (mut server, port) = start_server(example("http_server"));
    let mut first = connect(port);
    assert_eq!(server.line(), "visitor 1");
    // While the server is busy with the first, the second asks; it will be gone for good when it is
    // answered: EPIPE.
    let mut second = connect(port);
    second.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    second.shutdown(Shutdown::Write).unwrap();
    reset(second);
    // One who sends no request to its end.
    first.write_all(b"GET /").unwrap();
    drop(first);
    assert_eq!(server.line(), "visitor 2");
    assert_eq!(get(port), answer());
    assert_eq!(server.line(), "visitor 3");
    server.kill(libc::SIGTERM);
    assert_eq!(server.end(), end(0, &format!("{}\nstopped, visitors: 3\n", stopping("SIGTERM"))));
}

/// Closes a connection so that the other side can write to it no more.
fn reset(connection: TcpStream) {
    let linger = libc::linger { l_onoff: 1, l_linger: 0 };
    let size = u32::try_from(size_of::<libc::linger>()).unwrap();
    // SAFETY: points to a struct linger, of that size.
    let result = unsafe {
        libc::setsockopt(
            connection.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_LINGER,
            std::ptr::from_ref(&linger).cast(),
            size,
        )
    };
    assert_eq!(result, 0);
}

#[test]
fn http_server_in_the_background_leaves_sigint_ignored() {
    let command = common::program(&programs().join("http_server"));
    let (mut server, port) = start_server(as_background_job(command));
    server.kill(libc::SIGINT);
    assert_eq!(get(port), answer());
    assert_eq!(server.line(), "visitor 1");
    server.kill(libc::SIGTERM);
    assert_eq!(server.end(), end(0, &format!("{}\nstopped, visitors: 1\n", stopping("SIGTERM"))));
}

#[test]
fn http_server_listens_on_the_port_that_it_is_given() {
    let (_server, port) = start_server(example("http_server"));
    let mut command = example("http_server");
    command.arg(port.to_string());
    // It is taken.
    let ended = run(command);
    assert_eq!(ended.code, Some(1));
    assert_eq!(ended.stderr, "http_server: cannot listen: Address already in use\n");
}

// http_client

fn start_client(port: u16) -> Running {
    let mut command = example("http_client");
    command.arg(port.to_string());
    start(command)
}

#[test]
fn http_client_prints_what_the_server_answers() {
    let (server, port) = start_server(example("http_server"));
    assert_eq!(start_client(port).end(), end(0, &answer()));
    server.kill(libc::SIGTERM);
    let expected = format!("visitor 1\n{}\nstopped, visitors: 1\n", stopping("SIGTERM"));
    assert_eq!(server.end(), end(0, &expected));
}

#[test]
fn http_client_is_interrupted_while_it_waits_for_an_answer() {
    waits_until(libc::SIGINT, 130, "interrupted");
}

#[test]
fn http_client_gives_up() {
    waits_until(libc::SIGALRM, 1, "no answer in time");
}

fn waits_until(signum: i32, code: i32, why: &str) {
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let client = start_client(silent.local_addr().unwrap().port());
    // The room for what it prints.
    await_syscall(client.pid(), libc::SYS_recvfrom, 2, 4096);
    client.kill(signum);
    assert_eq!(client.end(), failed(code, &format!("http_client: {why}\n")));
}

#[test]
fn http_client_is_interrupted_while_it_connects() {
    let busy = busy_listener();
    let client = start_client(busy.local_addr().unwrap().port());
    let size = i32::try_from(size_of::<libc::sockaddr_in>()).unwrap();
    await_syscall(client.pid(), libc::SYS_connect, 2, size);
    client.kill(libc::SIGINT);
    assert_eq!(client.end(), failed(130, "http_client: interrupted\n"));
}

/// One that takes in no more connections: its queue is full.
fn busy_listener() -> TcpListener {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    // SAFETY: passes numbers only; a second call changes the length of the queue.
    assert_eq!(unsafe { libc::listen(listener.as_raw_fd(), 0) }, 0);
    // As long as it is open, the one connection that has room keeps it.
    std::mem::forget(TcpStream::connect(listener.local_addr().unwrap()).unwrap());
    listener
}

#[test]
fn http_client_tells_other_errors() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let expected = failed(1, "http_client: Connection refused\n");
    assert_eq!(start_client(port).end(), expected);
}

// echo_server

fn start_echo(command: Command) -> (Running, u16) {
    let mut server = start(command);
    let line = server.line();
    let port = line.strip_prefix("listening on port ").and_then(|port| port.parse().ok());
    (server, port.unwrap_or_else(|| panic!("the server says {line:?}")))
}

/// What came back shows that the visitor has its thread.
fn echoes(visitor: &mut TcpStream, text: &str) {
    let mut back = vec![0; text.len()];
    visitor.write_all(text.as_bytes()).unwrap();
    visitor.read_exact(&mut back).expect("an echo");
    assert_eq!(back, text.as_bytes());
}

const STOPPED: &str = "stopping\nall visitors have left\n";

#[test]
fn echo_server_says_good_bye_to_each_visitor_at_sigterm() {
    says_good_bye(libc::SIGTERM, "SIGTERM");
}

#[test]
fn echo_server_says_good_bye_to_each_visitor_at_sigint() {
    says_good_bye(libc::SIGINT, "SIGINT");
}

fn says_good_bye(signum: i32, signame: &str) {
    let (server, port) = start_echo(example("echo_server"));
    let mut visitors = [1, 2, 3].map(|_| connect(port));
    for visitor in &mut visitors {
        echoes(visitor, "hello");
        echoes(visitor, "again");
    }
    server.kill(signum);
    for visitor in visitors {
        assert_eq!(read_answer(visitor), format!("{signame}: good-bye\n"));
    }
    assert_eq!(server.end(), end(0, STOPPED));
}

#[test]
fn echo_server_misses_no_signal_that_comes_with_a_visitor() {
    let (server, port) = start_echo(example("echo_server"));
    await_accept(&server);
    let visitor = connect(port);
    // Welcomed or not; where it is, its thread has to hear this.
    server.kill(libc::SIGTERM);
    assert_eq!(server.end(), end(0, STOPPED));
    drop(visitor);
}

#[test]
fn echo_server_goes_on_when_a_visitor_leaves() {
    let (server, port) = start_echo(example("echo_server"));
    let (mut first, mut second) = (connect(port), connect(port));
    echoes(&mut first, "hello");
    drop(first);
    echoes(&mut second, "hello");
    drop(second);
    server.kill(libc::SIGTERM);
    assert_eq!(server.end(), end(0, STOPPED));
}

#[test]
fn echo_server_in_the_background_leaves_sigint_ignored() {
    let command = common::program(&programs().join("echo_server"));
    let (server, port) = start_echo(as_background_job(command));
    let mut visitor = connect(port);
    echoes(&mut visitor, "hello");
    server.kill(libc::SIGINT);
    echoes(&mut visitor, "still there");
    server.kill(libc::SIGTERM);
    assert_eq!(read_answer(visitor), "SIGTERM: good-bye\n");
    assert_eq!(server.end(), end(0, STOPPED));
}

// lock_file

fn lock_file(name: &str) -> Running {
    let mut command = example("lock_file");
    command.arg(name);
    let mut running = start(command);
    let pid = running.pid();
    assert_eq!(running.line(), format!("process {pid}: waiting for the lock"));
    running
}

/// One that has the lock, and one that waits for it.
fn lock_file_twice(name: &str) -> (Running, Running) {
    let mut first = lock_file(name);
    assert_eq!(first.line(), "holding the lock");
    let second = lock_file(name);
    await_syscall(second.pid(), libc::SYS_flock, 1, libc::LOCK_EX);
    (first, second)
}

#[test]
fn lock_file_waits_for_the_lock() {
    let (first, mut second) = lock_file_twice("lock-handed-over");
    first.kill(libc::SIGINT);
    assert_eq!(first.end(), end(0, "unlocked\n"));
    assert_eq!(second.line(), "holding the lock");
    second.kill(libc::SIGTERM);
    assert_eq!(second.end(), end(0, "unlocked\n"));
}

#[test]
fn lock_file_answers_and_goes_on_waiting() {
    let (first, mut second) = lock_file_twice("lock-asked-for");
    for _ in 0..3 {
        await_syscall(second.pid(), libc::SYS_flock, 1, libc::LOCK_EX);
        second.kill(libc::SIGUSR1);
        assert_eq!(second.line(), "waiting for the lock");
    }
    first.kill(libc::SIGTERM);
    assert_eq!(second.line(), "holding the lock");
    second.kill(libc::SIGUSR1);
    assert_eq!(second.line(), "holding the lock");
    second.kill(libc::SIGINT);
    assert_eq!(second.end(), end(0, "unlocked\n"));
}

#[test]
fn lock_file_is_interrupted_while_it_waits() {
    for signum in [libc::SIGINT, libc::SIGTERM] {
        let (_first, second) = lock_file_twice(&format!("lock-{signum}"));
        second.kill(signum);
        assert_eq!(second.end(), failed(1, &format!("lock_file: lock-{signum}: interrupted\n")));
    }
}

// dispatch_loop

fn start_dispatch(idle: &str) -> Running {
    let mut command = example("dispatch_loop");
    command.arg(idle);
    let mut running = start(command);
    assert_eq!(running.line(), format!("process {} is ready", running.pid()));
    running
}

#[test]
fn dispatch_loop_adds_what_it_is_sent() {
    let running = start_dispatch("1000000");
    let mut command = example("dispatch_loop");
    command.args(["send", &running.pid().to_string(), "3", "-4", "8589934592"]);
    let sender = start(command);
    let from = format!("from process {}", sender.pid());
    assert_eq!(sender.end(), end(0, ""));
    // The number of SIGTERM is lower: it would be taken before what waits.
    let mut running = running;
    assert_eq!(running.line(), format!("3 {from}, sum 3"));
    assert_eq!(running.line(), format!("-4 {from}, sum -1"));
    assert_eq!(running.line(), format!("8589934592 {from}, sum 8589934591"));
    running.kill(libc::SIGTERM);
    assert_eq!(running.end(), end(0, "SIGTERM: the sum is 8589934591\n"));
}

#[test]
fn dispatch_loop_is_ended_by_sigint() {
    let running = start_dispatch("1000000");
    running.kill(libc::SIGINT);
    assert_eq!(running.end(), end(0, "SIGINT: the sum is 0\n"));
}

#[test]
fn dispatch_loop_ends_when_nothing_comes() {
    assert_eq!(start_dispatch("0.01").end(), end(0, "idle: the sum is 0\n"));
}

#[test]
fn dispatch_loop_shows_its_signals_to_who_is_on_call() {
    let mut running = start_dispatch("1000000");
    running.kill(libc::SIGUSR1);
    let mut table = BufReader::new(running.child.stderr.as_mut().expect("stderr")).lines();
    let usr1 = table.find_map(|line| line.ok().filter(|line| line.contains(" SIGUSR1 ")));
    let usr1: Vec<_> = usr1.as_deref().expect("a line").split_whitespace().collect();
    assert_eq!(usr1, ["10", "SIGUSR1", "rsig", "-", "yes", "-", "-", "1", "0", "-"]);
    assert!(table.any(|line| line.expect("a line").contains(" SIGRTMAX ")));
    running.kill(libc::SIGTERM);
    assert_eq!(running.end(), end(0, "SIGTERM: the sum is 0\n"));
}

#[test]
fn dispatch_loop_tells_that_nobody_is_there() {
    let mut command = example("dispatch_loop");
    // Above all that the kernel gives to a process.
    command.args(["send", "2147483647", "1"]);
    let ended = run(command);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    assert!(ended.stderr.contains("No such process"), "{}", ended.stderr);
}

// retry

fn retry(arguments: &[&str]) -> Command {
    let mut command = example("retry");
    command.args(arguments);
    command
}

#[test]
fn retry_runs_a_command_until_it_succeeds() {
    let file = common::scratch("retried").join("tries");
    let _ = fs::remove_file(&file);
    let mut command = retry(&["5", "0.001", "sh", "-c"]);
    command.args([r#"echo x >>"$0"; test $(wc -l <"$0") -eq 3"#]).arg(&file);
    let expected = "retry: status 1; again in 0.001 s\nretry: status 1; again in 0.002 s\n";
    assert_eq!(run(command), failed(0, expected));
    assert_eq!(fs::read_to_string(file).unwrap(), "x\nx\nx\n");
}

#[test]
fn retry_ends_with_the_status_of_the_last_try() {
    let expected = failed(7, "retry: status 7; again in 0.001 s\n");
    assert_eq!(run(retry(&["2", "0.001", "sh", "-c", "exit 7"])), expected);
    assert_eq!(run(retry(&["1", "0", "sh", "-c", "kill -KILL $$"])), failed(137, ""));
    let expected = failed(127, "retry: /nonexistent: No such file or directory\n");
    assert_eq!(run(retry(&["1", "0", "/nonexistent"])), expected);
}

#[test]
fn retry_passes_the_signal_on_and_dies_of_it() {
    for (signum, signame) in [(libc::SIGTERM, "TERM"), (libc::SIGINT, "INT")] {
        let script =
            format!("trap 'echo {signame}; exit' {signame}; echo ready; while :; do :; done");
        let mut running = start(retry(&["2", "0", "sh", "-c", &script]));
        assert_eq!(running.line(), "ready");
        running.kill(signum);
        assert_eq!(running.end(), died(signum, &format!("{signame}\n")));
    }
}

#[test]
fn retry_passes_a_second_signal_on_too() {
    let script =
        "trap 'trap \"echo two; exit\" TERM; echo one' TERM; echo ready; while :; do :; done";
    let mut running = start(retry(&["1", "0", "sh", "-c", script]));
    assert_eq!(running.line(), "ready");
    running.kill(libc::SIGTERM);
    assert_eq!(running.line(), "one");
    running.kill(libc::SIGTERM);
    assert_eq!(running.end(), died(libc::SIGTERM, "two\n"));
}

#[test]
fn retry_is_ended_in_a_pause() {
    for signum in [libc::SIGTERM, libc::SIGINT] {
        let running = start(retry(&["2", "1000000", "false"]));
        await_syscall(running.pid(), libc::SYS_clock_nanosleep, 0, libc::CLOCK_MONOTONIC);
        running.kill(signum);
        let mut expected = died(signum, "");
        expected.stderr = "retry: status 1; again in 1e+06 s\n".to_owned();
        assert_eq!(running.end(), expected);
    }
}

#[test]
fn retry_in_the_background_leaves_sigint_ignored() {
    let script = "echo ready; read line <\"$0\"; exit 3";
    let fifo = common::scratch("fifos").join("retry");
    let _ = fs::remove_file(&fifo);
    let mut mkfifo = Command::new("mkfifo");
    mkfifo.arg(&fifo);
    common::run(mkfifo);
    let mut command = retry(&["1", "0", "sh", "-c", script]);
    command.arg(&fifo);
    let mut running = start(as_background_job(command));
    assert_eq!(running.line(), "ready");
    running.kill(libc::SIGINT);
    fs::write(fifo, "go on\n").unwrap();
    assert_eq!(running.end(), end(3, ""));
}

// notify_semaphore

fn start_counting(limit: &str) -> Running {
    let mut command = example("notify_semaphore");
    command.arg(limit);
    let mut running = start(command);
    assert_eq!(running.line(), format!("process {} is counting", running.pid()));
    running
}

#[test]
fn notify_semaphore_counts() {
    assert_eq!(start_counting("1").end(), end(0, "primes below 1: 0\n"));
    assert_eq!(start_counting("100000").end(), end(0, "primes below 100000: 9592\n"));
}

/// More than any machine counts while the test runs.
const ENDLESS: &str = "1000000000000";

#[test]
fn notify_semaphore_answers_and_goes_on() {
    let mut running = start_counting(ENDLESS);
    for _ in 0..3 {
        kill_worker(&running, libc::SIGUSR1);
        let line = running.line();
        assert!(line.starts_with("SIGUSR1: ") && line.ends_with(" of 1000000000000"), "{line}");
    }
    kill_worker(&running, libc::SIGINT);
    assert_eq!(running.end(), end(130, "interrupted\n"));
}

/// Sends a signal to a worker while the main thread sleeps in sem_wait(), which no EINTR ends then.
fn kill_worker(running: &Running, signum: i32) {
    let wait = libc::FUTEX_WAIT_BITSET | libc::FUTEX_PRIVATE_FLAG | libc::FUTEX_CLOCK_REALTIME;
    await_syscall(running.pid(), libc::SYS_futex, 1, wait);
    let mut tasks = fs::read_dir(format!("/proc/{}/task", running.pid())).expect("a process");
    let worker = tasks.find_map(|task| {
        let tid = task.expect("a thread").file_name().to_str()?.parse::<i32>().ok()?;
        (tid != running.pid()).then_some(tid)
    });
    let worker = worker.expect("a worker");
    // SAFETY: passes numbers only.
    let sent = unsafe { libc::syscall(libc::SYS_tgkill, running.pid(), worker, signum) };
    assert_eq!(sent, 0);
}

// sigpipe

#[test]
fn sigpipe_ends_quietly_when_its_reader_leaves() {
    let mut writer = start(example("sigpipe"));
    assert_eq!(writer.line(), "y");
    writer.stdout = None;
    assert_eq!(writer.end(), end(1, ""));
}

#[test]
fn sigpipe_before_head_ends_with_status_1() {
    let mut shell = common::program(Path::new("sh"));
    shell.args(["-c", "{ ./sigpipe; echo $? >&2; } | head -n 1"]).current_dir(programs());
    let ended = run(shell);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("y\n", "1\n"));
}

#[test]
fn sigpipe_writes_all_to_a_reader_who_stays() {
    assert_eq!(run(example("sigpipe")), end(0, &"y\n".repeat(1_000_000)));
}

#[test]
fn sigpipe_tells_other_errors() {
    let mut shell = common::program(Path::new("sh"));
    shell.args(["-c", "./sigpipe >/dev/full"]).current_dir(programs());
    let ended = run(shell);
    assert_eq!(ended.code, Some(1));
    assert_eq!(ended.stderr, "sigpipe: No space left on device\n");
}

#[test]
fn sigpipe_tells_that_the_last_byte_found_no_room() {
    let mut shell = common::program(Path::new("sh"));
    shell.args(["-c", "./sigpipe >sigpipe.out"]).current_dir(programs());
    // SAFETY: setrlimit() is async-signal-safe, and gets a whole struct rlimit.
    unsafe {
        shell.pre_exec(|| {
            let limit = libc::rlimit { rlim_cur: 1_999_999, rlim_max: 1_999_999 };
            match libc::setrlimit(libc::RLIMIT_FSIZE, &limit) {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            }
        });
    }
    let ended = run(shell);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert_eq!(ended.stderr, "sigpipe: File too large\n");
}

// worker_threads

fn start_workers() -> Running {
    let mut workers = start(example("worker_threads"));
    let pid = workers.pid();
    let ready = format!("3 workers; kill -USR1 {pid} is a job, kill -TERM {pid} the end");
    assert_eq!(workers.line(), ready);
    workers
}

fn workers_ended(signame: &str, done: u32) -> String {
    format!("{signame}: 3 workers ended, jobs done: {done}, left: 0\n")
}

#[test]
fn worker_threads_do_jobs_until_sigterm() {
    let mut workers = start_workers();
    for job in 1..=3 {
        workers.kill(libc::SIGUSR1);
        assert_eq!(workers.line(), format!("job {job} done"));
    }
    workers.kill(libc::SIGTERM);
    assert_eq!(workers.end(), end(0, &workers_ended("SIGTERM", 3)));
}

#[test]
fn worker_threads_end_by_sigint() {
    let workers = start_workers();
    workers.kill(libc::SIGINT);
    assert_eq!(workers.end(), end(0, &workers_ended("SIGINT", 0)));
}

#[test]
fn worker_threads_finish_the_job_that_came_before_the_end() {
    let workers = start_workers();
    workers.kill(libc::SIGUSR1);
    workers.kill(libc::SIGTERM);
    let expected = format!("job 1 done\n{}", workers_ended("SIGTERM", 1));
    assert_eq!(workers.end(), end(0, &expected));
}

#[test]
fn worker_threads_can_be_hit_nowhere_but_where_they_wait_for_signals() {
    let workers = start_workers();
    let wanted = [libc::SIGUSR1, libc::SIGTERM, libc::SIGINT].map(|n| 1u64 << (n - 1));
    let wanted = wanted.iter().sum::<u64>();
    let tasks = fs::read_dir(format!("/proc/{}/task", workers.pid())).expect("a process");
    let masks: Vec<_> = tasks.map(|task| blocked(&task.expect("a thread").path())).collect();
    assert_eq!(masks.len(), 5);
    // Inside rsig_sigwait() the kernel shows what is waited for as not blocked.
    let open = masks.iter().filter(|mask| *mask & wanted != wanted).count();
    assert!(open <= 1, "{masks:x?}");
}

fn blocked(task: &Path) -> u64 {
    let status = fs::read_to_string(task.join("status")).expect("a thread");
    let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).expect("a mask");
    u64::from_str_radix(mask.trim(), 16).expect("a mask")
}

// client.py

fn client_shows(command: Command, fini: &str) {
    let version = env!("CARGO_PKG_VERSION");
    let expected = format!(
        "version    {version}\n\
         constants  SIGINT is 2, ITIMER_REAL is 0\n\
         handler    SIGUSR1, deliveries: 1\n\
         timer      SIGALRM ends the wait\n\
         error      [Errno 22] cannot change the action of SIGKILL (9), which the kernel keeps: EINVAL: Invalid argument\n\
         Ctrl-C     SIGINT: 130\n\
         fini       Ctrl-C is {fini} again\n"
    );
    assert_eq!(run(command), end(0, &expected));
}

fn python_is_missing() -> bool {
    let mut probe = Command::new("python3");
    probe.args(["-c", "import ctypes"]);
    let missing = !probe.output().is_ok_and(|output| output.status.success());
    if missing {
        common::skip("there is no python3 with ctypes here for client.py");
    }
    missing
}

#[test]
fn client_py_drives_the_library_at_a_path() {
    if python_is_missing() {
        return;
    }
    programs();
    let mut command = client();
    command.arg(common::stage().join("lib/librsig.so.0")).env_remove("LD_LIBRARY_PATH");
    client_shows(as_user(command), "Python's");
}

#[test]
fn client_py_finds_the_library_by_itself() {
    if python_is_missing() {
        return;
    }
    programs();
    let mut command = client();
    command.env("LD_LIBRARY_PATH", common::stage().join("lib"));
    client_shows(as_user(command), "Python's");
}

#[test]
fn client_py_in_the_background_leaves_sigint_ignored() {
    if python_is_missing() {
        return;
    }
    programs();
    let mut command = client();
    command.arg(common::stage().join("lib/librsig.so.0"));
    client_shows(as_background_job(command), "ignored");
}

// demo.sh

/// None: there is no bash here.
fn demo() -> Option<Command> {
    programs();
    if !common::has_or_skip("bash") {
        return None;
    }
    let mut command = Command::new(folder().join("demo.sh"));
    command.arg(common::stage()).env_remove("LD_LIBRARY_PATH").env_remove("PKG_CONFIG_PATH");
    Some(command)
}

fn demo_succeeds(command: Command) {
    let ended = run(command);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
    assert!(ended.stdout.ends_with("\n== all as promised\n"), "{}", ended.stdout);
    // Two screens.
    let lines = ended.stdout.lines().count();
    assert!((64..=112).contains(&lines), "{lines} lines:\n{}", ended.stdout);
}

#[test]
fn demo_goes_as_promised() {
    if let Some(command) = demo() {
        demo_succeeds(as_user(command));
    }
}

#[test]
fn demo_goes_as_promised_in_the_background() {
    if let Some(command) = demo() {
        demo_succeeds(as_background_job(command));
    }
}

#[test]
fn demo_notices_what_does_not_go_as_promised() {
    let Some(mut command) = demo() else { return };
    // A compiler through whose work sigpipe.c does without the default for SIGPIPE.
    let compiler = common::scratch("demo").join("cc");
    fs::write(
        &compiler,
        r#"#!/bin/sh
        source=$1
        shift
        sed 's/rsig_init(0)/rsig_init(RSIG_INIT_NO_DEFAULTS)/' "$source" >"${source##*/}"
        exec cc "${source##*/}" "$@"
        "#,
    )
    .unwrap();
    let mut chmod = Command::new("chmod");
    chmod.arg("+x").arg(&compiler);
    common::run(chmod);
    command.env("CC", &compiler);
    let ended = run(command);
    assert_eq!(ended.code, Some(1), "{}", ended.stdout);
    assert_eq!(ended.stderr, "NOT AS PROMISED: the exit status is '141', not '1'\n");
}
