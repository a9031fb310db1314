//! What a blueprint gets wrong: one table of rules, and the findings that they come to over a whole blueprint. Pure
//! functions, linear in what they look at; they keep nothing and know nobody's permissions: who may not see a thing
//! hands in a blueprint without it.

mod customer;
mod journey;
mod known;
mod measured;
mod responsible;
mod table;

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use entity::{
    department,
    id::{
        BlueprintId, DepartmentId, FindingId, Id, InsightId, KpiId, PersonaId, PhaseId, PromiseId,
        SegmentId, TouchpointId,
    },
    kpi, touchpoint,
    words::Sensitivity,
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

pub use self::measured::is_stale;
pub use self::table::{Code, Rule, Severity, Threshold, Thresholds};
use super::{Canvas, whole::Whole};
use crate::judgement::JudgedLink;

/// Something that a blueprint, or the organisation, gets wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    pub code: Code,
    pub place: Place,
    /// What is wrong, for people.
    pub sentence: String,
    /// The code and what it is about, hashed: it stays the same whatever is renamed or moved.
    pub fingerprint: FindingId,
}

/// What a finding is about. Without anything else it is the blueprint as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub blueprint: Option<BlueprintId>,
    pub phase: Option<PhaseId>,
    pub touchpoint: Option<TouchpointId>,
    /// Another touchpoint that it is about as well.
    pub other: Option<TouchpointId>,
    pub kpi: Option<KpiId>,
    pub department: Option<DepartmentId>,
    pub persona: Option<PersonaId>,
    pub promise: Option<PromiseId>,
    pub insight: Option<InsightId>,
}

impl Place {
    fn at(touchpoint: &touchpoint::Model) -> Self {
        Self {
            phase: Some(touchpoint.phase_id),
            touchpoint: Some(touchpoint.id),
            ..Self::default()
        }
    }

    fn of_kpi(kpi: KpiId) -> Self {
        Self {
            kpi: Some(kpi),
            ..Self::default()
        }
    }

    /// The code and the ids, hashed. A touchpoint's phase is no part of it: touchpoints move.
    fn fingerprint(&self, code: Code) -> FindingId {
        let phase = self.phase.filter(|_| self.touchpoint.is_none());
        let ids = [
            self.blueprint.map(Id::uuid),
            phase.map(Id::uuid),
            self.touchpoint.map(Id::uuid),
            self.other.map(Id::uuid),
            self.kpi.map(Id::uuid),
            self.department.map(Id::uuid),
            self.persona.map(Id::uuid),
            self.promise.map(Id::uuid),
            self.insight.map(Id::uuid),
        ];
        let mut hash = Sha256::new();
        hash.update(code.as_str());
        for id in ids {
            hash.update(id.unwrap_or_default().as_bytes());
        }
        let mut half = [0; 16];
        half.copy_from_slice(&hash.finalize()[..16]);
        Uuid::from_bytes(half).into()
    }
}

/// What the rules need to know that is not in the blueprint itself.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The segments that the blueprint's personas stand for.
    pub segments: HashMap<PersonaId, HashSet<SegmentId>>,
    /// How often a month the blueprint's personas are contacted in other journeys.
    pub contacts_elsewhere: HashMap<PersonaId, f64>,
    /// How many responsibilities the departments that take part hold in other journeys.
    pub held_elsewhere: HashMap<DepartmentId, usize>,
    /// The latest day on which each KPI was measured, in whatever part.
    pub measured_on: HashMap<KpiId, NaiveDate>,
    /// How many answers at each touchpoint wait for somebody to look after them.
    pub unroutable: HashMap<TouchpointId, usize>,
}

/// How the rules are asked.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'t> {
    /// The day that is judged.
    pub day: NaiveDate,
    pub thresholds: &'t Thresholds,
    /// Whether KPIs that are CONFIDENTIAL count, where their values were read.
    pub confidential: bool,
}

/// What the rules look at.
struct Seen<'w> {
    whole: &'w Whole,
    around: &'w Surroundings,
    asked: &'w Asked<'w>,
}

impl<'w> Seen<'w> {
    fn canvas(&self) -> &'w Canvas {
        &self.whole.canvas
    }

    fn threshold(&self, code: Code) -> f64 {
        self.asked.thresholds.of(code)
    }

    /// The links whose KPI counts for whoever asks: of the others it is as if they were not there.
    fn told(
        &self,
        links: &'w [JudgedLink],
    ) -> impl Iterator<Item = (&'w JudgedLink, &'w kpi::Model)> {
        let counts = |kpi: &kpi::Model| {
            self.asked.confidential || kpi.sensitivity != Sensitivity::Confidential
        };
        links
            .iter()
            .filter(|judged| judged.judgement.told)
            .filter_map(|judged| Some((judged, self.canvas().kpi(judged.link.kpi_id)?)))
            .filter(move |(_, kpi)| counts(kpi))
    }
}

/// The findings so far.
struct Found {
    blueprint: Option<BlueprintId>,
    findings: Vec<Finding>,
}

impl Found {
    fn add(&mut self, code: Code, place: Place, sentence: String) {
        let place = Place {
            blueprint: self.blueprint,
            ..place
        };
        self.findings.push(Finding {
            code,
            place,
            sentence,
            fingerprint: place.fingerprint(code),
        });
    }
}

/// What a blueprint gets wrong: the gravest first, then in the order of the table and of display.
#[must_use]
pub fn find(whole: &Whole, around: &Surroundings, asked: &Asked<'_>) -> Vec<Finding> {
    let seen = Seen {
        whole,
        around,
        asked,
    };
    let mut found = Found {
        blueprint: Some(whole.canvas.blueprint.id),
        findings: Vec::new(),
    };
    responsible::find(&seen, &mut found);
    measured::find(&seen, &mut found);
    journey::find(&seen, &mut found);
    customer::find(&seen, &mut found);
    known::find(&seen, &mut found);
    let canvas = &whole.canvas;
    let mut findings = found.findings;
    findings.sort_by_cached_key(|finding| {
        let at = finding.place.touchpoint.and_then(|id| canvas.place(id));
        (finding.code.severity(), finding.code, at, finding.place)
    });
    findings
}

/// What stands in the way of publishing: the rules of severity ERROR, which need nothing but the canvas.
#[must_use]
pub fn errors(canvas: &Canvas) -> Vec<Finding> {
    let mut found = Found {
        blueprint: Some(canvas.blueprint.id),
        findings: Vec::new(),
    };
    responsible::errors(canvas, &mut found);
    found.findings
}

/// What the organisation as a whole gets wrong: departments that hold no role, nor any department below them.
#[must_use]
pub fn of_organisation(
    departments: &[department::Model],
    holding: &HashSet<DepartmentId>,
) -> Vec<Finding> {
    let parents: HashMap<DepartmentId, Option<DepartmentId>> = departments
        .iter()
        .map(|row| (row.id, row.parent_id))
        .collect();
    let mut with_role: HashSet<DepartmentId> = HashSet::new();
    for holder in holding {
        let mut next = Some(*holder);
        while let Some(id) = next.filter(|id| with_role.insert(*id)) {
            next = parents.get(&id).copied().flatten();
        }
    }
    let mut found = Found {
        blueprint: None,
        findings: Vec::new(),
    };
    for row in departments.iter().filter(|row| row.archived_at.is_none()) {
        if !with_role.contains(&row.id) {
            let place = Place {
                department: Some(row.id),
                ..Place::default()
            };
            let sentence = format!("{} holds no role in any journey.", quoted(&row.name));
            found.add(Code::DepartmentWithoutRole, place, sentence);
        }
    }
    found.findings
}

/// A name in a sentence.
fn quoted(name: &str) -> String {
    format!("“{name}”")
}

#[cfg(test)]
mod tests;
