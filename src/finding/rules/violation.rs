//! A violation: which rule a blueprint breaks, what it is about, and the fingerprint by which it stays the same one.

use entity::{
    id::{
        BlueprintId, DepartmentId, FindingId, Id, InsightId, KpiId, NeedId, PersonaId, PhaseId,
        PromiseId, TouchpointId,
    },
    touchpoint,
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::table::FindingCode;

/// Something that a blueprint, or the organisation, gets wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    pub code: FindingCode,
    pub subject: FindingSubject,
    /// The flaw as a sentence, for people.
    pub sentence: String,
    /// The code and what it is about, hashed: it stays the same whatever is renamed or moved.
    pub fingerprint: FindingId,
}

/// The subject of a finding. Without anything else it is the blueprint as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FindingSubject {
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
    /// A need of `persona`.
    pub need: Option<NeedId>,
}

impl FindingSubject {
    pub(super) fn of_touchpoint(touchpoint: &touchpoint::Model) -> Self {
        Self {
            phase: Some(touchpoint.phase_id),
            touchpoint: Some(touchpoint.id),
            ..Self::default()
        }
    }

    pub(super) fn of_kpi(kpi: KpiId) -> Self {
        Self {
            kpi: Some(kpi),
            ..Self::default()
        }
    }

    /// The code and the ids, hashed. A touchpoint's phase is no part of it: touchpoints move.
    fn fingerprint(&self, code: FindingCode) -> FindingId {
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
        // Only where there is one: fingerprints from before there were findings about needs stay as they are.
        if let Some(need) = self.need {
            hash.update(need.uuid().as_bytes());
        }
        let mut half = [0; 16];
        half.copy_from_slice(&hash.finalize()[..16]);
        Uuid::from_bytes(half).into()
    }
}

/// The violations found so far, in one blueprint or, without one, in the organisation.
pub(super) struct Violations {
    blueprint: Option<BlueprintId>,
    pub findings: Vec<Violation>,
}

impl Violations {
    pub(super) fn new(blueprint: Option<BlueprintId>) -> Self {
        Self {
            blueprint,
            findings: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, code: FindingCode, subject: FindingSubject, sentence: String) {
        let subject = FindingSubject {
            blueprint: self.blueprint,
            ..subject
        };
        self.findings.push(Violation {
            code,
            subject,
            sentence,
            fingerprint: subject.fingerprint(code),
        });
    }
}

/// A name in a sentence.
pub(super) fn quote(name: &str) -> String {
    format!("“{name}”")
}
