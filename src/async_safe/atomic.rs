//! Where all of this layer has its atomics from, so that the models of tests/models can put others in their place.

pub(crate) use std::sync::atomic::{
    AtomicBool, AtomicI32, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering,
};
