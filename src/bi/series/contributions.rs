//! Contributions: the days on which a time series of a KPI counts in a group. Pure.

use std::sync::Arc;

use super::{
    attribution::{Attribution, KpiValueScope},
    context::{SeriesContext, SeriesPlaceForCaller},
    group_key::{GroupKey, KeyLayout, PlaceInJourney},
    request::{Dimension, SeriesRequest},
    totals::{ContributingDays, SeriesWithSums},
};
use crate::bi::cache::{
    kpi_values::{KpiValues, SeriesPlace},
    topology::{DayNumberRange, intersect_days, subtract_days},
};

/// Collects the contributions of one KPI after another.
pub(super) struct ContributionCollector<'g> {
    context: &'g SeriesContext,
    request: &'g SeriesRequest,
    keys: &'g KeyLayout,
    /// The days of each period, cut to the request.
    periods: &'g [DayNumberRange],
    /// None where the request says nothing of places and the caller pulls every row: then each value counts once.
    attribution: Option<Attribution<'g>>,
    pub series: Vec<SeriesWithSums>,
    pub contributions: Vec<ContributingDays>,
}

/// The intervals of a KPI's time series that count, by where they were measured.
#[derive(Default)]
struct KpiCountingIntervals {
    /// Of the KPI as a whole.
    whole: OriginIntervals,
    /// Of each touchpoint, by its id.
    own: Vec<OriginIntervals>,
}

/// The intervals of one origin.
#[derive(Default)]
struct OriginIntervals {
    origin: SeriesPlaceForCaller,
    /// Per period, those for all channels and segments where there are any, else those of parts.
    counting: Vec<CountingInterval>,
    /// The days of the periods that have any values.
    measured: Vec<DayNumberRange>,
    /// The intervals that count in the other periods: for a touchpoint, of the KPI as a whole.
    others: Vec<CountingInterval>,
}

/// Days on which a time series counts, with values on some of them.
struct CountingInterval {
    /// The index among the summed series.
    series: usize,
    days: DayNumberRange,
    /// The key bits of its channel and segment.
    key: GroupKey,
}

impl KpiCountingIntervals {
    /// The intervals that belong to a group by one assignment.
    fn intervals_of_value_scope(
        &self,
        values: KpiValueScope,
    ) -> impl Iterator<Item = &CountingInterval> {
        let (first, then) = match values {
            KpiValueScope::Whole => (&self.whole.counting, None),
            KpiValueScope::At(own) => (&self.own[own].counting, Some(&self.own[own].others)),
            KpiValueScope::Own(own) => (&self.own[own].counting, None),
        };
        first.iter().chain(then.into_iter().flatten())
    }
}

impl<'g> ContributionCollector<'g> {
    pub(super) fn new(
        context: &'g SeriesContext,
        keys: &'g KeyLayout,
        request: &'g SeriesRequest,
        periods: &'g [DayNumberRange],
    ) -> Self {
        // Without places, attribution would only find that every value counts once: the walk over all links is
        // spared.
        let placed = context.is_placed(request);
        Self {
            context,
            request,
            keys,
            periods,
            attribution: placed
                .then(|| Attribution::new(context, keys, request, requested_days(periods))),
            series: Vec::new(),
            contributions: Vec::new(),
        }
    }

    /// Adds the contributions of a KPI, given its time series and their origins.
    pub(super) fn add_kpi(
        &mut self,
        kpi: usize,
        measured: &Arc<KpiValues>,
        origins: &[SeriesPlaceForCaller],
    ) {
        let mut counted = self.add_series_and_intervals(kpi, measured, origins);
        let Self {
            context,
            keys,
            attribution,
            series,
            contributions,
            ..
        } = self;
        let mut give = |key: GroupKey, part: &CountingInterval, days: &DayNumberRange| {
            let days = intersect_days(&part.days, days);
            // The whole interval is known to have values; only a part of it has to be looked at.
            if days != part.days && !series[part.series].has_values(&days) {
                return;
            }
            let contribution = ContributingDays {
                key: key | part.key,
                series: part.series,
                days,
            };
            // Consecutive rows of one link mostly contribute the same days: merging here keeps the list short.
            let last = contributions.last_mut();
            if !last.is_some_and(|last| last.merge_overlapping(&contribution)) {
                contributions.push(contribution);
            }
        };
        let Some(attribution) = attribution else {
            // The request says nothing of places: the KPI as a whole where it has values, else its touchpoints.
            let key = keys.location_key(context, kpi, PlaceInJourney::default());
            let whole = counted.whole;
            let own = counted.own.iter();
            let own =
                own.map(|own| subtract_days_from_intervals(series, &own.counting, &whole.measured));
            let all = own.flatten().chain(whole.counting);
            all.for_each(|part| give(key, &part, &part.days));
            return;
        };
        // Once for each touchpoint and not for each of its assignments, which may be many.
        for place in &mut counted.own {
            place.others =
                subtract_days_from_intervals(series, &counted.whole.counting, &place.measured);
        }
        let own: Vec<SeriesPlaceForCaller> = counted.own.iter().map(|place| place.origin).collect();
        attribution.for_each_assignment(kpi, &own, |entry| {
            let parts = counted.intervals_of_value_scope(entry.values);
            parts.for_each(|part| give(entry.key, part, &entry.days));
        });
    }

    /// Adds the time series of a KPI that the request accepts, and gives their intervals.
    fn add_series_and_intervals(
        &mut self,
        kpi: usize,
        measured: &Arc<KpiValues>,
        origins: &[SeriesPlaceForCaller],
    ) -> KpiCountingIntervals {
        let series_keys = measured.series.iter().map(|(series_place, _)| series_place);
        let asked = series_keys.enumerate().filter(|(at, series_place)| {
            origins[*at] != SeriesPlaceForCaller::Hidden && self.accepts_series(series_place)
        });
        let asked: Vec<(usize, &SeriesPlace)> = asked.collect();
        let mut counted = KpiCountingIntervals::default();
        // Time series are sorted by touchpoint.
        for of_touchpoint in asked.chunk_by(|one, other| one.1.touchpoint == other.1.touchpoint) {
            let next = self.series.len();
            let context = self.context;
            let series_of = |(at, place): &(usize, &SeriesPlace)| {
                let is_by_part = context.is_by_part(self.request, place);
                SeriesWithSums::new(kpi, Arc::clone(measured), *at, is_by_part)
            };
            self.series.extend(of_touchpoint.iter().map(series_of));
            let place = self.intervals_of_origin(origins[of_touchpoint[0].0], next);
            match place.origin {
                SeriesPlaceForCaller::Whole => counted.whole = place,
                _ => counted.own.push(place),
            }
        }
        counted
    }

    /// The intervals of an origin whose time series begin at index `first`.
    fn intervals_of_origin(&self, origin: SeriesPlaceForCaller, first: usize) -> OriginIntervals {
        let split = |series: &SeriesWithSums| series.series_place().part().division();
        let series = &self.series[first..];
        // Per period: the first split that has values, in the order whole, by channel, by segment, by both; only its
        // values count.
        let mut first_split: Vec<Option<u8>> = vec![None; self.periods.len()];
        let measured: Vec<Vec<usize>> = series
            .iter()
            .map(|series| series.measured_period_indices(self.periods))
            .collect();
        for (series, measured) in series.iter().zip(&measured) {
            for period in measured {
                let first = first_split[*period].get_or_insert(u8::MAX);
                *first = split(series).min(*first);
            }
        }
        let mut counting = Vec::new();
        for (at, measured) in measured.iter().enumerate() {
            let split = Some(split(&series[at]));
            let outranked = measured
                .iter()
                .filter(|period| first_split[**period] != split);
            let outranked: Vec<DayNumberRange> =
                outranked.map(|at| self.periods[*at].clone()).collect();
            let all = CountingInterval {
                series: first + at,
                days: requested_days(self.periods),
                key: self
                    .keys
                    .series_bits(self.context, series[at].series_place()),
            };
            counting.extend(subtract_days_from_intervals(
                &self.series,
                &[all],
                &outranked,
            ));
        }
        let measured = self.periods.iter().zip(&first_split);
        let measured = measured.filter(|(_, first_split)| first_split.is_some());
        OriginIntervals {
            origin,
            counting,
            measured: measured.map(|(days, _)| days.clone()).collect(),
            others: Vec::new(),
        }
    }

    /// Whether the request accepts values of this channel and segment.
    fn accepts_series(&self, series_place: &SeriesPlace) -> bool {
        let channels = self.context.channels.as_ref();
        let segments = self.context.segments.as_ref();
        (!self.separates_channels() || series_place.channel.is_some())
            && (!self.separates_segments() || series_place.segment.is_some())
            && channels.is_none_or(|ids| series_place.channel.is_some_and(|id| ids.contains(&id)))
            && segments.is_none_or(|ids| series_place.segment.is_some_and(|id| ids.contains(&id)))
    }

    fn separates_channels(&self) -> bool {
        self.request.groups_by(Dimension::Channel) || self.request.channels.is_some()
    }

    fn separates_segments(&self) -> bool {
        self.request.groups_by(Dimension::Segment) || self.request.segments.is_some()
    }
}

/// All days of the request.
fn requested_days(periods: &[DayNumberRange]) -> DayNumberRange {
    let first = periods.first().map_or(0, |days| days.start);
    first..periods.last().map_or(first, |days| days.end)
}

/// The intervals without these days, as far as they have values.
fn subtract_days_from_intervals(
    series: &[SeriesWithSums],
    parts: &[CountingInterval],
    days: &[DayNumberRange],
) -> Vec<CountingInterval> {
    let parts = parts.iter().flat_map(|part| {
        let days = subtract_days(&part.days, days.to_vec()).into_iter();
        days.map(|days| CountingInterval { days, ..*part })
    });
    let has_values = |part: &CountingInterval| series[part.series].has_values(&part.days);
    parts.filter(has_values).collect()
}
