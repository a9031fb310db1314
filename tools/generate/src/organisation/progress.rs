//! Progress of long work on standard error; nothing is shown for the first moments.
//!
//! By hand because the tests compile this too, and would need a progress bar's crate for a line that they never show.

use std::{
    io::{IsTerminal, Write},
    time::{Duration, Instant},
};

/// Rows written so far, of an estimated total.
#[derive(Debug)]
pub(super) struct Progress {
    stage: &'static str,
    done: usize,
    total: usize,
    began: Instant,
    shown: Instant,
    /// On a terminal one line is overwritten; elsewhere each is a line of its own, and they are rarer.
    terminal: bool,
}

impl Progress {
    pub(super) fn new(total: usize) -> Self {
        let now = Instant::now();
        Self {
            stage: "",
            done: 0,
            total,
            began: now,
            shown: now,
            terminal: std::io::stderr().is_terminal(),
        }
    }

    pub(super) fn begin_stage(&mut self, stage: &'static str) {
        self.stage = stage;
    }

    pub(super) fn add_rows(&mut self, rows: usize) {
        self.done += rows;
        let pause = Duration::from_millis(if self.terminal { 200 } else { 2_000 });
        if self.shown.elapsed() >= pause {
            self.show();
        }
    }

    fn show(&mut self) {
        self.shown = Instant::now();
        let line = format!(
            "{}: {} of about {} rows, {} rows a second",
            self.stage,
            self.done,
            self.total,
            (self.done as f64 / self.began.elapsed().as_secs_f64().max(0.001)) as u64
        );
        let mut out = std::io::stderr().lock();
        // A closed standard error is no reason to stop the work.
        let _ = if self.terminal {
            write!(out, "\r{line:<78}")
        } else {
            writeln!(out, "{line}")
        };
        let _ = out.flush();
    }

    /// Shows the last line; returns the rows written and the time since the beginning.
    pub(super) fn finish(mut self) -> (usize, Duration) {
        if self.began.elapsed() > Duration::from_secs(2) {
            self.show();
            if self.terminal {
                eprintln!();
            }
        }
        (self.done, self.began.elapsed())
    }
}
