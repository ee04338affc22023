//! The library's own files, on models of what they stand on.

pub(crate) use crate::call::stub;
pub(crate) use crate::kernel::handler;
pub(crate) use crate::{atomic, share};

#[path = "../../../src/async_safe/call.rs"]
pub(crate) mod call;
#[path = "../../../src/async_safe/channel.rs"]
pub(crate) mod channel;
#[path = "../../../src/async_safe/interrupt.rs"]
pub(crate) mod interrupt;
#[path = "../../../src/async_safe/pending.rs"]
pub(crate) mod pending;
#[path = "../../../src/async_safe/poke.rs"]
pub(crate) mod poke;
#[path = "../../../src/async_safe/ring.rs"]
pub(crate) mod ring;
#[path = "../../../src/async_safe/slot.rs"]
pub(crate) mod slot;
#[path = "../../../src/async_safe/waker.rs"]
pub(crate) mod waker;
