//! Ordinary context: everything that a handler could not do. One file per subject; `state` holds what
//! threads share, and its lock.

pub(crate) mod aside;
pub(crate) mod blocking;
pub(crate) mod call;
pub(crate) mod channel;
pub(crate) mod child;
pub(crate) mod die;
pub(crate) mod dispositions;
pub(crate) mod dump;
pub(crate) mod error;
pub(crate) mod fork;
pub(crate) mod handler;
pub(crate) mod init;
pub(crate) mod kept;
pub(crate) mod main_thread;
pub(crate) mod notify;
pub(crate) mod poke;
pub(crate) mod pump;
pub(crate) mod raised;
pub(crate) mod send;
pub(crate) mod siginfo;
pub(crate) mod state;
pub(crate) mod text;
pub(crate) mod thread_word;
pub(crate) mod told;
pub(crate) mod wait;
pub(crate) mod waker;
pub(crate) mod wakeup;
pub(crate) mod warning;
