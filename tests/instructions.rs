//! How many instructions of the library's own the hot paths have, by callgrind: within a few per cent of what is recorded in
//! benches/instructions.txt, which `make instructions` makes anew. Those of the C library and the kernel are not counted, so
//! a count depends on the compiler alone. What the paths ask of the kernel, c-tests/system_calls.c counts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::arithmetic_side_effects)]

mod common;

use std::fmt::Write;
use std::path::{Path, PathBuf};

/// In per cent; and in instructions, for the shortest paths.
const TOLERANCE: (u64, u64) = (3, 2);

type Counts = Vec<(String, u64)>;

#[test]
fn hot_paths_are_as_short_as_recorded() {
    if cfg!(not(all(target_os = "linux", target_arch = "x86_64"))) {
        return eprintln!("skipped: the record is of x86-64");
    }
    if !common::has_or_skip("valgrind") {
        return;
    }
    let path = common::root().join("benches/instructions.txt");
    let counts = counts();
    let count = |name| counts.iter().find(|(counted, _)| counted == name).expect("a path").clone();
    let (_, elsewhere) = count("a delivery, 64 channels for another signal");
    let (plain, alone) = count("a delivery");
    assert!(
        is_near(&(plain.clone(), alone), &(plain, elsewhere)),
        "channels for another signal make a delivery longer: {alone}, {elsewhere}"
    );
    if std::env::var_os("RSIG_RECORD").is_some() {
        return std::fs::write(path, record(&counts)).expect("written");
    }
    let recorded = std::fs::read_to_string(path).expect("a record");
    let (compiler, recorded) = recorded.split_once("\n\n").expect("a heading");
    if !compiler.contains(&rustc()) {
        return common::skip("the record is of another compiler: run `make instructions`");
    }
    let recorded: Counts = recorded.lines().map(parse).collect();
    let faults: Vec<_> =
        recorded.iter().zip(&counts).filter(|(old, new)| !is_near(old, new)).collect();
    assert!(
        faults.is_empty() && recorded.len() == counts.len(),
        "recorded and counted; where the new numbers are meant, run `make instructions`:\n{faults:#?}"
    );
}

fn is_near((old_name, old): &(String, u64), (name, new): &(String, u64)) -> bool {
    let (per_cent, instructions) = TOLERANCE;
    name == old_name && new.abs_diff(*old) <= instructions.max(old * per_cent / 100)
}

fn record(counts: &Counts) -> String {
    let mut text = String::from(
        "Instructions of the library's own, on x86-64; made by `make instructions`.\n",
    );
    write!(text, "Compiled by {}\n\n", rustc()).unwrap();
    for (name, count) in counts {
        writeln!(text, "{count:6} {name}").unwrap();
    }
    text
}

fn parse(line: &str) -> (String, u64) {
    let (count, name) = line.trim_start().split_once(' ').expect("a count and a name");
    (name.to_owned(), count.parse().expect("a count"))
}

fn rustc() -> String {
    let mut rustc = common::rustc();
    rustc.arg("--version");
    String::from_utf8(common::run(rustc).stdout).expect("text").trim().to_owned()
}

/// In the order of the program.
fn counts() -> Counts {
    common::make_stage();
    let folder = common::scratch("instructions");
    let program = folder.join("instructions");
    common::compile(&common::root().join("benches/instructions.c"), &program, &["-O2"]);
    let out = folder.join("out");
    for old in dumps(&out) {
        std::fs::remove_file(old).expect("removed");
    }
    let mut valgrind = common::program("valgrind".as_ref());
    valgrind.args(["--quiet", "--tool=callgrind", "--compress-strings=no", "--compress-pos=no"]);
    valgrind.arg(format!("--callgrind-out-file={}", out.display())).arg(program);
    common::run(valgrind);
    dumps(&out).iter().map(|dump| count(dump)).collect()
}

/// Where callgrind puts the first, the second and so on.
fn dumps(out: &Path) -> Vec<PathBuf> {
    let dump = |number: u32| PathBuf::from(format!("{}.{number}", out.display()));
    (1..).map(dump).take_while(|dump| dump.exists()).collect()
}

/// A dump's name, and its instructions in the library.
fn count(dump: &Path) -> (String, u64) {
    let text = std::fs::read_to_string(dump).expect("a dump");
    let name = text.lines().find_map(|line| line.strip_prefix("desc: Trigger: Client Request: "));
    let mut own = false;
    let mut sum = 0;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(object) = line.strip_prefix("ob=") {
            own = object.contains("librsig.so");
        } else if line.starts_with("calls=") {
            // What the called function costs, which has lines of its own.
            lines.next();
        } else if own && line.starts_with(|c: char| c.is_ascii_digit()) {
            let cost = line.split(' ').nth(1).expect("a line number and its cost");
            sum += cost.parse::<u64>().expect("a cost");
        }
    }
    (name.expect("a name").to_owned(), sum)
}

/// What c-tests/system_calls.c says of each path, docs/system_calls.md says.
#[test]
fn system_calls_are_documented() {
    let read = |name| std::fs::read_to_string(common::root().join(name)).expect("text");
    let (program, docs) = (read("c-tests/system_calls.c"), read("docs/system_calls.md"));
    let paths: Vec<_> = program
        .split("\nPATH")
        .skip(1)
        .map(|path| {
            let mut words = path.split('"');
            let (what, calls) = (words.nth(1).expect("what"), words.nth(1).expect("its calls"));
            format!("| {what} | {calls} |")
        })
        .collect();
    let (_, table) = docs.split_once("| path | system calls |\n|---|---|\n").expect("a table");
    let documented: Vec<_> = table.lines().take_while(|line| !line.is_empty()).collect();
    assert_eq!(documented, paths);
}
