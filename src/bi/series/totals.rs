//! The sum of each group in each period, computed when a row is taken: a page costs what it shows. Pure.

use std::{
    ops::Range,
    sync::{Arc, OnceLock},
};

use super::{group_key::GroupKey, request::MOST_CELLS, validate};
use crate::{
    bi::cache::{
        kpi_values::{KpiValues, SeriesPlace, TimeSeries},
        topology::{DayNumberRange, intersect_days},
    },
    error::{Error, Result},
    judgement::aggregate::Aggregate,
};

/// Most sums (time series × periods) that are kept; beyond that, each is computed whenever it is needed.
const MOST_KEPT: usize = 100_000;

/// A time series of a KPI, with the sums of its periods once they are needed.
pub(super) struct SeriesWithSums {
    /// The index of the KPI.
    pub kpi: usize,
    /// Whether it is of a channel or segment where the request asks for the whole.
    is_by_part: bool,
    measured: Arc<KpiValues>,
    /// The index among the KPI's time series.
    at: usize,
    /// Per period: the sum of its values; computed on first use.
    aggregates: OnceLock<Box<[Aggregate]>>,
}

/// Days on which a time series counts in a group.
#[derive(Clone, Debug)]
pub(super) struct ContributingDays {
    pub key: GroupKey,
    /// The index among the summed series.
    pub series: usize,
    /// Half open.
    pub days: DayNumberRange,
}

/// The groups by their keys, each with its contributions.
pub(super) struct GroupTotals {
    periods: Vec<DayNumberRange>,
    series: Vec<SeriesWithSums>,
    contributions: Vec<ContributingDays>,
    groups: Vec<Range<usize>>,
}

impl SeriesWithSums {
    /// The time series at index `at` of a KPI.
    pub(super) fn new(kpi: usize, measured: Arc<KpiValues>, at: usize, is_by_part: bool) -> Self {
        Self {
            kpi,
            is_by_part,
            measured,
            at,
            aggregates: OnceLock::new(),
        }
    }

    /// What it was measured at.
    pub(super) fn series_place(&self) -> &SeriesPlace {
        &self.measured.series[self.at].0
    }

    fn time_series(&self) -> &TimeSeries {
        &self.measured.series[self.at].1
    }

    /// Whether it has values on some of these days.
    pub(super) fn has_values(&self, days: &DayNumberRange) -> bool {
        !self.time_series().index_range(days).is_empty()
    }

    /// The indices of the periods in which it has values; periods are sorted and follow each other without
    /// gaps.
    pub(super) fn measured_period_indices(&self, periods: &[DayNumberRange]) -> Vec<usize> {
        let (series, mut measured) = (self.time_series(), Vec::new());
        let (Some(first), Some(last)) = (periods.first(), periods.last()) else {
            return measured;
        };
        let mut days = &series.days[series.index_range(&(first.start..last.end))];
        let mut at = 0;
        while let Some(day) = days.first() {
            // Jumps from period to period by binary search: a series of years has thousands of days and few periods.
            at += periods[at..].partition_point(|period| period.end <= *day);
            measured.push(at);
            days = &days[days.partition_point(|day| *day < periods[at].end)..];
        }
        measured
    }

    /// Per period: the sum of its values.
    fn aggregates(&self, periods: &[DayNumberRange]) -> &[Aggregate] {
        self.aggregates
            .get_or_init(|| periods.iter().map(|days| self.sum(days)).collect())
    }

    fn sum(&self, days: &DayNumberRange) -> Aggregate {
        let series = self.time_series();
        let mut sum = Aggregate::default();
        for at in series.index_range(days) {
            sum.add(&series.value_at(at));
        }
        sum.set_by_part(self.is_by_part);
        sum
    }
}

impl ContributingDays {
    /// Merges another contribution of the same series and group that overlaps or follows it; whether it did.
    pub(super) fn merge_overlapping(&mut self, other: &Self) -> bool {
        let goes_on = (self.key, self.series) == (other.key, other.series)
            && (self.days.start..=self.days.end).contains(&other.days.start);
        if goes_on {
            self.days.end = self.days.end.max(other.days.end);
        }
        goes_on
    }
}

impl GroupTotals {
    /// Groups contributions by key.
    ///
    /// # Errors
    /// There are more than [`MOST_CELLS`] groups times periods.
    pub(super) fn new(
        periods: Vec<DayNumberRange>,
        series: Vec<SeriesWithSums>,
        mut contributions: Vec<ContributingDays>,
    ) -> Result<Self> {
        merge_overlapping_contributions(&mut contributions);
        let mut groups = Vec::new();
        let mut next = 0;
        for group in contributions.chunk_by(|one, other| one.key == other.key) {
            groups.push(next..next + group.len());
            next += group.len();
        }
        match groups.len() * periods.len() > MOST_CELLS {
            true => Err(Error::BadInput(validate::too_large_fault())),
            false => Ok(Self {
                periods,
                series,
                contributions,
                groups,
            }),
        }
    }

    /// Whether sums are kept.
    fn keeps_sums(&self) -> bool {
        self.series.len() * self.periods.len() <= MOST_KEPT
    }

    /// The number of groups.
    pub(super) fn group_count(&self) -> usize {
        self.groups.len()
    }

    /// The number of leading groups whose key satisfies the predicate.
    pub(super) fn count_groups_before(&self, is_before: impl Fn(GroupKey) -> bool) -> usize {
        self.groups
            .partition_point(|contributions| is_before(self.contributions[contributions.start].key))
    }

    /// The key of a group.
    pub(super) fn key(&self, group: usize) -> GroupKey {
        self.contributions[self.groups[group].start].key
    }

    /// The sum of a group in a period.
    pub(super) fn sum(&self, group: usize, period: usize) -> Aggregate {
        let asked = &self.periods[period];
        let mut sum = Aggregate::default();
        for of_series in self.contributions_by_series(group) {
            let series = &self.series[of_series[0].series];
            let mut own = Aggregate::default();
            for contribution in of_series {
                let days = intersect_days(&contribution.days, asked);
                // Sums are kept of whole periods alone: parts of them differ from group to group.
                if days == *asked && self.keeps_sums() {
                    own.extend(&series.aggregates(&self.periods)[period]);
                } else if !days.is_empty() {
                    own.extend(&series.sum(&days));
                }
            }
            if own.values > 0 {
                sum.join(&own);
            }
        }
        sum
    }

    /// The indices of the KPIs that have values of a group in a period, each once.
    pub(super) fn kpis_in_cell(&self, group: usize, period: usize) -> Vec<usize> {
        let asked = &self.periods[period];
        let measured = self.contributions_by_series(group).filter(|of_series| {
            let series = &self.series[of_series[0].series];
            let mut days = of_series
                .iter()
                .map(|contribution| intersect_days(&contribution.days, asked));
            days.any(|days| series.has_values(&days))
        });
        let mut kpis: Vec<usize> = measured
            .map(|of_series| self.series[of_series[0].series].kpi)
            .collect();
        // The series of a KPI stand together.
        kpis.dedup();
        kpis
    }

    fn contributions_by_series(&self, group: usize) -> impl Iterator<Item = &[ContributingDays]> {
        self.contributions[self.groups[group].clone()]
            .chunk_by(|one, other| one.series == other.series)
    }
}

/// Sorts contributions by group, series and day, and merges overlapping ones: each day of a series counts once.
fn merge_overlapping_contributions(contributions: &mut Vec<ContributingDays>) {
    contributions.sort_unstable_by_key(|contribution| {
        (
            contribution.key,
            contribution.series,
            contribution.days.start,
        )
    });
    contributions.dedup_by(|next, before| before.merge_overlapping(next));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn inside(contributions: &[ContributingDays]) -> Vec<bool> {
        let has = |(series, day)| {
            contributions
                .iter()
                .any(|one| one.series == series && one.days.contains(&day))
        };
        let all = (0..3).flat_map(|series| (0..50).map(move |day| (series, day)));
        all.map(has).collect()
    }

    proptest! {
        #[test]
        fn united_days_are_the_same_days_apart_from_one_another(
            days in proptest::collection::vec((0_usize..3, 0i32..40, 0i32..9), 0..12)
        ) {
            let contributions = days.into_iter().map(|(series, from, many)| ContributingDays {
                key: GroupKey::default(),
                series,
                days: from..from + many,
            });
            let all: Vec<ContributingDays> = contributions.collect();
            let mut united = all.clone();
            super::merge_overlapping_contributions(&mut united);
            prop_assert_eq!(inside(&united), inside(&all));
            for pair in united.windows(2) {
                let apart = pair[0].days.end < pair[1].days.start;
                prop_assert!(pair[0].series < pair[1].series || apart);
            }
        }
    }
}
