//! How blocks of months close: pure rules over counts.

use std::collections::BTreeMap;

use chrono::{Months, NaiveDate};
use entity::{id::BlueprintId, words::FeedbackScale};

use super::{Cell, Series};
use crate::kpi::answers::{FEWEST_OF_EMPLOYEES, Tally};

/// Answers of a place that wait for their block to close.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    from: NaiveDate,
    last: NaiveDate,
    tally: Tally,
    /// Whether it has enough answers, and waits so that a place with too few is not the only one.
    held: bool,
}

impl Waiting {
    const fn is_short(&self) -> bool {
        self.tally.answers() < FEWEST_OF_EMPLOYEES
    }

    fn meets(&self, other: &Self) -> bool {
        self.from <= other.last && other.from <= self.last
    }
}

/// A journey on one scale: whose places can be told from one another by their sum.
type Journey = (FeedbackScale, Option<BlueprintId>);

/// The cells that close among answers, which are all that wait of closed months: what each place was answered in each
/// month. The others wait on.
pub(super) fn cells(answered: BTreeMap<(Series, NaiveDate), Tally>) -> Vec<Cell> {
    let mut journeys: BTreeMap<Journey, BTreeMap<NaiveDate, Vec<(Series, Tally)>>> =
        BTreeMap::new();
    for ((series, month), tally) in answered {
        let months = journeys
            .entry((series.scale, series.blueprint))
            .or_default();
        months.entry(month).or_default().push((series, tally));
    }
    journeys.into_values().flat_map(walk).collect()
}

/// Goes through the months of a journey and closes the blocks of its places as they come to have enough.
fn walk(months: BTreeMap<NaiveDate, Vec<(Series, Tally)>>) -> Vec<Cell> {
    let mut closed = Vec::new();
    let mut waiting: BTreeMap<Series, Waiting> = BTreeMap::new();
    for (month, answers) in months {
        for (series, tally) in answers {
            let place = waiting.entry(series).or_insert(Waiting {
                from: month,
                last: month,
                tally: Tally::default(),
                held: false,
            });
            place.last = month;
            place.tally += tally;
        }
        hold_a_second(&mut waiting);
        let to = month + Months::new(1);
        waiting.retain(|series, place| {
            let open = place.is_short() || place.held;
            if !open {
                closed.push(Cell {
                    series: *series,
                    from: place.from,
                    to,
                    tally: place.tally,
                });
            }
            open
        });
    }
    closed
}

/// Where only one place has too few answers, the least of the others in its months waits with it: whoever knows what
/// all of them come to would have its answers by subtraction.
fn hold_a_second(waiting: &mut BTreeMap<Series, Waiting>) {
    let short: Vec<(Series, Waiting)> = waiting
        .iter()
        .filter(|(_, place)| place.is_short())
        .map(|(series, place)| (*series, *place))
        .collect();
    for place in waiting.values_mut() {
        place.held &= short.iter().any(|(_, short)| short.meets(place));
    }
    for (series, alone) in &short {
        let withheld = |(other, place): (&Series, &Waiting)| {
            other != series && (place.is_short() || place.held) && place.meets(alone)
        };
        if waiting.iter().any(withheld) {
            continue;
        }
        let least = waiting
            .iter_mut()
            .filter(|(_, place)| !place.is_short() && place.meets(alone))
            .min_by_key(|(series, place)| (place.tally.answers(), **series));
        if let Some((_, place)) = least {
            place.held = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::Datelike;
    use entity::words::FeedbackGroup;

    use super::*;

    fn place(n: u128) -> Series {
        Series {
            scale: FeedbackScale::Csat,
            blueprint: Some(uuid::Uuid::from_u128(1).into()),
            touchpoint: Some(uuid::Uuid::from_u128(n).into()),
        }
    }

    fn month(n: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, n, 1).expect("a month")
    }

    /// So many answers at these places in these months.
    fn told(answers: &[(u128, u32, i64)]) -> Vec<(Series, u32, u32, i64)> {
        let mut answered: BTreeMap<(Series, NaiveDate), Tally> = BTreeMap::new();
        for (at, received, answers) in answers {
            let tally = Tally::of(FeedbackGroup::Satisfied, *answers, 5 * answers);
            *answered.entry((place(*at), month(*received))).or_default() += tally;
        }
        let closed = cells(answered).into_iter();
        closed
            .map(|cell| {
                let last = cell.to - Months::new(1);
                (
                    cell.series,
                    cell.from.month(),
                    last.month(),
                    cell.tally.answers(),
                )
            })
            .collect()
    }

    #[test]
    fn a_month_is_joined_with_the_next_until_it_has_five() {
        assert_eq!(told(&[(1, 9, 4)]), []);
        let rows = [(1, 9, 3), (1, 10, 4), (1, 11, 6)];
        assert_eq!(told(&rows), [(place(1), 9, 10, 7), (place(1), 11, 11, 6)]);
    }

    #[test]
    fn what_waits_closes_alike_whether_months_close_one_by_one_or_all_at_once() {
        let months: [&[(u128, u32, i64)]; 4] = [
            &[(1, 8, 3), (2, 8, 6), (3, 8, 20), (4, 8, 2)],
            &[(1, 9, 3), (2, 9, 1), (3, 9, 5)],
            &[(2, 10, 2), (4, 10, 1)],
            &[(1, 11, 4), (2, 11, 5), (4, 11, 4)],
        ];
        let (mut waiting, mut one_by_one) = (Vec::new(), Vec::new());
        for answers in months {
            waiting.extend_from_slice(answers);
            for cell in told(&waiting) {
                waiting.retain(|(at, month, _)| place(*at) != cell.0 || *month > cell.2);
                one_by_one.push(cell);
            }
        }
        one_by_one.sort();
        let mut all = told(&months.concat());
        all.sort();
        assert_eq!(one_by_one, all);
    }

    #[test]
    fn where_one_place_is_withheld_so_is_a_second() {
        assert_eq!(told(&[(1, 9, 3), (2, 9, 8)]), []);
        assert_eq!(
            told(&[(1, 9, 3), (2, 9, 8), (3, 9, 20)]),
            [(place(3), 9, 9, 20)]
        );
        assert_eq!(
            told(&[(1, 9, 3), (2, 9, 2), (3, 9, 20)]),
            [(place(3), 9, 9, 20)]
        );
        let rows = [(1, 9, 3), (2, 9, 8), (1, 10, 2), (2, 10, 1)];
        assert_eq!(told(&rows), [(place(1), 9, 10, 5), (place(2), 9, 10, 9)]);
        assert_eq!(
            told(&[(1, 9, 3), (2, 11, 8)]),
            [(place(2), 11, 11, 8)],
            "what shares no month tells nothing of it"
        );
    }
}
