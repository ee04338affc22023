//! All that may run inside a signal handler, and nothing else: no allocation, no lock, no thread-local,
//! nothing that can panic. Ordinary code calls in here too; this code calls only `sys`.
//!
//! A delivery runs through it in this order: `handler` receives it (and hands a fault back to whom rsig
//! `displaced`), `deliveries` counts it, `pending` records it, `waker` makes rsig_fd() readable, `wakeup` writes its byte, `notify` calls the user's
//! own function, `call` ends the main thread's system call, by way of `stub`, or of a `poke` from another thread.

pub(crate) mod atomic;
pub(crate) mod before;
pub(crate) mod call;
pub(crate) mod chain;
pub(crate) mod channel;
pub(crate) mod death;
pub(crate) mod deliveries;
pub(crate) mod displaced;
pub(crate) mod given_back;
pub(crate) mod handler;
pub(crate) mod interrupt;
pub(crate) mod notify;
pub(crate) mod pending;
pub(crate) mod poke;
pub(crate) mod ring;
pub(crate) mod share;
pub(crate) mod slot;
#[cfg(race_free)]
pub(crate) mod stub;
#[cfg(not(race_free))]
#[path = "stub/portable.rs"]
pub(crate) mod stub;
pub(crate) mod waker;
pub(crate) mod wakeup;
