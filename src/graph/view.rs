//! Smaller pictures of a blueprint, and what customers may see of it, in the API: it shows what the views of the canvas
//! come to and decides nothing.

use std::{collections::BTreeSet, sync::Arc};

use async_graphql::{Context, SimpleObject};
use entity::{
    persona, touchpoint,
    words::{End, Lane, Medium, Stage, TransitionKind},
};

use super::loaders::load;
use crate::{
    blueprint::graphql::Phase,
    canvas::{Canvas, flow::Flow, view},
    department::graphql::Department,
    error::Result,
    payload::caller,
    responsibility::pressure,
    touchpoint::graphql::{Touchpoint, Transition},
};

/// A smaller picture of a blueprint: some of its touchpoints, and what joins them.
#[derive(SimpleObject)]
pub struct BlueprintView {
    /// The phases with the touchpoints that stay, in order of display; phases without any are left out.
    phases: Vec<PhaseView>,
    /// What joins them: transitions that stay in the order of creation, then bridges over what was left out.
    joints: Vec<Joint>,
    /// How many touchpoints were left out.
    left_out: usize,
}

/// A phase of a smaller picture.
#[derive(SimpleObject)]
pub struct PhaseView {
    /// The phase.
    phase: Phase,
    /// The touchpoints that stay, in order of display.
    touchpoints: Vec<Touchpoint>,
}

/// What joins two places of a smaller picture: a transition, or a bridge over steps that were left out.
#[derive(SimpleObject)]
pub struct Joint {
    /// The touchpoint that it leads from; null where it comes from an end.
    from: Option<Touchpoint>,
    /// The touchpoint that it leads to; null where it leads to an end.
    to: Option<Touchpoint>,
    /// The end of the graph, where `from` or `to` is null.
    end: Option<End>,
    /// The transition; null for a bridge.
    transition: Option<Transition>,
    /// The steps that a bridge passes over, on the shortest way.
    left_out: Vec<Touchpoint>,
}

/// How much attention a stage of the journey gets.
#[derive(SimpleObject)]
pub struct StageAttention {
    /// The stage.
    stage: Stage,
    /// How many touchpoints lie in its phases.
    touchpoints: usize,
    /// Which share of all that is, from 0 to 1; null without touchpoints.
    share: Option<f64>,
}

/// How much of a blueprint is somebody's guess.
#[derive(SimpleObject)]
pub struct Assumptions {
    /// How many touchpoints are ASSUMED.
    touchpoints: usize,
    /// Which share of all that is, from 0 to 1; null without touchpoints.
    share: Option<f64>,
}

fn share(part: usize, canvas: &Canvas) -> Option<f64> {
    let all = canvas.touchpoints.len();
    // Far fewer touchpoints than a float counts exactly.
    #[expect(clippy::cast_precision_loss)]
    (all > 0).then(|| part as f64 / all as f64)
}

/// How often a month a persona is contacted, all journeys together.
#[derive(SimpleObject)]
pub struct ContactPressure {
    /// By all departments together.
    per_month: f64,
    /// How often the persona bears it; null where nobody knows.
    most: Option<i32>,
    /// Whether it is more often than the persona bears.
    too_much: bool,
    /// Who sends, those who do it most first.
    senders: Vec<Sender>,
}

/// How often a month a department contacts a persona.
#[derive(SimpleObject)]
pub struct Sender {
    /// Accountable for the touchpoints where it happens; null for those where nobody is.
    department: Option<Department>,
    /// How often a month.
    per_month: f64,
}

/// Who contacts a persona how often.
pub async fn contact_pressure(
    ctx: &Context<'_>,
    persona: &persona::Model,
) -> Result<ContactPressure> {
    let caller = caller(ctx)?;
    let sending = pressure::of_persona(caller, caller.reader(), persona.id, None).await?;
    let per_month = sending.iter().map(|sender| sender.per_month).sum();
    let most = persona.max_contacts_per_month;
    let mut senders = Vec::with_capacity(sending.len());
    for sender in sending {
        let department = match sender.department {
            Some(id) => load(ctx, id).await?.map(Department::from),
            None => None,
        };
        let per_month = sender.per_month;
        senders.push(Sender {
            department,
            per_month,
        });
    }
    Ok(ContactPressure {
        per_month,
        most,
        too_much: most.is_some_and(|most| per_month > f64::from(most)),
        senders,
    })
}

/// How many touchpoints lie in each stage.
pub fn attention(canvas: &Canvas) -> Vec<StageAttention> {
    let stages = Stage::ALL.iter();
    stages
        .map(|stage| {
            let touchpoints = view::in_stage(canvas, *stage);
            StageAttention {
                stage: *stage,
                touchpoints,
                share: share(touchpoints, canvas),
            }
        })
        .collect()
}

/// How many touchpoints are somebody's guess.
pub fn assumptions(canvas: &Canvas) -> Assumptions {
    let touchpoints = view::assumed(canvas);
    Assumptions {
        touchpoints,
        share: share(touchpoints, canvas),
    }
}

/// The picture of these touchpoints.
pub fn view(canvas: &Arc<Canvas>, kept: &BTreeSet<usize>) -> BlueprintView {
    let seen = view::View::of(&Flow::of(canvas), kept);
    let left_out = canvas.touchpoints.len() - seen.touchpoints.len();
    let one = |row: &touchpoint::Model| Touchpoint::within(row, canvas);
    let phases = canvas.phases.iter().filter_map(|phase| {
        let here = seen
            .touchpoints
            .iter()
            .filter(|row| row.phase_id == phase.id);
        let touchpoints: Vec<Touchpoint> = here.map(|row| one(row)).collect();
        (!touchpoints.is_empty()).then(|| PhaseView {
            phase: Phase::within(phase, canvas),
            touchpoints,
        })
    });
    let joints = seen.joints.iter().map(|joint| Joint {
        from: joint.from.map(one),
        to: joint.to.map(one),
        end: joint.end,
        transition: joint.transition.map(|row| Transition::within(row, canvas)),
        left_out: joint.left_out.iter().map(|row| one(row)).collect(),
    });
    BlueprintView {
        phases: phases.collect(),
        joints: joints.collect(),
        left_out,
    }
}

/// A journey as its customers may see it: what they do and where, and nothing of who delivers it or how.
#[derive(SimpleObject)]
pub struct CustomerView {
    /// The title, as the persona would say it.
    title: String,
    /// The persona's name.
    persona: String,
    /// The phases, in order of display.
    phases: Vec<CustomerPhase>,
    /// How the steps follow one another, in the order of creation.
    ways: Vec<CustomerWay>,
}

/// A phase as customers may see it.
#[derive(SimpleObject)]
pub struct CustomerPhase {
    /// Its name.
    name: String,
    /// Where it stands relative to what the customer came for.
    stage: Stage,
    /// What the customer wants to reach in it.
    customer_goal: Option<String>,
    /// The steps in which the customer takes part, in order of display.
    steps: Vec<CustomerStep>,
}

/// A step as customers may see it.
#[derive(SimpleObject)]
pub struct CustomerStep {
    /// Its key, by which `ways` names it.
    key: String,
    /// Its name.
    name: String,
    /// Whether the customer is alone in it.
    alone: bool,
    /// What the customer does.
    customer_action: Option<String>,
    /// What the customer holds or sees.
    evidence: Vec<String>,
    /// Where people meet, in order.
    channels: Vec<CustomerChannel>,
    /// What the customer feels, from −2 to 2.
    emotion: Option<i32>,
    /// How many minutes it should take.
    expected_minutes: Option<i32>,
}

/// A channel as customers may see it.
#[derive(SimpleObject)]
pub struct CustomerChannel {
    /// The name.
    name: String,
    /// What kind of way it is.
    medium: Medium,
}

/// What customers do next. Steps that they take no part in are passed over.
#[derive(SimpleObject)]
pub struct CustomerWay {
    /// The key of the step that it leads from; null where it comes from an end.
    from: Option<String>,
    /// The key of the step that it leads to; null where it leads to an end.
    to: Option<String>,
    /// The end, where `from` or `to` is null.
    end: Option<End>,
}

/// The journey as its customers may see it.
pub fn customer_view(canvas: &Canvas) -> CustomerView {
    let seen = view::View::of(&Flow::of(canvas), &view::seen_by_customers(canvas));
    let phases = canvas.phases.iter().map(|phase| {
        let steps = seen.touchpoints.iter();
        let steps = steps.filter(|row| row.phase_id == phase.id);
        CustomerPhase {
            name: phase.name.clone(),
            stage: phase.stage,
            customer_goal: phase.customer_goal.clone(),
            steps: steps.map(|row| customer_step(canvas, row)).collect(),
        }
    });
    let key = |row: Option<&touchpoint::Model>| row.map(|row| row.key.clone());
    let moves = |joint: &&view::Joint<'_>| {
        let transition = joint.transition;
        transition.is_none_or(|transition| transition.kind != TransitionKind::Enables)
    };
    let ways = seen.joints.iter().filter(moves).map(|joint| CustomerWay {
        from: key(joint.from),
        to: key(joint.to),
        end: joint.end,
    });
    CustomerView {
        title: canvas.blueprint.title.clone(),
        persona: canvas.persona.name.clone(),
        phases: phases.collect(),
        ways: ways.collect(),
    }
}

fn customer_step(canvas: &Canvas, row: &touchpoint::Model) -> CustomerStep {
    let channels = canvas.channels_of(row.id).iter();
    let evidence = row.evidence.0.iter();
    CustomerStep {
        key: row.key.clone(),
        name: row.name.clone(),
        alone: row.lane == Lane::Customer,
        customer_action: row.customer_action.clone(),
        evidence: evidence.map(|item| item.label.clone()).collect(),
        channels: channels
            .map(|channel| CustomerChannel {
                name: channel.name.clone(),
                medium: channel.medium,
            })
            .collect(),
        emotion: row.emotion,
        expected_minutes: row.expected_minutes,
    }
}
