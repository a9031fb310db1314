//! The input of the rules: the blueprint, what lies around it, and how they are to be applied.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use entity::{
    evaluation,
    id::{DepartmentId, PersonaId, SegmentId, TouchpointId},
    kpi,
    words::Sensitivity,
};

use super::table::{FindingCode, Thresholds};
use crate::{canvas::Canvas, judgement::JudgedKpiLink, snapshot::WholeBlueprint};

/// Facts that the rules need and that are not in the blueprint itself.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The segments that the blueprint's personas stand for.
    pub segments: HashMap<PersonaId, HashSet<SegmentId>>,
    /// Contacts a month of the blueprint's personas in other journeys.
    pub contacts_elsewhere: HashMap<PersonaId, f64>,
    /// The number of responsibilities that the departments that take part hold in other journeys.
    pub held_elsewhere: HashMap<DepartmentId, usize>,
    /// The number of answers at each touchpoint, and without one on the journey as a whole, that wait for somebody to
    /// look after them.
    pub unroutable: HashMap<Option<TouchpointId>, usize>,
}

/// Options of applying the rules.
#[derive(Clone, Copy, Debug)]
pub struct RuleOptions<'t> {
    /// The day that is judged.
    pub day: NaiveDate,
    pub thresholds: &'t Thresholds,
    /// Whether KPIs that are CONFIDENTIAL count, where their values were read.
    pub confidential: bool,
}

/// Everything that a rule may look at.
pub(super) struct RuleContext<'w> {
    pub snapshot: &'w WholeBlueprint,
    pub around: &'w Surroundings,
    pub options: &'w RuleOptions<'w>,
}

impl<'w> RuleContext<'w> {
    pub(super) fn canvas(&self) -> &'w Canvas {
        &self.snapshot.canvas
    }

    pub(super) fn threshold(&self, code: FindingCode) -> f64 {
        self.options.thresholds.get(code)
    }

    /// What was found until the day that is judged.
    pub(super) fn evaluations(&self) -> impl Iterator<Item = &'w evaluation::Model> {
        let day = self.options.day;
        let all = self.snapshot.evaluations.iter();
        all.filter(move |row| row.held_on <= day)
    }

    /// The links whose KPI counts for whoever asks: of the others it is as if they were not there.
    pub(super) fn judged_links_and_their_kpis(
        &self,
        links: &'w [JudgedKpiLink],
    ) -> impl Iterator<Item = (&'w JudgedKpiLink, &'w kpi::Model)> {
        let counts = |kpi: &kpi::Model| {
            self.options.confidential || kpi.sensitivity != Sensitivity::Confidential
        };
        links
            .iter()
            .filter(|judged| judged.judgement.figure.is_some())
            .filter_map(|judged| Some((judged, self.canvas().kpi(judged.link.kpi_id)?)))
            .filter(move |(_, kpi)| counts(kpi))
    }
}
