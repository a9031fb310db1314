//! A look at the bare text: refuses brackets nested so deep that the parser would recurse without end, before the
//! parser sees them.

use async_graphql::Pos;

use crate::rejection::{Rejection, RejectionKind};

/// Refuses brackets that are nested too deep. Strings and comments are skipped exactly as the grammar reads them, so
/// that no bracket can hide in one.
pub(crate) fn check_bracket_depth(source: &str, brackets: usize) -> Result<(), Rejection> {
    let bytes = source.as_bytes();
    let mut at = 0;
    let mut open = 0_usize;
    while let Some(byte) = bytes.get(at) {
        at = match byte {
            b'#' => find_end_of_line(bytes, at),
            b'"' => find_end_of_string(bytes, at).ok_or_else(|| {
                Rejection::new(RejectionKind::ParseFailed, "A string is never closed.")
                    .at_location(position_of_byte(source, at))
            })?,
            _ => at + 1,
        };
        match byte {
            b'{' | b'[' | b'(' => open += 1,
            b'}' | b']' | b')' => open = open.saturating_sub(1),
            _ => {}
        }
        if open > brackets {
            let message =
                format!("The document nests brackets deeper than {brackets}, the most allowed.");
            return Err(Rejection::new(RejectionKind::TooComplex, message)
                .at_location(position_of_byte(source, at - 1)));
        }
    }
    Ok(())
}

fn find_end_of_line(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.iter().skip(start);
    start
        + rest
            .take_while(|byte| !matches!(byte, b'\n' | b'\r'))
            .count()
}

fn find_end_of_string(bytes: &[u8], start: usize) -> Option<usize> {
    if starts_with(bytes, start, b"\"\"\"") {
        return find_end_of_block_string(bytes, start + 3);
    }
    let mut at = start + 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            b'\n' | b'\r' => return None,
            _ => at += 1,
        }
    }
}

fn find_end_of_block_string(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    while at < bytes.len() {
        if starts_with(bytes, at, b"\"\"\"") {
            return Some(at + 3);
        }
        at += if starts_with(bytes, at, b"\\\"\"\"") {
            4
        } else {
            1
        };
    }
    None
}

fn starts_with(bytes: &[u8], at: usize, what: &[u8]) -> bool {
    bytes.get(at..).is_some_and(|rest| rest.starts_with(what))
}

/// Line and column of a byte, both from one, as the parser counts them.
fn position_of_byte(source: &str, at: usize) -> Pos {
    let before = source.get(..at).unwrap_or(source);
    let line = before.rsplit('\n').next().unwrap_or(before);
    Pos {
        line: before.matches('\n').count() + 1,
        column: line.chars().count() + 1,
    }
}
