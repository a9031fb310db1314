//! How blocks of months close: pure rules over counts.
//!
//! Whoever knows from elsewhere how a whole journey was answered in some months could subtract the cells in them. What
//! that leaves must be nobody, at least five people, or all who answered in their month. So a place that has enough
//! answers still waits where telling it would leave fewer than five others. Where it can never be told together with
//! the months in which it waited, its next block begins after them, and they are never told.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Months, NaiveDate};
use entity::{id::BlueprintId, words::FeedbackScale};

use super::{AnonymousAnswerCell, AnswerSeriesKey};
use crate::kpi::answers::{FEWEST_OF_EMPLOYEES, Tally};

/// A journey on one scale: whose places can be told from one another by their sum.
pub(super) type JourneyOnScale = (FeedbackScale, Option<BlueprintId>);

/// The first and the last month of which a cell has answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MonthSpan {
    pub first: NaiveDate,
    pub last: NaiveDate,
}

/// What is known when months close. It is the same whether months before were closed one by one or all at once.
#[derive(Clone, Debug, Default)]
pub(super) struct MonthClosingInput {
    /// What waits: what each place was answered in each month.
    pub waiting: BTreeMap<(AnswerSeriesKey, NaiveDate), Tally>,
    /// Where the next block of each place that waits begins.
    pub begins: BTreeMap<AnswerSeriesKey, NaiveDate>,
    /// The cells that journeys have already, as far as they reach into months of which something waits.
    pub told: Vec<(JourneyOnScale, MonthSpan)>,
}

impl AnswerSeriesKey {
    /// The journey that it is in.
    pub(super) const fn journey(&self) -> JourneyOnScale {
        (self.scale, self.blueprint)
    }
}

/// The cells that close in the months from `running` on. Those before are closed: what waits of them only adds to what
/// comes.
pub(super) fn close_cells(
    known: MonthClosingInput,
    running: NaiveDate,
) -> Vec<AnonymousAnswerCell> {
    let mut journeys: BTreeMap<JourneyOnScale, JourneyBlockCloser> = BTreeMap::new();
    for ((series, month), tally) in known.waiting {
        let begin = known.begins.get(&series).copied().unwrap_or(month);
        let walk = journeys.entry(series.journey()).or_default();
        let place = walk.places.entry(series).or_insert_with(|| WaitingSeries {
            begin,
            months: BTreeMap::new(),
        });
        place.months.insert(month, tally);
    }
    for (journey, span) in known.told {
        if let Some(walk) = journeys.get_mut(&journey) {
            walk.told.push(span);
        }
    }
    let journeys = journeys.into_values();
    journeys
        .flat_map(|walk| walk.close_months_from(running))
        .collect()
}

/// What waits at one place.
#[derive(Debug)]
struct WaitingSeries {
    /// Where its next block begins: what waits of months before is never told.
    begin: NaiveDate,
    months: BTreeMap<NaiveDate, Tally>,
}

impl WaitingSeries {
    fn count_answers(&self, first: NaiveDate, last: NaiveDate) -> i64 {
        let months = self.months.range(first..=last);
        months.map(|(_, tally)| tally.answers()).sum()
    }

    /// The longest block that it could be told in with this month.
    fn longest_block(&self, month: NaiveDate) -> Option<ClosableBlock> {
        let now = self.months.get(&month)?.answers();
        let (first, _) = self.months.range(self.begin..=month).next()?;
        let block = ClosableBlock {
            first: *first,
            answers: self.count_answers(*first, month),
            has_waited: self.count_answers(*first, month) - now >= FEWEST_OF_EMPLOYEES,
        };
        (block.answers >= FEWEST_OF_EMPLOYEES).then_some(block)
    }
}

/// A block that may close: from this month of answers on.
#[derive(Clone, Copy, Debug)]
struct ClosableBlock {
    first: NaiveDate,
    answers: i64,
    /// Whether it had enough before, and waited so that another place is not the only one.
    has_waited: bool,
}

/// The places of one journey on the way through its months.
#[derive(Debug, Default)]
struct JourneyBlockCloser {
    places: BTreeMap<AnswerSeriesKey, WaitingSeries>,
    told: Vec<MonthSpan>,
}

impl JourneyBlockCloser {
    fn close_months_from(mut self, running: NaiveDate) -> Vec<AnonymousAnswerCell> {
        let months = self.places.values().flat_map(|place| place.months.keys());
        let months: BTreeSet<NaiveDate> = months.filter(|at| **at >= running).copied().collect();
        months
            .into_iter()
            .flat_map(|month| self.close_month(month))
            .collect()
    }

    /// Closes what can be told once this month is over. Each block has answers of it, so that nothing that closes later
    /// lies in the months up to here, and what was left there stays as much.
    fn close_month(&mut self, month: NaiveDate) -> Vec<AnonymousAnswerCell> {
        let blocks = self.places.iter();
        let mut blocks: BTreeMap<AnswerSeriesKey, ClosableBlock> = blocks
            .filter_map(|(series, place)| Some((*series, place.longest_block(month)?)))
            .collect();
        // Each round takes a month or a block away, so it ends.
        while let Some(from) = self.find_exposed_month(&blocks, month) {
            self.delay_one_block(&mut blocks, from, month);
        }
        let to = month + Months::new(1);
        let mut closed = Vec::new();
        for (series, block) in blocks {
            let Some(place) = self.places.get_mut(&series) else {
                continue;
            };
            let mut tally = Tally::default();
            for (_, some) in place.months.extract_if(block.first..=month, |_, _| true) {
                tally += some;
            }
            closed.push(AnonymousAnswerCell {
                series,
                from: place.begin,
                to,
                first: block.first,
                tally,
            });
            place.begin = to;
            self.told.push(MonthSpan {
                first: block.first,
                last: month,
            });
        }
        closed
    }

    /// A month from which on, up to the one that closes, the journey less its cells would be fewer than five people.
    /// Only months in which a block begins are looked at: of those before the first nothing more is told now.
    fn find_exposed_month(
        &self,
        blocks: &BTreeMap<AnswerSeriesKey, ClosableBlock>,
        month: NaiveDate,
    ) -> Option<NaiveDate> {
        let firsts: BTreeSet<NaiveDate> = blocks.values().map(|block| block.first).collect();
        firsts
            .into_iter()
            .find(|from| !self.exposes_nobody(blocks, *from, month))
    }

    /// Whether the journey in the months from one to another, less the cells in them, is nobody or five people. Of
    /// cells told before only the first and the last month are known for certain; what a cell that began earlier has in
    /// these months is not known at all.
    fn exposes_nobody(
        &self,
        blocks: &BTreeMap<AnswerSeriesKey, ClosableBlock>,
        from: NaiveDate,
        to: NaiveDate,
    ) -> bool {
        let inside = |series: &AnswerSeriesKey, month: NaiveDate| {
            let block = blocks.get(series);
            block.is_some_and(|block| from <= block.first && block.first <= month)
        };
        let mut left: BTreeMap<NaiveDate, i64> = BTreeMap::new();
        let mut told: BTreeSet<NaiveDate> = BTreeSet::new();
        for (series, place) in &self.places {
            for (month, tally) in place.months.range(from..=to) {
                if inside(series, *month) {
                    told.insert(*month);
                } else {
                    *left.entry(*month).or_default() += tally.answers();
                }
            }
        }
        let cells = self.told.iter().filter(|span| from <= span.first);
        told.extend(cells.clone().flat_map(|span| [span.first, span.last]));
        let perhaps_told = |month: &NaiveDate| {
            told.contains(month) || {
                let mut cells = cells.clone();
                cells.any(|span| span.first <= *month && *month <= span.last)
            }
        };
        let beside_told = left.iter().filter(|(month, _)| told.contains(*month));
        let certain: i64 = beside_told.map(|(_, answers)| answers).sum();
        let reaches_in = |span: &MonthSpan| span.first < from && from <= span.last;
        certain >= FEWEST_OF_EMPLOYEES
            || !left.keys().any(perhaps_told) && !self.told.iter().any(reaches_in)
    }

    /// Lets one of the blocks in these months begin a month of answers later, or wait: one that has waited before, and
    /// else the least.
    fn delay_one_block(
        &self,
        blocks: &mut BTreeMap<AnswerSeriesKey, ClosableBlock>,
        from: NaiveDate,
        month: NaiveDate,
    ) {
        let inside = blocks.iter().filter(|(_, block)| from <= block.first);
        // The least answers are given up first, and equal blocks by their place, so that chance decides nothing.
        let least =
            inside.min_by_key(|(series, block)| (!block.has_waited, block.answers, **series));
        let Some((series, block)) = least.map(|(series, block)| (*series, *block)) else {
            return;
        };
        blocks.remove(&series);
        let Some(place) = self.places.get(&series) else {
            return;
        };
        let later = place.months.range(block.first..=month).nth(1);
        if let Some((first, _)) = later {
            let answers = place.count_answers(*first, month);
            if answers >= FEWEST_OF_EMPLOYEES {
                let first = *first;
                blocks.insert(
                    series,
                    ClosableBlock {
                        first,
                        answers,
                        ..block
                    },
                );
            }
        }
    }
}

#[cfg(test)]
mod tests;
