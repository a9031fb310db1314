//! Sheets as strangers send them, of measurements and of touchpoints, up to where they would be written: whatever comes
//! is read or refused, at its line, in time and memory in proportion to its length.

#![no_main]

mod bound;
mod demo;

use std::sync::OnceLock;

use cx_blueprint::{
    document::table::TouchpointTable,
    error::{Error, Result, UserError},
    kpi::sheet::{BOUNDS, SheetReferences, check_sheet},
    sheet::{Dialect, SheetReader},
};
use libfuzzer_sys::fuzz_target;

/// Faults of one sheet that are told at the most, with the sentence that there are more.
const MOST_FAULTS: usize = 201;
/// Longest sentence, in characters: the longest names every column that there is.
const SENTENCE: usize = 600;

fuzz_target!(init: known(), |bytes: &[u8]| {
    bound::within(bytes.len(), || sheet(bytes));
});

/// What a sheet may name, read by the first who asks.
fn known() -> &'static SheetReferences {
    static KNOWN: OnceLock<SheetReferences> = OnceLock::new();
    KNOWN.get_or_init(|| {
        demo::once(async |caller, _| SheetReferences::load(caller).await.expect("names"))
    })
}

fn sheet(bytes: &[u8]) {
    refused(TouchpointTable::read(bytes).map(|_| ()));
    for dialect in [None, Some(Dialect::Comma), Some(Dialect::ExcelDa)] {
        refused(figures(bytes, dialect));
    }
}

fn figures(bytes: &[u8], dialect: Option<Dialect>) -> Result<()> {
    let reader = SheetReader::open_as(bytes, BOUNDS, dialect)?;
    let (_, faults) = check_sheet(reader, known())?;
    faults.check()
}

/// A refusal is told in sentences, not too many, and each says at which line.
fn refused(read: Result<()>) {
    let Err(error) = read else { return };
    let faults: std::result::Result<Vec<UserError>, Error> = error.into_user_errors();
    let faults = faults.unwrap_or_else(|error| panic!("the program's own fault: {error}"));
    assert!((1..=MOST_FAULTS).contains(&faults.len()));
    for (at, fault) in faults.iter().enumerate() {
        let length = fault.message.chars().count();
        assert!((2..SENTENCE).contains(&length), "{}", fault.message);
        let more = at + 1 == MOST_FAULTS;
        let placed = fault.message.starts_with("Line ") && !fault.field.is_empty();
        assert!(more || placed, "{}", fault.message);
    }
}
