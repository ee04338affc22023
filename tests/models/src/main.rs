//! The lock-free core of rsig under loom, which runs a small program in every order that threads and memory allow.
//!
//! What is checked are the library's own files, included below. They name their atomics `crate::async_safe::atomic`, and here
//! that is loom's (see `atomic.rs`); `Shared`, the memory that changes hands, is loom's checked cell, so that two who use it at
//! once are a failure; a waker's descriptor and the queue of pokes are models of the kernel's, and who sleeps for ever is a
//! failure too.
//!
//! **A signal that interrupts a push on the same thread** is modelled as a push on another thread. The nested one runs to its
//! end between two steps of the interrupted one: that is one of the interleavings of two threads, in which the second happens not to
//! be interrupted; and on one thread each sees all that the other has written, while threads may also see what is old. So
//! each promise that holds for two threads holds for a nested one. What threads do not show is looked at in `nested.rs`: a
//! writer or reader interrupted before each of its steps in turn, by one that is interrupted itself. **A writer
//! that never comes back**, because a foreign handler left it by siglongjmp(), is one that unwinds before a given
//! step, each of them in turn (see `steps.rs`).
//!
//! **SeqCst.** loom has it for fences alone, and takes accesses for acquire and release. So each model runs twice, with two
//! stand-ins (`Mode`), each of which catches what the other cannot.
//!
//! **What bounds it.** Two or three threads with a few deliveries each; no more than `PREEMPTIONS` times in a run is a thread
//! put aside that could go on (`LOOM_MAX_PREEMPTIONS` sets another number); compare_exchange_weak never fails for no reason; a load
//! sees no store that has not been executed yet, as loom executes one program step after another.

#[allow(unused)]
mod async_safe;
mod atomic;
mod call;
mod channel;
mod eventfd;
mod kernel;
mod model;
mod nested;
mod pending;
mod place;
mod poke;
mod ring;
mod share;
mod slot;
mod steps;
#[allow(unused)]
mod sys;
#[allow(unused)]
mod system;
mod waker;

fn main() -> std::process::ExitCode {
    let arguments = libtest_mimic::Arguments::from_args();
    let trials = [
        ring::trials(),
        slot::trials(),
        pending::trials(),
        waker::trials(),
        place::trials(),
        channel::trials(),
        call::trials(),
        poke::trials(),
        nested::trials(),
    ];
    libtest_mimic::run(&arguments, trials.into_iter().flatten().collect()).exit_code()
}
