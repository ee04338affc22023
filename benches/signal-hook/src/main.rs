//! signal-hook's flag and its iterators, with the measures of peer.h and the protocol of bench.h: `signal-hook PEER MEASURE`.

use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::raw::WithRawSiginfo;
use signal_hook::iterator::exfiltrator::{Exfiltrator, SignalOnly};
use std::hint::black_box;
use std::io::{BufRead, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

const BURST: usize = 1000;

/// How many signals it has handled is each function's result.
trait Peer {
    /// How many it hears of a burst.
    const OF_A_BURST: usize;

    fn open(signum: i32) -> Self;
    fn poll(&mut self) -> usize;
    fn wait(&mut self) -> usize;
    fn close(self);
}

struct Flag {
    set: Arc<AtomicBool>,
    id: signal_hook::SigId,
}

impl Peer for Flag {
    const OF_A_BURST: usize = 1;

    fn open(signum: i32) -> Self {
        let set = Arc::new(AtomicBool::new(false));
        let id = signal_hook::flag::register(signum, Arc::clone(&set)).expect("register");
        Self { set, id }
    }

    fn poll(&mut self) -> usize {
        if !self.set.load(Ordering::Relaxed) {
            return 0;
        }
        usize::from(self.set.swap(false, Ordering::Relaxed))
    }

    fn wait(&mut self) -> usize {
        panic!("a flag has no wait without a race")
    }

    fn close(self) {
        signal_hook::low_level::unregister(self.id);
    }
}

/// sigaction.c again: what of a difference to the C programs is not signal-hook's.
struct Sigaction(libc::c_int);

static HANDLED: AtomicUsize = AtomicUsize::new(0);

extern "C" fn on_signal(_: i32, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
    HANDLED.store(HANDLED.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

impl Sigaction {
    fn set(&self, handler: usize) {
        // SAFETY: all zeros is a sigaction, with an empty mask; the handler is of the kind that the flags say.
        let result = unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = handler;
            action.sa_flags = libc::SA_SIGINFO;
            libc::sigaction(self.0, &action, std::ptr::null_mut())
        };
        assert_eq!(result, 0);
    }
}

impl Peer for Sigaction {
    const OF_A_BURST: usize = BURST;

    fn open(signum: i32) -> Self {
        let peer = Self(signum);
        peer.set(on_signal as *const () as usize);
        peer
    }

    fn poll(&mut self) -> usize {
        HANDLED.swap(0, Ordering::Relaxed)
    }

    fn wait(&mut self) -> usize {
        panic!("it has no wait without a race")
    }

    fn close(self) {
        self.set(libc::SIG_DFL);
    }
}

/// What a burst leaves of itself: SignalOnly merges all of it, and WithRawSiginfo has five places, after which it drops.
trait Kept: Exfiltrator + Default {
    const OF_A_BURST: usize;
}

impl Kept for SignalOnly {
    const OF_A_BURST: usize = 1;
}

impl Kept for WithRawSiginfo {
    const OF_A_BURST: usize = 5;
}

impl<E: Kept> Peer for SignalsInfo<E> {
    const OF_A_BURST: usize = E::OF_A_BURST;

    fn open(signum: i32) -> Self {
        Self::new([signum]).expect("iterator")
    }

    fn poll(&mut self) -> usize {
        self.pending().map(black_box).count()
    }

    fn wait(&mut self) -> usize {
        SignalsInfo::wait(self).map(black_box).count()
    }

    fn close(self) {
        self.handle().close();
    }
}

fn raise(signum: i32) {
    // SAFETY: it takes a number and answers with one.
    unsafe { libc::raise(signum) };
}

/// Answers each number on the standard input by the nanoseconds that so many operations took, each. One handles `handled` signals.
fn each(handled: usize, mut operation: impl FnMut() -> usize) {
    for line in std::io::stdin().lock().lines() {
        let n: u32 = line.expect("input").parse().expect("a number");
        let start = Instant::now();
        let all: usize = (0..n).map(|_| operation()).sum();
        println!("{:.2}", start.elapsed().as_nanos() as f64 / f64::from(n));
        assert_eq!(all, n as usize * handled);
    }
}

/// Looks until there was something.
fn take(peer: &mut impl Peer) -> usize {
    loop {
        match peer.poll() {
            0 => {}
            handled => return handled,
        }
    }
}

fn reply() {
    let mut out = std::io::stdout();
    out.write_all(&[0]).and_then(|()| out.flush()).expect("output");
}

fn run<P: Peer>(measure: &str) {
    let signum = if measure == "burst" { libc::SIGRTMIN() + 1 } else { libc::SIGUSR1 };
    let open = || P::open(signum);
    match measure {
        "one" => {
            let mut peer = open();
            each(1, || {
                raise(signum);
                take(&mut peer)
            });
        }
        "burst" => {
            let mut peer = open();
            each(P::OF_A_BURST, || {
                (0..BURST).for_each(|_| raise(signum));
                take(&mut peer)
            });
        }
        "idle" => {
            let mut peer = open();
            each(0, || {
                assert_eq!(peer.poll(), 0);
                0
            });
        }
        "init" => each(0, || {
            open().close();
            0
        }),
        "reply" => {
            let mut peer = open();
            reply();
            loop {
                (0..peer.wait()).for_each(|_| reply());
            }
        }
        _ => panic!("no such measure: {measure}"),
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["sigaction", measure] => run::<Sigaction>(measure),
        ["flag", measure] => run::<Flag>(measure),
        ["iterator", measure] => run::<SignalsInfo<SignalOnly>>(measure),
        ["iterator-siginfo", measure] => run::<SignalsInfo<WithRawSiginfo>>(measure),
        ["empty"] => {}
        _ => panic!("signal-hook PEER MEASURE"),
    }
}
