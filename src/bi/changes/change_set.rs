//! Reads from audit events which entities may have changed rows of measurements. Every type of subject is listed here;
//! an event of any other makes the changes unknown, so the pull is refused rather than a change missed.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use entity::{
    account, audit_event, blueprint, channel, department, evaluation, feedback, follow_up,
    id::{
        BlueprintId, DepartmentId, Id, KpiId, KpiLinkId, KpiTargetId, PhaseId, ResponsibilityId,
        TouchpointId,
    },
    improvement, insight, kpi, kpi_grant, kpi_link, kpi_target, measurement, membership, persona,
    phase, playbook, promise, publication, responsibility, routing_rule, scenario, segment,
    service_token, session, source, template, touchpoint, transition,
};
use sea_orm::prelude::Json;

use crate::audit::AuditSubject;

/// The entities whose acts may have changed rows.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ChangedEntities {
    /// When the first of the acts began: values that came with them carry no earlier moment.
    pub from: Option<DateTime<Utc>>,
    /// KPIs all of whose rows may have changed.
    pub kpis: BTreeSet<KpiId>,
    pub targets: BTreeSet<KpiTargetId>,
    pub links: BTreeSet<KpiLinkId>,
    pub responsibilities: BTreeSet<ResponsibilityId>,
    /// Places of which all rows may have changed.
    pub touchpoints: BTreeSet<TouchpointId>,
    pub phases: BTreeSet<PhaseId>,
    pub blueprints: BTreeSet<BlueprintId>,
    pub departments: BTreeSet<DepartmentId>,
}

macro_rules! types {
    ($($name:ident $module:ident,)*) => {
        $(const $name: &str = <$module::Entity as AuditSubject>::TYPE;)*
    };
}

types! {
    ACCOUNT account, BLUEPRINT blueprint, CHANNEL channel, DEPARTMENT department, EVALUATION evaluation,
    FEEDBACK feedback, FOLLOW_UP follow_up, GRANT kpi_grant, IMPROVEMENT improvement, INSIGHT insight, KPI kpi,
    LINK kpi_link, MEASUREMENT measurement, MEMBERSHIP membership, PERSONA persona, PHASE phase, PLAYBOOK playbook,
    PROMISE promise, ROUTING_RULE routing_rule, PUBLICATION publication, RESPONSIBILITY responsibility, SCENARIO scenario, SEGMENT segment,
    SESSION session, SOURCE source, TARGET kpi_target, TEMPLATE template, TOKEN service_token, TOUCHPOINT touchpoint,
    TRANSITION transition,
}

/// Acts on answers, which change rows only through the values that they record.
const ON_ANSWERS: [&str; 5] = [
    "feedbackRecord",
    "feedbackImport",
    "respondentErase",
    "feedbackErase",
    "feedbackMeasure",
];

impl ChangedEntities {
    /// The changes of these acts; none where they cannot be told. `include_drafts`: whether rows of blueprints that do
    /// not count are pulled as well.
    pub(super) fn from_events(events: &[audit_event::Model], include_drafts: bool) -> Option<Self> {
        let mut changes = Self {
            from: events.iter().map(|event| event.at).min(),
            ..Self::default()
        };
        let all = events.iter();
        all.map(|event| changes.add_event(event, include_drafts))
            .collect::<Option<()>>()?;
        Some(changes)
    }

    fn add_event(&mut self, event: &audit_event::Model, include_drafts: bool) -> Option<()> {
        let (before, after) = (event.before.as_ref(), event.after.as_ref());
        let Some((subject_type, id)) = event.subject_type.as_deref().zip(event.subject_id) else {
            // An act without a subject names nothing that could have changed; these are known to change values alone,
            // which are found by when they were recorded.
            return ON_ANSWERS.contains(&&*event.action).then_some(());
        };
        match subject_type {
            // Without a before it is new, or values of it were recorded.
            KPI => self.kpis.extend(before.map(|_| KpiId(id))),
            TARGET => {
                self.targets.insert(KpiTargetId(id));
                self.kpis.extend(ids_in_field::<KpiId>(event, "kpiId"));
            }
            LINK => {
                self.links.insert(KpiLinkId(id));
                self.kpis.extend(ids_in_field::<KpiId>(event, "kpiId"));
            }
            RESPONSIBILITY => {
                self.responsibilities.insert(ResponsibilityId(id));
                let places = ids_in_field::<TouchpointId>(event, "touchpointId");
                self.touchpoints.extend(places);
            }
            TOUCHPOINT if has_any_field(before, &["key", "name", "phaseId"]) => {
                self.touchpoints.insert(TouchpointId(id));
            }
            PHASE => {
                self.phases.insert(PhaseId(id));
            }
            DEPARTMENT => self.departments.extend(before.map(|_| DepartmentId(id))),
            // One event stands for a whole document, whose parts have none of their own.
            BLUEPRINT if has_any_field(after, &["imported"]) => return None,
            // What hung on it is gone with it; while it did not count, nothing showed that.
            BLUEPRINT if after.is_none() => return (!include_drafts).then_some(()),
            BLUEPRINT if has_any_field(after, &["key", "state", "status", "archivedFrom"]) => {
                self.blueprints.insert(BlueprintId(id));
            }
            // What of these remains has no column in the rows; values are found by `recorded_at`.
            TOUCHPOINT | BLUEPRINT | MEASUREMENT => {}
            ACCOUNT | CHANNEL | EVALUATION | FEEDBACK | FOLLOW_UP | GRANT | IMPROVEMENT
            | INSIGHT | MEMBERSHIP | PERSONA | PLAYBOOK | ROUTING_RULE | PROMISE | PUBLICATION
            | SCENARIO | SEGMENT | SESSION | SOURCE | TEMPLATE | TOKEN | TRANSITION => {}
            // A kind of subject that is new here: better a whole pull than a change that is missed.
            _ => return None,
        }
        Some(())
    }
}

/// Whether a body says something of one of these fields.
fn has_any_field(body: Option<&Json>, fields: &[&str]) -> bool {
    body.is_some_and(|body| fields.iter().any(|field| body.get(field).is_some()))
}

/// The ids that the bodies of an event hold in a field.
fn ids_in_field<I: Id>(event: &audit_event::Model, field: &str) -> Vec<I> {
    let bodies = [event.before.as_ref(), event.after.as_ref()];
    let texts = bodies.into_iter().flatten();
    let texts = texts.filter_map(|body| body.get(field)?.as_str());
    texts.filter_map(|text| text.parse().ok()).collect()
}
