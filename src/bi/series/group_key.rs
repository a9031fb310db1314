//! What a group stands for, as one number. Each dimension that is asked for has some bits: 0 for nothing, else 1 + the
//! rank of its entity among all of its kind, sorted by id. So keys sort as the ids of their groups do. Pure.

use std::ops::BitOr;

use entity::{id::DepartmentId, words::Stage};

use super::{
    context::SeriesContext,
    request::{Dimension, SeriesRequest},
    validate,
};
use crate::{
    bi::{
        cache::{kpi_values::SeriesPlace, topology::Topology},
        journeys::JourneyWithTopology,
    },
    error::{Error, Result},
};

/// What a group stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct GroupKey(u128);

impl BitOr for GroupKey {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Where in a blueprint something is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PlaceInJourney {
    /// Which of the journeys.
    pub journey: Option<usize>,
    /// Which of its phases.
    pub phase: Option<usize>,
    /// Which of its touchpoints.
    pub touchpoint: Option<usize>,
}

/// Packs the ranks of dimensions into keys, and unpacks them.
#[derive(Debug)]
pub(super) struct KeyLayout {
    /// The bits of each dimension; zero bits for those that the request does not group by.
    parts: [BitField; Dimension::ALL.len()],
    phases: RankTable,
    touchpoints: RankTable,
}

#[derive(Clone, Copy, Debug, Default)]
struct BitField {
    shift: u32,
    bits: u32,
}

/// The things that lie in journeys, in the order of their ids.
#[derive(Debug, Default)]
struct RankTable {
    /// The rank of each, journey by journey, and where those of a journey begin.
    ranks: Vec<usize>,
    first: Vec<usize>,
    /// Which journey and which of its things, by rank.
    all: Vec<(usize, usize)>,
}

impl RankTable {
    fn new<T, I: Ord>(
        journeys: &[JourneyWithTopology],
        things: impl Fn(&Topology) -> &[T],
        id: impl Fn(&T) -> I,
    ) -> Self {
        let (mut first, mut all) = (Vec::with_capacity(journeys.len()), Vec::new());
        for (journey, one) in journeys.iter().enumerate() {
            first.push(all.len());
            let things = things(&one.topology).len();
            all.extend((0..things).map(|at| (journey, at)));
        }
        // Each id is found by two look-ups: cached, they are made once for each thing and not once for each
        // comparison.
        all.sort_by_cached_key(|(journey, at)| id(&things(&journeys[*journey].topology)[*at]));
        let mut ranks = vec![0; all.len()];
        for (rank, (journey, at)) in all.iter().enumerate() {
            ranks[first[*journey] + at] = rank;
        }
        Self { ranks, first, all }
    }

    fn rank(&self, journey: usize, at: usize) -> Option<usize> {
        self.ranks.get(self.first.get(journey)? + at).copied()
    }
}

impl KeyLayout {
    /// The layout for the dimensions that a request groups by.
    pub(super) fn new(request: &SeriesRequest, context: &SeriesContext) -> Result<Self> {
        let inside = |dimension, ranked: fn(&[JourneyWithTopology]) -> RankTable| match request
            .groups_by(dimension)
        {
            true => ranked(&context.journeys),
            false => RankTable::default(),
        };
        let phases = inside(Dimension::Phase, |journeys| {
            RankTable::new(journeys, |places| &places.phases, |phase| phase.id)
        });
        let touchpoints = inside(Dimension::Touchpoint, |journeys| {
            RankTable::new(journeys, |places| &places.touchpoints, |one| one.id)
        });
        let mut parts = [BitField::default(); Dimension::ALL.len()];
        let mut shift = 0;
        // From the last on, so that the first dimension has the highest bits and decides first.
        for dimension in Dimension::ALL.into_iter().rev() {
            if !request.groups_by(dimension) {
                continue;
            }
            let many = match dimension {
                Dimension::Kpi => context.kpis.len(),
                Dimension::Department => context.names.departments.len(),
                Dimension::Blueprint => context.journeys.len(),
                Dimension::Phase => phases.all.len(),
                Dimension::Stage => Stage::ALL.len(),
                Dimension::Touchpoint => touchpoints.all.len(),
                Dimension::Channel => context.names.channels.len(),
                Dimension::Persona => context.names.personas.len(),
                Dimension::Segment => context.names.segments.len(),
            };
            // Enough for `many` itself, since ranks begin at 1: 0 stands for nothing.
            let bits = usize::BITS - many.leading_zeros();
            if bits > 0 {
                parts[dimension as usize] = BitField { shift, bits };
                shift += bits;
            }
        }
        if shift > u128::BITS {
            // More than 128 bits: so many KPIs, touchpoints and departments at once are taken for an answer that is too
            // large, before any of it is counted.
            return Err(Error::BadInput(validate::too_large_fault()));
        }
        Ok(Self {
            parts,
            phases,
            touchpoints,
        })
    }

    /// The key of values of a KPI at a place.
    pub(super) fn location_key(
        &self,
        context: &SeriesContext,
        kpi: usize,
        place: PlaceInJourney,
    ) -> GroupKey {
        let key = self.encode_rank(GroupKey::default(), Dimension::Kpi, || Some(kpi));
        let Some(journey) = place.journey else {
            return key;
        };
        let one = &context.journeys[journey];
        let key = self.encode_rank(key, Dimension::Blueprint, || Some(journey));
        let key = self.encode_rank(key, Dimension::Phase, || {
            self.phases.rank(journey, place.phase?)
        });
        let key = self.encode_rank(key, Dimension::Stage, || {
            Some(one.topology.phases[place.phase?].stage as usize)
        });
        let key = self.encode_rank(key, Dimension::Touchpoint, || {
            self.touchpoints.rank(journey, place.touchpoint?)
        });
        self.encode_rank(key, Dimension::Persona, || {
            context.names.personas.rank(one.persona)
        })
    }

    /// The key bits of a department; OR them into the key of a location.
    pub(super) fn department_bits(
        &self,
        context: &SeriesContext,
        department: DepartmentId,
    ) -> GroupKey {
        let rank = || context.names.departments.rank(department);
        self.encode_rank(GroupKey::default(), Dimension::Department, rank)
    }

    /// The key bits of a channel and a segment; OR them into the key of a location.
    pub(super) fn series_bits(
        &self,
        context: &SeriesContext,
        series_place: &SeriesPlace,
    ) -> GroupKey {
        let channel = || context.names.channels.rank(series_place.channel?);
        let segment = || context.names.segments.rank(series_place.segment?);
        let key = self.encode_rank(GroupKey::default(), Dimension::Channel, channel);
        self.encode_rank(key, Dimension::Segment, segment)
    }

    fn encode_rank(
        &self,
        key: GroupKey,
        dimension: Dimension,
        rank: impl FnOnce() -> Option<usize>,
    ) -> GroupKey {
        let part = self.parts[dimension as usize];
        if part.bits == 0 {
            return key;
        }
        match rank() {
            Some(rank) => GroupKey(key.0 | (rank as u128 + 1) << part.shift),
            None => key,
        }
    }

    /// The rank of what a key stands for in a dimension; nothing where it stands for nothing.
    pub(super) fn rank(&self, key: GroupKey, dimension: Dimension) -> Option<usize> {
        let part = self.parts[dimension as usize];
        let number = key.0 >> part.shift & ((1_u128 << part.bits) - 1);
        usize::try_from(number).ok()?.checked_sub(1)
    }

    /// Which journey's phase a key stands for, and which of its phases.
    pub(super) fn phase_indices(&self, key: GroupKey) -> Option<(usize, usize)> {
        let rank = self.rank(key, Dimension::Phase)?;
        self.phases.all.get(rank).copied()
    }

    /// Which journey's touchpoint a key stands for, and which of its touchpoints.
    pub(super) fn touchpoint_indices(&self, key: GroupKey) -> Option<(usize, usize)> {
        let rank = self.rank(key, Dimension::Touchpoint)?;
        self.touchpoints.all.get(rank).copied()
    }
}
