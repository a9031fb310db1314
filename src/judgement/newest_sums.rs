//! The sums of periods as figures and trends need them: the newest at each place, or those of some days.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;
use entity::{
    id::{KpiId, TouchpointId},
    kpi, kpi_period,
    read::{self, FromCells, RowCursor},
};
use sea_orm::{DbBackend, DbErr};
use uuid::Uuid;

use super::{
    aggregate::DayValue,
    current::LOOKED_AT,
    current_sql::whole_kpi_sql,
    kept_sums::{MeasuredPlace, WantedPlaces},
    period::{day_number, day_of_number},
    period_sums::{AT_ONCE, PeriodSumKey, load_values, read_sum, sum_by_day},
    place::{PartSum, SumsOfKpi},
    target::KpiPart,
};
use crate::{
    access::everybody::select_touchpoints_open_to_everybody, database::Transaction, error::Result,
    statement::SqlBuilder,
};

/// Which sums are read.
#[derive(Clone, Debug, Default)]
pub(super) struct WantedSums {
    /// KPIs at touchpoints; what the KPI as a whole has comes with it.
    pub(super) at_touchpoints: BTreeSet<(KpiId, TouchpointId)>,
    /// KPIs as a whole, with the touchpoints that everybody may read.
    pub(super) as_whole: BTreeSet<KpiId>,
}

impl WantedSums {
    /// Every KPI, once.
    pub(super) fn kpis(&self) -> BTreeSet<KpiId> {
        let at_touchpoints = self.at_touchpoints.iter().map(|(kpi, _)| *kpi);
        at_touchpoints
            .chain(self.as_whole.iter().copied())
            .collect()
    }
}

/// How many periods of a place are read: three that figures look at, and one more for the case that of the newest all
/// values are of later days than the one asked about.
const NEWEST: usize = LOOKED_AT + 1;

/// How many places are asked for by one statement at the most.
const PLACES_AT_ONCE: usize = 5_000;

/// The newest sums at each of these places up to a day; values of later days are left out. Of KPIs that were read in the
/// same transaction.
pub(super) async fn load_newest_sums(
    tx: &Transaction,
    kpis: &HashMap<KpiId, kpi::Model>,
    wanted: &WantedSums,
    day: NaiveDate,
) -> Result<HashMap<KpiId, SumsOfKpi>> {
    let at_touchpoints = wanted.at_touchpoints.iter();
    let places: BTreeSet<MeasuredPlace> = at_touchpoints
        .map(|(kpi, touchpoint)| (*kpi, Some(*touchpoint)))
        .chain(wanted.kpis().into_iter().map(|kpi| (kpi, None)))
        .collect();
    let (mut unknown, mut sums) = (WantedPlaces::new(places, kpis, day), HashMap::new());
    unknown.take_kept(tx, &mut sums);
    let places: Vec<MeasuredPlace> = unknown.places().collect();
    let as_whole: Vec<KpiId> = wanted.as_whole.iter().copied().collect();
    let backend = tx.backend();
    let mut loaded = LoadedSums::new(kpis, day, sums);
    let mut places = places.chunks(PLACES_AT_ONCE);
    let mut as_whole = as_whole.chunks(PLACES_AT_ONCE);
    while let Some(text) = select_newest(backend, places.next(), as_whole.next(), day) {
        loaded.add(tx, text).await?;
    }
    if backend == DbBackend::Postgres {
        let cut_short: Vec<MeasuredPlace> =
            std::mem::take(&mut loaded.cut_short).into_iter().collect();
        for places in cut_short.chunks(PLACES_AT_ONCE) {
            let text = append_newest_periods(SqlBuilder::new(backend, ""), places, day);
            loaded.add(tx, text).await?;
        }
    }
    let sums = loaded.finish(tx).await?;
    unknown.keep(tx, &sums);
    Ok(sums)
}

/// Selects the newest sums at places, and those of KPIs at touchpoints that everybody may read; none where there is
/// nothing to select.
fn select_newest(
    backend: DbBackend,
    places: Option<&[MeasuredPlace]>,
    as_whole: Option<&[KpiId]>,
    day: NaiveDate,
) -> Option<SqlBuilder> {
    let append_at_places = match backend {
        DbBackend::Postgres => append_newest_rows,
        _ => append_newest_periods,
    };
    let text = SqlBuilder::new(backend, "SELECT * FROM (");
    let text = match (places, as_whole) {
        (None, None) => return None,
        (Some(places), None) => append_at_places(text, places, day),
        (None, Some(kpis)) => append_newest_at_open_touchpoints(text, kpis, day),
        (Some(places), Some(kpis)) => {
            let text = append_at_places(text, places, day);
            let text = text.then(") AS at_places UNION ALL SELECT * FROM (");
            append_newest_at_open_touchpoints(text, kpis, day)
        }
    };
    Some(text.then(") AS newest"))
}

/// The sums of these KPIs as a whole, and at touchpoints that everybody may read, of the periods that begin from a day
/// on and up to another; values of later days are left out.
pub(super) async fn load_sums_of_wholes(
    tx: &Transaction,
    kpis: &HashMap<KpiId, kpi::Model>,
    wholes: &[KpiId],
    (from, day): (NaiveDate, NaiveDate),
) -> Result<HashMap<KpiId, SumsOfKpi>> {
    let mut loaded = LoadedSums::new(kpis, day, HashMap::new());
    for some in wholes.chunks(PLACES_AT_ONCE) {
        let text = SqlBuilder::new(tx.backend(), OPEN_TOUCHPOINTS)
            .select(&select_touchpoints_open_to_everybody())
            .then(&format!(
                ") {} LEFT JOIN open ON open.id = sums.touchpoint_id WHERE sums.kpi_id IN ",
                select_sums_sql("open.id IS NOT NULL", "")
            ))
            .list(some.iter().copied())
            .then(" AND sums.period_start >= ")
            .value(from)
            .then(" AND sums.period_start <= ")
            .value(day)
            .then(" AND (sums.touchpoint_id = ")
            .value(WHOLE)
            .then(" OR open.id IS NOT NULL");
        let text = append_where_whole_has_none(text, day).then(")");
        loaded.add(tx, text).await?;
    }
    loaded.finish(tx).await
}

/// What stands for the KPI as a whole.
const WHOLE: TouchpointId = TouchpointId(Uuid::nil());

const OPEN_TOUCHPOINTS: &str = "WITH open (id) AS (";

/// Selects sums, each with whether it is of a touchpoint that everybody may read.
fn select_sums_sql(is_open: &str, joined: &str) -> String {
    let columns = read::columns_sql::<kpi_period::Model>("sums");
    format!("SELECT {columns}, {is_open} AS is_open FROM {joined}kpi_period sums")
}

fn append_places(text: SqlBuilder, places: &[MeasuredPlace]) -> SqlBuilder {
    let places = places
        .iter()
        .map(|(kpi, touchpoint)| [(*kpi).into(), touchpoint.unwrap_or(WHOLE).into()]);
    text.then("WITH place (kpi_id, touchpoint_id) AS (")
        .array_rows(places)
        .then(")")
}

/// The newest rows at each place, as many as there are periods that figures look at: on PostgreSQL half the time of
/// [`append_newest_periods`], and the same at a place whose rows are not of parts and have no values of later days.
fn append_newest_rows(text: SqlBuilder, places: &[MeasuredPlace], day: NaiveDate) -> SqlBuilder {
    append_places(text, places)
        .then(&select_sums_sql(
            "false",
            "place CROSS JOIN LATERAL (SELECT * FROM ",
        ))
        .then(
            " WHERE sums.kpi_id = place.kpi_id AND sums.touchpoint_id = place.touchpoint_id \
             AND sums.period_start <= ",
        )
        .value(day)
        .then(&format!(
            " ORDER BY sums.period_start DESC LIMIT {LOOKED_AT}) sums"
        ))
}

/// The rows of the newest periods at each place.
fn append_newest_periods(text: SqlBuilder, places: &[MeasuredPlace], day: NaiveDate) -> SqlBuilder {
    let text = append_places(text, places)
        .then(", newest AS (SELECT place.*, COALESCE((SELECT DISTINCT known.period_start FROM kpi_period known \
            WHERE known.kpi_id = place.kpi_id AND known.touchpoint_id = place.touchpoint_id");
    append_first_period(text, day)
        .then(&select_sums_sql("false", "newest JOIN "))
        .then(" ON sums.kpi_id = newest.kpi_id AND sums.touchpoint_id = newest.touchpoint_id")
        .then(SINCE_FIRST)
        .value(day)
}

fn append_newest_at_open_touchpoints(
    text: SqlBuilder,
    kpis: &[KpiId],
    day: NaiveDate,
) -> SqlBuilder {
    let whole = whole_kpi_sql(text.backend());
    let text = text
        .then(OPEN_TOUCHPOINTS)
        .select(&select_touchpoints_open_to_everybody())
        .then("), place (kpi_id) AS (")
        .array_rows(kpis.iter().map(|kpi| [(*kpi).into()]))
        .then("), newest AS (SELECT place.*, COALESCE((SELECT DISTINCT known.period_start FROM kpi_period known \
            WHERE known.kpi_id = place.kpi_id AND known.touchpoint_id IN (SELECT id FROM open)")
        .then(" AND known.touchpoint_id <> ")
        // Not a parameter: the index that leaves the whole out is used where the statement says so.
        .then(&whole);
    let text = append_first_period(text, day)
        .then(&select_sums_sql("true", "newest JOIN "))
        .then(" ON sums.kpi_id = newest.kpi_id AND sums.touchpoint_id IN (SELECT id FROM open)")
        .then(SINCE_FIRST)
        .value(day);
    append_where_whole_has_none(text, day)
}

/// The condition on `sums` of touchpoints that the KPI as a whole has no values in the period up to a day, as far as
/// its sum tells: one with values of later days may have earlier ones.
fn append_where_whole_has_none(text: SqlBuilder, day: NaiveDate) -> SqlBuilder {
    let whole = whole_kpi_sql(text.backend());
    text.then(&format!(
        " AND NOT EXISTS (SELECT 1 FROM kpi_period whole WHERE whole.kpi_id = sums.kpi_id \
         AND whole.touchpoint_id = {whole} AND whole.period_start = sums.period_start AND whole.last_day <= "
    ))
    .value(day)
    .then(")")
}

/// Goes on after the condition on `known`: `newest` has for each row of `place` the beginning of the oldest of its newest
/// periods, or a day before all of them where there are fewer.
fn append_first_period(text: SqlBuilder, day: NaiveDate) -> SqlBuilder {
    let oldest = NEWEST - 1;
    text.then(" AND known.period_start <= ")
        .value(day)
        .then(&format!(
            " ORDER BY known.period_start DESC LIMIT 1 OFFSET {oldest}), "
        ))
        // The first day of the year 1: nothing is measured before 1900.
        .value(day_of_number(1).unwrap_or_default())
        .then(") AS first FROM place) ")
}

/// The condition that leaves the newest periods up to a day, which follows.
const SINCE_FIRST: &str = " AND sums.period_start >= newest.first AND sums.period_start <= ";

/// A sum, and whether it is of a touchpoint that everybody may read.
struct SumRow {
    sum: kpi_period::Model,
    is_open: bool,
}

impl FromCells for SumRow {
    fn from_cells(cells: &mut RowCursor<'_>) -> Result<Self, DbErr> {
        Ok(Self {
            sum: FromCells::from_cells(cells)?,
            is_open: cells.read_next()?,
        })
    }
}

/// Sums as they are read, up to a day.
struct LoadedSums<'k> {
    kpis: &'k HashMap<KpiId, kpi::Model>,
    day: NaiveDate,
    sums: HashMap<KpiId, SumsOfKpi>,
    /// Sums that have values of later days.
    later: BTreeSet<PeriodSumKey>,
    /// Places at which some newest rows may be less than the newest periods: with sums of parts, or of later days.
    cut_short: BTreeSet<MeasuredPlace>,
}

impl<'k> LoadedSums<'k> {
    /// With sums that are known already.
    fn new(
        kpis: &'k HashMap<KpiId, kpi::Model>,
        day: NaiveDate,
        sums: HashMap<KpiId, SumsOfKpi>,
    ) -> Self {
        Self {
            kpis,
            day,
            sums,
            later: BTreeSet::new(),
            cut_short: BTreeSet::new(),
        }
    }

    /// Adds the sums that a statement gives.
    async fn add(&mut self, tx: &Transaction, text: SqlBuilder) -> Result<()> {
        let rows: Vec<SumRow> = read::read_all(tx, text.statement()).await?;
        for SumRow { sum: row, is_open } in rows {
            let Some(kpi) = self.kpis.get(&row.kpi_id) else {
                continue;
            };
            let sum = read_sum(&row);
            if !is_open && (sum.part != KpiPart::WHOLE || row.last_day > self.day) {
                self.cut_short.insert((row.kpi_id, sum.touchpoint));
            }
            let of_kpi = self.sums.entry(row.kpi_id).or_default();
            if let Some(touchpoint) = sum.touchpoint.filter(|_| is_open) {
                of_kpi.note_open(touchpoint);
            }
            if row.last_day <= self.day {
                of_kpi.insert(row.period_start, sum);
                continue;
            }
            self.later.insert(PeriodSumKey {
                kpi: row.kpi_id,
                touchpoint: sum.touchpoint,
                part: sum.part,
                begin: row.period_start,
                cadence: kpi.cadence,
            });
        }
        Ok(())
    }

    /// The sums, with those of periods that have values of later days computed from the earlier ones.
    async fn finish(mut self, tx: &Transaction) -> Result<HashMap<KpiId, SumsOfKpi>> {
        let later: Vec<PeriodSumKey> = std::mem::take(&mut self.later).into_iter().collect();
        let mut values: BTreeMap<PeriodSumKey, Vec<DayValue>> = BTreeMap::new();
        for some in later.chunks(AT_ONCE) {
            load_values(tx, some, &mut values).await?;
        }
        for (key, mut values) in values {
            values.retain(|value| value.day <= day_number(self.day));
            if values.is_empty() {
                continue;
            }
            let sum = PartSum {
                touchpoint: key.touchpoint,
                part: key.part,
                sum: sum_by_day(values),
            };
            self.sums.entry(key.kpi).or_default().insert(key.begin, sum);
        }
        Ok(self.sums)
    }
}
