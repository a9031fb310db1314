//! The fields that can be drawn, by type: a second answer to what the resolvers say of a part of a canvas.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::{
    channel, department, json::Evidence, kpi, kpi_target, measurement, phase, responsibility,
    touchpoint, transition,
};

use super::{
    CanvasRow, CanvasRowObject, DirectObject, FieldWriter, Selections, WriteContext,
    direct_field::DirectField, id_field_writer, list_field_writer, object_field_writer,
    value_field_writer,
};
use crate::{
    blueprint::graphql::Phase,
    canvas::{Canvas, find_accountable_responsibility},
    fields::{kinds, touchpoint::touchpoint_fields},
    graph::permissions,
    judgement::{CurrentFigure, JudgedKpiLink, period_law::minimum_sample},
    policy::Action,
    touchpoint::graphql::Transition,
};

impl CanvasRowObject for Phase {
    type Row = phase::Model;

    fn to_object(row: &phase::Model, canvas: &Arc<Canvas>) -> Self {
        Self::from_canvas(row, canvas)
    }
}

impl CanvasRowObject for Transition {
    type Row = transition::Model;

    fn to_object(row: &transition::Model, canvas: &Arc<Canvas>) -> Self {
        Self::from_canvas(row, canvas)
    }
}

fn format_moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339()
}

fn action_words(actions: Vec<Action>) -> Vec<&'static str> {
    actions.into_iter().map(Action::as_str).collect()
}

impl<'c> DirectObject<'c> for CanvasRow<'c, phase::Model> {
    const TYPE: &'static str = "Phase";

    fn field_writer(name: &str, asked: &Selections<'_>) -> Option<FieldWriter<'c, Self>> {
        match name {
            "id" => id_field_writer(|phase: Self| phase.row.id),
            "key" => value_field_writer(|phase: Self| phase.row.key.as_str()),
            "name" => value_field_writer(|phase: Self| phase.row.name.as_str()),
            "position" => value_field_writer(|phase: Self| phase.row.position),
            "stage" => value_field_writer(|phase: Self| phase.row.stage),
            "customerGoal" => value_field_writer(|phase: Self| phase.row.customer_goal.as_deref()),
            "timing" => value_field_writer(|phase: Self| phase.row.timing.as_deref()),
            "prompt" => value_field_writer(|phase: Self| phase.row.prompt.as_deref()),
            "version" => value_field_writer(|phase: Self| phase.row.version),
            "createdAt" => value_field_writer(|phase: Self| format_moment(phase.row.created_at)),
            "archivedAt" => {
                value_field_writer(|phase: Self| phase.row.archived_at.map(format_moment))
            }
            "kpis" => list_field_writer(asked, |phase: Self| {
                let links = phase
                    .context
                    .canvas
                    .kpi_links_above_touchpoints(Some(phase.row.id));
                direct_kpi_links(phase.context, links)
            }),
            "touchpoints" => list_field_writer(asked, |phase: Self| {
                let touchpoints = phase.context.canvas.touchpoints_of_phase(phase.row.id);
                touchpoints.iter().map(move |row| phase.with_row(row))
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
            $($($name => <$kind as DirectField>::writer($asked, |row: &touchpoint::Model| &row.$field),)*)*
            _ => None,
        }
    };
}

impl<'c> DirectObject<'c> for CanvasRow<'c, touchpoint::Model> {
    const TYPE: &'static str = "Touchpoint";

    fn field_writer(name: &str, asked: &Selections<'_>) -> Option<FieldWriter<'c, Self>> {
        match name {
            "id" => id_field_writer(|step: Self| step.row.id),
            "key" => value_field_writer(|step: Self| step.row.key.as_str()),
            "name" => value_field_writer(|step: Self| step.row.name.as_str()),
            "lane" => value_field_writer(|step: Self| step.row.lane),
            "position" => value_field_writer(|step: Self| step.row.position),
            "version" => value_field_writer(|step: Self| step.row.version),
            "createdAt" => value_field_writer(|step: Self| format_moment(step.row.created_at)),
            "archivedAt" => {
                value_field_writer(|step: Self| step.row.archived_at.map(format_moment))
            }
            "viewerPermissions" => value_field_writer(|step: Self| {
                let WriteContext { canvas, caller, .. } = step.context;
                let held = canvas.responsibilities_of_touchpoint(step.row.id);
                action_words(permissions::on_touchpoint(caller, &canvas.blueprint, held))
            }),
            "channels" => list_field_writer(asked, |step: Self| {
                let channels = step.context.canvas.channels_of_touchpoint(step.row.id);
                channels.iter().map(move |row| step.with_row(row))
            }),
            "responsibilities" => list_field_writer(asked, |step: Self| {
                let held = step
                    .context
                    .canvas
                    .responsibilities_of_touchpoint(step.row.id);
                held.iter().map(move |row| step.with_row(row))
            }),
            "kpis" => list_field_writer(asked, |step: Self| {
                direct_kpi_links(
                    step.context,
                    step.context.canvas.kpi_links_of_touchpoint(step.row.id),
                )
            }),
            "phase" => object_field_writer(asked, |step: Self| {
                let phase = step.context.canvas.phase(step.row.phase_id);
                phase.map(|row| step.with_row(row))
            }),
            _ => touchpoint_fields!(direct_field name asked),
        }
    }
}

impl<'c> DirectObject<'c> for CanvasRow<'c, Evidence> {
    const TYPE: &'static str = "Evidence";

    fn field_writer(name: &str, _: &Selections<'_>) -> Option<FieldWriter<'c, Self>> {
        match name {
            "label" => value_field_writer(|evidence: Self| evidence.row.label.as_str()),
            "link" => value_field_writer(|evidence: Self| evidence.row.link.as_deref()),
            _ => None,
        }
    }
}

impl<'c> DirectObject<'c> for CanvasRow<'c, transition::Model> {
    const TYPE: &'static str = "Transition";

    fn field_writer(name: &str, asked: &Selections<'_>) -> Option<FieldWriter<'c, Self>> {
        match name {
            "id" => id_field_writer(|edge: Self| edge.row.id),
            "kind" => value_field_writer(|edge: Self| edge.row.kind),
            "end" => value_field_writer(|edge: Self| edge.row.end),
            "condition" => value_field_writer(|edge: Self| edge.row.condition.as_deref()),
            "maxWaitMinutes" => value_field_writer(|edge: Self| edge.row.max_wait_minutes),
            "basis" => value_field_writer(|edge: Self| edge.row.basis),
            "version" => value_field_writer(|edge: Self| edge.row.version),
            "createdAt" => value_field_writer(|edge: Self| format_moment(edge.row.created_at)),
            "from" => object_field_writer(asked, |edge: Self| {
                let from = edge.context.canvas.touchpoint(edge.row.from_touchpoint_id?);
                from.map(|row| edge.with_row(row))
            }),
            "to" => object_field_writer(asked, |edge: Self| {
                let to = edge.context.canvas.touchpoint(edge.row.to_touchpoint_id?);
                to.map(|row| edge.with_row(row))
            }),
            _ => None,
        }
    }
}

impl<'c> DirectObject<'c> for CanvasRow<'c, channel::Model> {
    const TYPE: &'static str = "Channel";

    fn field_writer(name: &str, _: &Selections<'_>) -> Option<FieldWriter<'c, Self>> {
        match name {
            "id" => id_field_writer(|channel: Self| channel.row.id),
            "key" => value_field_writer(|channel: Self| channel.row.key.as_str()),
            "name" => value_field_writer(|channel: Self| channel.row.name.as_str()),
            "medium" => value_field_writer(|channel: Self| channel.row.medium),
            "version" => value_field_writer(|channel: Self| channel.row.version),
            "createdAt" => {
                value_field_writer(|channel: Self| format_moment(channel.row.created_at))
            }
            "viewerPermissions" => value_field_writer(|channel: Self| {
                action_words(permissions::on_catalogue(channel.context.caller))
            }),
            _ => None,
        }
    }
}

impl<'c> DirectObject<'c> for CanvasRow<'c, responsibility::Model> {
    const TYPE: &'static str = "Responsibility";

    fn field_writer(name: &str, asked: &Selections<'_>) -> Option<FieldWriter<'c, Self>> {
        match name {
            "id" => id_field_writer(|held: Self| held.row.id),
            "role" => value_field_writer(|held: Self| held.row.role),
            "status" => value_field_writer(|held: Self| held.row.status),
            "tasks" => value_field_writer(|held: Self| held.row.tasks.0.as_slice()),
            "note" => value_field_writer(|held: Self| held.row.note.as_deref()),
            "proposedAt" => value_field_writer(|held: Self| format_moment(held.row.proposed_at)),
            "reason" => value_field_writer(|held: Self| held.row.reason.as_deref()),
            "decidedAt" => value_field_writer(|held: Self| held.row.decided_at.map(format_moment)),
            "validFrom" => value_field_writer(|held: Self| held.row.valid_from.map(format_moment)),
            "validTo" => value_field_writer(|held: Self| held.row.valid_to.map(format_moment)),
            "handedOverAt" => {
                value_field_writer(|held: Self| held.row.handed_over_at.map(format_moment))
            }
            "unasked" => value_field_writer(|held: Self| held.row.unasked),
            "version" => value_field_writer(|held: Self| held.row.version),
            "viewerPermissions" => value_field_writer(|held: Self| {
                let WriteContext {
                    canvas,
                    caller,
                    parents,
                } = held.context;
                let holder = find_accountable_responsibility(
                    canvas.responsibilities_of_touchpoint(held.row.touchpoint_id),
                );
                let at = (&canvas.blueprint, holder);
                action_words(permissions::on_responsibility(
                    caller, held.row, at, parents,
                ))
            }),
            "touchpoint" => object_field_writer(asked, |held: Self| {
                let touchpoint = held.context.canvas.touchpoint(held.row.touchpoint_id);
                touchpoint.map(|row| held.with_row(row))
            }),
            "department" => object_field_writer(asked, |held: Self| {
                let department = held.context.canvas.department(held.row.department_id);
                department.map(|row| held.with_row(row))
            }),
            _ => None,
        }
    }
}

impl<'c> DirectObject<'c> for CanvasRow<'c, department::Model> {
    const TYPE: &'static str = "Department";

    fn field_writer(name: &str, _: &Selections<'_>) -> Option<FieldWriter<'c, Self>> {
        match name {
            "id" => id_field_writer(|department: Self| department.row.id),
            "key" => value_field_writer(|department: Self| department.row.key.as_str()),
            "name" => value_field_writer(|department: Self| department.row.name.as_str()),
            "kind" => value_field_writer(|department: Self| department.row.kind),
            "version" => value_field_writer(|department: Self| department.row.version),
            "createdAt" => {
                value_field_writer(|department: Self| format_moment(department.row.created_at))
            }
            "archivedAt" => {
                value_field_writer(|department: Self| department.row.archived_at.map(format_moment))
            }
            "viewerPermissions" => value_field_writer(|department: Self| {
                let caller = department.context.caller;
                action_words(permissions::on_department(caller, department.row))
            }),
            _ => None,
        }
    }
}

/// A KPI link with its KPI.
#[derive(Clone, Copy)]
pub(super) struct DirectKpiLink<'c> {
    at: CanvasRow<'c, JudgedKpiLink>,
    kpi: &'c kpi::Model,
}

/// Those of the links whose KPIs are there.
fn direct_kpi_links<'c>(
    context: WriteContext<'c>,
    links: impl IntoIterator<Item = &'c JudgedKpiLink>,
) -> impl Iterator<Item = DirectKpiLink<'c>> {
    links.into_iter().filter_map(move |row| {
        let kpi = context.canvas.kpi(row.link.kpi_id)?;
        let at = CanvasRow { context, row };
        Some(DirectKpiLink { at, kpi })
    })
}

impl<'c> DirectObject<'c> for DirectKpiLink<'c> {
    const TYPE: &'static str = "KpiLink";

    fn field_writer(name: &str, asked: &Selections<'_>) -> Option<FieldWriter<'c, Self>> {
        match name {
            "id" => id_field_writer(|judging: Self| judging.at.row.link.id),
            "validFrom" => value_field_writer(|judging: Self| judging.at.row.link.valid_from),
            "validTo" => value_field_writer(|judging: Self| judging.at.row.link.valid_to),
            "weight" => value_field_writer(|judging: Self| judging.at.row.link.weight),
            "version" => value_field_writer(|judging: Self| judging.at.row.link.version),
            "createdAt" => {
                value_field_writer(|judging: Self| format_moment(judging.at.row.link.created_at))
            }
            "state" => value_field_writer(|judging: Self| judging.at.row.judgement.state()),
            "current" => object_field_writer(asked, |judging: Self| {
                let figure = judging.at.row.judgement.figure.as_ref();
                figure.map(|figure| judging.at.with_row(figure))
            }),
            "kpi" => object_field_writer(asked, |judging: Self| {
                Some(judging.at.with_row(judging.kpi))
            }),
            "latest" => object_field_writer(asked, |judging: Self| {
                let latest = judging.at.row.judgement.latest.as_ref();
                latest.map(|row| judging.at.with_row(row))
            }),
            "target" => object_field_writer(asked, |judging: Self| {
                let target = judging.at.row.judgement.target();
                target.map(|row| judging.at.with_row(row))
            }),
            _ => None,
        }
    }
}

impl<'c> DirectObject<'c> for CanvasRow<'c, CurrentFigure> {
    const TYPE: &'static str = "KpiFigure";

    fn field_writer(name: &str, asked: &Selections<'_>) -> Option<FieldWriter<'c, Self>> {
        match name {
            "value" => value_field_writer(|figure: Self| figure.row.value),
            "n" => value_field_writer(|figure: Self| figure.row.n),
            "state" => value_field_writer(|figure: Self| figure.row.state),
            "periodStart" => {
                value_field_writer(|figure: Self| figure.row.period.map(|period| period.begin))
            }
            "periodEnd" => {
                value_field_writer(|figure: Self| figure.row.period.map(|period| period.end))
            }
            "periods" => value_field_writer(|figure: Self| figure.row.periods),
            "periodsSince" => value_field_writer(|figure: Self| figure.row.periods_since),
            "measuredOn" => value_field_writer(|figure: Self| figure.row.measured_on),
            "place" => value_field_writer(|figure: Self| figure.row.place),
            "isDecided" => value_field_writer(|figure: Self| figure.row.is_decided),
            "target" => object_field_writer(asked, |figure: Self| {
                let target = figure.row.target.as_ref();
                target.map(|row| figure.with_row(row))
            }),
            _ => None,
        }
    }
}

impl<'c> DirectObject<'c> for CanvasRow<'c, kpi::Model> {
    const TYPE: &'static str = "Kpi";

    fn field_writer(name: &str, _: &Selections<'_>) -> Option<FieldWriter<'c, Self>> {
        match name {
            "id" => id_field_writer(|kpi: Self| kpi.row.id),
            "key" => value_field_writer(|kpi: Self| kpi.row.key.as_str()),
            "name" => value_field_writer(|kpi: Self| kpi.row.name.as_str()),
            "description" => value_field_writer(|kpi: Self| kpi.row.description.as_deref()),
            "type" => value_field_writer(|kpi: Self| kpi.row.kpi_type),
            "unit" => value_field_writer(|kpi: Self| kpi.row.unit),
            "currency" => value_field_writer(|kpi: Self| kpi.row.currency.as_deref()),
            "decimals" => value_field_writer(|kpi: Self| kpi.row.decimals),
            "direction" => value_field_writer(|kpi: Self| kpi.row.direction),
            "aggregation" => value_field_writer(|kpi: Self| kpi.row.aggregation),
            "cadence" => value_field_writer(|kpi: Self| kpi.row.cadence),
            "sensitivity" => value_field_writer(|kpi: Self| kpi.row.sensitivity),
            "scope" => value_field_writer(|kpi: Self| kpi.row.scope),
            "fedFrom" => value_field_writer(|kpi: Self| kpi.row.fed_from),
            "minimumSample" => value_field_writer(|kpi: Self| minimum_sample(kpi.row)),
            "acrossParts" => value_field_writer(|kpi: Self| kpi.row.across_parts),
            "version" => value_field_writer(|kpi: Self| kpi.row.version),
            "createdAt" => value_field_writer(|kpi: Self| format_moment(kpi.row.created_at)),
            "archivedAt" => value_field_writer(|kpi: Self| kpi.row.archived_at.map(format_moment)),
            _ => None,
        }
    }
}

impl<'c> DirectObject<'c> for CanvasRow<'c, kpi_target::Model> {
    const TYPE: &'static str = "KpiTarget";

    fn field_writer(name: &str, _: &Selections<'_>) -> Option<FieldWriter<'c, Self>> {
        match name {
            "id" => id_field_writer(|target: Self| target.row.id),
            "validFrom" => value_field_writer(|target: Self| target.row.valid_from),
            "value" => value_field_writer(|target: Self| target.row.value),
            "warning" => value_field_writer(|target: Self| target.row.warning),
            "version" => value_field_writer(|target: Self| target.row.version),
            "createdAt" => value_field_writer(|target: Self| format_moment(target.row.created_at)),
            _ => None,
        }
    }
}

impl<'c> DirectObject<'c> for CanvasRow<'c, measurement::Model> {
    const TYPE: &'static str = "Measurement";

    fn field_writer(name: &str, _: &Selections<'_>) -> Option<FieldWriter<'c, Self>> {
        match name {
            "id" => id_field_writer(|value: Self| value.row.id),
            "measuredOn" => value_field_writer(|value: Self| value.row.measured_on),
            "value" => value_field_writer(|value: Self| value.row.value),
            "numerator" => value_field_writer(|value: Self| value.row.numerator),
            "denominator" => value_field_writer(|value: Self| value.row.denominator),
            "sampleSize" => value_field_writer(|value: Self| value.row.sample_size),
            "source" => value_field_writer(|value: Self| value.row.source.as_deref()),
            "recordedAt" => value_field_writer(|value: Self| format_moment(value.row.recorded_at)),
            "superseded" => value_field_writer(|value: Self| value.row.superseded_by_id.is_some()),
            _ => None,
        }
    }
}
