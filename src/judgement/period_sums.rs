//! The sums of each period, kept with every measurement in its transaction.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use entity::{
    id::{ChannelId, KpiId, SegmentId, TouchpointId},
    kpi, kpi_period,
    read::{FromCells, RowCursor},
    words::Cadence,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter,
    sea_query::OnConflict,
};
use uuid::Uuid;

use super::{
    aggregate::{Aggregate, DayValue},
    period::{Grain, Period, day_number, day_of_number},
    place::PartSum,
    target::KpiPart,
};
use crate::{error::Result, number::CompensatedSum, statement::SqlBuilder};

/// What a period's sum is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeriodSumKey {
    pub kpi: KpiId,
    pub touchpoint: Option<TouchpointId>,
    pub part: KpiPart,
    /// The first day of the period.
    pub begin: NaiveDate,
    pub cadence: Cadence,
}

impl PeriodSumKey {
    fn period(&self) -> Period {
        Period::containing(Grain::finest_for(self.cadence), self.begin)
    }

    /// Which of its touchpoint, channel and segment are given, as bits.
    fn shape(&self) -> u8 {
        u8::from(self.touchpoint.is_some()) + 2 * self.part.division()
    }
}

/// How many sums are computed and kept by one statement at the most: their columns are fewer parameters than either
/// database takes (SQLite 32,766).
pub(super) const AT_ONCE: usize = 1_000;

/// Computes these sums anew from the measurements in force, and keeps them. The locks of their KPIs are taken.
pub async fn refresh_period_sums<C: ConnectionTrait>(
    tx: &C,
    keys: BTreeSet<PeriodSumKey>,
) -> Result<()> {
    let mut keys = keys.into_iter().peekable();
    while keys.peek().is_some() {
        let some: Vec<PeriodSumKey> = keys.by_ref().take(AT_ONCE).collect();
        let mut values: BTreeMap<PeriodSumKey, Vec<DayValue>> = BTreeMap::new();
        load_values(tx, &some, &mut values).await?;
        keep(tx, values).await?;
    }
    Ok(())
}

/// Computes all sums of a KPI anew, under its lock: its cadence, and so the length of its periods, is another.
pub async fn rebuild_period_sums<C: ConnectionTrait>(tx: &C, kpi: &kpi::Model) -> Result<()> {
    kpi_period::Entity::delete_many()
        .filter(kpi_period::Column::KpiId.eq(kpi.id))
        .exec(tx)
        .await?;
    let text = SqlBuilder::new(
        tx.get_database_backend(),
        "SELECT touchpoint_id, channel_id, segment_id, measured_on, value, numerator, denominator, sample_size \
         FROM measurement WHERE superseded_by_id IS NULL AND kpi_id = ",
    );
    let grain = Grain::finest_for(kpi.cadence);
    let mut values: BTreeMap<PeriodSumKey, Vec<DayValue>> = BTreeMap::new();
    for row in tx.query_all_raw(text.value(kpi.id).statement()).await? {
        let mut cells = RowCursor::new(&row)?;
        let (touchpoint, part) = (cells.read_next()?, read_part(&mut cells)?);
        let value = DayValue::from_cells(&mut cells)?;
        let day = day_of_number(value.day).unwrap_or_default();
        let key = PeriodSumKey {
            kpi: kpi.id,
            touchpoint,
            part,
            begin: grain.begin_of_period(day),
            cadence: kpi.cadence,
        };
        values.entry(key).or_default().push(value);
    }
    keep(tx, values).await
}

/// Reads the values of these sums.
pub(super) async fn load_values<C: ConnectionTrait>(
    db: &C,
    keys: &[PeriodSumKey],
    values: &mut BTreeMap<PeriodSumKey, Vec<DayValue>>,
) -> Result<()> {
    for shape in 0..8 {
        let alike = keys.iter().filter(|key| key.shape() == shape);
        let alike: Vec<PeriodSumKey> = alike.copied().collect();
        if alike.is_empty() {
            continue;
        }
        let text = select_values_sql(db.get_database_backend(), shape, &alike);
        for row in db.query_all_raw(text.statement()).await? {
            let mut cells = RowCursor::new(&row)?;
            let at: i32 = cells.read_next()?;
            let value = DayValue::from_cells(&mut cells)?;
            if let Some(key) = usize::try_from(at).ok().and_then(|at| alike.get(at)) {
                values.entry(*key).or_default().push(value);
            }
        }
    }
    Ok(())
}

/// The values of sums of one shape, each with the index of its sum. Each shape has an index of the database's own, in
/// which a key and its days are one range.
fn select_values_sql(backend: DbBackend, shape: u8, keys: &[PeriodSumKey]) -> SqlBuilder {
    let given = (0_i32..).zip(keys).map(|(at, key)| {
        let period = key.period();
        [
            at.into(),
            key.kpi.into(),
            key.touchpoint.into(),
            key.part.channel.into(),
            key.part.segment.into(),
            period.begin.into(),
            period.end.into(),
        ]
    });
    let mut text = SqlBuilder::new(
        backend,
        "WITH given (at, kpi_id, touchpoint_id, channel_id, segment_id, begins, ends) AS (",
    )
    .values_rows(given)
    // A CROSS JOIN because SQLite takes it at its word: else it may read all measurements for a few keys.
    .then(
        ") SELECT at, measured_on, value, numerator, denominator, sample_size \
         FROM given CROSS JOIN measurement WHERE measurement.kpi_id = given.kpi_id \
         AND measured_on >= begins AND measured_on < ends AND superseded_by_id IS NULL",
    );
    for (bit, column) in ["touchpoint_id", "channel_id", "segment_id"]
        .iter()
        .enumerate()
    {
        text = text.then(&match shape & (1 << bit) {
            0 => format!(" AND measurement.{column} IS NULL"),
            _ => format!(" AND measurement.{column} = given.{column}"),
        });
    }
    text
}

fn read_part(cells: &mut RowCursor<'_>) -> Result<KpiPart> {
    Ok(KpiPart {
        channel: cells.read_next()?,
        segment: cells.read_next()?,
    })
}

/// Adds values of one time series up in the order of their days, whatever the order in which they came: the same values
/// come to the same digits.
pub(super) fn sum_by_day(mut values: Vec<DayValue>) -> Aggregate {
    values.sort_unstable_by_key(|value| value.day);
    values.iter().collect()
}

/// Keeps the sums of these values.
async fn keep<C: ConnectionTrait>(
    tx: &C,
    values: BTreeMap<PeriodSumKey, Vec<DayValue>>,
) -> Result<()> {
    use kpi_period::Column;
    let rows = values.into_iter();
    let rows = rows.map(|(key, values)| sum_row(&key, &sum_by_day(values)));
    let rows: Vec<kpi_period::ActiveModel> = rows.collect();
    let key = [
        Column::KpiId,
        Column::TouchpointId,
        Column::PeriodStart,
        Column::ChannelId,
        Column::SegmentId,
    ];
    let sums = [
        Column::ValueCount,
        Column::ValueSum,
        Column::ValueLost,
        Column::WeightedSum,
        Column::WeightedLost,
        Column::Weight,
        Column::NumeratorSum,
        Column::NumeratorLost,
        Column::DenominatorSum,
        Column::DenominatorLost,
        Column::WithoutParts,
        Column::WithoutSample,
        Column::LastDay,
        Column::LastValue,
        Column::SmallestValue,
    ];
    for some in rows.chunks(AT_ONCE) {
        kpi_period::Entity::insert_many(some.to_vec())
            .on_conflict(OnConflict::columns(key).update_columns(sums).to_owned())
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}

fn sum_row(key: &PeriodSumKey, sum: &Aggregate) -> kpi_period::ActiveModel {
    let (value, weighted) = (sum.sum.numbers(), sum.weighted.numbers());
    let (numerator, denominator) = (sum.numerator.numbers(), sum.denominator.numbers());
    let count = |number: u32| Set(i32::try_from(number).unwrap_or(i32::MAX));
    kpi_period::ActiveModel {
        kpi_id: Set(key.kpi),
        touchpoint_id: Set(key.touchpoint.unwrap_or(TouchpointId(Uuid::nil()))),
        period_start: Set(key.begin),
        channel_id: Set(key.part.channel.unwrap_or(ChannelId(Uuid::nil()))),
        segment_id: Set(key.part.segment.unwrap_or(SegmentId(Uuid::nil()))),
        value_count: count(sum.values),
        value_sum: Set(value.0),
        value_lost: Set(value.1),
        weighted_sum: Set(weighted.0),
        weighted_lost: Set(weighted.1),
        weight: Set(sum.weight),
        numerator_sum: Set(numerator.0),
        numerator_lost: Set(numerator.1),
        denominator_sum: Set(denominator.0),
        denominator_lost: Set(denominator.1),
        without_parts: count(sum.without_parts),
        without_sample: count(sum.without_sample),
        last_day: Set(day_of_number(sum.last_day).unwrap_or(key.begin)),
        last_value: Set(sum.last.exact()),
        smallest_value: Set(sum.smallest),
    }
}

/// What a row of the table holds.
pub(super) fn read_sum(row: &kpi_period::Model) -> PartSum {
    let number = |pair| CompensatedSum::from_numbers(pair);
    let count = |number: i32| u32::try_from(number).unwrap_or_default();
    let sum = Aggregate {
        values: count(row.value_count),
        sum: number((row.value_sum, row.value_lost)),
        weighted: number((row.weighted_sum, row.weighted_lost)),
        weight: row.weight,
        numerator: number((row.numerator_sum, row.numerator_lost)),
        denominator: number((row.denominator_sum, row.denominator_lost)),
        without_parts: count(row.without_parts),
        without_sample: count(row.without_sample),
        last_day: day_number(row.last_day),
        last: row.last_value.into(),
        smallest: row.smallest_value,
        series: 1,
        is_by_part: false,
    };
    PartSum {
        touchpoint: Some(row.touchpoint_id).filter(|id| !id.0.is_nil()),
        part: KpiPart {
            channel: Some(row.channel_id).filter(|id| !id.0.is_nil()),
            segment: Some(row.segment_id).filter(|id| !id.0.is_nil()),
        },
        sum,
    }
}
