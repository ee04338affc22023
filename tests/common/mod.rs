//! What the tests of the installed library share: the staged install, and compilers for it.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod cases;
pub mod code;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, PoisonError};

/// Where Rust makes no shared library.
pub const ONLY_STATIC: bool = cfg!(target_env = "musl");

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where `make stage` installs the library.
pub fn stage() -> PathBuf {
    root().join("target").join(env_or_empty("CARGO_BUILD_TARGET")).join("stage")
}

fn env_or_empty(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

/// A place for this run's files.
pub fn scratch(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&path).expect("scratch folder");
    path
}

/// Installs the library as `make check` has done already; so that a plain `cargo test` works too.
pub fn make_stage() {
    // Once: a test may be starting a program while another would be installing its library anew.
    static STAGED: std::sync::Once = std::sync::Once::new();
    STAGED.call_once(|| {
        run_make(["stage"]);
    });
}

/// Runs `make`, which must succeed; one at a time, as all of them write to the same folder.
pub fn run_make<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    run(make(arguments));
}

/// `make`, without what a `make` around us has exported.
pub fn make<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut make = Command::new("make");
    make.arg("--no-print-directory").args(arguments).current_dir(root());
    for exported in ["MAKEFLAGS", "MAKELEVEL", "MFLAGS", "DESTDIR"] {
        make.env_remove(exported);
    }
    for folder in ["PREFIX", "LIBDIR", "INCLUDEDIR", "DOCDIR"] {
        make.env_remove(folder);
    }
    make
}

/// The C or C++ compiler, as the `cc` crate finds it.
pub fn compiler(cpp: bool) -> Command {
    let (target, host) = (env!("RSIG_TARGET"), env!("RSIG_HOST"));
    let mut build = cc::Build::new();
    build.cpp(cpp).target(target).host(host).opt_level(1).debug(true).cargo_metadata(false);
    build.inherit_rustflags(false).get_compiler().to_command()
}

/// The Rust compiler, as cargo finds it.
pub fn rustc() -> Command {
    Command::new(std::env::var_os("RUSTC").unwrap_or("rustc".into()))
}

/// `pkg-config` for the library installed below `prefix`.
pub fn pkg_config(prefix: &Path, arguments: &[&str]) -> Vec<String> {
    let mut command = Command::new("pkg-config");
    command.env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig")).args(arguments).arg("rsig");
    let output = run(command);
    String::from_utf8(output.stdout).unwrap().split_whitespace().map(str::to_owned).collect()
}

/// Compiles one file against the staged library.
pub fn compile(source: &Path, program: &Path, flags: &[&str]) {
    let cpp = source.extension() == Some(OsStr::new("cpp"));
    let mut command = compiler(cpp);
    command.args(["-Wall", "-Wextra", "-Werror", "-pthread"]).args(flags);
    command.arg(source).arg("-o").arg(program);
    if ONLY_STATIC {
        command.arg("-static").args(pkg_config(&stage(), &["--static", "--cflags", "--libs"]));
    } else {
        command.args(pkg_config(&stage(), &["--cflags", "--libs"]));
    }
    command.args(["-lm", "-ldl"]);
    run(command);
}

/// A program that finds the staged library. Where this machine cannot run it by itself, cargo's own environment variable
/// says what does: CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER=qemu-aarch64.
pub fn program(path: &Path) -> Command {
    let target = env!("RSIG_TARGET").to_uppercase().replace('-', "_");
    let runner = env_or_empty(&format!("CARGO_TARGET_{target}_RUNNER"));
    let mut words = runner.split_whitespace().map(OsStr::new).chain([path.as_os_str()]);
    let mut command = Command::new(words.next().expect("the path at least"));
    command.args(words).env("LD_LIBRARY_PATH", stage().join("lib"));
    command
}

/// Runs a command that must succeed.
pub fn run(mut command: Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// Whether the machine has a program.
pub fn has(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Whether the machine has a program, without which a test is skipped; but where CI is set nothing is skipped for want of one.
pub fn has_or_skip(program: &str) -> bool {
    let has = has(program);
    if !has {
        skip(&format!("{program} is not installed"));
    }
    has
}

/// Says why something is not checked; a failure where CI is set.
pub fn skip(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "not checked, and CI is set: {why}");
    eprintln!("skipped: {why}");
}

/// Whether the machine has a program, now that its Debian package is installed where that is allowed.
pub fn need(program: &str, package: &str) -> bool {
    // One at a time, as the package manager has it.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    if !has(program) {
        let mut need = Command::new(root().join("tools/need.sh"));
        let _ = need.arg(format!("{program}={package}")).status();
    }
    has(program)
}

/// The text of rsig.h that the compiler reads.
pub fn header_without_comments() -> String {
    let header = std::fs::read_to_string(root().join("include/rsig.h")).expect("rsig.h");
    let mut code = String::new();
    let mut rest = header.as_str();
    while let Some((before, comment)) = rest.split_once("/*") {
        code.push_str(before);
        rest = comment.split_once("*/").expect("end of comment").1;
    }
    code + rest
}

/// What the header declares as functions: names that a parenthesis follows.
pub fn declared() -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let code = header_without_comments();
    let names = code.match_indices('(').map(|(at, _)| {
        let before = code.get(..at).expect("ASCII");
        before.get(before.trim_end_matches(is_name).len()..).expect("ASCII").to_owned()
    });
    let names: BTreeSet<_> = names.filter(|name| name.starts_with("rsig_")).collect();
    assert!(names.contains("rsig_init") && names.contains("rsig_set_wakeup_fd"), "{names:?}");
    names
}
