//! Blocks close alike however months are closed, and leave nobody alone.

use chrono::Datelike;
use entity::words::FeedbackGroup;
use proptest::prelude::*;

use super::*;

/// What a place was answered in a month.
type Answered = (u128, u32, i64);

fn place(n: u128) -> AnswerSeriesKey {
    AnswerSeriesKey {
        scale: FeedbackScale::Csat,
        blueprint: Some(uuid::Uuid::from_u128(1).into()),
        touchpoint: Some(uuid::Uuid::from_u128(n).into()),
    }
}

fn month(n: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, n, 1).expect("a month")
}

/// What is kept, as it comes in and months close.
#[derive(Debug, Default)]
struct Kept {
    known: MonthClosingInput,
    cells: Vec<AnonymousAnswerCell>,
}

impl Kept {
    fn take(&mut self, answered: &[Answered]) {
        for (at, received, answers) in answered.iter().filter(|(.., answers)| *answers > 0) {
            let tally = Tally::of_group(FeedbackGroup::Satisfied, *answers, 5 * answers);
            let waiting = (place(*at), month(*received));
            *self.known.waiting.entry(waiting).or_default() += tally;
            let begin = self.known.begins.entry(place(*at));
            begin.or_insert(month(1));
        }
    }

    /// Closes the months from this one on, as far as something was answered; what is in cells is not kept.
    fn close(&mut self, running: u32) {
        for cell in close_cells(self.known.clone(), month(running)) {
            self.known.waiting.retain(|(series, month), _| {
                *series != cell.series || *month < cell.first || cell.to <= *month
            });
            self.known.begins.insert(cell.series, cell.to);
            let last = cell.to - Months::new(1);
            let span = MonthSpan {
                first: cell.first,
                last,
            };
            self.known.told.push((cell.series.journey(), span));
            self.cells.push(cell);
        }
    }
}

fn all_at_once(answered: &[Answered]) -> Vec<AnonymousAnswerCell> {
    let mut kept = Kept::default();
    kept.take(answered);
    kept.close(1);
    kept.cells.sort_by_key(|cell| (cell.series, cell.to));
    kept.cells
}

fn one_by_one(answered: &[Answered]) -> Vec<AnonymousAnswerCell> {
    let mut kept = Kept::default();
    for month in 1..=12 {
        let of_it = |answered: &&Answered| answered.1 == month;
        let some: Vec<Answered> = answered.iter().filter(of_it).copied().collect();
        kept.take(&some);
        kept.close(month);
    }
    kept.cells.sort_by_key(|cell| (cell.series, cell.to));
    kept.cells
}

/// The cells: where, the first and the last month of which they have answers, and how many.
fn told(answered: &[Answered]) -> Vec<(u128, u32, u32, i64)> {
    let cells = all_at_once(answered);
    assert_eq!(one_by_one(answered), cells);
    let place =
        |cell: &AnonymousAnswerCell| cell.series.touchpoint.expect("a touchpoint").0.as_u128();
    let last = |cell: &AnonymousAnswerCell| (cell.to - Months::new(1)).month();
    let cells = cells.iter();
    cells
        .map(|cell| {
            (
                place(cell),
                cell.first.month(),
                last(cell),
                cell.tally.answers(),
            )
        })
        .collect()
}

#[test]
fn a_month_is_joined_with_the_next_until_it_has_five() {
    assert_eq!(told(&[(1, 9, 4)]), []);
    let rows = [(1, 9, 3), (1, 10, 4), (1, 11, 6)];
    assert_eq!(told(&rows), [(1, 9, 10, 7), (1, 11, 11, 6)]);
}

#[test]
fn where_one_place_is_withheld_so_is_a_second() {
    assert_eq!(told(&[(1, 9, 3), (2, 9, 8)]), []);
    let rows = [(1, 9, 3), (2, 9, 8), (3, 9, 20)];
    assert_eq!(told(&rows), [(3, 9, 9, 20)]);
    let rows = [(1, 9, 3), (2, 9, 2), (3, 9, 20)];
    assert_eq!(told(&rows), [(3, 9, 9, 20)], "together they are five");
    let rows = [(1, 9, 1), (2, 9, 2), (3, 9, 8), (4, 9, 20)];
    assert_eq!(told(&rows), [(4, 9, 9, 20)], "together they are three");
    let rows = [(1, 9, 3), (2, 9, 8), (1, 10, 2), (2, 10, 1)];
    assert_eq!(told(&rows), [(1, 9, 10, 5), (2, 9, 10, 9)]);
    let rows = [(1, 9, 3), (2, 11, 8)];
    assert_eq!(told(&rows), [(2, 11, 11, 8)], "they share no month");
}

#[test]
fn what_a_closed_place_has_of_a_month_is_not_left_alone_in_it() {
    let rows = [(1, 9, 3), (1, 10, 2), (2, 10, 20)];
    assert_eq!(told(&rows), [(1, 9, 10, 5)], "of October two are left");
    let later = [&rows[..], &[(2, 11, 20)]].concat();
    assert_eq!(told(&later), [(1, 9, 10, 5), (2, 11, 11, 20)]);
}

#[test]
fn a_place_that_waits_is_not_let_go_when_the_place_that_it_waits_for_changes() {
    // In September 1 is short and 2 waits with it; in October 1 has enough, and 3 is short.
    let rows = [(1, 9, 3), (2, 9, 8), (1, 10, 2), (2, 10, 1), (3, 10, 3)];
    assert_eq!(told(&rows), [(1, 9, 10, 5)]);
    let later = [&rows[..], &[(2, 11, 6)]].concat();
    let anew = [(1, 9, 10, 5), (2, 11, 11, 6)];
    assert_eq!(told(&later), anew, "the three are still there");
    let later = [&rows[..], &[(2, 11, 1), (3, 11, 2)]].concat();
    let second = [(1, 9, 10, 5), (2, 9, 11, 10)];
    assert_eq!(told(&later), second, "now 3 waits with 1's October");
}

#[test]
fn an_answer_at_a_dead_place_silences_nobody_for_ever() {
    let mut rows = vec![(1, 1, 1), (2, 1, 10), (3, 1, 20)];
    for month in 2..=6 {
        rows.extend([(2, month, 10), (3, month, 20)]);
    }
    let later = (2..=6).map(|month| (2, month, month, 10));
    let all = (1..=6).map(|month| (3, month, month, 20));
    let those: Vec<_> = later.chain(all).collect();
    assert_eq!(told(&rows), those, "of 2 January alone is never told");
}

#[test]
fn a_block_begins_where_the_last_of_its_place_ended() {
    let cells = all_at_once(&[(1, 3, 5), (1, 6, 5)]);
    let blocks = cells.iter().map(|cell| (cell.from, cell.to));
    let blocks: Vec<_> = blocks.collect();
    let those = [(month(1), month(4)), (month(4), month(7))];
    assert_eq!(blocks, those, "whether or not anybody answered meanwhile");
}

/// Whoever knows the whole journey in months that have an end in common with cells, and subtracts the cells in them, is
/// left with these in months of which something is told.
fn left(answered: &[Answered], cells: &[AnonymousAnswerCell], from: u32, to: u32) -> i64 {
    let those = |cell: &&AnonymousAnswerCell| {
        month(from) <= cell.first && cell.to <= month(to) + Months::new(1)
    };
    let inside: Vec<&AnonymousAnswerCell> = cells.iter().filter(those).collect();
    let in_a_cell = |(at, received, _): &Answered| {
        let received = month(*received);
        let holds = |cell: &&&AnonymousAnswerCell| {
            cell.series == place(*at) && cell.first <= received && received < cell.to
        };
        inside.iter().any(|cell| holds(&cell))
    };
    let in_them = |answered: &&Answered| (from..=to).contains(&answered.1) && answered.2 > 0;
    let answered: Vec<&Answered> = answered.iter().filter(in_them).collect();
    let told = answered.iter().filter(|one| in_a_cell(one));
    let told: BTreeSet<u32> = told.map(|one| one.1).collect();
    let rest = answered.iter().filter(|one| !in_a_cell(one));
    rest.filter(|one| told.contains(&one.1))
        .map(|one| one.2)
        .sum()
}

fn journey() -> impl Strategy<Value = Vec<Answered>> {
    let few = prop_oneof![3 => Just(0_i64), 4 => 1..=4_i64, 2 => 5..=9_i64, 1 => 10..=30_i64];
    (2..=5_u128, 2..=7_u32).prop_flat_map(move |(places, months)| {
        let all = (1..=places).flat_map(move |at| (1..=months).map(move |month| (at, month)));
        let all: Vec<(u128, u32)> = all.collect();
        let counts = proptest::collection::vec(few.clone(), all.len());
        counts.prop_map(move |counts| {
            let all = all.iter().zip(counts);
            all.map(|((at, month), answers)| (*at, *month, answers))
                .collect()
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn months_close_alike_one_by_one_and_all_at_once(answered in journey()) {
        prop_assert_eq!(one_by_one(&answered), all_at_once(&answered));
    }

    #[test]
    fn who_knows_the_whole_journey_isolates_nobody(answered in journey()) {
        let cells = all_at_once(&answered);
        let mut ended: BTreeMap<AnswerSeriesKey, NaiveDate> = BTreeMap::new();
        for cell in &cells {
            prop_assert!(cell.tally.answers() >= FEWEST_OF_EMPLOYEES);
            prop_assert!(cell.from <= cell.first && cell.first < cell.to);
            let before = ended.insert(cell.series, cell.to);
            prop_assert_eq!(cell.from, before.unwrap_or(month(1)), "one block after the other");
        }
        for from in 1..=7 {
            for to in from..=7 {
                let left = left(&answered, &cells, from, to);
                prop_assert!(left == 0 || left >= FEWEST_OF_EMPLOYEES, "{from} to {to}: {left} {cells:?}");
            }
        }
    }

    #[test]
    fn a_place_with_enough_in_every_month_is_told_in_the_end(answered in journey(), busy in 5..=30_i64) {
        let mut answered: Vec<Answered> = answered.into_iter().filter(|one| one.0 != 1).collect();
        answered.extend((1..=12).map(|month| (1, month, busy)));
        let cells = all_at_once(&answered);
        let last = cells.iter().filter(|cell| cell.series == place(1)).map(|cell| cell.to).max();
        prop_assert_eq!(last, Some(month(12) + Months::new(1)), "{:?}", cells);
    }
}
