//! Values put together: over time, and over the parts of a whole. Pure.

use chrono::NaiveDate;
use entity::{
    kpi,
    read::{FromCells, RowCursor},
    words::{AcrossParts, Aggregation, KpiType, Unit},
};

use sea_orm::DbErr;

use super::period::{day_number, day_of_number};
use crate::number::{CompensatedSum, round_computed};

/// A value of a day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DayValue {
    /// The day, as [`day_number`] counts.
    pub day: i32,
    pub value: f64,
    /// Numerator and denominator of a share.
    pub parts: Option<(f64, f64)>,
    pub sample_size: Option<i32>,
}

impl FromCells for DayValue {
    /// From the columns `measured_on`, `value`, `numerator`, `denominator` and `sample_size` of a measurement.
    fn from_cells(cells: &mut RowCursor<'_>) -> Result<Self, DbErr> {
        Ok(Self {
            day: day_number(cells.read_next()?),
            value: cells.read_next()?,
            parts: Option::zip(cells.read_next()?, cells.read_next()?),
            sample_size: cells.read_next()?,
        })
    }
}

/// How the values of a KPI are put together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AggregationRule {
    pub aggregation: Aggregation,
    /// What a numerator over its denominator is multiplied by, to be told in the unit.
    ratio_multiplier: f64,
    /// Whether the last values of parts add up to the last value of the whole.
    adds_last_values: bool,
}

impl From<&kpi::Model> for AggregationRule {
    fn from(kpi: &kpi::Model) -> Self {
        Self {
            aggregation: kpi.aggregation,
            ratio_multiplier: ratio_multiplier(kpi.kpi_type, kpi.unit),
            adds_last_values: kpi.across_parts == AcrossParts::Sum,
        }
    }
}

/// What a numerator over its denominator is multiplied by, to be told in the unit: shares in percent and net promoter
/// scores are told in points of a hundred.
#[must_use]
pub const fn ratio_multiplier(kpi_type: KpiType, unit: Unit) -> f64 {
    match unit {
        Unit::Percent => 100.0,
        Unit::Score if matches!(kpi_type, KpiType::Nps | KpiType::Enps) => 100.0,
        _ => 1.0,
    }
}

impl AggregationRule {
    /// Whether parts add up to the whole, so that what the whole should reach says nothing of a part.
    #[must_use]
    pub fn adds_parts(&self) -> bool {
        self.aggregation == Aggregation::Sum || self.adds_last_values
    }
}

/// Some values, as far as any aggregation needs to know them: of one time series, or of several that were joined.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Aggregate {
    /// How many values there are.
    pub values: u32,
    pub(super) sum: CompensatedSum,
    /// Σ value × weight and Σ weight: as many as answered, 1 where that is not known.
    pub(super) weighted: CompensatedSum,
    pub(super) weight: f64,
    pub(super) numerator: CompensatedSum,
    pub(super) denominator: CompensatedSum,
    pub(super) without_parts: u32,
    /// Of how many values it is not known how many answered.
    pub(super) without_sample: u32,
    /// The latest day.
    pub(super) last_day: i32,
    /// The values of the latest day of each time series, added up.
    pub(super) last: CompensatedSum,
    pub(super) smallest: f64,
    /// How many time series there are.
    pub(super) series: u32,
    /// Whether they are of channels or segments, and so no whole.
    pub(super) is_by_part: bool,
}

impl Default for Aggregate {
    fn default() -> Self {
        Self {
            values: 0,
            sum: CompensatedSum::default(),
            weighted: CompensatedSum::default(),
            weight: 0.0,
            numerator: CompensatedSum::default(),
            denominator: CompensatedSum::default(),
            without_parts: 0,
            without_sample: 0,
            last_day: i32::MIN,
            last: CompensatedSum::default(),
            smallest: f64::INFINITY,
            series: 0,
            is_by_part: false,
        }
    }
}

impl From<&DayValue> for Aggregate {
    fn from(value: &DayValue) -> Self {
        let (numerator, denominator) = value.parts.unwrap_or_default();
        let weight = value.sample_size.map_or(1.0, f64::from);
        Self {
            values: 1,
            sum: value.value.into(),
            weighted: (value.value * weight).into(),
            weight,
            numerator: numerator.into(),
            denominator: denominator.into(),
            without_parts: u32::from(value.parts.is_none()),
            without_sample: u32::from(value.sample_size.is_none()),
            last_day: value.day,
            last: value.value.into(),
            smallest: value.value,
            series: 1,
            is_by_part: false,
        }
    }
}

impl<'v> FromIterator<&'v DayValue> for Aggregate {
    fn from_iter<T: IntoIterator<Item = &'v DayValue>>(values: T) -> Self {
        let mut aggregate = Self::default();
        values.into_iter().for_each(|value| aggregate.add(value));
        aggregate
    }
}

impl Aggregate {
    /// Adds a value of the same time series.
    pub fn add(&mut self, value: &DayValue) {
        self.extend(&value.into());
    }

    /// Adds values of other days of the same time series.
    pub fn extend(&mut self, other: &Self) {
        if other.last_day > self.last_day {
            (self.last_day, self.last) = (other.last_day, other.last);
        }
        self.series = self.series.max(other.series);
        self.add_sums(other);
    }

    /// Adds the values of another time series.
    pub fn join(&mut self, other: &Self) {
        self.last_day = self.last_day.max(other.last_day);
        self.last.merge(&other.last);
        self.series += other.series;
        self.add_sums(other);
    }

    fn add_sums(&mut self, other: &Self) {
        self.values += other.values;
        self.sum.merge(&other.sum);
        self.weighted.merge(&other.weighted);
        self.weight += other.weight;
        self.numerator.merge(&other.numerator);
        self.denominator.merge(&other.denominator);
        self.without_parts += other.without_parts;
        self.without_sample += other.without_sample;
        self.smallest = self.smallest.min(other.smallest);
        self.is_by_part |= other.is_by_part;
    }

    /// Notes whether its values are of a channel or segment where the whole is asked for.
    pub fn set_by_part(&mut self, is_by_part: bool) {
        self.is_by_part = is_by_part;
    }

    /// What the values come to; nothing where that is not defined: a part has no last value that is the whole's unless
    /// they add up, and shares without their numerators and denominators cannot be put together.
    #[must_use]
    pub fn value(&self, rule: &AggregationRule) -> Option<f64> {
        match (rule.aggregation, self.values) {
            (_, 0) => None,
            (Aggregation::Last, _) if self.series == 1 && !self.is_by_part => {
                Some(self.last.exact())
            }
            (Aggregation::Last, _) => rule.adds_last_values.then(|| self.last.total()),
            // The value as it was recorded, also of a share without its parts, which could not be put together with
            // another.
            (_, 1) => Some(self.last.exact()),
            (Aggregation::Average, _) => Some(round_computed(self.weighted.exact() / self.weight)),
            (Aggregation::Sum, _) => Some(self.sum.total()),
            (Aggregation::Ratio, _) if self.has_parts() => {
                let share = self.numerator.exact() / self.denominator.exact();
                Some(round_computed(rule.ratio_multiplier * share))
            }
            (Aggregation::Ratio, _) => None,
        }
    }

    /// How many answers or cases it is made of: the sample sizes added up, of shares their denominators; 1 for each
    /// value of which that is not known.
    #[must_use]
    pub fn n(&self, rule: &AggregationRule) -> f64 {
        match rule.aggregation {
            Aggregation::Ratio if self.has_parts() => self.denominator.total(),
            _ => self.weight,
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
        // A sum of whole numbers far below 2⁵³: exact.
        (self.values > 0 && self.without_sample == 0).then_some(self.weight as i64)
    }

    /// Whether no value is below zero, so that more of them never make their sum less.
    #[must_use]
    pub fn is_only_rising(&self) -> bool {
        self.smallest >= 0.0
    }

    /// The latest day with a value; none without values.
    #[must_use]
    pub fn last_day(&self) -> Option<NaiveDate> {
        day_of_number(self.last_day).filter(|_| self.values > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(aggregation: Aggregation) -> AggregationRule {
        AggregationRule {
            aggregation,
            ratio_multiplier: 100.0,
            adds_last_values: false,
        }
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
        let both = Aggregate::from_iter(&[few, many]);
        let average = rule(Aggregation::Average);
        assert_eq!((both.value(&average), both.n(&average)), (Some(2.0), 4.0));
        assert_eq!(both.sample_size(), Some(4));
        let unknown = Aggregate::from_iter(&[few, many, value(3, 2.0)]);
        assert_eq!(
            (unknown.value(&average), unknown.n(&average)),
            (Some(2.0), 5.0)
        );
        assert_eq!(unknown.sample_size(), None);
    }

    #[test]
    fn shares_are_put_together_by_their_parts_or_not_at_all() {
        let share = |day, numerator, denominator: f64| DayValue {
            parts: Some((numerator, denominator)),
            ..value(day, 100.0 * numerator / denominator)
        };
        let ratio = rule(Aggregation::Ratio);
        let both = Aggregate::from_iter(&[share(1, 1.0, 10.0), share(2, 1.0, 2.0)]);
        let sixth = 16.666_666_666_666_7;
        assert_eq!((both.value(&ratio), both.n(&ratio)), (Some(sixth), 12.0));
        let mixed = Aggregate::from_iter(&[share(1, 1.0, 10.0), value(2, 50.0)]);
        assert_eq!(mixed.value(&ratio), None);
        let alone = Aggregate::from_iter(&[value(2, 50.0)]);
        assert_eq!((alone.value(&ratio), alone.n(&ratio)), (Some(50.0), 1.0));
    }

    #[test]
    fn the_last_value_is_that_of_the_latest_day_and_of_parts_only_where_they_add_up() {
        let last = rule(Aggregation::Last);
        let adding = AggregationRule {
            adds_last_values: true,
            ..last
        };
        let one = Aggregate::from_iter(&[value(2, 8.0), value(1, 9.0)]);
        assert_eq!(one.value(&last), Some(8.0));
        assert_eq!(one.value(&adding), Some(8.0));
        let mut both = one;
        both.join(&Aggregate::from_iter(&[value(1, 7.0)]));
        assert_eq!(both.value(&last), None);
        assert_eq!(both.value(&adding), Some(15.0));
        assert_eq!(both.value(&rule(Aggregation::Sum)), Some(24.0));
        let mut part = one;
        part.set_by_part(true);
        assert_eq!((part.value(&last), part.value(&adding)), (None, Some(8.0)));
    }
}
