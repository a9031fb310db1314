//! Measurements in the order of the rows, some at a time, each with its KPI and the target of its day.

use chrono::NaiveDate;
use entity::{
    id::{BlueprintId, ChannelId, KpiId, MeasurementId, SegmentId, TouchpointId},
    read::{self, FromCells, RowCursor},
    words::{Direction, Unit},
};
use sea_orm::{ConnectionTrait, DbErr, Statement};

use crate::{
    access::Caller,
    bi::{model::cursor::ResumePoint, model::query::DatasetQuery, scope::ReaderScope},
    database::Transaction,
    error::Result,
    judgement::join_target_sql,
    statement::SqlBuilder,
};

/// A measurement with its KPI and the target of its day.
pub(super) struct MeasurementRow {
    pub id: MeasurementId,
    pub day: NaiveDate,
    pub value: f64,
    pub numerator: Option<f64>,
    pub denominator: Option<f64>,
    pub sample_size: Option<i32>,
    pub channel: Option<ChannelId>,
    pub segment: Option<SegmentId>,
    pub touchpoint: Option<TouchpointId>,
    /// The blueprint that the touchpoint lies in.
    pub blueprint: Option<BlueprintId>,
    pub kpi: KpiId,
    pub kpi_key: String,
    pub kpi_name: String,
    pub unit: Unit,
    pub currency: Option<String>,
    pub direction: Direction,
    /// The target of the day, with its warning level.
    pub target: Option<(f64, Option<f64>)>,
    pub channel_key: Option<String>,
    pub segment_key: Option<String>,
}

impl FromCells for MeasurementRow {
    fn from_cells(cells: &mut RowCursor<'_>) -> Result<Self, DbErr> {
        Ok(Self {
            id: cells.read_next()?,
            day: cells.read_next()?,
            value: cells.read_next()?,
            numerator: cells.read_next()?,
            denominator: cells.read_next()?,
            sample_size: cells.read_next()?,
            channel: cells.read_next()?,
            segment: cells.read_next()?,
            touchpoint: cells.read_next()?,
            blueprint: cells.read_next()?,
            kpi: cells.read_next()?,
            kpi_key: cells.read_next()?,
            kpi_name: cells.read_next()?,
            unit: cells.read_next()?,
            currency: cells.read_next()?,
            direction: cells.read_next()?,
            target: match (cells.read_next()?, cells.read_next()?) {
                (Some(target), warning) => Some((target, warning)),
                (None, _) => None,
            },
            channel_key: cells.read_next()?,
            segment_key: cells.read_next()?,
        })
    }
}

/// Reads the next measurements of these days that the caller may see, at most `most`.
pub(super) async fn load_next_measurements(
    caller: &Caller,
    tx: &Transaction,
    query: &DatasetQuery,
    days: &[NaiveDate],
    resume: Option<&ResumePoint>,
    most: usize,
) -> Result<Vec<MeasurementRow>> {
    // Days that are done need no place in the statement: over ten years the list would be sent again with every
    // batch.
    let from = resume.map_or(0, |resume| days.partition_point(|day| *day < resume.day));
    let scope = query.scope(caller, tx.get_database_backend(), &days[from..])?;
    Ok(read::read_all(tx, next_measurements_statement(&scope, resume, most)).await?)
}

const COLUMNS: &str = "\
    SELECT measured.id, measured.measured_on, measured.value, measured.numerator, measured.denominator,
        measured.sample_size, measured.channel_id, measured.segment_id, measured.touchpoint_id, touchpoint.blueprint_id,
        measured.kpi_id, kpi.key, kpi.name, kpi.unit, kpi.currency, kpi.direction, target.value, target.warning,
        channel.key, segment.key
    FROM (SELECT * FROM (";

const JOINED: &str = concat!(
    "\
    ) AS measured JOIN kpi ON kpi.id = measured.kpi_id
    LEFT JOIN touchpoint ON touchpoint.id = measured.touchpoint_id
    LEFT JOIN channel ON channel.id = measured.channel_id
    LEFT JOIN segment ON segment.id = measured.segment_id
    ",
    join_target_sql!("target", "measured"),
    "
    ORDER BY measured.measured_on, measured.id"
);

fn next_measurements_statement(
    scope: &ReaderScope<'_>,
    resume: Option<&ResumePoint>,
    most: usize,
) -> Statement {
    let text = SqlBuilder::new(scope.backend(), COLUMNS).select(&scope.select_measurements());
    let text = text.then(") AS seen");
    let text = match resume {
        Some(resume) => text
            .then(" WHERE (measured_on, id) ")
            .then(if resume.inclusive { ">= (" } else { "> (" })
            .value(resume.day)
            .then(", ")
            .value(resume.id)
            .then(")"),
        None => text,
    };
    // The limit stands inside, before the joins: outside, the databases would join every measurement and then drop
    // all but the first.
    let text = text.then(" ORDER BY measured_on, id LIMIT ");
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    text.value(most).then(JOINED).statement()
}
