//! The machine code of a shared library, x86-64, as binutils show it: what each function can get to.
//!
//! Followed are direct calls and jumps; calls by way of the GOT, as their relocations resolve them; each function whose
//! address is taken, by an instruction or by a relocated word of data that an instruction names: as if it were called on the
//! spot. So what a call through a pointer can reach within the library is followed too, where the pointer was made by what is
//! reached; and each such call is told of by itself, for the pointers that others have made. A call of syscall(2) is told of by
//! the number that it passes, where that can be told; else as one of the function. A word that the program may change later
//! (a pointer set by others) is one whose first value is followed, and the call is by a pointer all the same.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound::{Excluded, Unbounded};
use std::path::Path;
use std::process::Command;

type Address = u64;

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    /// Of the library itself.
    Code(Address),
    Data(Address),
    /// Another library's function.
    Import(String),
    /// By syscall(2).
    SystemCall(u64),
    /// The library's block of thread-local storage.
    ThreadLocal,
}

struct Instruction {
    text: String,
    /// What it is about, by its address in the program.
    reference: Option<Address>,
}

struct Function {
    name: String,
    targets: BTreeSet<Target>,
    /// How many calls and jumps through pointers it has.
    indirect: usize,
    /// Whether it enters the kernel by itself.
    is_trap: bool,
}

pub struct Code {
    functions: BTreeMap<Address, Function>,
    /// Words of data that the loader fills in.
    words: BTreeMap<Address, Target>,
    /// Where objects of data may begin.
    objects: BTreeSet<Address>,
}

/// What some functions can get to, each with the way there.
#[derive(Default)]
pub struct Reach {
    pub functions: BTreeMap<String, String>,
    /// syscall(2) where its number cannot be told.
    pub imports: BTreeMap<String, String>,
    /// By number, and the function that makes it.
    pub system_calls: BTreeMap<(u64, String), String>,
    /// The functions that have the instruction for it.
    pub traps: BTreeMap<String, String>,
    /// How many calls through pointers each function has that has any.
    pub indirect: BTreeMap<String, usize>,
    /// The first way to thread-local storage of the library's own.
    pub thread_local: Option<String>,
    /// Who got to which function that was not followed.
    pub stopped: BTreeMap<String, BTreeSet<String>>,
}

impl Code {
    /// Of the shared library, and of the static one made into such, as a program would link it; `test` names a place for that.
    pub fn of_both(test: &str) -> [(&'static str, Self); 2] {
        super::make_stage();
        let folder = super::stage().join("lib");
        let linked = super::scratch(test).join("static.so");
        let mut link = super::compiler(false);
        link.args(["-shared", "-Wl,-z,now", "-Wl,--whole-archive"]).arg(folder.join("librsig.a"));
        link.args(["-Wl,--no-whole-archive", "-o"]).arg(&linked);
        super::run(link);
        [("shared", Self::of(&folder.join("librsig.so"))), ("static", Self::of(&linked))]
    }

    pub fn of(library: &Path) -> Self {
        let words = relocations(&output("readelf", &["--relocs", "--wide"], library));
        let disassembly = output(
            "objdump",
            &["--disassemble", "--no-show-raw-insn", "--disassemble-zeroes"],
            library,
        );
        let (instructions, headings) = instructions(&disassembly);
        let segments = output("readelf", &["--segments", "--wide"], library);
        let fixed = fixed(&words, &segments);
        let data = output("objdump", &["--full-contents", "--section=.rodata"], library);
        let tables = Tables::of(&data);
        let symbols = symbols(&output("nm", &["--demangle", "--print-size"], library));
        let functions: BTreeMap<_, _> = extents(&symbols, &headings, &instructions)
            .into_iter()
            .map(|(start, (end, name))| {
                let own: Vec<_> =
                    instructions.range(start..end).map(|(at, one)| (*at, one)).collect();
                (start, Function::new(name, &own, &instructions, &fixed, &tables))
            })
            .collect();
        let named = functions.values().flat_map(|function| &function.targets);
        let objects = named.chain(words.values()).filter_map(|target| match target {
            Target::Data(address) => Some(*address),
            _ => None,
        });
        let objects = objects.chain(symbols.iter().map(|symbol| symbol.start));
        // Each word of the GOT is one.
        let in_got = words.iter().filter(|(_, target)| !matches!(target, Target::Data(_)));
        let objects = objects.chain(in_got.map(|(place, _)| *place)).collect();
        let code = |target: Target| match target {
            Target::Data(address) if instructions.contains_key(&address) => Target::Code(address),
            other => other,
        };
        let words = words.into_iter().map(|(place, target)| (place, code(target))).collect();
        Self { functions, words, objects }
    }

    /// What these functions can get to, by way of none of those that `stops` names.
    pub fn reach(&self, roots: &[&str], stops: impl Fn(&str) -> bool) -> Reach {
        let mut reach = Reach::default();
        let mut seen = BTreeSet::new();
        let mut entered = BTreeSet::new();
        let mut queue = VecDeque::new();
        for root in roots {
            // A generic one is there several times.
            let found = self.functions.iter().filter(|(_, function)| function.name == *root);
            let before = queue.len();
            queue.extend(found.map(|(&start, _)| (Target::Code(start), String::new())));
            assert!(queue.len() > before, "there is no function {root}");
        }
        while let Some((target, way)) = queue.pop_front() {
            if !seen.insert(target.clone()) {
                continue;
            }
            match target.clone() {
                Target::ThreadLocal => reach.thread_local = Some(way),
                Target::Import(name) => _ = reach.imports.entry(name).or_insert(way),
                Target::SystemCall(number) => {
                    let from = way.rsplit(" > ").next().unwrap_or_default().to_owned();
                    reach.system_calls.insert((number, from), way);
                    // For each of those who make it.
                    seen.remove(&target);
                }
                Target::Data(address) => {
                    let targets = self.pointers_at(address).cloned();
                    queue.extend(targets.map(|target| (target, way.clone())));
                }
                Target::Code(address) => {
                    let inside = self.functions.range(..=address).next_back();
                    let (start, function) = inside.expect("a function");
                    let name = &function.name;
                    if let Some(import) = name.strip_suffix("@plt") {
                        reach.imports.entry(import.to_owned()).or_insert(way);
                    } else if stops(name) {
                        let from = way.rsplit(" > ").next().unwrap_or_default();
                        reach.stopped.entry(from.to_owned()).or_default().insert(name.clone());
                        // For each of those who get there.
                        seen.remove(&Target::Code(address));
                    } else if entered.insert(*start) {
                        let here = format!("{way} > {name}");
                        queue.extend(function.targets.iter().map(|t| (t.clone(), here.clone())));
                        if function.indirect > 0 {
                            *reach.indirect.entry(name.clone()).or_default() += function.indirect;
                        }
                        if function.is_trap {
                            reach.traps.entry(name.clone()).or_insert_with(|| here.clone());
                        }
                        reach.functions.entry(name.clone()).or_insert(here);
                    }
                }
            }
        }
        reach
    }

    /// Of the object that begins there.
    fn pointers_at(&self, address: Address) -> impl Iterator<Item = &Target> {
        let end = self.objects.range((Excluded(address), Unbounded)).next();
        self.words.range(address..end.map_or(Address::MAX, |end| *end)).map(|(_, target)| target)
    }
}

impl Function {
    fn new(
        name: String,
        own: &[(Address, &Instruction)],
        all: &BTreeMap<Address, Instruction>,
        words: &BTreeMap<Address, Target>,
        tables: &Tables,
    ) -> Self {
        let mut targets = BTreeSet::new();
        let mut indirect = 0;
        let import = |one: &Instruction| match words.get(&one.reference?) {
            Some(Target::Import(name)) => Some(name),
            _ => None,
        };
        let is_load = |one: &Instruction| one.text.starts_with("mov ") && import(one).is_some();
        let is_syscall = |one: &Instruction| import(one).is_some_and(|name| name == "syscall");
        let by_register = own.iter().any(|(_, one)| one.text.contains("*%"));
        let asks = own.iter().any(|(_, one)| is_syscall(one));
        let ways = if by_register || asks { ways(own, tables) } else { Vec::new() };
        let holding = |loads: &dyn Fn(&Instruction) -> bool| {
            if by_register { registers::with_imports(own, &ways, loads) } else { Vec::new() }
        };
        let imports = holding(&is_load);
        let others = holding(&|one| is_load(one) && !is_syscall(one));
        let has_syscall = own.iter().any(|(_, one)| is_load(one) && is_syscall(one));
        for (at, (_, instruction)) in own.iter().enumerate() {
            if instruction.text.contains("%fs:") {
                targets.insert(Target::ThreadLocal);
            }
            let transfer = instruction.transfer();
            match (transfer, instruction.reference) {
                (Some(_), Some(_)) if is_syscall(instruction) => {
                    targets.insert(system_call(own, &ways, at));
                }
                // What calls by the register tells.
                (None, Some(_))
                    if is_syscall(instruction) && registers::keeps(&instruction.text) => {}
                (_, Some(address)) => {
                    let word = words.get(&address);
                    targets.insert(match word {
                        _ if all.contains_key(&address) => Target::Code(address),
                        Some(Target::Data(word)) if all.contains_key(word) => Target::Code(*word),
                        Some(other @ (Target::Import(_) | Target::ThreadLocal)) => other.clone(),
                        _ => Target::Data(address),
                    });
                    indirect += usize::from(transfer.is_some() && word.is_none());
                }
                (Some(Transfer { to: Some(address), .. }), None) => {
                    targets.insert(Target::Code(address));
                }
                (Some(Transfer { is_call: false, .. }), None) if is_switch(own, at) => {}
                (Some(_), None) => {
                    let holds = |sets: &[registers::Set]| {
                        sets.get(at).is_some_and(|set| set.holds(&instruction.text))
                    };
                    indirect += usize::from(!holds(&imports));
                    if has_syscall && holds(&imports) && !holds(&others) {
                        targets.insert(system_call(own, &ways, at));
                    }
                }
                (None, None) => {}
            }
        }
        let is_trap = own.iter().any(|(_, one)| one.is_trap());
        Self { name, targets, indirect, is_trap }
    }
}

/// A call or a jump.
#[derive(Clone, Copy)]
struct Transfer {
    is_call: bool,
    /// None by way of a pointer.
    to: Option<Address>,
}

impl Instruction {
    fn transfer(&self) -> Option<Transfer> {
        let mut words = self.text.split_whitespace();
        // Before these may be a prefix.
        let kind = words.find(|word| word.starts_with("call") || word.starts_with('j'))?;
        let operand = words.next().expect("an operand");
        let to = (!operand.starts_with('*')).then(|| hexadecimal(operand).expect("an address"));
        Some(Transfer { is_call: kind.starts_with("call"), to })
    }

    /// Whether what follows it can be the next.
    fn goes_on(&self) -> bool {
        let is_end = |word| matches!(word, "jmp" | "ret" | "ud2" | "hlt" | "int3");
        !self.text.split_whitespace().any(is_end)
    }

    /// Whether it enters the kernel.
    fn is_trap(&self) -> bool {
        matches!(self.text.as_str(), "syscall" | "sysenter" | "int $0x80")
    }

    /// Whether it has to do with the register of a call's first argument.
    fn names_first_argument(&self) -> bool {
        let is_one = |rest: &str| {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
            ["rdi", "edi", "di", "dil"].contains(&&rest[..end])
        };
        self.text.split('%').skip(1).any(is_one)
    }
}

/// What a call of syscall(2) is.
fn system_call(own: &[(Address, &Instruction)], ways: &[Vec<usize>], at: usize) -> Target {
    let untold = || Target::Import("syscall".to_owned());
    first_argument(own, ways, at).map_or_else(untold, Target::SystemCall)
}

/// The number that a call passes first, where the only way to the call sets it.
fn first_argument(
    own: &[(Address, &Instruction)],
    ways: &[Vec<usize>],
    mut at: usize,
) -> Option<u64> {
    for _ in own {
        let mut before = (0..own.len()).filter(|before| ways[*before].contains(&at));
        at = before.next().filter(|_| before.next().is_none())?;
        let one = own[at].1;
        if one.transfer().is_some_and(|transfer| transfer.is_call) {
            return None;
        }
        if one.names_first_argument() {
            let number = || one.text.strip_prefix("mov $0x")?.strip_suffix(",%edi");
            let is_zero = one.text == "xor %edi,%edi";
            return if is_zero { Some(0) } else { number().and_then(hexadecimal) };
        }
    }
    None
}

/// Data that nobody changes, with the tables by which compilers jump.
struct Tables {
    start: Address,
    bytes: Vec<u8>,
}

impl Tables {
    /// Lines of an address, four groups of four bytes, and the same as text.
    fn of(objdump: &str) -> Self {
        let lines = objdump.lines().filter_map(|line| line.strip_prefix(' ')?.split_once(' '));
        let mut start = None;
        let mut bytes = Vec::new();
        for (address, line) in lines.filter_map(|(at, line)| Some((hexadecimal(at)?, line))) {
            start.get_or_insert(address);
            let digits: Vec<_> = line[..35].bytes().filter(|digit| *digit != b' ').collect();
            let byte = |two: &[u8]| u8::from_str_radix(str::from_utf8(two).ok()?, 16).ok();
            bytes.extend(digits.chunks(2).filter_map(byte));
        }
        Self { start: start.expect("a section"), bytes }
    }

    /// Where a table leads: as far as what it has is one of the `own` instructions.
    fn at(&self, table: Address, own: &[(Address, &Instruction)]) -> Vec<usize> {
        let after =
            table.checked_sub(self.start).and_then(|start| self.bytes.get(start as usize..));
        let entries = after.unwrap_or_default().chunks_exact(4);
        let distances = entries.map(|entry| i32::from_le_bytes(entry.try_into().expect("four")));
        let targets = distances.map(|distance| table.wrapping_add_signed(distance.into()));
        targets.map_while(|target| position(own, target)).collect()
    }
}

fn position(own: &[(Address, &Instruction)], address: Address) -> Option<usize> {
    own.binary_search_by_key(&address, |(address, _)| *address).ok()
}

/// Where each instruction can go on within the function. No way leads to what only an exception gets to.
fn ways(own: &[(Address, &Instruction)], tables: &Tables) -> Vec<Vec<usize>> {
    let ways = (0..own.len()).map(|at| {
        let instruction = own[at].1;
        if is_switch(own, at) {
            return switch(own, at, tables);
        }
        let next = (instruction.goes_on() && at + 1 < own.len()).then_some(at + 1);
        let jump = instruction.transfer().filter(|transfer| !transfer.is_call);
        let to = jump.and_then(|jump| position(own, jump.to?));
        next.into_iter().chain(to).collect()
    });
    ways.collect()
}

/// Where a jump by a table goes on: the table is the last one before it whose address is in the register that it is read by.
fn switch(own: &[(Address, &Instruction)], at: usize, tables: &Tables) -> Vec<usize> {
    let table = || {
        let mut before = own[..at].iter().rev().map(|(_, one)| one);
        let read = before.find_map(|one| one.text.strip_prefix("movslq (")?.split_once(','))?;
        let lea = |one: &&&Instruction| {
            one.text.starts_with("lea ") && one.text.ends_with(&format!(",{}", read.0))
        };
        before.find(lea)?.reference
    };
    let to = table().map(|table| tables.at(table, own)).unwrap_or_default();
    // Where there is no such table: anywhere.
    if to.is_empty() { (0..own.len()).collect() } else { to }
}

/// Whether a jump is into a table of distances within the function: compilers make them for nothing but that.
fn is_switch(own: &[(Address, &Instruction)], at: usize) -> bool {
    let Some((_, register)) = own[at].1.text.split_once("jmp *") else { return false };
    let added = |text: &str| text.starts_with("add ") && text.ends_with(&format!(",{register}"));
    let read = |text: &str| text.starts_with("movslq (") && text.contains(",4),");
    let mut last = own[..at].iter().rev().take(8).map(|(_, one)| one.text.as_str());
    last.any(added) && last.any(read)
}

/// Which registers hold the address of another library's function, read from the GOT: compilers do so where they call it more
/// than once.
mod registers {
    use super::{Address, Instruction};

    #[derive(Clone, Copy, PartialEq)]
    pub struct Set(u16);

    const NONE: Set = Set(0);
    const ALL: Set = Set(!0);
    const NAMES: [&[&str]; 14] = [
        &["rbx", "ebx", "bx", "bl", "bh"],
        &["rbp", "ebp", "bp", "bpl"],
        &["r12", "r12d", "r12w", "r12b"],
        &["r13", "r13d", "r13w", "r13b"],
        &["r14", "r14d", "r14w", "r14b"],
        &["r15", "r15d", "r15w", "r15b"],
        &["rdi", "edi", "di", "dil"],
        &["rsi", "esi", "si", "sil"],
        &["r8", "r8d", "r8w", "r8b"],
        &["r9", "r9d", "r9w", "r9b"],
        &["r10", "r10d", "r10w", "r10b"],
        &["rax", "eax", "ax", "al", "ah"],
        &["rcx", "ecx", "cx", "cl", "ch"],
        &["rdx", "edx", "dx", "dl", "dh"],
    ];
    /// That a call leaves alone: the first six.
    const KEPT: u16 = 0x3f;
    /// That some instructions change without naming them, none of the plain ones: rax, rcx and rdx, and cpuid rbx too.
    const HIDDEN: u16 = 0x3800;
    const PLAIN: [&str; 9] =
        ["mov", "movq", "movl", "movaps", "movups", "lea", "xor", "cmp", "test"];

    /// All that an instruction names.
    fn named(text: &str) -> Set {
        let name = |rest: &str| {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
            let at = NAMES.iter().position(|names| names.contains(&&rest[..end]));
            at.map_or(0, |at| 1 << at)
        };
        let hidden = u16::from(text == "cpuid");
        Set(text.split('%').skip(1).map(name).fold(hidden, |set, one| set | one))
    }

    impl Set {
        /// All those that a call by way of a register names.
        pub fn holds(self, text: &str) -> bool {
            let called = named(text);
            text.contains("*%") && called != NONE && self.0 & called.0 == called.0
        }
    }

    /// Whether an instruction loads one of them.
    pub fn keeps(text: &str) -> bool {
        text.starts_with("mov ") && named(text) != NONE
    }

    /// Whether an instruction copies a register that holds one to another.
    fn copies(text: &str, set: Set) -> bool {
        let operands = text.strip_prefix("mov %r").and_then(|rest| rest.split_once(",%r"));
        let held = |(from, _): (&str, _)| named(&format!("%r{from}"));
        operands.map(held).is_some_and(|from| from != NONE && set.0 & from.0 == from.0)
    }

    /// Before each instruction. A register that an instruction names holds none after it, unless that `loads` or copies one.
    pub fn with_imports(
        own: &[(Address, &Instruction)],
        ways: &[Vec<usize>],
        loads: impl Fn(&Instruction) -> bool,
    ) -> Vec<Set> {
        // What fills the room before a loop runs only on the way to it.
        let filler = |one: &Instruction| one.text.contains("nop") || one.text == "xchg %ax,%ax";
        let mut sets: Vec<_> =
            own.iter().map(|(_, one)| if filler(one) { ALL } else { NONE }).collect();
        for &next in ways.iter().flatten().filter(|&&next| next != 0) {
            sets[next] = ALL;
        }
        let mut changed = true;
        while changed {
            changed = false;
            for (at, (_, one)) in own.iter().enumerate() {
                let named = named(&one.text).0;
                let is_plain = PLAIN.iter().any(|plain| one.text.split(' ').next() == Some(plain));
                let after = Set(match one.transfer() {
                    Some(transfer) if transfer.is_call => sets[at].0 & KEPT,
                    Some(_) => sets[at].0,
                    None if loads(one) || copies(&one.text, sets[at]) => sets[at].0 | named,
                    None if is_plain => sets[at].0 & !named,
                    None => sets[at].0 & !(named | HIDDEN),
                });
                for &next in &ways[at] {
                    let both = Set(sets[next].0 & after.0);
                    changed |= both != sets[next];
                    sets[next] = both;
                }
            }
        }
        sets
    }
}

fn output(program: &str, arguments: &[&str], library: &Path) -> String {
    let mut command = Command::new(program);
    command.args(arguments).arg(library).env("LC_ALL", "C");
    String::from_utf8(super::run(command).stdout).expect("text")
}

fn hexadecimal(text: &str) -> Option<Address> {
    Address::from_str_radix(text, 16).ok()
}

/// Place, information, kind, and then a symbol's value and its name with an addend, or an addend alone.
fn relocations(readelf: &str) -> BTreeMap<Address, Target> {
    let mut words = BTreeMap::new();
    for line in readelf.lines() {
        let fields: Vec<_> = line.split_whitespace().collect();
        let (place, target) = match fields[..] {
            [place, _, "R_X86_64_RELATIVE", addend] => {
                (place, Target::Data(hexadecimal(addend).expect("an addend")))
            }
            [place, _, kind, value, name, "+", "0"] if kind.starts_with("R_X86_64_") => {
                let name = name.split('@').next().expect("first part");
                let value = hexadecimal(value).expect("a value");
                let import = || Target::Import(name.to_owned());
                (place, if value == 0 { import() } else { Target::Data(value) })
            }
            [place, _, "R_X86_64_DTPMOD64", "0"] => (place, Target::ThreadLocal),
            [place, _, "R_X86_64_TPOFF64", _] => (place, Target::ThreadLocal),
            [_, _, kind, ..] if kind.starts_with("R_") => panic!("what is this? {line}"),
            _ => continue,
        };
        words.insert(hexadecimal(place).expect("a place"), target);
    }
    words
}

/// Those that nobody can change once the loader has filled them in, as they are write-protected then.
fn fixed(words: &BTreeMap<Address, Target>, segments: &str) -> BTreeMap<Address, Target> {
    let segment = segments.lines().find(|line| line.contains("GNU_RELRO")).expect("one");
    let numbers: Vec<_> =
        segment.split_whitespace().map(|field| field.strip_prefix("0x")).collect();
    let number = |at: usize| numbers[at].and_then(hexadecimal).expect("a number");
    // Its kind, its place in the file, and here; once more; and how long it is there, and here.
    let (start, length) = (number(2), number(5));
    words.range(start..start + length).map(|(place, target)| (*place, target.clone())).collect()
}

/// By address; and the symbols above them.
fn instructions(objdump: &str) -> (BTreeMap<Address, Instruction>, BTreeMap<Address, String>) {
    let mut instructions = BTreeMap::new();
    let mut headings = BTreeMap::new();
    for line in objdump.lines() {
        if let Some((address, name)) = line.strip_suffix(">:").and_then(|l| l.split_once(" <")) {
            headings.insert(hexadecimal(address).expect("an address"), name.to_owned());
        } else if let Some((address, text)) = line.split_once(":\t") {
            let (text, about) = text.split_once('#').unwrap_or((text, ""));
            let reference = about.split_whitespace().next().and_then(hexadecimal);
            let address = hexadecimal(address.trim()).expect("an address");
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            instructions.insert(address, Instruction { text, reference });
        }
    }
    assert!(instructions.len() > 1000, "{objdump}");
    (instructions, headings)
}

struct Symbol {
    start: Address,
    end: Address,
    name: String,
}

/// Those that have a size.
fn symbols(nm: &str) -> Vec<Symbol> {
    let symbol = |line: &str| {
        let (start, rest) = line.split_once(' ')?;
        let (size, rest) = rest.split_once(' ')?;
        let (_kind, name) = rest.split_once(' ')?;
        let (start, size) = (hexadecimal(start)?, hexadecimal(size).filter(|_| size.len() == 16)?);
        Some(Symbol { start, end: start.checked_add(size)?, name: name.to_owned() })
    };
    nm.lines().filter_map(symbol).collect()
}

/// Where each function ends, by where it begins. Code that belongs to no symbol of known size is that of the symbol above it.
fn extents(
    symbols: &[Symbol],
    headings: &BTreeMap<Address, String>,
    instructions: &BTreeMap<Address, Instruction>,
) -> BTreeMap<Address, (Address, String)> {
    let mut extents = BTreeMap::new();
    for symbol in symbols.iter().filter(|symbol| instructions.contains_key(&symbol.start)) {
        extents.insert(symbol.start, (symbol.end, symbol.name.clone()));
    }
    for (&start, name) in headings {
        let within = extents.range(..=start).next_back().is_some_and(|(_, (end, _))| start < *end);
        if !within {
            let end = headings.range((Excluded(start), Unbounded)).next();
            let end = end.map_or(Address::MAX, |(end, _)| *end);
            extents.insert(start, (end, name.clone()));
        }
    }
    extents
}
