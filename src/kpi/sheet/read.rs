//! One row of a sheet of measurements: what its cells name and say, and every fault of it at its line and column.

use std::collections::HashMap;

use chrono::NaiveDate;
use entity::{
    channel,
    id::{ChannelId, KpiId, SegmentId, TouchpointId},
    kpi, segment,
};

use super::super::{
    measurement::{MeasurementContent, MeasurementKey, measured_day_fault},
    record::complete_recorded_figures,
    rules::{FigureFault, GivenFigures},
};
use crate::{
    access::Caller,
    error::Result,
    input::Faults,
    intake::KeyIndex,
    sheet::{self, SheetBounds, SheetCell, SheetReader, SheetRow},
};

/// The columns, as they are named in what is asked for.
const COLUMNS: &[&str] = &[
    "kpi",
    "measured_on",
    "value",
    "numerator",
    "denominator",
    "sample_size",
    "touchpoint",
    "channel",
    "segment",
    "source",
];

/// What the feed of measurements calls them, so that what comes out of it goes in again.
const ALIASES: &[(&str, &str)] = &[
    ("kpikey", "kpi"),
    ("kpiid", "kpi"),
    ("touchpointid", "touchpoint"),
    ("channelid", "channel"),
    ("segmentid", "segment"),
];

/// The columns that there have to be.
const NEEDED: &[&str] = &["kpi", "measured_on"];

/// Those of which a sheet may have all in place of `value`.
const PARTS: [&str; 2] = ["numerator", "denominator"];

/// How large a sheet may be: years of every KPI of a large organisation, as programs write them.
pub const BOUNDS: SheetBounds = SheetBounds::with_short_rows(5_000_000);

/// What a sheet may name.
pub struct SheetReferences {
    names: KeyIndex<KpiId>,
    kpis: HashMap<KpiId, kpi::Model>,
    touchpoints: KeyIndex<TouchpointId>,
    channels: KeyIndex<ChannelId>,
    segments: KeyIndex<SegmentId>,
    today: NaiveDate,
}

impl SheetReferences {
    /// Everything that the caller may see.
    pub async fn load(caller: &Caller) -> Result<Self> {
        let kpis = caller
            .select::<kpi::Entity>()
            .all(caller.connection())
            .await?;
        Ok(Self {
            names: KeyIndex::load_visible::<kpi::Entity>(caller).await?,
            kpis: kpis.into_iter().map(|kpi| (kpi.id, kpi)).collect(),
            touchpoints: KeyIndex::load_visible_touchpoints(caller).await?,
            channels: KeyIndex::load_visible::<channel::Entity>(caller).await?,
            segments: KeyIndex::load_visible::<segment::Entity>(caller).await?,
            today: caller.today,
        })
    }

    /// The KPI with this id.
    pub fn kpi(&self, id: KpiId) -> Option<&kpi::Model> {
        self.kpis.get(&id)
    }
}

/// Where the columns of a sheet stand.
pub(super) struct MeasurementColumns(sheet::SheetColumns);

/// What a row says: the KPI as soon as it is known, all of it where its day and place are.
#[derive(Default)]
pub(super) struct ParsedMeasurement {
    pub kpi: Option<KpiId>,
    pub entry: Option<(MeasurementKey, MeasurementContent)>,
}

impl MeasurementColumns {
    /// The columns of a sheet, those that it lacks found fault with.
    pub(super) fn from_header<R: std::io::Read>(
        reader: &SheetReader<R>,
        faults: &mut Faults,
    ) -> Self {
        let columns = reader.find_columns_with_aliases(COLUMNS, ALIASES, faults);
        columns.add_missing_column_faults(NEEDED, faults);
        if !PARTS.iter().all(|name| columns.has(name)) {
            columns.add_missing_column_faults(&["value"], faults);
        }
        Self(columns)
    }

    /// Reads a row.
    pub(super) fn read_row(
        &self,
        row: &SheetRow,
        known: &SheetReferences,
        faults: &mut Faults,
    ) -> ParsedMeasurement {
        let cell = |name| self.0.cell(row, name);
        let filled =
            |name, faults: &mut Faults| cell(name).filter(|cell| cell.require_filled(faults));
        let kpi = filled("kpi", faults).and_then(|cell| known.names.resolve_cell(&cell, faults));
        let day = filled("measured_on", faults).and_then(|cell| cell.parse_day(faults));
        // Nothing where it is no number: of such a row it is not said besides that a number is missing.
        let number = |name, faults: &mut Faults| match cell(name) {
            Some(cell) if !cell.is_empty() => cell.parse_number(faults).map(Some),
            _ => Some(None),
        };
        let value = number("value", faults);
        let numerator = number("numerator", faults);
        let denominator = number("denominator", faults);
        let sample_size = cell("sample_size").and_then(|cell| cell.parse_integer(faults));
        let source = cell("source").and_then(|cell| parse_source_cell(&cell, faults));
        let touchpoint = parse_reference_cell(cell("touchpoint"), &known.touchpoints, faults);
        let channel = parse_reference_cell(cell("channel"), &known.channels, faults);
        let segment = parse_reference_cell(cell("segment"), &known.segments, faults);
        let wrong = day.and_then(|day| measured_day_fault(day, known.today));
        self.add_faults(row, wrong, faults);
        let given = || {
            Some(GivenFigures {
                value: value?,
                numerator: numerator?,
                denominator: denominator?,
                sample_size,
            })
        };
        let figures = kpi
            .and_then(|id| known.kpi(id))
            .zip(given())
            .map(|(kpi, given)| {
                let (figures, wrong) = complete_recorded_figures(kpi, &given);
                self.add_faults(row, wrong, faults);
                figures
            });
        let entry = || {
            let key = MeasurementKey {
                kpi: kpi?,
                touchpoint: touchpoint?,
                channel: channel?,
                segment: segment?,
                measured_on: day?,
            };
            let figures = figures?;
            Some((key, MeasurementContent { figures, source }))
        };
        ParsedMeasurement {
            kpi,
            entry: entry(),
        }
    }

    /// Tells what is wrong at the columns of its fields.
    fn add_faults(
        &self,
        row: &SheetRow,
        wrong: impl IntoIterator<Item = FigureFault>,
        faults: &mut Faults,
    ) {
        for wrong in wrong {
            let column = match wrong.field {
                "kpiId" => "kpi",
                "measuredOn" => "measured_on",
                "sampleSize" => "sample_size",
                same => same,
            };
            let place = self.0.cell_ref(row, column);
            place.add_fault(wrong.code, wrong.message, faults);
        }
    }
}

/// The place that a cell names, none where it is empty; nothing where it names what is not there.
#[expect(
    clippy::option_option,
    reason = "that no place is meant is another thing than that none was found"
)]
fn parse_reference_cell<I: entity::id::Id + std::hash::Hash + sea_orm::TryGetable>(
    cell: Option<SheetCell<'_>>,
    names: &KeyIndex<I>,
    faults: &mut Faults,
) -> Option<Option<I>> {
    match cell.filter(|cell| !cell.is_empty()) {
        None => Some(None),
        Some(cell) => names.resolve_cell(&cell, faults).map(Some),
    }
}

fn parse_source_cell(cell: &SheetCell<'_>, faults: &mut Faults) -> Option<String> {
    let text = cell.parse_text(faults)?;
    let mut own = Faults::default();
    let source = own.check_optional_text("source", Some(&text));
    cell.place.add_faults(own.into_errors(), faults);
    source
}
