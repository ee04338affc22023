//! rsig gives C, and every language with an FFI, the signal handling of Python's `signal` module: the handler
//! that the kernel calls only records; the user's handler runs later, as ordinary code, on the main thread, when
//! that thread calls the pump.
//!
//! ```text
//! capi/         the C face: check, call, translate the error. Its doc comments are the header's text.
//!   runtime/      ordinary context: init, main thread, handlers, pump, waits, fork
//!     async_safe/   all that may run inside a signal handler, and nothing else may
//!       sys/          thin wrappers of what the kernel and the C library offer
//! ```
//!
//! Imports run downwards only.

mod async_safe;
mod capi;
mod runtime;
mod sys;
