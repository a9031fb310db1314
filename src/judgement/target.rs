//! The target of a day: the entry that began last by then. Rust and its SQL twin, side by side.
//!
//! Targets may be of a part, a channel or a segment; what is measured of a part is held against the part's own target
//! where it has an entry by then, else against the KPI's.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use entity::{
    id::{ChannelId, KpiId, SegmentId},
    kpi_target, read,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

use super::period::{Grain, Period};
use crate::{error::Result, number::CompensatedSum};

/// What a value should reach, and the level up to which missing it is only a risk.
pub type TargetLevels = (f64, Option<f64>);

/// A part of what is measured: a channel, a segment or both; neither stands for the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KpiPart {
    pub channel: Option<ChannelId>,
    pub segment: Option<SegmentId>,
}

impl KpiPart {
    /// Neither channel nor segment.
    pub const WHOLE: Self = Self {
        channel: None,
        segment: None,
    };

    /// Which of the ways to divide the whole it belongs to, in the order in which they count: undivided, by channel
    /// alone, by segment alone, by both.
    #[must_use]
    pub fn division(self) -> u8 {
        u8::from(self.channel.is_some()) + 2 * u8::from(self.segment.is_some())
    }
}

/// The targets of one KPI.
#[derive(Clone, Debug, Default)]
pub struct KpiTargets {
    /// By part, each in ascending order of the days on which they begin.
    entries: BTreeMap<KpiPart, Vec<kpi_target::Model>>,
}

impl KpiTargets {
    /// Those of each KPI, of rows in the order of their days.
    #[must_use]
    pub fn by_kpi(rows: Vec<kpi_target::Model>) -> HashMap<KpiId, Self> {
        let mut all: HashMap<KpiId, Self> = HashMap::new();
        for row in rows {
            let part = KpiPart {
                channel: row.channel_id,
                segment: row.segment_id,
            };
            let of_kpi = all.entry(row.kpi_id).or_default();
            of_kpi.entries.entry(part).or_default().push(row);
        }
        all
    }

    /// Those of each of these KPIs.
    pub async fn load<C: ConnectionTrait>(
        db: &C,
        kpis: impl IntoIterator<Item = KpiId>,
    ) -> Result<HashMap<KpiId, Self>> {
        let kpis: Vec<KpiId> = kpis.into_iter().collect();
        let mut all = HashMap::new();
        // In pieces, as a statement takes a bounded number of values.
        for some in kpis.chunks(1_000) {
            let select = kpi_target::Entity::find()
                .filter(kpi_target::Column::KpiId.is_in(some.iter().copied()))
                .order_by_asc(kpi_target::Column::ValidFrom);
            all.extend(Self::by_kpi(read::read_selected(db, select).await?));
        }
        Ok(all)
    }

    /// The target of the whole on a day.
    #[must_use]
    pub fn of_whole(&self, day: NaiveDate) -> Option<&kpi_target::Model> {
        self.find(KpiPart::WHOLE, day)
            .filter(|target| target.value.is_some())
    }

    /// Whether there is a target on a day, of the whole or of a part.
    #[must_use]
    pub fn has_any(&self, day: NaiveDate) -> bool {
        let mut parts = self.entries.keys().filter_map(|part| self.find(*part, day));
        parts.any(|target| target.value.is_some())
    }

    /// The target of a part on a day: its own, or where it has no entry by then the KPI's, unless parts add up to the
    /// whole: then what the whole should reach says nothing of one of them.
    #[must_use]
    pub fn of_part(
        &self,
        part: KpiPart,
        day: NaiveDate,
        adds_parts: bool,
    ) -> Option<&kpi_target::Model> {
        let own = self.find(part, day);
        let whole = || self.find(KpiPart::WHOLE, day).filter(|_| !adds_parts);
        own.or_else(whole).filter(|target| target.value.is_some())
    }

    /// What a sum over periods of a cadence should come to in a coarser period, up to a day: the targets of its periods
    /// that have begun by then, added up; nothing where one of them has none.
    #[must_use]
    pub fn sum_of_periods(
        &self,
        part: KpiPart,
        cadence: Grain,
        period: &Period,
        until: NaiveDate,
    ) -> Option<TargetLevels> {
        let begun = cadence
            .begins_in(*period)
            .take_while(|begin| *begin <= until);
        add_levels(begun.map(|begin| {
            let last = Period::containing(cadence, begin).last_day_until(until);
            target_levels(self.of_part(part, last, true)?)
        }))
    }

    fn find(&self, part: KpiPart, day: NaiveDate) -> Option<&kpi_target::Model> {
        target_on(self.entries.get(&part)?, day, |target| target.valid_from)
    }
}

/// What an entry asks for; nothing where it says that there is no target.
#[must_use]
pub fn target_levels(target: &kpi_target::Model) -> Option<TargetLevels> {
    Some((target.value?, target.warning))
}

/// Targets added up; nothing where one is missing.
#[must_use]
pub fn add_levels(targets: impl Iterator<Item = Option<TargetLevels>>) -> Option<TargetLevels> {
    let (mut value, mut warning) = (CompensatedSum::default(), Some(CompensatedSum::default()));
    for target in targets {
        let (level, of_warning) = target?;
        value.add(level);
        warning = warning.zip(of_warning).map(|(mut sum, level)| {
            sum.add(level);
            sum
        });
    }
    Some((value.total(), warning.map(|sum| sum.total())))
}

/// The entry in force on a day, among the targets of one KPI in ascending order of the days on which they begin.
/// An entry ends where the next begins, so only beginnings are kept; its first day belongs to it.
///
/// An entry without a value is found like any other: it says that there is no target from its day on.
fn target_on<T, D: Ord>(targets: &[T], day: D, begins: impl Fn(&T) -> D) -> Option<&T> {
    let begun = targets.partition_point(|target| begins(target) <= day);
    targets.get(begun.checked_sub(1)?)
}

/// The SQL twin of [`KpiTargets::of_part`] for a single measurement, whose parts do not add up to anything: how a
/// SELECT FROM `kpi_target` under the alias `$target` goes on, to give the one row in force for the measurement
/// `$measured` on its day. A literal, so that statements that use it stay constants:
///
/// ```text
/// LEFT JOIN kpi_target target ON target.id = (SELECT id FROM kpi_target latest <this>)
/// ```
macro_rules! target_of_measurement_sql {
    ($target:literal, $measured:literal) => {
        concat!(
            "WHERE ",
            $target,
            ".kpi_id = ",
            $measured,
            ".kpi_id AND ",
            $target,
            ".valid_from <= ",
            $measured,
            ".measured_on AND (",
            $target,
            ".channel_id IS NULL AND ",
            $target,
            ".segment_id IS NULL OR ",
            $target,
            ".channel_id IS NOT DISTINCT FROM ",
            $measured,
            ".channel_id AND ",
            $target,
            ".segment_id IS NOT DISTINCT FROM ",
            $measured,
            // False comes first: the part's own entry before the KPI's.
            ".segment_id) ORDER BY (",
            $target,
            ".channel_id IS NULL AND ",
            $target,
            ".segment_id IS NULL), ",
            $target,
            ".valid_from DESC LIMIT 1"
        )
    };
}

/// Joins `kpi_target` as `$target`: the entry in force for the measurement `$measured` on its day, or none.
macro_rules! join_target_sql {
    ($target:literal, $measured:literal) => {
        concat!(
            "LEFT JOIN kpi_target ",
            $target,
            " ON ",
            $target,
            ".id = (SELECT latest.id FROM kpi_target latest ",
            $crate::judgement::target::target_of_measurement_sql!("latest", $measured),
            ")"
        )
    };
}

/// The warning level of a joined target. An entry without a value is no target, whatever warning level it has.
macro_rules! warning_sql {
    ($target:literal) => {
        concat!(
            "CASE WHEN ",
            $target,
            ".value IS NOT NULL THEN ",
            $target,
            ".warning END"
        )
    };
}

pub(crate) use {join_target_sql, target_of_measurement_sql, warning_sql};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_holds_from_its_first_day_until_the_next_begins() {
        let targets = [(5, Some(1.0)), (10, None), (20, Some(3.0))];
        let found = |day| target_on(&targets, day, |target| target.0).map(|target| target.1);
        assert_eq!(found(4), None);
        assert_eq!(found(5), Some(Some(1.0)));
        assert_eq!(found(9), Some(Some(1.0)));
        assert_eq!(found(10), Some(None), "there is no target from here on");
        assert_eq!(found(31), Some(Some(3.0)));
    }
}
