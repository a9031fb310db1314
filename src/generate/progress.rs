//! Says on standard error how far long work has come; quiet for what takes no time.

use std::{
    io::{IsTerminal, Write},
    time::{Duration, Instant},
};

/// How far the work has come.
#[derive(Debug)]
pub(super) struct Progress {
    stage: &'static str,
    done: usize,
    total: usize,
    began: Instant,
    said: Instant,
    /// On a terminal one line is written over and over; in a file each stands for itself, and they are rarer.
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
            said: now,
            terminal: std::io::stderr().is_terminal(),
        }
    }

    pub(super) fn stage(&mut self, stage: &'static str) {
        self.stage = stage;
    }

    /// So many more rows are written.
    pub(super) fn add(&mut self, rows: usize) {
        self.done += rows;
        let pause = Duration::from_millis(if self.terminal { 200 } else { 2_000 });
        if self.said.elapsed() >= pause {
            self.say();
        }
    }

    fn say(&mut self) {
        self.said = Instant::now();
        let line = format!(
            "{}: {} of about {} rows, {} rows a second",
            self.stage,
            self.done,
            self.total,
            (self.done as f64 / self.began.elapsed().as_secs_f64().max(0.001)) as u64
        );
        let mut out = std::io::stderr().lock();
        // That nobody reads it is no reason to stop the work.
        let _ = if self.terminal {
            write!(out, "\r{line:<78}")
        } else {
            writeln!(out, "{line}")
        };
        let _ = out.flush();
    }

    /// The last word: rows written, and seconds.
    pub(super) fn finish(mut self) -> (usize, Duration) {
        if self.began.elapsed() > Duration::from_secs(2) {
            self.say();
            if self.terminal {
                eprintln!();
            }
        }
        (self.done, self.began.elapsed())
    }
}
