//! The layers of src/: imports run downwards, and what runs in signal context names nothing that
//! must not run there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs;
use std::path::Path;

/// From the top.
const LAYERS: [&str; 4] = ["capi", "runtime", "async_safe", "sys"];

/// A source file without its comments, strings and unit tests.
fn code(path: &Path) -> String {
    let source = fs::read_to_string(path).expect("source");
    let source = source.split("#[cfg(test)]").next().expect("first part");
    let lines = source.lines().map(|line| {
        let line = line.split("//").next().expect("first part");
        // Every other part is inside of a string.
        line.split('"').step_by(2).collect::<Vec<_>>().join("\"\"")
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Each file of a layer: its name, as "sys/mask.rs", and code.
fn files(layer: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(common::root().join("src").join(layer)).expect("folder") {
        let path = entry.expect("entry").path();
        let name = format!("{layer}/{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            files.extend(self::files(&name));
        } else {
            files.push((name, code(&path)));
        }
    }
    assert!(!files.is_empty());
    files
}

/// The words of Rust code.
fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

#[test]
fn every_folder_is_a_layer() {
    for entry in fs::read_dir(common::root().join("src")).expect("src") {
        let name = entry.expect("entry").file_name().into_string().unwrap();
        assert!(name == "lib.rs" || LAYERS.contains(&name.as_str()), "{name}");
    }
}

#[test]
fn imports_run_downwards() {
    for (at, layer) in LAYERS.iter().enumerate() {
        for (file, code) in files(layer) {
            for above in LAYERS.iter().take(at) {
                assert!(!words(&code).any(|word| word == *above), "{file} names {above}");
            }
            // The other way out of a layer.
            let root = file == format!("{layer}/mod.rs");
            assert!(!root || !words(&code).any(|word| word == "super"), "{file}");
            assert!(!code.contains("super::super"), "{file}");
        }
    }
}

/// Whether a file asks for the operating system, or for what only Linux has under this name.
fn is_of_one_system(code: &str) -> bool {
    const OF_ONE: [&str; 4] = ["target_os", "target_vendor", "target_family", "unix"];
    code.contains("libc::SYS_") || words(code).any(|word| OF_ONE.contains(&word))
}

#[test]
fn systems_are_told_apart_in_one_layer() {
    for layer in ["capi", "runtime", "async_safe"] {
        for (file, code) in files(layer) {
            assert!(!is_of_one_system(&code), "{file}");
        }
    }
    assert!(files("sys").iter().any(|(_, code)| is_of_one_system(code)));
}

/// What names them elsewhere escapes the models of tests/models.
#[test]
fn atomics_of_signal_context_come_from_one_place() {
    for (file, code) in files("async_safe") {
        assert!(file == "async_safe/atomic.rs" || !code.contains("std::sync::atomic"), "{file}");
    }
}

#[test]
fn signal_context_names_nothing_unsafe() {
    /// What allocates, locks, panics, prints, or belongs to a thread.
    const UNSAFE: &str = "alloc malloc Arc Box BTreeMap CString HashMap Rc String Vec VecDeque \
        format to_owned to_string to_vec collect Barrier Condvar LazyLock Mutex OnceLock RwLock \
        mpsc assert assert_eq assert_ne debug_assert expect panic todo unimplemented unreachable unwrap \
        dbg eprint eprintln print println thread_local";
    for layer in ["async_safe", "sys"] {
        for (file, code) in files(layer) {
            // Such an assertion is the compiler's.
            let code = code.replace("const _: () = assert!", "");
            for word in UNSAFE.split_whitespace() {
                assert!(!words(&code).any(|named| named == word), "{file} names {word}");
            }
            for path in ["std::io", "std::fs", "std::env", "std::thread", "std::process"] {
                assert!(!code.contains(path), "{file} names {path}");
            }
        }
    }
}
