//! What a series is asked: which grain, days, dimensions and filters.

use async_graphql::Enum;
use chrono::NaiveDate;
use entity::{
    id::{
        BlueprintId, ChannelId, DepartmentId, Id, KpiId, PersonaId, PhaseId, SegmentId,
        TouchpointId,
    },
    words::{Role, Stage},
};

use crate::{bi::model::dataset::SeriesPeriods, judgement::period::Grain};

/// A dimension by which a series can be grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Enum)]
#[graphql(name = "KpiSeriesDimension")]
pub enum Dimension {
    /// The KPI.
    Kpi,
    /// The department that held a role.
    Department,
    /// The blueprint.
    Blueprint,
    /// The phase.
    Phase,
    /// The stage of the phase.
    Stage,
    /// The touchpoint.
    Touchpoint,
    /// The channel of the measurement.
    Channel,
    /// The main persona of the blueprint.
    Persona,
    /// The segment of the measurement.
    Segment,
}

impl Dimension {
    pub const ALL: [Self; 9] = [
        Self::Kpi,
        Self::Department,
        Self::Blueprint,
        Self::Phase,
        Self::Stage,
        Self::Touchpoint,
        Self::Channel,
        Self::Persona,
        Self::Segment,
    ];

    /// Its name, as parameters of a feed spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kpi => "kpi",
            Self::Department => "department",
            Self::Blueprint => "blueprint",
            Self::Phase => "phase",
            Self::Stage => "stage",
            Self::Touchpoint => "touchpoint",
            Self::Channel => "channel",
            Self::Persona => "persona",
            Self::Segment => "segment",
        }
    }

    /// The prefix of the ids of what it tells apart; a stage has none.
    pub(super) const fn prefix(self) -> Option<&'static str> {
        Some(match self {
            Self::Kpi => KpiId::PREFIX,
            Self::Department => DepartmentId::PREFIX,
            Self::Blueprint => BlueprintId::PREFIX,
            Self::Phase => PhaseId::PREFIX,
            Self::Stage => return None,
            Self::Touchpoint => TouchpointId::PREFIX,
            Self::Channel => ChannelId::PREFIX,
            Self::Persona => PersonaId::PREFIX,
            Self::Segment => SegmentId::PREFIX,
        })
    }

    /// Whether it says where something is, rather than what was measured.
    pub(super) const fn is_place(self) -> bool {
        !matches!(self, Self::Kpi | Self::Channel | Self::Segment)
    }
}

/// Most groups times periods of one answer.
pub(super) const MOST_CELLS: usize = 500_000;

/// What is asked. Lists that are absent let everything through, empty ones nothing; keys are looked up however their
/// letters are cased.
#[derive(Clone, Debug)]
pub struct SeriesRequest {
    /// What rows are told apart by, besides their period.
    pub by: Vec<Dimension>,
    pub grain: Grain,
    /// The first day (included).
    pub from: NaiveDate,
    /// The day after the last one (excluded).
    pub to: NaiveDate,
    pub kpis: Option<Vec<String>>,
    pub departments: Option<Vec<String>>,
    pub blueprints: Option<Vec<String>>,
    pub touchpoints: Option<Vec<String>>,
    pub roles: Option<Vec<Role>>,
    pub stages: Option<Vec<Stage>>,
    pub personas: Option<Vec<String>>,
    pub channels: Option<Vec<String>>,
    pub segments: Option<Vec<String>>,
    /// Whether drafts, what is in review and FUTURE blueprints are asked for.
    pub include_drafts: bool,
    /// Whether KPIs that are measured more seldom than the grain are left out; else the request is refused for them.
    pub leaves_out_coarser_kpis: bool,
}

impl SeriesRequest {
    /// Everything, in these periods of these days.
    #[must_use]
    pub fn new(grain: Grain, (from, to): (NaiveDate, NaiveDate)) -> Self {
        Self {
            by: Vec::new(),
            grain,
            from,
            to,
            kpis: None,
            departments: None,
            blueprints: None,
            touchpoints: None,
            roles: None,
            stages: None,
            personas: None,
            channels: None,
            segments: None,
            include_drafts: false,
            leaves_out_coarser_kpis: false,
        }
    }

    /// What a pull of a dataset of series asks where it does not say by what it is grouped, or of which periods: each
    /// KPI, by month.
    #[must_use]
    pub fn for_pull(
        periods: SeriesPeriods,
        grain: Option<Grain>,
        by: Option<Vec<Dimension>>,
    ) -> Self {
        // Of a series of no given length both have defaults, or neither: asked by month alone it is of all KPIs.
        let is_plain = grain.is_none();
        let grain = match periods {
            SeriesPeriods::Of(grain) => grain,
            SeriesPeriods::Asked => grain.unwrap_or(Grain::Month),
        };
        let by = by.unwrap_or_else(|| {
            if is_plain {
                vec![Dimension::Kpi]
            } else {
                Vec::new()
            }
        });
        Self {
            by,
            leaves_out_coarser_kpis: is_plain,
            ..Self::new(grain, (NaiveDate::default(), NaiveDate::default()))
        }
    }

    pub fn groups_by(&self, dimension: Dimension) -> bool {
        self.by.contains(&dimension)
    }

    /// Whether it says anything about where something is.
    pub(super) fn asks_for_places(&self) -> bool {
        self.by.iter().any(|dimension| dimension.is_place())
            || self.blueprints.is_some()
            || self.touchpoints.is_some()
            || self.stages.is_some()
            || self.personas.is_some()
            || self.asks_for_roles()
    }

    pub(super) fn asks_for_roles(&self) -> bool {
        self.departments.is_some() || self.roles.is_some()
    }
}
