//! The values of one KPI as columns in memory: a time series for each touchpoint, channel and segment that it was
//! measured at. Columns, since sums read days and values alone, one after another.

use std::{collections::BTreeMap, ops::Range};

use entity::id::{BlueprintId, ChannelId, SegmentId, TouchpointId};

use crate::{
    database::RevisionCacheValue,
    judgement::{KpiPart, aggregate::DayValue},
};

/// What a time series was measured at; what is empty stands for the whole. The order of the fields matters: series are
/// sorted by it, and those of one touchpoint stand together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesPlace {
    pub touchpoint: Option<TouchpointId>,
    pub channel: Option<ChannelId>,
    pub segment: Option<SegmentId>,
    /// The blueprint that the touchpoint lies in.
    pub blueprint: Option<BlueprintId>,
}

impl SeriesPlace {
    /// The part that it is of.
    #[must_use]
    pub fn part(&self) -> KpiPart {
        KpiPart {
            channel: self.channel,
            segment: self.segment,
        }
    }
}

/// The values at one key, by day; one a day.
#[derive(Debug, Default)]
pub struct TimeSeries {
    pub days: Vec<i32>,
    pub values: Vec<f64>,
    /// The numbers of answers; 0 where unknown.
    pub samples: Vec<i32>,
    /// Numerators and denominators, NaN where a value has none; no entries at all where none has any, as of most KPIs.
    pub parts: Vec<(f64, f64)>,
}

/// All values of one KPI.
#[derive(Debug, Default)]
pub struct KpiValues {
    /// The `kpi.series_revision` that these are the values of.
    pub revision: i32,
    /// Its time series, sorted by place.
    pub series: Vec<(SeriesPlace, TimeSeries)>,
}

const NO_PARTS: (f64, f64) = (f64::NAN, f64::NAN);

impl TimeSeries {
    /// The index range of the values of some days.
    #[must_use]
    pub fn index_range(&self, days: &Range<i32>) -> Range<usize> {
        let from = self.days.partition_point(|day| *day < days.start);
        let to = self.days.partition_point(|day| *day < days.end);
        from..to.max(from)
    }

    /// The value at an index.
    #[must_use]
    pub fn value_at(&self, at: usize) -> DayValue {
        let parts = self.parts.get(at).copied();
        DayValue {
            day: self.days[at],
            value: self.values[at],
            parts: parts.filter(|parts| !parts.0.is_nan()),
            sample_size: Some(self.samples[at]).filter(|size| *size > 0),
        }
    }

    fn from_values(values: impl ExactSizeIterator<Item = DayValue>) -> Self {
        let mut series = Self {
            days: Vec::with_capacity(values.len()),
            values: Vec::with_capacity(values.len()),
            samples: Vec::with_capacity(values.len()),
            parts: Vec::new(),
        };
        for value in values {
            // The first value with parts makes the column, filled up for those before it: most KPIs never pay for it.
            if value.parts.is_some() && series.parts.is_empty() {
                series.parts = vec![NO_PARTS; series.days.len()];
            }
            if value.parts.is_some() || !series.parts.is_empty() {
                series.parts.push(value.parts.unwrap_or(NO_PARTS));
            }
            series.days.push(value.day);
            series.values.push(value.value);
            series.samples.push(value.sample_size.unwrap_or_default());
        }
        series
    }

    fn estimated_bytes(&self) -> usize {
        self.days.capacity() * size_of::<i32>()
            + self.values.capacity() * size_of::<f64>()
            + self.samples.capacity() * size_of::<i32>()
            + self.parts.capacity() * size_of::<(f64, f64)>()
    }
}

impl KpiValues {
    /// A copy at a later revision: with the values recorded since, each in place of the one of its key and day.
    #[must_use]
    pub fn with_delta(
        &self,
        revision: i32,
        mut delta: BTreeMap<SeriesPlace, Vec<DayValue>>,
    ) -> Self {
        // A copy, since other requests may be reading what is here.
        let mut series: Vec<(SeriesPlace, TimeSeries)> = self
            .series
            .iter()
            .map(|(series_place, series)| {
                let kept = (0..series.days.len())
                    .map(|at| series.value_at(at))
                    .collect();
                (
                    *series_place,
                    merge_series(kept, delta.remove(series_place).unwrap_or_default()),
                )
            })
            .collect();
        let new = delta.into_iter();
        series.extend(
            new.map(|(series_place, values)| (series_place, merge_series(Vec::new(), values))),
        );
        // By key, as a KPI that is read whole has them: either way the same values are added up in the same order.
        series.sort_by_key(|(series_place, _)| *series_place);
        Self { revision, series }
    }

    /// The number of values.
    #[must_use]
    pub fn value_count(&self) -> usize {
        self.series
            .iter()
            .map(|(_, series)| series.days.len())
            .sum()
    }
}

impl RevisionCacheValue for KpiValues {
    fn revision(&self) -> i32 {
        self.revision
    }

    fn estimated_bytes(&self) -> usize {
        let series = self.series.iter();
        let series: usize = series
            .map(|(_, series)| size_of::<(SeriesPlace, TimeSeries)>() + series.estimated_bytes())
            .sum();
        size_of::<Self>() + series
    }
}

fn merge_series(kept: Vec<DayValue>, delta: Vec<DayValue>) -> TimeSeries {
    let all = kept.into_iter().chain(delta);
    // A later value takes the place of an earlier one of its day: `delta` comes after `kept`.
    let by_day: BTreeMap<i32, DayValue> = all.map(|value| (value.day, value)).collect();
    TimeSeries::from_values(by_day.into_values())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(day: i32, value: f64, parts: Option<(f64, f64)>) -> DayValue {
        DayValue {
            day,
            value,
            parts,
            sample_size: None,
        }
    }

    #[test]
    fn what_comes_takes_the_place_of_its_day_and_the_rest_stays() {
        let whole = SeriesPlace::default();
        let first = [value(3, 3.0, None), value(1, 1.0, None)];
        let one = KpiValues::default().with_delta(1, BTreeMap::from([(whole, first.to_vec())]));
        let next = [value(3, 4.0, Some((4.0, 1.0))), value(2, 2.0, None)];
        let two = one.with_delta(2, BTreeMap::from([(whole, next.to_vec())]));
        let series = &two.series[0].1;
        let values: Vec<DayValue> = (0..3).map(|at| series.value_at(at)).collect();
        let expected = [
            value(1, 1.0, None),
            value(2, 2.0, None),
            value(3, 4.0, Some((4.0, 1.0))),
        ];
        assert_eq!(values, expected);
        assert_eq!(series.index_range(&(2..3)), 1..2);
        assert_eq!(series.index_range(&(4..9)), 3..3);
        assert_eq!((two.revision, two.value_count()), (2, 3));
    }
}
