//! Others who own signals in the same process: a second copy of the library, Python, Node, a Java virtual machine. Who is neither
//! there nor can be installed is shown as an ignored test; without Python it is a failure where CI is set. (A C program's own
//! handlers: c-tests/others*.c.)
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::cases;
use libtest_mimic::{Arguments, Trial};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    common::make_stage();
    let all = [("copies", copies()), ("python", python()), ("node", node()), ("jvm", jvm())];
    let trials = all.into_iter().flat_map(|(name, trials)| trials.unwrap_or_else(|| missing(name)));
    cases::run(&arguments, trials.collect())
}

fn missing(name: &str) -> Vec<Trial> {
    let why = "neither here nor can it be installed";
    vec![Trial::test(format!("{name}, {why}"), || Err(why.into())).with_ignored_flag(true)]
}

fn source(name: &str) -> PathBuf {
    common::root().join("tests/others").join(name)
}

fn scratch(name: &str) -> PathBuf {
    common::scratch("others").join(name)
}

fn copies() -> Option<Vec<Trial>> {
    let plugin = compile_plugin("copies_plugin.so", &["-Wl,--exclude-libs,ALL"]);
    // Without that flag the plugin's calls go to the program's copy: there is one.
    let shared = compile_plugin("copies_shared.so", &[]);
    let program = scratch("copies");
    let check = common::root().join("c-tests");
    common::compile(&source("copies.c"), &program, &["-g", "-I", check.to_str()?]);
    Some(cases::trials("copies", move || {
        let mut command = common::program(&program);
        command.env("RSIG_PLUGIN", &plugin).env("RSIG_SHARED_PLUGIN", &shared);
        command
    }))
}

/// With the static library in it.
fn compile_plugin(name: &str, flags: &[&str]) -> PathBuf {
    let plugin = scratch(name);
    let mut command = common::compiler(false);
    command
        .args(["-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"])
        .arg(source("copies_plugin.c"));
    command.arg("-o").arg(&plugin).arg(common::stage().join("lib/librsig.a"));
    let needed = common::pkg_config(&common::stage(), &["--static", "--cflags", "--libs"]);
    command.args(needed.iter().filter(|flag| *flag != "-lrsig")).args(flags);
    common::run(command);
    plugin
}

fn python() -> Option<Vec<Trial>> {
    let _ = common::need("python3", "python3");
    common::has_or_skip("python3").then(|| {
        cases::trials("python", || {
            let mut command = common::program("python3".as_ref());
            command.arg(source("python.py"));
            command
        })
    })
}

fn node() -> Option<Vec<Trial>> {
    if !common::need("node", "nodejs") {
        return None;
    }
    let headers = node_headers()?;
    let addon = scratch("rsig.node");
    compile_addon("node.c", &addon, &[&headers]);
    Some(cases::trials("node", move || {
        let mut command = common::program("node".as_ref());
        command.env("RSIG_ADDON", &addon).arg(source("node.js"));
        command
    }))
}

/// Beside the program, or in Debian's package.
fn node_headers() -> Option<PathBuf> {
    let mut node = Command::new("node");
    node.args(["-p", "require('path').join(process.execPath, '../../include/node')"]);
    let own = String::from_utf8(common::run(node).stdout).ok()?;
    let own = Path::new(own.trim());
    if !own.join("node_api.h").exists() {
        let mut need = Command::new(common::root().join("tools/need.sh"));
        let _ = need.arg("node-headers=libnode-dev").status();
    }
    [own, "/usr/include/node".as_ref()]
        .into_iter()
        .find(|folder| folder.join("node_api.h").exists())
        .map(Path::to_owned)
}

fn jvm() -> Option<Vec<Trial>> {
    if !common::need("javac", "default-jdk-headless") {
        return None;
    }
    let mut settings = Command::new("java");
    settings.args(["-XshowSettings:properties", "-version"]);
    let settings = String::from_utf8(common::run(settings).stderr).ok()?;
    let home = settings.lines().find_map(|line| line.trim().strip_prefix("java.home = "))?;
    let include = Path::new(home).join("include");
    let library = scratch("libjvm_rsig.so");
    compile_addon("jvm.c", &library, &[&include, &include.join("linux")]);
    let classes = scratch("classes");
    let mut javac = Command::new("javac");
    javac.args(["-Xlint:all", "-Werror", "-d"]).arg(&classes).arg(source("Others.java"));
    common::run(javac);
    Some(cases::trials("jvm", move || {
        let mut command = common::program("java".as_ref());
        // The compiler that leaves tests for null to the processor.
        command.arg("-XX:TieredStopAtLevel=1").arg(option("rsig.library", &library));
        command.arg("-cp").arg(&classes).arg("Others");
        command
    }))
}

fn option(name: &str, value: &Path) -> String {
    format!("-D{name}={}", value.display())
}

/// What an interpreter loads: it is linked to the shared library.
fn compile_addon(name: &str, addon: &Path, headers: &[&Path]) {
    let mut flags = vec![OsStr::new("-shared"), OsStr::new("-fPIC")];
    for folder in headers {
        flags.extend([OsStr::new("-isystem"), folder.as_os_str()]);
    }
    let flags: Vec<_> = flags.iter().filter_map(|flag| flag.to_str()).collect();
    common::compile(&source(name), addon, &flags);
}
