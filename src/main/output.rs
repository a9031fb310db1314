//! What the commands print. A reader that has seen enough, such as `head`, closes the pipe: what is left then goes
//! nowhere, quietly, as with other tools.

use std::{
    fmt,
    io::{self, Write},
};

/// Prints a line to standard output.
macro_rules! say {
    ($($text:tt)*) => {
        crate::output::write_line(format_args!($($text)*))?
    };
}

/// Prints a line to standard error, where somebody still reads it.
macro_rules! note {
    ($($text:tt)*) => {
        crate::output::write_note(format_args!($($text)*))
    };
}

pub(crate) use {note, say};

/// Writes a line to standard output.
///
/// # Errors
/// Those of writing, but for a closed pipe.
pub(crate) fn write_line(text: fmt::Arguments<'_>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    accept_closed_pipe(out.write_fmt(text).and_then(|()| out.write_all(b"\n")))
}

/// Writes a text to standard output as it is.
///
/// # Errors
/// Those of [`write_line`].
pub(crate) fn write_text(text: &str) -> io::Result<()> {
    accept_closed_pipe(io::stdout().lock().write_all(text.as_bytes()))
}

fn accept_closed_pipe(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Writes a line to standard error. A failure is told nobody: there is nowhere else to tell it.
pub(crate) fn write_note(text: fmt::Arguments<'_>) {
    drop(writeln!(io::stderr(), "{text}"));
}
