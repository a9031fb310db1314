//! Feedback by the sheet: answers as a system that asks customers writes them out, all or none. What can be right, and
//! what recording means, is what it is for the batch; every fault is told at its line and column.

use std::{
    borrow::Cow,
    collections::{HashMap, hash_map::Entry as Slot},
    io::Read,
};

use async_graphql::ID;
use entity::{
    blueprint, channel,
    id::{BlueprintId, ChannelId, Id, PersonaId, SegmentId, TouchpointId},
    persona, segment,
    words::{FeedbackScale, FollowUpCause},
};
use tokio::task::spawn_blocking;

use super::record::{AnswersRecorded, FeedbackInput, FeedbackWithFollowUp, record_within_permit};
use crate::{
    access::Caller,
    error::{Error, Result, UserError, UserErrorCode},
    input::Faults,
    intake::KeyIndex,
    sheet::{self, CellRef, SheetBounds, SheetReader, SheetRow, SpooledSheet},
};

/// The columns, as they are named in what is asked for.
const COLUMNS: &[&str] = &[
    "external_id",
    "scale",
    "score",
    "touchpoint",
    "blueprint",
    "persona",
    "answered_on",
    "answered_at",
    "met_on",
    "respondent",
    "contact",
    "comment",
    "channel",
    "segment",
    "cause",
];

/// What some of them are called by the batch.
const ALIASES: &[(&str, &str)] = &[
    ("touchpointid", "touchpoint"),
    ("blueprintid", "blueprint"),
    ("personaid", "persona"),
    ("channelid", "channel"),
    ("segmentid", "segment"),
];

/// The columns that there have to be.
const NEEDED: &[&str] = &["scale", "score"];

/// How large a sheet may be: all of it is held while it is recorded.
const BOUNDS: SheetBounds = SheetBounds::with_short_rows(10_000);
/// Bytes of the longest sheet.
pub const LONGEST: u64 = 32 << 20;

/// What became of a sheet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnswersImported {
    /// Its rows.
    pub rows: usize,
    /// What became of them.
    pub done: AnswersRecorded,
}

/// Records what a sheet says, or tells what would become of it.
pub async fn import(
    caller: &Caller,
    sheet: SpooledSheet,
    dry_run: bool,
) -> Result<AnswersImported> {
    let known = AnswerSheetIdsByKey::load(caller).await?;
    // Reading a file blocks, and 10,000 rows take longer than a thread that answers requests can spare.
    let read = spawn_blocking(move || AnswerSheet::read(&sheet, &known));
    let (said, mut faults) = read.await.map_err(Error::internal)??;
    let AnswerSheet {
        columns,
        rows,
        answers,
        places,
    } = said;
    let mut permit = caller.open_permit_without_check().await?;
    // Also after faults of cells: what is wrong with the answers that could be read is told in the same answer.
    let recorded = record_within_permit(&mut permit, answers).await;
    let done = match recorded {
        Ok(done) => done,
        Err(Error::Refused(found)) => {
            locate_faults(found, &columns, &places, &mut faults);
            AnswersRecorded::default()
        }
        Err(error) => return Err(error),
    };
    faults.check()?;
    if !dry_run {
        permit.commit().await?;
    }
    Ok(AnswersImported { rows, done })
}

/// Tells faults of a batch where they stand in the sheet that it was made of.
fn locate_faults(
    found: Vec<UserError>,
    columns: &sheet::SheetColumns,
    rows: &[CellRef],
    faults: &mut Faults,
) {
    for fault in found {
        let mut path = fault.field.iter().skip(1);
        let at = path.next().and_then(|at| at.parse::<usize>().ok());
        let Some(row) = at.and_then(|at| rows.get(at)) else {
            // A fault of the batch as a whole has no row.
            faults.add_under_path("", vec![fault]);
            continue;
        };
        let place = match path.next().map(|field| column_of_field(field)) {
            Some(name) => columns.cell_ref_at(row, name),
            None => row.clone(),
        };
        place.add_fault(fault.code, name_columns(&fault.message), faults);
    }
}

/// A message about the batch, with the fields between its backticks named as the columns are.
fn name_columns(message: &str) -> String {
    let parts = message.split('`').enumerate();
    let parts = parts.map(|(at, part)| {
        if at % 2 == 0 {
            part
        } else {
            column_of_field(part)
        }
    });
    parts.collect::<Vec<_>>().join("`")
}

/// The column of a field of the batch.
fn column_of_field(field: &str) -> &str {
    match field {
        "externalId" => "external_id",
        "touchpointId" => "touchpoint",
        "blueprintId" => "blueprint",
        "personaId" => "persona",
        "channelId" => "channel",
        "segmentId" => "segment",
        "answeredOn" => "answered_on",
        "answeredAt" => "answered_at",
        "metOn" => "met_on",
        same => same,
    }
}

/// What a sheet may name.
struct AnswerSheetIdsByKey {
    touchpoints: KeyIndex<TouchpointId>,
    blueprints: KeyIndex<BlueprintId>,
    personas: KeyIndex<PersonaId>,
    channels: KeyIndex<ChannelId>,
    segments: KeyIndex<SegmentId>,
}

impl AnswerSheetIdsByKey {
    /// Everything that the caller may see.
    async fn load(caller: &Caller) -> Result<Self> {
        Ok(Self {
            touchpoints: KeyIndex::load_visible_touchpoints(caller).await?,
            blueprints: KeyIndex::load_visible::<blueprint::Entity>(caller).await?,
            personas: KeyIndex::load_visible::<persona::Entity>(caller).await?,
            channels: KeyIndex::load_visible::<channel::Entity>(caller).await?,
            segments: KeyIndex::load_visible::<segment::Entity>(caller).await?,
        })
    }
}

/// All that was read of a sheet.
struct AnswerSheet {
    columns: sheet::SheetColumns,
    rows: usize,
    answers: Vec<FeedbackWithFollowUp>,
    /// The row of each answer.
    places: Vec<CellRef>,
}

impl AnswerSheet {
    /// Reads a sheet, with every fault of its cells.
    fn read(sheet: &SpooledSheet, known: &AnswerSheetIdsByKey) -> Result<(Self, Faults)> {
        let mut faults = Faults::default();
        let mut reader = sheet.read(BOUNDS)?;
        let columns = reader.find_columns_with_aliases(COLUMNS, ALIASES, &mut faults);
        columns.add_missing_column_faults(NEEDED, &mut faults);
        let mut said = Self {
            columns,
            rows: 0,
            answers: Vec::new(),
            places: Vec::new(),
        };
        // Under headings that are wrong everything would be.
        if faults.is_empty() {
            said.read_rows(&mut reader, known, &mut faults)?;
        }
        Ok((said, faults))
    }

    fn read_rows<R: Read>(
        &mut self,
        reader: &mut SheetReader<R>,
        known: &AnswerSheetIdsByKey,
        faults: &mut Faults,
    ) -> Result<()> {
        let mut met: HashMap<String, u64> = HashMap::new();
        for row in reader {
            let row = match row {
                Ok(row) => row,
                Err(error) => {
                    faults.add_under_path("", error.into_user_errors()?);
                    continue;
                }
            };
            self.rows += 1;
            let Some(answer) = read_answer(&self.columns, &row, known, faults) else {
                continue;
            };
            if let Some(external) = &answer.external_id {
                match met.entry(external.trim().to_owned()) {
                    Slot::Vacant(slot) => {
                        slot.insert(row.place.line);
                    }
                    Slot::Occupied(first) => {
                        let message =
                            format!("This external id stands on line {} too.", first.get());
                        let place = self.columns.cell_ref(&row, "external_id");
                        place.add_fault(UserErrorCode::Duplicate, message, faults);
                        continue;
                    }
                }
            }
            self.answers.push(answer.into());
            self.places.push(row.place);
        }
        Ok(())
    }
}

/// Reads a row; nothing where it does not say what was answered.
fn read_answer(
    columns: &sheet::SheetColumns,
    row: &SheetRow,
    known: &AnswerSheetIdsByKey,
    faults: &mut Faults,
) -> Option<FeedbackInput> {
    let cell = |name| columns.cell(row, name);
    let filled = |name, faults: &mut Faults| cell(name).filter(|cell| cell.require_filled(faults));
    let scale = filled("scale", faults)
        .and_then(|cell| cell.parse_word(FeedbackScale::ALL, FeedbackScale::as_str, faults));
    let score = filled("score", faults).and_then(|cell| cell.parse_integer(faults));
    let text = |name, faults: &mut Faults| {
        cell(name)
            .and_then(|cell| cell.parse_text(faults))
            .map(Cow::into_owned)
    };
    let answered_on = cell("answered_on").and_then(|cell| cell.parse_day(faults));
    let answered_at = cell("answered_at").and_then(|cell| cell.parse_moment(faults));
    let met_on = cell("met_on").and_then(|cell| cell.parse_day(faults));
    // What could not be read has been found fault with; that it is not said is told of those that are empty.
    let unread = |name, read: bool| cell(name).is_some_and(|cell| !cell.is_empty()) && !read;
    let moment_unread = unread("answered_on", answered_on.is_some())
        || unread("answered_at", answered_at.is_some());
    let input = FeedbackInput {
        external_id: text("external_id", faults),
        // A stand-in: the row is left out below, once all of its cells have been read for faults.
        scale: scale.unwrap_or(FeedbackScale::Nps),
        score: score.unwrap_or_default(),
        touchpoint_id: find_id_of_key_cell(
            columns,
            row,
            ("touchpoint", &known.touchpoints),
            faults,
        ),
        blueprint_id: find_id_of_key_cell(columns, row, ("blueprint", &known.blueprints), faults),
        persona_id: find_id_of_key_cell(columns, row, ("persona", &known.personas), faults),
        answered_on: answered_on.map(Into::into),
        answered_at,
        respondent: text("respondent", faults),
        contact: text("contact", faults),
        comment: text("comment", faults),
        channel_id: find_id_of_key_cell(columns, row, ("channel", &known.channels), faults),
        segment_id: find_id_of_key_cell(columns, row, ("segment", &known.segments), faults),
        met_on: met_on.map(Into::into),
        cause: cell("cause")
            .filter(|cell| !cell.is_empty())
            .and_then(|cell| cell.parse_word(FollowUpCause::ALL, FollowUpCause::as_str, faults)),
    };
    (scale.is_some() && score.is_some() && !moment_unread).then_some(input)
}

fn find_id_of_key_cell<I: Id + std::hash::Hash + sea_orm::TryGetable>(
    columns: &sheet::SheetColumns,
    row: &SheetRow,
    (column, names): (&str, &KeyIndex<I>),
    faults: &mut Faults,
) -> Option<ID> {
    let cell = columns.cell(row, column)?;
    let id = names.resolve_cell(&cell, faults)?;
    Some(ID(id.to_string()))
}
