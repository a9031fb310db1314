//! Periods: days, ISO weeks, months, quarters and years, each half open. Pure.

use async_graphql::Enum;
use chrono::{Datelike, Days, Months, NaiveDate};
use entity::words::Cadence;

/// The number of a day: days since 31 December of the year 0, in the proleptic Gregorian calendar.
#[must_use]
pub fn day_number(day: NaiveDate) -> i32 {
    day.num_days_from_ce()
}

/// The day of this number; none beyond the calendar.
#[must_use]
pub fn day_of_number(number: i32) -> Option<NaiveDate> {
    NaiveDate::from_num_days_from_ce_opt(number)
}

/// The length of the periods of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Enum)]
#[graphql(name = "KpiSeriesGrain")]
pub enum Grain {
    /// A day of the deployment's calendar.
    Day,
    /// An ISO 8601 week, from Monday on.
    Week,
    /// A calendar month.
    Month,
    /// A calendar quarter.
    Quarter,
    /// A calendar year.
    Year,
}

impl Grain {
    pub const ALL: [Self; 5] = [
        Self::Day,
        Self::Week,
        Self::Month,
        Self::Quarter,
        Self::Year,
    ];

    /// Its name, as parameters of a feed spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }

    /// The grain of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grain| grain.as_str() == name)
    }

    /// What is said where none was named.
    #[must_use]
    pub fn invalid_grain_message() -> String {
        let names = Self::ALL.map(Self::as_str).join(", ");
        format!("`grain` has to be one of {names}.")
    }

    /// The finest periods in which something of this cadence can be told.
    #[must_use]
    pub const fn finest_for(cadence: Cadence) -> Self {
        match cadence {
            Cadence::Daily => Self::Day,
            Cadence::Weekly => Self::Week,
            Cadence::Monthly => Self::Month,
            Cadence::Quarterly => Self::Quarter,
            Cadence::Yearly => Self::Year,
        }
    }

    /// Whether its periods are shorter than the cadence, so that some of them could hold no value.
    #[must_use]
    pub fn is_finer_than(self, cadence: Cadence) -> bool {
        self < Self::finest_for(cadence)
    }

    /// The first day of the period that a day lies in.
    #[must_use]
    pub fn begin_of_period(self, day: NaiveDate) -> NaiveDate {
        let first = match self {
            Self::Day => Some(day),
            Self::Week => {
                let passed = u64::from(day.weekday().num_days_from_monday());
                day.checked_sub_days(Days::new(passed))
            }
            Self::Month => day.with_day(1),
            Self::Quarter => NaiveDate::from_ymd_opt(day.year(), (day.month0() / 3) * 3 + 1, 1),
            Self::Year => NaiveDate::from_ymd_opt(day.year(), 1, 1),
        };
        // Days at the end of what the calendar knows have no whole period.
        first.unwrap_or(day)
    }

    /// The first day of the period after the one that begins on this day.
    #[must_use]
    pub fn next_begin(self, begin: NaiveDate) -> NaiveDate {
        let next = match self {
            Self::Day => begin.checked_add_days(Days::new(1)),
            Self::Week => begin.checked_add_days(Days::new(7)),
            Self::Month => begin.checked_add_months(Months::new(1)),
            Self::Quarter => begin.checked_add_months(Months::new(3)),
            Self::Year => begin.checked_add_months(Months::new(12)),
        };
        next.unwrap_or(NaiveDate::MAX)
    }

    /// The first days of its periods that belong to a period of a coarser grain and of which days are asked about. A
    /// week belongs to the month, quarter or year in which its Thursday lies, as ISO 8601 has it for years.
    pub fn begins_in(self, coarser: Period) -> impl Iterator<Item = NaiveDate> {
        let first = self.begin_of_period(coarser.from);
        let begins = std::iter::successors(Some(first), move |begin| Some(self.next_begin(*begin)));
        let belongs_by = move |begin: NaiveDate| match self {
            Self::Week => begin + Days::new(3),
            _ => begin,
        };
        begins
            .skip_while(move |begin| belongs_by(*begin) < coarser.begin)
            .take_while(move |begin| *begin < coarser.to && belongs_by(*begin) < coarser.end)
    }

    /// How many periods begin between two days on which periods begin, the later one included.
    #[must_use]
    pub fn periods_between(self, begin: NaiveDate, later: NaiveDate) -> i32 {
        let number = |day: NaiveDate| match self {
            Self::Day => day_number(day),
            Self::Week => day_number(day).div_euclid(7),
            Self::Month => day.year() * 12 + day.month0().cast_signed(),
            Self::Quarter => day.year() * 4 + day.month0().cast_signed() / 3,
            Self::Year => day.year(),
        };
        number(later) - number(begin)
    }

    /// The first day of the period so many periods before the one that begins on this day.
    #[must_use]
    pub fn subtract_periods(self, begin: NaiveDate, periods: u32) -> NaiveDate {
        let months = |each: u32| begin.checked_sub_months(Months::new(each * periods));
        let days = |each: u64| begin.checked_sub_days(Days::new(each * u64::from(periods)));
        let back = match self {
            Self::Day => days(1),
            Self::Week => days(7),
            Self::Month => months(1),
            Self::Quarter => months(3),
            Self::Year => months(12),
        };
        back.unwrap_or(NaiveDate::MIN)
    }
}

/// Some days, half open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first day of the whole period.
    pub begin: NaiveDate,
    /// The first day after the whole period.
    pub end: NaiveDate,
    /// The first of its days that are asked about.
    pub from: NaiveDate,
    /// The first day after those that are asked about.
    pub to: NaiveDate,
}

impl Period {
    /// The whole period of a grain that a day lies in.
    #[must_use]
    pub fn containing(grain: Grain, day: NaiveDate) -> Self {
        let begin = grain.begin_of_period(day);
        let end = grain.next_begin(begin);
        Self {
            begin,
            end,
            from: begin,
            to: end,
        }
    }

    /// Its last day.
    #[must_use]
    pub fn last_day(&self) -> NaiveDate {
        self.end.pred_opt().unwrap_or(self.end)
    }

    /// The last of its days that are asked about and are not after a day.
    #[must_use]
    pub fn last_day_until(&self, day: NaiveDate) -> NaiveDate {
        self.to.pred_opt().unwrap_or(self.to).min(day)
    }

    /// Whether it has ended on a day: none of its days is later.
    #[must_use]
    pub fn has_ended(&self, day: NaiveDate) -> bool {
        self.last_day() <= day
    }

    /// Whether all of its days are asked about, and it has ended.
    #[must_use]
    pub fn is_complete(&self, today: NaiveDate) -> bool {
        self.from == self.begin && self.to == self.end && self.has_ended(today)
    }
}

/// The periods that days from `from` on and before `to` lie in; the first and the last may be cut.
#[must_use]
pub fn split_into_periods(grain: Grain, (from, to): (NaiveDate, NaiveDate)) -> Vec<Period> {
    let mut periods = Vec::new();
    let mut begin = grain.begin_of_period(from);
    while from < to && begin < to {
        let end = grain.next_begin(begin);
        periods.push(Period {
            begin,
            end,
            from: begin.max(from),
            to: end.min(to),
        });
        begin = end;
    }
    periods
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    #[test]
    fn a_range_falls_into_whole_and_cut_periods() {
        let range = (day("2025-01-15"), day("2025-03-01"));
        let months = split_into_periods(Grain::Month, range);
        let told: Vec<String> = months
            .iter()
            .map(|month| {
                let whole = month.is_complete(day("2025-03-01"));
                format!("{} {} {} {whole}", month.begin, month.from, month.to)
            })
            .collect();
        assert_eq!(
            told,
            [
                "2025-01-01 2025-01-15 2025-02-01 false",
                "2025-02-01 2025-02-01 2025-03-01 true",
            ]
        );
        assert!(!months[1].is_complete(day("2025-02-27")));
        assert!(months[1].is_complete(day("2025-02-28")), "its last day");
    }

    #[test]
    fn weeks_begin_on_monday_and_quarters_with_their_first_month() {
        assert_eq!(
            Grain::Week.begin_of_period(day("2025-01-01")),
            day("2024-12-30")
        );
        assert_eq!(
            Grain::Quarter.begin_of_period(day("2025-06-30")),
            day("2025-04-01")
        );
        assert_eq!(
            Grain::Quarter.subtract_periods(day("2025-04-01"), 3),
            day("2024-07-01")
        );
    }

    #[test]
    fn a_week_belongs_to_the_month_of_its_thursday() {
        let january = Period::containing(Grain::Month, day("2025-01-15"));
        let weeks: Vec<String> = Grain::Week
            .begins_in(january)
            .map(|begin| begin.to_string())
            .collect();
        let expected = [
            "2024-12-30",
            "2025-01-06",
            "2025-01-13",
            "2025-01-20",
            "2025-01-27",
        ];
        assert_eq!(weeks, expected);
        let cut = Period {
            from: day("2025-01-15"),
            to: day("2025-01-21"),
            ..january
        };
        assert_eq!(Grain::Week.begins_in(cut).count(), 2);
        let year = Period::containing(Grain::Year, day("2025-01-15"));
        assert_eq!(Grain::Month.begins_in(year).count(), 12);
    }

    proptest! {
        #[test]
        fn periods_are_counted_as_they_follow_one_another(
            grain in proptest::sample::select(&Grain::ALL[..]),
            day in 700_000i32..740_000,
            many in 0u32..40,
        ) {
            let later = grain.begin_of_period(day_of_number(day).expect("a day"));
            let begin = grain.subtract_periods(later, many);
            prop_assert_eq!(grain.periods_between(begin, later), many.cast_signed());
        }

        #[test]
        fn periods_cover_every_day_once(
            grain in proptest::sample::select(&Grain::ALL[..]),
            from in 700_000i32..740_000,
            days in 0i32..900,
        ) {
            let at = |day| NaiveDate::from_num_days_from_ce_opt(day).expect("a day");
            let (from, to) = (at(from), at(from + days));
            let mut next = from;
            for period in split_into_periods(grain, (from, to)) {
                prop_assert_eq!(period.from, next);
                prop_assert!(period.from < period.to);
                prop_assert_eq!(grain.begin_of_period(period.from), period.begin);
                prop_assert_eq!(grain.begin_of_period(period.end), period.end);
                next = period.to;
            }
            prop_assert_eq!(next, to);
        }
    }
}
