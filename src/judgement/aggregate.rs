//! Values put together: over time, and over the time series of a group. Pure.

use std::collections::HashMap;

use entity::{id::KpiId, kpi_target, words::Aggregation};

use crate::{
    bi::cache::kpi_values::{DayValue, day_number},
    judgement::target_on,
    number::{CompensatedSum, round_computed},
};

/// What a KPI should reach, with its warning level.
pub type TargetLevels = (f64, Option<f64>);

/// What a KPI should reach from which day on, by day.
#[derive(Clone, Debug, Default)]
pub struct TargetHistory(pub Vec<(i32, Option<TargetLevels>)>);

impl TargetHistory {
    /// Those of each KPI, of rows in the order of their days.
    #[must_use]
    pub fn by_kpi(rows: Vec<kpi_target::Model>) -> HashMap<KpiId, Self> {
        let mut all: HashMap<KpiId, Self> = HashMap::new();
        for row in rows {
            let target = row.value.map(|value| (value, row.warning));
            let targets = all.entry(row.kpi_id).or_default();
            targets.0.push((day_number(row.valid_from), target));
        }
        all
    }

    /// The target of a day.
    #[must_use]
    pub fn target_on(&self, day: i32) -> Option<TargetLevels> {
        target_on(&self.0, day, |(from, _)| *from)?.1
    }
}

/// Some values, as far as any aggregation needs to know them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Aggregate {
    /// How many there are.
    pub values: u32,
    sum: CompensatedSum,
    /// Σ value × weight and Σ weight: as many as answered, 1 where that is not known.
    weighted: CompensatedSum,
    weight: f64,
    numerator: CompensatedSum,
    denominator: CompensatedSum,
    without_parts: u32,
    /// How many answered; of how many values it is not known.
    sample_size: i64,
    without_sample: u32,
    /// The latest day, the value of it, and how many there are of that day.
    last: (i32, f64, u32),
    /// The targets of their days, added up.
    pub target_sum: TargetSum,
}

/// Targets of days, added up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TargetSum {
    target: CompensatedSum,
    warning: CompensatedSum,
    without_target: u32,
    without_warning: u32,
}

impl TargetSum {
    /// Adds the target of another day.
    pub fn add(&mut self, target: Option<TargetLevels>) {
        match target {
            Some((target, warning)) => {
                self.target.add(target);
                // One pass adds up both; a day without a warning level is counted and makes the sum undefined in
                // `target`.
                self.warning.add(warning.unwrap_or_default());
                self.without_warning += u32::from(warning.is_none());
            }
            None => self.without_target += 1,
        }
    }

    /// Adds the targets of other days.
    pub fn merge(&mut self, other: &Self) {
        self.target.merge(&other.target);
        self.warning.merge(&other.warning);
        self.without_target += other.without_target;
        self.without_warning += other.without_warning;
    }

    /// What the days should come to; nothing where one of them has no target.
    #[must_use]
    pub fn target(&self) -> Option<TargetLevels> {
        let warning = (self.without_warning == 0).then_some(self.warning.total());
        (self.without_target == 0).then_some((self.target.total(), warning))
    }
}

impl Aggregate {
    /// Adds a value, and the target of its day.
    pub fn add(&mut self, value: &DayValue, target: Option<TargetLevels>) {
        let (numerator, denominator) = value.parts.unwrap_or_default();
        let weight = value.sample_size.map_or(1.0, f64::from);
        self.merge(&Self {
            values: 1,
            sum: value.value.into(),
            weighted: (value.value * weight).into(),
            weight,
            numerator: numerator.into(),
            denominator: denominator.into(),
            without_parts: u32::from(value.parts.is_none()),
            sample_size: value.sample_size.unwrap_or_default().into(),
            without_sample: u32::from(value.sample_size.is_none()),
            last: (value.day, value.value, 1),
            target_sum: TargetSum::default(),
        });
        self.target_sum.add(target);
    }

    /// Adds all of another aggregate.
    pub fn merge(&mut self, other: &Self) {
        if other.values == 0 {
            return;
        }
        // The empty aggregate has the day 0, which is a day like any other: the number of values tells.
        if self.values == 0 || other.last.0 > self.last.0 {
            self.last = other.last;
        } else if other.last.0 == self.last.0 {
            self.last.2 += other.last.2;
        }
        self.values += other.values;
        self.sum.merge(&other.sum);
        self.weighted.merge(&other.weighted);
        self.weight += other.weight;
        self.numerator.merge(&other.numerator);
        self.denominator.merge(&other.denominator);
        self.without_parts += other.without_parts;
        self.sample_size += other.sample_size;
        self.without_sample += other.without_sample;
        self.target_sum.merge(&other.target_sum);
    }

    /// What the values come to; nothing where that is not defined: several values of the last day have no last one, and
    /// shares without their numerators and denominators cannot be put together.
    #[must_use]
    pub fn value(&self, aggregation: Aggregation, scale: f64) -> Option<f64> {
        match (aggregation, self.values) {
            (_, 0) => None,
            // The value as it was recorded, also of a share without its parts, which could not be put together with
            // another.
            (_, 1) => Some(self.last.1),
            // Several values of one day, at several places: none of them is the last.
            (Aggregation::Last, _) => (self.last.2 == 1).then_some(self.last.1),
            (Aggregation::Average, _) => Some(round_computed(self.weighted.exact() / self.weight)),
            (Aggregation::Sum, _) => Some(self.sum.total()),
            (Aggregation::Ratio, _) if self.has_parts() => {
                let share = self.numerator.exact() / self.denominator.exact();
                Some(round_computed(scale * share))
            }
            (Aggregation::Ratio, _) => None,
        }
    }

    fn has_parts(&self) -> bool {
        self.values > 0 && self.without_parts == 0
    }

    /// Numerators and denominators, each added up; nothing where a value has none.
    #[must_use]
    pub fn numerator_and_denominator(&self) -> Option<(f64, f64)> {
        self.has_parts()
            .then(|| (self.numerator.total(), self.denominator.total()))
    }

    /// How many answered; nothing where that is not known of every value.
    #[must_use]
    pub fn sample_size(&self) -> Option<i64> {
        (self.values > 0 && self.without_sample == 0).then_some(self.sample_size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aggregate(values: &[DayValue]) -> Aggregate {
        let mut aggregate = Aggregate::default();
        values.iter().for_each(|value| aggregate.add(value, None));
        aggregate
    }

    fn value(day: i32, value: f64) -> DayValue {
        DayValue {
            day,
            value,
            parts: None,
            sample_size: None,
        }
    }

    #[test]
    fn an_average_counts_as_many_as_answered() {
        let few = DayValue {
            sample_size: Some(1),
            ..value(1, 5.0)
        };
        let many = DayValue {
            sample_size: Some(3),
            ..value(2, 1.0)
        };
        let both = aggregate(&[few, many]);
        assert_eq!(both.value(Aggregation::Average, 1.0), Some(2.0));
        assert_eq!(both.sample_size(), Some(4));
        let unknown = aggregate(&[few, many, value(3, 2.0)]);
        assert_eq!(unknown.value(Aggregation::Average, 1.0), Some(2.0));
        assert_eq!(unknown.sample_size(), None);
    }

    #[test]
    fn shares_are_put_together_by_their_parts_or_not_at_all() {
        let contribution = |day, numerator, denominator: f64| DayValue {
            parts: Some((numerator, denominator)),
            ..value(day, 100.0 * numerator / denominator)
        };
        let both = aggregate(&[contribution(1, 1.0, 10.0), contribution(2, 1.0, 2.0)]);
        let sixth = 16.666_666_666_666_7;
        assert_eq!(both.value(Aggregation::Ratio, 100.0), Some(sixth));
        let mixed = aggregate(&[contribution(1, 1.0, 10.0), value(2, 50.0)]);
        assert_eq!(mixed.value(Aggregation::Ratio, 100.0), None);
        let alone = aggregate(&[value(2, 50.0)]);
        assert_eq!(alone.value(Aggregation::Ratio, 100.0), Some(50.0));
    }

    #[test]
    fn the_last_value_is_that_of_the_latest_day_unless_there_are_several() {
        let days = aggregate(&[value(2, 8.0), value(1, 9.0)]);
        assert_eq!(days.value(Aggregation::Last, 1.0), Some(8.0));
        let twice = aggregate(&[value(2, 8.0), value(1, 9.0), value(2, 7.0)]);
        assert_eq!(twice.value(Aggregation::Last, 1.0), None);
        assert_eq!(twice.value(Aggregation::Sum, 1.0), Some(24.0));
    }

    #[test]
    fn targets_add_up_where_every_day_has_one() {
        let targets = TargetHistory(vec![
            (1, Some((10.0, None))),
            (3, None),
            (4, Some((5.0, Some(4.0)))),
        ]);
        assert_eq!(targets.target_on(0), None);
        assert_eq!(targets.target_on(2), Some((10.0, None)));
        assert_eq!(targets.target_on(3), None);
        let mut target_sum = TargetSum::default();
        target_sum.add(targets.target_on(1));
        target_sum.add(targets.target_on(9));
        assert_eq!(target_sum.target(), Some((15.0, None)));
        target_sum.add(targets.target_on(3));
        assert_eq!(target_sum.target(), None);
    }
}
