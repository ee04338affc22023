//! The state of every signal, for people and for programs: a snapshot, then a line for each, written one by one.

use crate::async_safe::pending::PENDING;
use crate::async_safe::{channel, deliveries, poke};
use crate::runtime::error::{Error, Result};
use crate::runtime::handler::Handler;
use crate::runtime::state::{self, State};
use crate::runtime::text::Text;
use crate::runtime::{dispositions, main_thread};
use crate::sys::signals;
use crate::sys::sigset::{self, rsig_sigset_t};
use crate::sys::{mask, write};
use libc::c_int;
use std::fmt;

/// A line for people under a heading.
pub(crate) fn table(fd: c_int) -> Result<()> {
    let rows = snapshot()?;
    line(fd, format_args!("{HEADING}\n"))?;
    rows.iter().flatten().try_for_each(|row| line(fd, format_args!("{row}\n")))
}

/// A line of JSON.
pub(crate) fn json(fd: c_int) -> Result<()> {
    let rows = snapshot()?;
    rows.iter().flatten().try_for_each(|row| line(fd, format_args!("{}\n", Json(row))))
}

fn line(fd: c_int, text: fmt::Arguments<'_>) -> Result<()> {
    write::all(fd, Text::format(text).as_bytes())
        .map_err(|errno| Error::os(errno, format_args!("cannot write to the descriptor {fd}")))
}

struct Row {
    signum: c_int,
    disposition: Shown,
    blocked: bool,
    pending: bool,
    tripped: bool,
    deliveries: u64,
    channels: u32,
    is_poke: bool,
}

/// In rsig_getsignal()'s terms.
enum Shown {
    Default,
    Ignored,
    Rsig { restarts: bool },
    Foreign { restarts: bool },
}

type Rows = [Option<Row>; signals::COUNT];

/// All before the first line is written: that may take long, and must not be done with the lock held.
fn snapshot() -> Result<Rows> {
    main_thread::require_init()?;
    let read = |set: nix::Result<rsig_sigset_t>| {
        set.map_err(|errno| Error::os(errno, format_args!("cannot read a set of signals")))
    };
    let (blocked, pending) = (read(mask::get())?, read(mask::pending())?);
    let tripped = PENDING.tripped();
    let mut rows = [const { None }; signals::COUNT];
    let state = state::lock();
    for (row, signum) in rows.iter_mut().zip(1..) {
        let is_in = |set: rsig_sigset_t| set & sigset::one(signum) != 0;
        if is_in(signals::valid()) {
            let (disposition, is_poke) = state.shown(signum)?;
            *row = Some(Row {
                signum,
                disposition,
                blocked: is_in(blocked),
                pending: is_in(pending),
                tripped: is_in(tripped),
                deliveries: deliveries::get(signum),
                channels: channel::listeners(signum),
                is_poke,
            });
        }
    }
    Ok(rows)
}

impl State {
    /// And whether it is a signal that rsig pokes its main thread with, and still has its handler.
    fn shown(&self, signum: c_int) -> Result<(Shown, bool)> {
        let found = dispositions::get(signum)?;
        let restarts = found.restarts();
        let Some(action) = self.own_action(signum, &found) else {
            let foreign = match found.handler() {
                libc::SIG_DFL => Shown::Default,
                libc::SIG_IGN => Shown::Ignored,
                _ => Shown::Foreign { restarts },
            };
            return Ok((foreign, false));
        };
        let own = match action.handler() {
            Handler::Default => Shown::Default,
            Handler::Ignore => Shown::Ignored,
            // A channel has displaced it, and passes deliveries on.
            Handler::Foreign => Shown::Foreign { restarts },
            _ => Shown::Rsig { restarts },
        };
        Ok((own, poke::is_taken(signum)))
    }
}

impl Shown {
    fn word(&self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Ignored => "ignored",
            Self::Rsig { .. } => "rsig",
            Self::Foreign { .. } => "foreign",
        }
    }

    fn restarts(&self) -> bool {
        matches!(self, Self::Rsig { restarts: true } | Self::Foreign { restarts: true })
    }
}

impl Row {
    fn name(&self) -> &'static str {
        signals::name(self.signum).and_then(|name| name.to_str().ok()).unwrap_or("?")
    }

    fn note(&self) -> Option<&'static str> {
        self.is_poke.then_some("rsig interrupts its main thread with it")
    }
}

/// A new column goes before the note, which is the only text of several words.
const HEADING: &str =
    "NO NAME         DISPOSITION RESTART BLOCKED PENDING TRIPPED DELIVERIES CHANNELS NOTE";

impl fmt::Display for Row {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let yes = |fact| if fact { "yes" } else { "-" };
        write!(
            out,
            "{:2} {:12} {:11} {:7} {:7} {:7} {:7} {:>10} {:>8} {}",
            self.signum,
            self.name(),
            self.disposition.word(),
            yes(self.disposition.restarts()),
            yes(self.blocked),
            yes(self.pending),
            yes(self.tripped),
            self.deliveries,
            self.channels,
            self.note().unwrap_or("-")
        )
    }
}

/// No string here needs an escape.
struct Json<'a>(&'a Row);

impl fmt::Display for Json<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(row) = self;
        write!(out, "{{\"signum\":{},\"name\":\"{}\"", row.signum, row.name())?;
        write!(out, ",\"disposition\":\"{}\"", row.disposition.word())?;
        write!(out, ",\"restart\":{}", row.disposition.restarts())?;
        write!(out, ",\"blocked\":{},\"pending\":{}", row.blocked, row.pending)?;
        write!(out, ",\"tripped\":{},\"deliveries\":{}", row.tripped, row.deliveries)?;
        write!(out, ",\"channels\":{}", row.channels)?;
        match row.note() {
            Some(note) => write!(out, ",\"note\":\"{note}\"}}"),
            None => out.write_str(",\"note\":null}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_lines_are_whole() {
        let row = Row {
            signum: signals::MAX,
            disposition: Shown::Foreign { restarts: true },
            blocked: false,
            pending: false,
            tripped: false,
            deliveries: u64::MAX,
            channels: 256,
            is_poke: true,
        };
        for text in
            [Text::format(format_args!("{row}\n")), Text::format(format_args!("{}\n", Json(&row)))]
        {
            // Room for the one name that is longer.
            assert!(text.as_bytes().ends_with(b"\n") && text.as_bytes().len() < 248);
        }
    }
}
