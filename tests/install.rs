//! `make install` puts the right files into the right places, and programs link with them in each
//! way.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// An empty folder for one test.
fn empty(name: &str) -> PathBuf {
    let name = format!("install/{name}");
    fs::remove_dir_all(common::scratch(&name)).expect("what the last run has left");
    common::scratch(&name)
}

/// Variables of the Makefile.
fn set(variables: &[(&str, &str)]) -> Vec<String> {
    variables.iter().map(|(name, value)| format!("{name}={value}")).collect()
}

fn make(target: &str, variables: &[String]) {
    common::run_make([target].into_iter().map(str::to_owned).chain(variables.iter().cloned()));
}

/// Installs below an empty prefix of this name.
fn installed(name: &str) -> PathBuf {
    let prefix = empty(name);
    make("install", &set(&[("PREFIX", prefix.to_str().unwrap())]));
    prefix
}

/// All files and links below `folder`, as paths from there.
fn files_below(folder: &Path) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    for entry in fs::read_dir(folder).expect("folder") {
        let entry = entry.expect("entry");
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().expect("type").is_dir() {
            files.extend(files_below(&entry.path()).iter().map(|file| format!("{name}/{file}")));
        } else {
            files.insert(name);
        }
    }
    files
}

/// What an install consists of.
fn expected(libdir: &str, includedir: &str, docdir: &str) -> BTreeSet<String> {
    let mut files = BTreeSet::from([format!("{includedir}/rsig.h")]);
    for name in ["librsig.a", "librsig.so", "librsig.so.0", "pkgconfig/rsig.pc"] {
        files.insert(format!("{libdir}/{name}"));
    }
    files.insert(format!("{libdir}/librsig.so.{VERSION}"));
    for name in ["README.md", "LICENSE-MIT", "LICENSE-APACHE"] {
        files.insert(format!("{docdir}/{name}"));
    }
    let examples = files_below(&common::root().join("examples"));
    let to_copy = |name: &&String| [".c", ".cpp", ".py"].iter().any(|end| name.ends_with(end));
    let examples: Vec<_> = examples.iter().filter(to_copy).collect();
    assert!(!examples.is_empty());
    files.extend(examples.iter().map(|name| format!("{docdir}/examples/{name}")));
    let docs = files_below(&common::root().join("docs"));
    files.extend(docs.iter().map(|name| format!("{docdir}/docs/{name}")));
    files
}

#[test]
fn every_folder_can_be_chosen() {
    let dest = empty("all of it chosen");
    let variables = set(&[
        ("DESTDIR", dest.to_str().unwrap()),
        ("PREFIX", "/opt/rsig"),
        ("LIBDIR", "/opt/rsig/lib/some-target"),
        ("INCLUDEDIR", "/opt/headers"),
        ("DOCDIR", "/opt/rsig/manual"),
    ]);
    make("install", &variables);
    let expected = expected("opt/rsig/lib/some-target", "opt/headers", "opt/rsig/manual");
    assert_eq!(files_below(&dest), expected);

    let lib = dest.join("opt/rsig/lib/some-target");
    assert_eq!(fs::read_link(lib.join("librsig.so")).unwrap(), Path::new("librsig.so.0"));
    let library = format!("librsig.so.{VERSION}");
    assert_eq!(fs::read_link(lib.join("librsig.so.0")).unwrap(), Path::new(&library));
    assert_eq!(fs::read_link(lib.join(library)).ok(), None);

    let ask = |arguments: &[&str]| {
        let mut command = Command::new("pkg-config");
        command.env("PKG_CONFIG_PATH", lib.join("pkgconfig")).args(arguments).arg("rsig");
        String::from_utf8(common::run(command).stdout).unwrap().trim().to_owned()
    };
    assert_eq!(ask(&["--modversion"]), VERSION);
    assert_eq!(ask(&["--variable=prefix"]), "/opt/rsig");
    assert_eq!(ask(&["--cflags"]), "-I/opt/headers");
    assert_eq!(ask(&["--libs"]), "-L/opt/rsig/lib/some-target -lrsig");

    make("uninstall", &variables);
    assert_eq!(files_below(&dest), BTreeSet::new());
}

#[test]
fn the_default_is_usr_local() {
    let dest = empty("default");
    let variables = set(&[("DESTDIR", dest.to_str().unwrap())]);
    make("install", &variables);
    let expected = expected("usr/local/lib", "usr/local/include", "usr/local/share/doc/rsig");
    assert_eq!(files_below(&dest), expected);
    let pc = fs::read_to_string(dest.join("usr/local/lib/pkgconfig/rsig.pc")).unwrap();
    assert!(pc.starts_with("prefix=/usr/local\n"), "{pc}");
    assert!(!pc.contains('@') && !pc.contains(dest.to_str().unwrap()), "{pc}");

    // An upgrade goes over what is there.
    make("install", &variables);
    assert_eq!(files_below(&dest), expected);
    make("uninstall", &variables);
    assert_eq!(files_below(&dest), BTreeSet::new());
}

#[test]
fn uninstall_spares_what_others_put_there() {
    let prefix = installed("shared");
    let others =
        ["include/other.h", "lib/librsigma.so", "lib/pkgconfig/other.pc", "share/doc/rsig/notes"];
    for file in others {
        fs::write(prefix.join(file), "").expect("another file");
    }
    make("uninstall", &set(&[("PREFIX", prefix.to_str().unwrap())]));
    assert_eq!(files_below(&prefix), others.iter().map(|&file| file.to_owned()).collect());
}

/// An install without the shared library, so that the static one serves.
fn installed_static(name: &str) -> PathBuf {
    let prefix = installed(name);
    for name in ["librsig.so", "librsig.so.0", &format!("librsig.so.{VERSION}")] {
        fs::remove_file(prefix.join("lib").join(name)).expect("shared library");
    }
    prefix
}

/// Builds a source of c-tests/unlinked/ next to the install, with what pkg-config says and nothing
/// more.
fn build(prefix: &Path, source: &str, to: &str, flags: &[&str], pkg_config: &[&str]) -> PathBuf {
    let program = prefix.join(to);
    let mut command = common::compiler(false);
    command.args(["-Wall", "-Wextra", "-Werror"]).args(flags);
    command.arg(common::root().join("c-tests/unlinked").join(source)).arg("-o").arg(&program);
    command.args(common::pkg_config(prefix, pkg_config));
    common::run(command);
    program
}

const SHARED: [&str; 2] = ["--cflags", "--libs"];
const STATIC: [&str; 3] = ["--static", "--cflags", "--libs"];

fn needs_shared_library(program: &Path) -> bool {
    let mut readelf = Command::new("readelf");
    readelf.args(["--dynamic", "--wide"]).arg(program);
    let dynamic = String::from_utf8(common::run(readelf).stdout).expect("text");
    assert_eq!(dynamic.contains("librsig"), dynamic.contains("[librsig.so.0]"), "{dynamic}");
    dynamic.contains("librsig")
}

fn check_output(command: Command) {
    assert_eq!(String::from_utf8_lossy(&common::run(command).stdout).trim(), VERSION);
}

#[test]
fn a_program_with_the_shared_library() {
    let prefix = installed("with-shared");
    let program = build(&prefix, "user.c", "user", &[], &SHARED);
    assert!(needs_shared_library(&program));
    let mut command = Command::new(program);
    command.env("LD_LIBRARY_PATH", prefix.join("lib"));
    check_output(command);
}

#[test]
fn a_program_with_the_static_library() {
    let prefix = installed_static("with-static");
    for (to, flags) in [("user", &[][..]), ("user-static", &["-static"])] {
        let program = build(&prefix, "user.c", to, flags, &STATIC);
        assert!(!needs_shared_library(&program));
        check_output(Command::new(program));
    }
}

#[test]
fn two_static_copies_in_one_process() {
    let prefix = installed_static("two-copies");
    let plugin = build(&prefix, "plugin.c", "plugin.so", &["-shared", "-fPIC"], &STATIC);
    let mut host = Command::new(build(&prefix, "host.c", "host", &[], &STATIC));
    host.arg(plugin);
    common::run(host);
}
