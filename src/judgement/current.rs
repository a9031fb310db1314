//! The current figure of a KPI at a place, as of a day: the one value by which it is told and judged everywhere. Pure.
//!
//! A period of the KPI's cadence **counts** when it is made of enough answers or cases, and while it runs also of half
//! as many as the newest period that has ended, or of as many parts where their last values are added up. The newest
//! period that counts is the figure. A sum is told of ended periods, unless more can no longer change on which side of
//! its target it lies.
//!
//! ```text
//! minimum sample 10    October +42 (n 210)    November, day 2: -40 (n 5)     figure: 42 of October, running: -40
//!                      October  50 (n  20)    November, day 9:  80 (n 11)    figure: 80 of November
//!                      October -100 (n  1)    November, day 9:  50 (n  4)    figure: 50, TOO_FEW
//! ```

use async_graphql::Enum;
use chrono::NaiveDate;
use entity::{
    id::{ChannelId, SegmentId, TouchpointId},
    kpi, kpi_target,
    words::{Aggregation, Direction, KpiState},
};

use super::{
    aggregate::Aggregate,
    period::{Grain, Period},
    period_law::PeriodLaw,
    place::{KpiFigurePlace, PartSum, PlacePeriod},
    state::judge_state,
    target::{KpiPart, KpiTargets, TargetLevels, target_levels},
};

/// How a sum is getting on in its running period: its value against the target's share of the days gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum KpiPace {
    /// Better than the share.
    Ahead,
    /// Within 5 % of the share.
    On,
    /// Worse than the share.
    Behind,
}

/// The value that a KPI has at a place, and what it comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct CurrentFigure {
    pub value: Option<f64>,
    /// How many answers or cases it is made of.
    pub n: f64,
    /// The days that it is made of; none without any value.
    pub period: Option<Period>,
    /// How many periods that have values those days are.
    pub periods: u32,
    pub place: Option<KpiFigurePlace>,
    /// The target by which it is judged; of the day asked about where there is no figure. It has a value.
    pub target: Option<kpi_target::Model>,
    pub state: KpiState,
    /// Whether the KPI, or a part of it, has a target on the day asked about.
    pub has_target: bool,
    /// Whether its period still runs, and values to come cannot bring its sum back to the target.
    pub is_decided: bool,
    pub running: Option<RunningFigure>,
    /// What it was put together from, by channel, segment and touchpoint; none where it was measured as a whole.
    pub parts: Vec<PartFigure>,
    /// The latest day with a value of its newest period.
    pub measured_on: Option<NaiveDate>,
    /// How many periods of the cadence have passed since its own ended; 0 while it runs.
    pub periods_since: Option<i32>,
}

/// What the running period has come to, where it does not count yet.
#[derive(Clone, Debug, PartialEq)]
pub struct RunningFigure {
    pub value: Option<f64>,
    pub n: f64,
    pub period: Period,
    /// None for what is not a sum, or has no target.
    pub pace: Option<KpiPace>,
}

/// What a part of a figure comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct PartFigure {
    pub touchpoint: Option<TouchpointId>,
    pub channel: Option<ChannelId>,
    pub segment: Option<SegmentId>,
    pub value: Option<f64>,
    pub n: f64,
    /// The target of the part. It has a value.
    pub target: Option<kpi_target::Model>,
    pub state: KpiState,
}

/// How many periods are looked at, and put together where none of them counts.
pub(super) const LOOKED_AT: usize = 3;

/// How far from the share of its target a sum is still on its way, as a part of that share.
const ON_PACE: f64 = 0.05;

/// The figure of a KPI at a place on a day, given the place's periods up to that day, the newest first.
#[must_use]
pub fn current_figure(
    kpi: &kpi::Model,
    targets: &KpiTargets,
    periods: &[PlacePeriod],
    day: NaiveDate,
) -> CurrentFigure {
    let law = FigureLaw {
        period: kpi.into(),
        cadence: Grain::finest_for(kpi.cadence),
        targets,
        day,
    };
    let newest = periods.iter().take(LOOKED_AT);
    let told = newest.filter(|period| law.tells(&period.sum));
    law.choose(&told.collect::<Vec<_>>())
}

/// What decides on the figure of a KPI on a day.
struct FigureLaw<'k> {
    period: PeriodLaw,
    cadence: Grain,
    targets: &'k KpiTargets,
    day: NaiveDate,
}

impl FigureLaw<'_> {
    /// Whether values of a period tell anything: they come to a value, or are of parts that have none in common.
    fn tells(&self, sum: &Aggregate) -> bool {
        sum.value(&self.period.rule).is_some() || self.period.is_by_part_only(sum)
    }

    fn runs(&self, period: &Period) -> bool {
        !period.has_ended(self.day)
    }

    /// The figure, given the newest periods that tell anything, the newest first.
    fn choose(&self, newest: &[&PlacePeriod]) -> CurrentFigure {
        let Some(first) = newest.first() else {
            return self.no_figure();
        };
        let counting = newest.iter().find(|period| self.counts(period, newest));
        if let Some(period) = counting {
            let beside = (!std::ptr::eq(*period, *first)).then_some(*first);
            return self.figure(&[period], beside, false);
        }
        match self.count_together(newest) {
            true => self.figure(newest, Some(first), false),
            false => self.figure(&newest[..1], Some(first), true),
        }
    }

    fn counts(&self, period: &PlacePeriod, newest: &[&PlacePeriod]) -> bool {
        let runs = self.runs(&period.period);
        if !self
            .period
            .is_enough(&period.sum, self.levels_of(period), runs)
        {
            return false;
        }
        let ended = newest.iter().find(|other| !self.runs(&other.period));
        let Some(ended) = ended.filter(|_| runs) else {
            return true;
        };
        match self.period.rule.aggregation {
            Aggregation::Sum => true,
            // Parts that are added up before all of them are measured come to too little.
            Aggregation::Last => period.parts.is_empty() || period.parts.len() >= ended.parts.len(),
            Aggregation::Average | Aggregation::Ratio => {
                self.n(&period.sum) >= self.n(&ended.sum) / 2.0
            }
        }
    }

    /// Whether periods that are too small by themselves are enough when they are put together, and come to a value.
    fn count_together(&self, periods: &[&PlacePeriod]) -> bool {
        let sum = sum_of_periods(periods);
        let is_mean = matches!(
            self.period.rule.aggregation,
            Aggregation::Average | Aggregation::Ratio
        );
        is_mean
            && self.period.is_enough(&sum, None, false)
            && sum.value(&self.period.rule).is_some()
    }

    fn n(&self, sum: &Aggregate) -> f64 {
        sum.n(&self.period.rule)
    }

    /// The target in force on the last day of a period that is not after the day asked about.
    fn target_of(&self, period: &PlacePeriod) -> Option<&kpi_target::Model> {
        self.targets
            .of_whole(period.period.last_day_until(self.day))
    }

    fn levels_of(&self, period: &PlacePeriod) -> Option<TargetLevels> {
        target_levels(self.target_of(period)?)
    }

    /// The figure of some periods, the newest first; `first` is the newest of all where another is the figure.
    fn figure(
        &self,
        periods: &[&PlacePeriod],
        first: Option<&PlacePeriod>,
        is_too_few: bool,
    ) -> CurrentFigure {
        let (newest, oldest) = (periods[0], periods[periods.len() - 1]);
        let sum = sum_of_periods(periods);
        let value = sum.value(&self.period.rule);
        let target = self.target_of(newest);
        let state = match value {
            None => KpiState::ByPartOnly,
            Some(_) if is_too_few => KpiState::TooFew,
            Some(_) => judge_state(self.period.direction, value, target.and_then(target_levels)),
        };
        CurrentFigure {
            value,
            n: self.n(&sum),
            period: Some(Period {
                begin: oldest.period.begin,
                from: oldest.period.begin,
                ..newest.period
            }),
            periods: u32::try_from(periods.len()).unwrap_or(u32::MAX),
            place: Some(newest.place),
            target: target.cloned(),
            state,
            has_target: self.targets.has_any(self.day),
            is_decided: !is_too_few
                && self.period.rule.aggregation == Aggregation::Sum
                && self.runs(&newest.period),
            running: first
                .filter(|first| self.runs(&first.period))
                .map(|first| self.running(first)),
            parts: self.parts(periods),
            measured_on: newest.sum.last_day(),
            periods_since: Some(periods_since(self.cadence, newest.period.end, self.day)),
        }
    }

    fn no_figure(&self) -> CurrentFigure {
        CurrentFigure {
            value: None,
            n: 0.0,
            period: None,
            periods: 0,
            place: None,
            target: self.targets.of_whole(self.day).cloned(),
            state: KpiState::NoData,
            has_target: self.targets.has_any(self.day),
            is_decided: false,
            running: None,
            parts: Vec::new(),
            measured_on: None,
            periods_since: None,
        }
    }

    fn running(&self, period: &PlacePeriod) -> RunningFigure {
        let value = period.sum.value(&self.period.rule);
        let target = self.target_of(period).and_then(|target| target.value);
        let is_sum = self.period.rule.aggregation == Aggregation::Sum;
        let pace = value.zip(target).filter(|_| is_sum);
        RunningFigure {
            value,
            n: period.sum.n(&self.period.rule),
            period: period.period,
            pace: pace.map(|(value, target)| self.pace(&period.period, value, target)),
        }
    }

    fn pace(&self, period: &Period, value: f64, target: f64) -> KpiPace {
        let days = |from: NaiveDate, to: NaiveDate| to.signed_duration_since(from).num_days();
        let gone = days(period.begin, self.day) + 1;
        // Numbers of days in a year: exact.
        let share = target * (gone as f64 / days(period.begin, period.end) as f64);
        let is_better = match self.period.direction {
            Direction::Higher => value > share,
            Direction::Lower => value < share,
        };
        match (value - share).abs() <= ON_PACE * share.abs() {
            true => KpiPace::On,
            false if is_better => KpiPace::Ahead,
            false => KpiPace::Behind,
        }
    }

    /// What some periods were put together from; nothing where they were measured as a whole, or each in other parts.
    fn parts(&self, periods: &[&PlacePeriod]) -> Vec<PartFigure> {
        let divided = |period: &PlacePeriod| {
            let part = period.parts.first();
            (period.place, part.map(|part| part.part.division()))
        };
        if periods
            .iter()
            .any(|period| divided(period) != divided(periods[0]))
        {
            return Vec::new();
        }
        let mut parts: Vec<PartSum> = Vec::new();
        for part in periods.iter().flat_map(|period| &period.parts) {
            match parts.iter_mut().find(|known| known.is_same_part(part)) {
                Some(known) => known.sum.extend(&part.sum),
                None => parts.push(part.clone()),
            }
        }
        let last = periods[0].period.last_day_until(self.day);
        let runs = self.runs(&periods[0].period);
        let told = |part: PartSum| {
            let value = part.sum.value(&self.period.rule);
            let adds = self.period.rule.adds_parts();
            // A touchpoint's share of a sum has no target of its own.
            let is_share = adds && part.part == KpiPart::WHOLE;
            let target = self.targets.of_part(part.part, last, adds);
            let target = target.filter(|_| !is_share);
            PartFigure {
                touchpoint: part.touchpoint,
                channel: part.part.channel,
                segment: part.part.segment,
                value,
                n: part.sum.n(&self.period.rule),
                target: target.cloned(),
                state: self
                    .period
                    .state(&part.sum, target.and_then(target_levels), runs),
            }
        };
        parts.into_iter().map(told).collect()
    }
}

/// The values of some periods, the newest first, put together.
fn sum_of_periods(periods: &[&PlacePeriod]) -> Aggregate {
    let mut periods = periods.iter();
    let mut sum = periods.next().map(|newest| newest.sum).unwrap_or_default();
    periods.for_each(|period| sum.extend(&period.sum));
    sum
}

/// How many periods of a cadence have passed between the day before which one ended and another day, that day included;
/// 0 while the first one runs.
#[must_use]
pub fn periods_since(cadence: Grain, end: NaiveDate, day: NaiveDate) -> i32 {
    let after = day.succ_opt().unwrap_or(day);
    let passed = cadence.periods_between(end, cadence.begin_of_period(after));
    passed.max(0)
}
