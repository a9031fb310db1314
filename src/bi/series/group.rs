//! The groups of an answer: what each stands for, and what its values come to in each period.

use std::{collections::HashMap, hash::Hash};

use entity::id::{ChannelId, DepartmentId, PersonaId, SegmentId};

use super::{Dimension, MOST_CELLS, Question, given::Journey, refuse, tally::Tally};
use crate::error::{Error, Result};

/// Nothing, in a dimension.
pub const NONE: u32 = u32::MAX;

/// What a group stands for: a number in each dimension that is asked for.
pub type Key = [u32; Dimension::ALL.len()];

/// Things that are numbered as they come.
#[derive(Debug)]
pub struct Numbered<I> {
    numbers: HashMap<I, u32>,
    pub all: Vec<I>,
}

impl<I> Default for Numbered<I> {
    fn default() -> Self {
        Self {
            numbers: HashMap::new(),
            all: Vec::new(),
        }
    }
}

impl<I: Copy + Eq + Hash> Numbered<I> {
    fn of(&mut self, id: I) -> u32 {
        *self.numbers.entry(id).or_insert_with(|| {
            self.all.push(id);
            number(self.all.len() - 1)
        })
    }
}

/// There are never so many of anything that this would not do.
fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(NONE)
}

/// Where in a blueprint something is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    /// Which of the journeys.
    pub journey: Option<usize>,
    /// Which of its phases.
    pub phase: Option<usize>,
    /// Which of its touchpoints.
    pub touchpoint: Option<usize>,
}

/// Makes keys: numbers what they stand for.
pub struct Keys {
    asked: [bool; Dimension::ALL.len()],
    /// The number of each journey's first phase and first touchpoint.
    first: Vec<(u32, u32)>,
    stages: Vec<Vec<u32>>,
    personas_of: Vec<PersonaId>,
    pub departments: Numbered<DepartmentId>,
    pub personas: Numbered<PersonaId>,
    pub channels: Numbered<ChannelId>,
    pub segments: Numbered<SegmentId>,
}

impl Keys {
    pub fn new(question: &Question, journeys: &[Journey]) -> Self {
        let (mut phases, mut touchpoints) = (0, 0);
        let first = journeys.iter().map(|journey| {
            let first = (number(phases), number(touchpoints));
            phases += journey.places.phases.len();
            touchpoints += journey.places.touchpoints.len();
            first
        });
        Self {
            asked: Dimension::ALL.map(|dimension| question.is_by(dimension)),
            first: first.collect(),
            stages: journeys
                .iter()
                .map(|journey| {
                    let phases = journey.places.phases.iter();
                    phases.map(|phase| phase.stage as u32).collect()
                })
                .collect(),
            personas_of: journeys.iter().map(|one| one.row.persona_id).collect(),
            departments: Numbered::default(),
            personas: Numbered::default(),
            channels: Numbered::default(),
            segments: Numbered::default(),
        }
    }

    /// The key of values of a KPI at a place where a department holds a role.
    pub fn at(&mut self, kpi: usize, place: Place, department: Option<DepartmentId>) -> Key {
        let mut key = [NONE; Dimension::ALL.len()];
        let mut set = |dimension: Dimension, number: Option<u32>| {
            if let (true, Some(number)) = (self.asked[dimension as usize], number) {
                key[dimension as usize] = number;
            }
        };
        set(Dimension::Kpi, Some(number(kpi)));
        set(
            Dimension::Department,
            department.map(|id| self.departments.of(id)),
        );
        if let Some(journey) = place.journey {
            let (phase, touchpoint) = self.first[journey];
            set(Dimension::Blueprint, Some(number(journey)));
            set(
                Dimension::Persona,
                Some(self.personas.of(self.personas_of[journey])),
            );
            set(Dimension::Phase, place.phase.map(|at| phase + number(at)));
            set(
                Dimension::Stage,
                place.phase.map(|at| self.stages[journey][at]),
            );
            set(
                Dimension::Touchpoint,
                place.touchpoint.map(|at| touchpoint + number(at)),
            );
        }
        key
    }

    /// The same key, of values by a channel and in a segment.
    pub fn of_part(
        &mut self,
        mut key: Key,
        channel: Option<ChannelId>,
        segment: Option<SegmentId>,
    ) -> Key {
        if let (true, Some(id)) = (self.asked[Dimension::Channel as usize], channel) {
            key[Dimension::Channel as usize] = self.channels.of(id);
        }
        if let (true, Some(id)) = (self.asked[Dimension::Segment as usize], segment) {
            key[Dimension::Segment as usize] = self.segments.of(id);
        }
        key
    }

    /// The journey of a numbered phase, and which of its phases that is.
    pub fn phase(&self, number: u32) -> Option<(usize, usize)> {
        self.within(number, |first| first.0)
    }

    /// The journey of a numbered touchpoint, and which of its touchpoints that is.
    pub fn touchpoint(&self, number: u32) -> Option<(usize, usize)> {
        self.within(number, |first| first.1)
    }

    fn within(&self, number: u32, first: impl Fn(&(u32, u32)) -> u32) -> Option<(usize, usize)> {
        let behind = self.first.partition_point(|one| first(one) <= number);
        let journey = behind.checked_sub(1)?;
        let at = number.checked_sub(first(&self.first[journey]))?;
        Some((journey, usize::try_from(at).ok()?))
    }
}

/// The groups with their sums.
pub struct Groups {
    periods: usize,
    numbers: HashMap<Key, usize>,
    pub keys: Vec<Key>,
    sums: Vec<Tally>,
}

impl Groups {
    pub fn new(periods: usize) -> Self {
        Self {
            periods,
            numbers: HashMap::new(),
            keys: Vec::new(),
            sums: Vec::new(),
        }
    }

    /// The group with this key.
    pub fn of(&mut self, key: Key) -> Result<usize> {
        if let Some(group) = self.numbers.get(&key) {
            return Ok(*group);
        }
        let group = self.keys.len();
        if (group + 1) * self.periods > MOST_CELLS {
            return Err(Error::BadInput(refuse::too_large(MOST_CELLS)));
        }
        self.numbers.insert(key, group);
        self.keys.push(key);
        self.sums
            .resize((group + 1) * self.periods, Tally::default());
        Ok(group)
    }

    /// What a group's values of a period come to.
    pub fn sum(&mut self, group: usize, period: usize) -> &mut Tally {
        &mut self.sums[group * self.periods + period]
    }

    /// What a group's values of each period come to.
    pub fn sums(&self, group: usize) -> &[Tally] {
        &self.sums[group * self.periods..(group + 1) * self.periods]
    }
}
