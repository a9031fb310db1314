//! Employees' answers in cells: the only grain in which anything of them leaves the database. Blocks and withholding are
//! pure rules over counts; one statement reads the counts.
//!
//! A cell is a place (a touchpoint, a journey as a whole, or the organisation as a whole) on one scale in one block. A
//! block is a closed month of receipt, joined with the next until it has five answers. The month of receipt is the
//! server's own and answers are only ever added to the running month, so a closed cell never changes: it is frozen
//! without being stored. Cells of a place share no answer, so a sum of cells holds at least five people, and so does
//! the difference between two sums.
//!
//! Example: 3 answers in September, 4 in October, 6 in November. On 1 December there are two cells: September with
//! October (7) and November (6). On 15 November there was one.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Duration, Months, NaiveDate};
use entity::{
    feedback,
    id::{BlueprintId, TouchpointId},
    words::{FeedbackGroup, FeedbackScale, Subject},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter,
    QuerySelect,
    sea_query::{Alias, Expr, ExprTrait},
};

use super::answers::{FEWEST_OF_EMPLOYEES, Tally};
use crate::{access::Caller, error::Result};

/// How long after its end a month counts as closed: longer than any request that began in it can still be writing, and
/// than the clocks of two servers differ.
const CLOSING: Duration = Duration::hours(1);

/// Answers at one place on one scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Series {
    pub scale: FeedbackScale,
    pub blueprint: Option<BlueprintId>,
    /// Empty for the journey, or the organisation, as a whole.
    pub touchpoint: Option<TouchpointId>,
}

/// At least five answers of employees that are told together, or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    pub series: Series,
    /// The first day of its block.
    pub from: NaiveDate,
    /// The day before which its block ends.
    pub to: NaiveDate,
    pub tally: Tally,
}

impl Cell {
    /// Whether its answers are all of one group: the score would tell what each of them said.
    #[must_use]
    pub const fn alike(&self) -> bool {
        self.tally.alike()
    }
}

/// What there is of employees' answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cells {
    pub closed: Vec<Cell>,
    /// Where answers wait for a block to close.
    pub waiting: BTreeSet<Series>,
}

/// How many answers there were of a group, in a month.
#[derive(Clone, Copy, Debug, FromQueryResult)]
struct Counted {
    scale: FeedbackScale,
    blueprint_id: Option<BlueprintId>,
    touchpoint_id: Option<TouchpointId>,
    received_in: NaiveDate,
    answer_group: FeedbackGroup,
    answers: i64,
    score_sum: i64,
}

/// The month that a day is in, as its first day.
#[must_use]
pub fn month_of(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

/// The cells of these answers, which must be all answers of their journeys: others would be blocks of their own.
pub async fn load(db: &impl ConnectionTrait, caller: &Caller, which: Condition) -> Result<Cells> {
    use feedback::Column;
    let whole = || Expr::col(Column::Score).sum().cast_as(Alias::new("bigint"));
    let counted = feedback::Entity::find()
        .select_only()
        .columns([
            Column::Scale,
            Column::BlueprintId,
            Column::TouchpointId,
            Column::ReceivedIn,
            Column::AnswerGroup,
        ])
        .column_as(Column::Id.count(), "answers")
        .column_as(whole(), "score_sum")
        .filter(Column::Subject.eq(Subject::Employee))
        .filter(which)
        .group_by(Column::Scale)
        .group_by(Column::BlueprintId)
        .group_by(Column::TouchpointId)
        .group_by(Column::ReceivedIn)
        .group_by(Column::AnswerGroup)
        .into_model()
        .all(db)
        .await?;
    Ok(cells(counted, running(caller)))
}

/// The month that is not closed yet, as its first day.
#[must_use]
pub fn running(caller: &Caller) -> NaiveDate {
    month_of(caller.day_of(caller.now - CLOSING))
}

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

fn cells(counted: Vec<Counted>, running: NaiveDate) -> Cells {
    let mut journeys: BTreeMap<Journey, BTreeMap<NaiveDate, Vec<(Series, Tally)>>> =
        BTreeMap::new();
    let mut cells = Cells::default();
    for row in counted {
        let series = Series {
            scale: row.scale,
            blueprint: row.blueprint_id,
            touchpoint: row.touchpoint_id,
        };
        if row.received_in >= running {
            cells.waiting.insert(series);
            continue;
        }
        let months = journeys.entry((row.scale, row.blueprint_id)).or_default();
        let tally = Tally::of(row.answer_group, row.answers, row.score_sum);
        months
            .entry(row.received_in)
            .or_default()
            .push((series, tally));
    }
    for months in journeys.into_values() {
        walk(months, &mut cells);
    }
    cells
}

/// Goes through the months of a journey and closes the blocks of its places as they come to have enough.
fn walk(months: BTreeMap<NaiveDate, Vec<(Series, Tally)>>, cells: &mut Cells) {
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
                cells.closed.push(Cell {
                    series: *series,
                    from: place.from,
                    to,
                    tally: place.tally,
                });
            }
            open
        });
    }
    cells.waiting.extend(waiting.into_keys());
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

    /// So many answers at these places in these months; the running month is December.
    fn told(answers: &[(u128, u32, i64)]) -> Vec<(Series, u32, u32, i64)> {
        let rows = answers.iter().map(|(at, received, answers)| Counted {
            scale: FeedbackScale::Csat,
            blueprint_id: place(*at).blueprint,
            touchpoint_id: place(*at).touchpoint,
            received_in: month(*received),
            answer_group: FeedbackGroup::Satisfied,
            answers: *answers,
            score_sum: 5 * answers,
        });
        let closed = cells(rows.collect(), month(12)).closed.into_iter();
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
        assert_eq!(told(&[(1, 9, 4), (1, 12, 9)]), []);
        let rows = [(1, 9, 3), (1, 10, 4), (1, 11, 6), (1, 12, 9)];
        assert_eq!(
            told(&rows),
            [(place(1), 9, 10, 7), (place(1), 11, 11, 6)],
            "the running month is not told"
        );
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
