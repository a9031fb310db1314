//! The fields that can be drawn, by type: a second answer to what the resolvers say of a part of a canvas.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::{
    channel, department, json::Evidence, kpi, kpi_target, measurement, phase, responsibility,
    touchpoint, transition,
};

use super::{
    CanvasNode, DrawContext, FieldWriter, OnCanvas, Projected, Selections,
    direct_field::DirectField, id, leaf, many, one,
};
use crate::{
    blueprint::graphql::Phase,
    canvas::{Canvas, accountable},
    fields::{kinds, touchpoint::touchpoint_fields},
    graph::permissions,
    judgement::JudgedLink,
    policy::Action,
    touchpoint::graphql::Transition,
};

impl CanvasNode for Phase {
    type Row = phase::Model;

    fn within(row: &phase::Model, canvas: &Arc<Canvas>) -> Self {
        Self::within(row, canvas)
    }
}

impl CanvasNode for Transition {
    type Row = transition::Model;

    fn within(row: &transition::Model, canvas: &Arc<Canvas>) -> Self {
        Self::within(row, canvas)
    }
}

fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339()
}

fn words(actions: Vec<Action>) -> Vec<&'static str> {
    actions.into_iter().map(Action::as_str).collect()
}

impl<'c> Projected<'c> for OnCanvas<'c, phase::Model> {
    const TYPE: &'static str = "Phase";

    fn field(name: &str, asked: &Selections<'_>) -> Option<FieldWriter<'c, Self>> {
        match name {
            "id" => id(|phase: Self| phase.row.id),
            "key" => leaf(|phase: Self| phase.row.key.as_str()),
            "name" => leaf(|phase: Self| phase.row.name.as_str()),
            "position" => leaf(|phase: Self| phase.row.position),
            "stage" => leaf(|phase: Self| phase.row.stage),
            "customerGoal" => leaf(|phase: Self| phase.row.customer_goal.as_deref()),
            "prompt" => leaf(|phase: Self| phase.row.prompt.as_deref()),
            "version" => leaf(|phase: Self| phase.row.version),
            "createdAt" => leaf(|phase: Self| moment(phase.row.created_at)),
            "archivedAt" => leaf(|phase: Self| phase.row.archived_at.map(moment)),
            "kpis" => many(asked, |phase: Self| {
                let links = phase.scene.canvas.links_above(Some(phase.row.id));
                judged(phase.scene, links)
            }),
            "touchpoints" => many(asked, |phase: Self| {
                let touchpoints = phase.scene.canvas.touchpoints_of(phase.row.id);
                touchpoints.iter().map(move |row| phase.to(row))
            }),
            _ => None,
        }
    }
}

/// The described field of this name.
macro_rules! direct_field {
    ([$asked_name:ident $asked:ident] $({ $(
        $(#[$_doc:meta])* $field:ident $name:literal: $kind:ty { $($_facts:tt)* }
    )* })*) => {
        match $asked_name {
            $($($name => <$kind as DirectField>::stroke($asked, |row: &touchpoint::Model| &row.$field),)*)*
            _ => None,
        }
    };
}

impl<'c> Projected<'c> for OnCanvas<'c, touchpoint::Model> {
    const TYPE: &'static str = "Touchpoint";

    fn field(name: &str, asked: &Selections<'_>) -> Option<FieldWriter<'c, Self>> {
        match name {
            "id" => id(|step: Self| step.row.id),
            "key" => leaf(|step: Self| step.row.key.as_str()),
            "name" => leaf(|step: Self| step.row.name.as_str()),
            "lane" => leaf(|step: Self| step.row.lane),
            "position" => leaf(|step: Self| step.row.position),
            "version" => leaf(|step: Self| step.row.version),
            "createdAt" => leaf(|step: Self| moment(step.row.created_at)),
            "archivedAt" => leaf(|step: Self| step.row.archived_at.map(moment)),
            "viewerPermissions" => leaf(|step: Self| {
                let DrawContext { canvas, caller, .. } = step.scene;
                let held = canvas.responsibilities_of(step.row.id);
                words(permissions::on_touchpoint(caller, &canvas.blueprint, held))
            }),
            "channels" => many(asked, |step: Self| {
                let channels = step.scene.canvas.channels_of(step.row.id);
                channels.iter().map(move |row| step.to(row))
            }),
            "responsibilities" => many(asked, |step: Self| {
                let held = step.scene.canvas.responsibilities_of(step.row.id);
                held.iter().map(move |row| step.to(row))
            }),
            "kpis" => many(asked, |step: Self| {
                judged(step.scene, step.scene.canvas.links_of(step.row.id))
            }),
            "phase" => one(asked, |step: Self| {
                let phase = step.scene.canvas.phase(step.row.phase_id);
                phase.map(|row| step.to(row))
            }),
            _ => touchpoint_fields!(direct_field name asked),
        }
    }
}

impl<'c> Projected<'c> for OnCanvas<'c, Evidence> {
    const TYPE: &'static str = "Evidence";

    fn field(name: &str, _: &Selections<'_>) -> Option<FieldWriter<'c, Self>> {
        match name {
            "label" => leaf(|evidence: Self| evidence.row.label.as_str()),
            "link" => leaf(|evidence: Self| evidence.row.link.as_deref()),
            _ => None,
        }
    }
}

impl<'c> Projected<'c> for OnCanvas<'c, transition::Model> {
    const TYPE: &'static str = "Transition";

    fn field(name: &str, asked: &Selections<'_>) -> Option<FieldWriter<'c, Self>> {
        match name {
            "id" => id(|edge: Self| edge.row.id),
            "kind" => leaf(|edge: Self| edge.row.kind),
            "end" => leaf(|edge: Self| edge.row.end),
            "condition" => leaf(|edge: Self| edge.row.condition.as_deref()),
            "maxWaitMinutes" => leaf(|edge: Self| edge.row.max_wait_minutes),
            "basis" => leaf(|edge: Self| edge.row.basis),
            "version" => leaf(|edge: Self| edge.row.version),
            "createdAt" => leaf(|edge: Self| moment(edge.row.created_at)),
            "from" => one(asked, |edge: Self| {
                let from = edge.scene.canvas.touchpoint(edge.row.from_touchpoint_id?);
                from.map(|row| edge.to(row))
            }),
            "to" => one(asked, |edge: Self| {
                let to = edge.scene.canvas.touchpoint(edge.row.to_touchpoint_id?);
                to.map(|row| edge.to(row))
            }),
            _ => None,
        }
    }
}

impl<'c> Projected<'c> for OnCanvas<'c, channel::Model> {
    const TYPE: &'static str = "Channel";

    fn field(name: &str, _: &Selections<'_>) -> Option<FieldWriter<'c, Self>> {
        match name {
            "id" => id(|channel: Self| channel.row.id),
            "key" => leaf(|channel: Self| channel.row.key.as_str()),
            "name" => leaf(|channel: Self| channel.row.name.as_str()),
            "medium" => leaf(|channel: Self| channel.row.medium),
            "version" => leaf(|channel: Self| channel.row.version),
            "createdAt" => leaf(|channel: Self| moment(channel.row.created_at)),
            _ => None,
        }
    }
}

impl<'c> Projected<'c> for OnCanvas<'c, responsibility::Model> {
    const TYPE: &'static str = "Responsibility";

    fn field(name: &str, asked: &Selections<'_>) -> Option<FieldWriter<'c, Self>> {
        match name {
            "id" => id(|held: Self| held.row.id),
            "role" => leaf(|held: Self| held.row.role),
            "status" => leaf(|held: Self| held.row.status),
            "tasks" => leaf(|held: Self| held.row.tasks.0.as_slice()),
            "note" => leaf(|held: Self| held.row.note.as_deref()),
            "proposedAt" => leaf(|held: Self| moment(held.row.proposed_at)),
            "reason" => leaf(|held: Self| held.row.reason.as_deref()),
            "decidedAt" => leaf(|held: Self| held.row.decided_at.map(moment)),
            "validFrom" => leaf(|held: Self| held.row.valid_from.map(moment)),
            "validTo" => leaf(|held: Self| held.row.valid_to.map(moment)),
            "handedOverAt" => leaf(|held: Self| held.row.handed_over_at.map(moment)),
            "unasked" => leaf(|held: Self| held.row.unasked),
            "version" => leaf(|held: Self| held.row.version),
            "viewerPermissions" => leaf(|held: Self| {
                let DrawContext {
                    canvas,
                    caller,
                    parents,
                } = held.scene;
                let holder = accountable(canvas.responsibilities_of(held.row.touchpoint_id));
                let at = (&canvas.blueprint, holder);
                words(permissions::on_responsibility(
                    caller, held.row, at, parents,
                ))
            }),
            "touchpoint" => one(asked, |held: Self| {
                let touchpoint = held.scene.canvas.touchpoint(held.row.touchpoint_id);
                touchpoint.map(|row| held.to(row))
            }),
            "department" => one(asked, |held: Self| {
                let department = held.scene.canvas.department(held.row.department_id);
                department.map(|row| held.to(row))
            }),
            _ => None,
        }
    }
}

impl<'c> Projected<'c> for OnCanvas<'c, department::Model> {
    const TYPE: &'static str = "Department";

    fn field(name: &str, _: &Selections<'_>) -> Option<FieldWriter<'c, Self>> {
        match name {
            "id" => id(|department: Self| department.row.id),
            "key" => leaf(|department: Self| department.row.key.as_str()),
            "name" => leaf(|department: Self| department.row.name.as_str()),
            "kind" => leaf(|department: Self| department.row.kind),
            "version" => leaf(|department: Self| department.row.version),
            "createdAt" => leaf(|department: Self| moment(department.row.created_at)),
            "archivedAt" => leaf(|department: Self| department.row.archived_at.map(moment)),
            "viewerPermissions" => leaf(|department: Self| {
                let caller = department.scene.caller;
                words(permissions::on_department(caller, department.row))
            }),
            _ => None,
        }
    }
}

/// A KPI link with its KPI.
#[derive(Clone, Copy)]
pub(super) struct ProjectedLink<'c> {
    at: OnCanvas<'c, JudgedLink>,
    kpi: &'c kpi::Model,
}

/// Those of the links whose KPIs are there.
fn judged<'c>(
    scene: DrawContext<'c>,
    links: impl IntoIterator<Item = &'c JudgedLink>,
) -> impl Iterator<Item = ProjectedLink<'c>> {
    links.into_iter().filter_map(move |row| {
        let kpi = scene.canvas.kpi(row.link.kpi_id)?;
        let at = OnCanvas { scene, row };
        Some(ProjectedLink { at, kpi })
    })
}

impl<'c> Projected<'c> for ProjectedLink<'c> {
    const TYPE: &'static str = "KpiLink";

    fn field(name: &str, asked: &Selections<'_>) -> Option<FieldWriter<'c, Self>> {
        match name {
            "id" => id(|judging: Self| judging.at.row.link.id),
            "validFrom" => leaf(|judging: Self| judging.at.row.link.valid_from),
            "validTo" => leaf(|judging: Self| judging.at.row.link.valid_to),
            "weight" => leaf(|judging: Self| judging.at.row.link.weight),
            "version" => leaf(|judging: Self| judging.at.row.link.version),
            "createdAt" => leaf(|judging: Self| moment(judging.at.row.link.created_at)),
            "state" => leaf(|judging: Self| judging.at.row.judgement.state(judging.kpi.direction)),
            "kpi" => one(asked, |judging: Self| Some(judging.at.to(judging.kpi))),
            "latest" => one(asked, |judging: Self| {
                let latest = judging.at.row.judgement.latest.as_ref();
                latest.map(|row| judging.at.to(row))
            }),
            "target" => one(asked, |judging: Self| {
                let target = judging.at.row.judgement.target.as_ref();
                target.map(|row| judging.at.to(row))
            }),
            _ => None,
        }
    }
}

impl<'c> Projected<'c> for OnCanvas<'c, kpi::Model> {
    const TYPE: &'static str = "Kpi";

    fn field(name: &str, _: &Selections<'_>) -> Option<FieldWriter<'c, Self>> {
        match name {
            "id" => id(|kpi: Self| kpi.row.id),
            "key" => leaf(|kpi: Self| kpi.row.key.as_str()),
            "name" => leaf(|kpi: Self| kpi.row.name.as_str()),
            "description" => leaf(|kpi: Self| kpi.row.description.as_deref()),
            "type" => leaf(|kpi: Self| kpi.row.kpi_type),
            "unit" => leaf(|kpi: Self| kpi.row.unit),
            "currency" => leaf(|kpi: Self| kpi.row.currency.as_deref()),
            "decimals" => leaf(|kpi: Self| kpi.row.decimals),
            "direction" => leaf(|kpi: Self| kpi.row.direction),
            "aggregation" => leaf(|kpi: Self| kpi.row.aggregation),
            "cadence" => leaf(|kpi: Self| kpi.row.cadence),
            "sensitivity" => leaf(|kpi: Self| kpi.row.sensitivity),
            "scope" => leaf(|kpi: Self| kpi.row.scope),
            "fedByFeedback" => leaf(|kpi: Self| kpi.row.fed_by_feedback),
            "version" => leaf(|kpi: Self| kpi.row.version),
            "createdAt" => leaf(|kpi: Self| moment(kpi.row.created_at)),
            "archivedAt" => leaf(|kpi: Self| kpi.row.archived_at.map(moment)),
            "viewerPermissions" => leaf(|kpi: Self| {
                let caller = kpi.scene.caller;
                words(permissions::on_kpi(caller, kpi.row))
            }),
            _ => None,
        }
    }
}

impl<'c> Projected<'c> for OnCanvas<'c, kpi_target::Model> {
    const TYPE: &'static str = "KpiTarget";

    fn field(name: &str, _: &Selections<'_>) -> Option<FieldWriter<'c, Self>> {
        match name {
            "id" => id(|target: Self| target.row.id),
            "validFrom" => leaf(|target: Self| target.row.valid_from),
            "value" => leaf(|target: Self| target.row.value),
            "warning" => leaf(|target: Self| target.row.warning),
            "version" => leaf(|target: Self| target.row.version),
            "createdAt" => leaf(|target: Self| moment(target.row.created_at)),
            _ => None,
        }
    }
}

impl<'c> Projected<'c> for OnCanvas<'c, measurement::Model> {
    const TYPE: &'static str = "Measurement";

    fn field(name: &str, _: &Selections<'_>) -> Option<FieldWriter<'c, Self>> {
        match name {
            "id" => id(|value: Self| value.row.id),
            "measuredOn" => leaf(|value: Self| value.row.measured_on),
            "value" => leaf(|value: Self| value.row.value),
            "numerator" => leaf(|value: Self| value.row.numerator),
            "denominator" => leaf(|value: Self| value.row.denominator),
            "sampleSize" => leaf(|value: Self| value.row.sample_size),
            "source" => leaf(|value: Self| value.row.source.as_deref()),
            "recordedAt" => leaf(|value: Self| moment(value.row.recorded_at)),
            "superseded" => leaf(|value: Self| value.row.superseded_by_id.is_some()),
            _ => None,
        }
    }
}
