//! What people answer on a scale, and what many answers come to: pure rules.
//!
//! - NPS and ENPS: the share of answers 9–10 less the share of answers 0–6, in points; 7–8 count in the base
//!   (F. F. Reichheld, “The One Number You Need to Grow”, Harvard Business Review, December 2003).
//! - CSAT, from 1 to 5: the mean, or the share of the two highest answers (“top two”).
//! - CES 2.0, from 1 to 7, where 7 agrees most that we made it easy: the mean (CEB, 2013).

use std::ops::{AddAssign, RangeInclusive};

use entity::words::{FeedbackGroup, FeedbackScale, KpiType, Subject};

use crate::number::round_computed;

/// Of employees nothing is told that fewer answers than this give.
pub const FEWEST_OF_EMPLOYEES: i64 = 5;

/// The scores that a scale knows.
#[must_use]
pub const fn score_range(scale: FeedbackScale) -> RangeInclusive<i32> {
    match scale {
        FeedbackScale::Nps | FeedbackScale::Enps => 0..=10,
        FeedbackScale::Csat => 1..=5,
        FeedbackScale::Ces => 1..=7,
    }
}

/// What a score says on its scale.
#[must_use]
pub const fn group_of_score(scale: FeedbackScale, score: i32) -> FeedbackGroup {
    let (satisfied, indifferent) = match scale {
        FeedbackScale::Nps | FeedbackScale::Enps => (9, 7),
        FeedbackScale::Csat => (4, 3),
        FeedbackScale::Ces => (5, 4),
    };
    if score >= satisfied {
        FeedbackGroup::Satisfied
    } else if score >= indifferent {
        FeedbackGroup::Indifferent
    } else {
        FeedbackGroup::Dissatisfied
    }
}

/// Whether these people are asked on this scale: NPS is asked of customers, ENPS of employees, the others of both.
#[must_use]
pub const fn is_scale_asked_of(scale: FeedbackScale, subject: Subject) -> bool {
    match (scale, subject) {
        (FeedbackScale::Nps, Subject::Employee) | (FeedbackScale::Enps, Subject::Customer) => false,
        (FeedbackScale::Csat | FeedbackScale::Ces, _)
        | (FeedbackScale::Nps, Subject::Customer)
        | (FeedbackScale::Enps, Subject::Employee) => true,
    }
}

/// The type of the KPIs that answers on a scale feed. Their spellings are the same, on which SQL in `fed` relies.
#[must_use]
pub const fn kpi_type_fed_by(scale: FeedbackScale) -> KpiType {
    match scale {
        FeedbackScale::Nps => KpiType::Nps,
        FeedbackScale::Csat => KpiType::Csat,
        FeedbackScale::Ces => KpiType::Ces,
        FeedbackScale::Enps => KpiType::Enps,
    }
}

/// The scale whose answers feed KPIs of a type; the inverse of [`kpi_type_fed_by`].
#[must_use]
pub fn scale_feeding_kpi_type(kpi_type: KpiType) -> Option<FeedbackScale> {
    let mut scales = FeedbackScale::ALL.iter().copied();
    scales.find(|scale| kpi_type_fed_by(*scale) == kpi_type)
}

/// Many answers on one scale, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub satisfied: i64,
    pub indifferent: i64,
    pub dissatisfied: i64,
    /// The sum of the scores.
    pub sum: i64,
}

impl Tally {
    /// So many answers of one group, whose scores add up to this.
    #[must_use]
    pub fn of_group(group: FeedbackGroup, answers: i64, sum: i64) -> Self {
        let mut tally = Self {
            sum,
            ..Self::default()
        };
        match group {
            FeedbackGroup::Satisfied => tally.satisfied = answers,
            FeedbackGroup::Indifferent => tally.indifferent = answers,
            FeedbackGroup::Dissatisfied => tally.dissatisfied = answers,
        }
        tally
    }

    /// How many answers there are.
    #[must_use]
    pub const fn answers(&self) -> i64 {
        self.satisfied + self.indifferent + self.dissatisfied
    }

    /// Satisfied less dissatisfied, in points of all answers, from −100 to 100; none without answers.
    #[must_use]
    pub fn net_score(&self) -> Option<f64> {
        self.divide_by_answer_count(100 * (self.satisfied - self.dissatisfied))
    }

    /// The mean score; none without answers.
    #[must_use]
    pub fn mean_score(&self) -> Option<f64> {
        self.divide_by_answer_count(self.sum)
    }

    /// The share of the satisfied, from 0 to 1; none without answers.
    #[must_use]
    pub fn satisfied_share(&self) -> Option<f64> {
        self.divide_by_answer_count(self.satisfied)
    }

    // Counts of answers lie far below 2⁵³: exact.
    fn divide_by_answer_count(&self, what: i64) -> Option<f64> {
        (self.answers() > 0).then(|| round_computed(what as f64 / self.answers() as f64))
    }

    /// Whether all answers are of one group.
    #[must_use]
    pub const fn is_all_alike(&self) -> bool {
        let all = self.answers();
        self.satisfied == all || self.indifferent == all || self.dissatisfied == all
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.satisfied += other.satisfied;
        self.indifferent += other.indifferent;
        self.dissatisfied += other.dissatisfied;
        self.sum += other.sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(scale: FeedbackScale, scores: &[i32]) -> Tally {
        let mut all = Tally::default();
        for score in scores {
            all += Tally::of_group(group_of_score(scale, *score), 1, i64::from(*score));
        }
        all
    }

    #[test]
    fn every_score_is_in_the_group_that_its_scale_says() {
        use FeedbackGroup::{Dissatisfied as D, Indifferent as I, Satisfied as S};
        let groups = |scale| -> Vec<FeedbackGroup> {
            score_range(scale)
                .map(|score| group_of_score(scale, score))
                .collect()
        };
        let net = [D, D, D, D, D, D, D, I, I, S, S];
        assert_eq!(groups(FeedbackScale::Nps), net);
        assert_eq!(groups(FeedbackScale::Enps), net);
        assert_eq!(groups(FeedbackScale::Csat), [D, D, I, S, S]);
        assert_eq!(groups(FeedbackScale::Ces), [D, D, D, I, S, S, S]);
    }

    #[test]
    fn a_net_score_keeps_the_passives_in_its_base() {
        let answers = tally(FeedbackScale::Nps, &[10, 9, 8, 7, 6, 0, 10, 3]);
        assert_eq!((answers.satisfied, answers.dissatisfied), (3, 3));
        assert_eq!(answers.net_score(), Some(0.0));
        let answers = tally(FeedbackScale::Nps, &[4, 10, 9, 2, 5, 7]);
        assert_eq!(
            answers.net_score(),
            Some(-16.666_666_666_666_7),
            "2 less 3, of 6"
        );
        assert_eq!(Tally::default().net_score(), None);
    }

    #[test]
    fn satisfaction_is_a_mean_or_the_share_of_the_two_highest_answers() {
        let answers = tally(FeedbackScale::Csat, &[5, 4, 4, 3, 1]);
        assert_eq!(answers.mean_score(), Some(3.4));
        assert_eq!(answers.satisfied_share(), Some(0.6));
    }

    #[test]
    fn answers_of_one_group_are_alike() {
        assert!(tally(FeedbackScale::Enps, &[9, 10, 9, 9, 10]).is_all_alike());
        assert!(!tally(FeedbackScale::Enps, &[9, 10, 9, 9, 8]).is_all_alike());
    }
}
