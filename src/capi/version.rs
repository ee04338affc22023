//! rsig_version.

use std::ffi::{CStr, c_char};

/// The version of the library that is loaded, which may be newer than the header's RSIG_VERSION_MAJOR, _MINOR and
/// _PATCH.
///
/// @return a static string such as "0.1.0"
///
/// Any thread, before rsig_init() too. Async-signal-safe.
#[unsafe(no_mangle)]
pub extern "C" fn rsig_version() -> *const c_char {
    const VERSION: &CStr =
        match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
            Ok(version) => version,
            Err(_) => c"",
        };
    VERSION.as_ptr()
}
