//! All that may run inside a signal handler, and nothing else: no allocation, no lock, no thread-local,
//! nothing that can panic. Ordinary code calls in here too; this code calls only `sys`.
//!
//! A delivery runs through it in this order: `handler` receives it (and hands a fault back to whom rsig
//! `displaced`), `pending` records it, `wakeup` writes its byte, `waker` ends the main thread's wait.

pub(crate) mod displaced;
pub(crate) mod handler;
pub(crate) mod pending;
pub(crate) mod waker;
pub(crate) mod wakeup;
