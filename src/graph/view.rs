//! Smaller pictures of a blueprint, and what customers may see of it, in the API: it shows what the views of the canvas
//! come to, as far as it is asked for, and decides nothing.

use std::{collections::BTreeSet, sync::Arc};

use async_graphql::{Context, Object, SimpleObject};
use entity::{
    persona, touchpoint,
    words::{End, Lane, Medium, Stage, TransitionKind},
};

use crate::{
    batch::load_many,
    blueprint::graphql::Phase,
    canvas::{
        Canvas,
        flow::FlowAnalysis,
        view::{self, Detail, View},
    },
    compute::{SEARCH, Steps},
    department::graphql::Department,
    error::Result,
    meter::{Listed, Metered, listed},
    payload::caller,
    responsibility::pressure,
    touchpoint::graphql::{Touchpoint, Transition},
};

/// A smaller picture of a blueprint: some of its touchpoints, and what joins them.
pub struct BlueprintView {
    canvas: Arc<Canvas>,
    seen: view::View,
}

/// A phase of a smaller picture.
#[derive(SimpleObject)]
pub struct PhaseView {
    /// The phase.
    phase: Phase,
    /// The touchpoints that stay, in order of display.
    touchpoints: Listed<Touchpoint>,
}

/// What joins two places of a smaller picture.
pub struct Joint {
    canvas: Arc<Canvas>,
    joint: Arc<view::ViewJoint>,
}

fn shown(canvas: &Arc<Canvas>, at: usize) -> Option<Touchpoint> {
    let row = canvas.touchpoints.get(at)?;
    Some(Touchpoint::within(row, canvas))
}

/// A smaller picture of a blueprint: some of its touchpoints, and what joins them.
#[Object]
impl BlueprintView {
    /// The phases with the touchpoints that stay, in order of display; phases without any are left out.
    #[graphql(complexity = "10 * child_complexity")]
    async fn phases(&self) -> Listed<PhaseView> {
        let canvas = &self.canvas;
        let mut phases = Vec::new();
        for phase in &canvas.phases {
            let here = self.seen.touchpoints.iter().filter(|at| {
                let row = canvas.touchpoints.get(**at);
                row.is_some_and(|row| row.phase_id == phase.id)
            });
            let touchpoints: Vec<Touchpoint> = here.filter_map(|at| shown(canvas, *at)).collect();
            if !touchpoints.is_empty() {
                phases.push(PhaseView {
                    phase: Phase::within(phase, canvas),
                    touchpoints: listed(touchpoints),
                });
            }
        }
        listed(phases)
    }

    /// What joins them: transitions that stay in the order of creation, then bridges over what was left out.
    #[graphql(complexity = "10 * child_complexity")]
    async fn joints(&self) -> Listed<Joint> {
        let joints = self.seen.joints.iter().map(|joint| Joint {
            canvas: Arc::clone(&self.canvas),
            joint: Arc::clone(joint),
        });
        listed(joints)
    }

    /// How many touchpoints were left out.
    async fn left_out(&self) -> usize {
        self.canvas.touchpoints.len() - self.seen.touchpoints.len()
    }
}

/// What joins two places of a smaller picture: a transition, or a bridge over steps that were left out.
#[Object]
impl Joint {
    /// The touchpoint that it leads from; null where it comes from an end.
    async fn from(&self) -> Option<Touchpoint> {
        shown(&self.canvas, self.joint.from?)
    }

    /// The touchpoint that it leads to; null where it leads to an end.
    async fn to(&self) -> Option<Touchpoint> {
        shown(&self.canvas, self.joint.to?)
    }

    /// The end of the graph, where `from` or `to` is null.
    async fn end(&self) -> Option<End> {
        self.joint.end
    }

    /// The transition; null for a bridge.
    async fn transition(&self) -> Option<Transition> {
        let row = self.canvas.transitions.get(self.joint.transition?)?;
        Some(Transition::within(row, &self.canvas))
    }

    /// The steps that a bridge passes over, on the shortest way.
    #[graphql(complexity = "10 * child_complexity")]
    async fn left_out(&self) -> Listed<Touchpoint> {
        let left_out = self.joint.left_out.iter();
        let left_out = left_out.filter_map(|at| shown(&self.canvas, *at));
        listed(left_out)
    }
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
    senders: Listed<Sender>,
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
    caller.budget.spend(SEARCH)?;
    let sending = pressure::of_persona(caller, caller.reader(), persona.id, None).await?;
    let departments = load_many(ctx, sending.iter().filter_map(|sender| sender.department)).await?;
    let per_month = sending.iter().map(|sender| sender.per_month).sum();
    let most = persona.max_contacts_per_month;
    let mut senders = Vec::with_capacity(sending.len());
    for sender in sending {
        let department = sender.department.and_then(|id| departments.get(&id));
        let department = department.cloned().map(Department::from);
        let per_month = sender.per_month;
        senders.push(Metered(Sender {
            department,
            per_month,
        }));
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

/// The picture of the touchpoints that a choice keeps, with as much of it as the document asks for.
pub async fn view(
    ctx: &Context<'_>,
    canvas: &Arc<Canvas>,
    choose: impl FnOnce(&Canvas) -> BTreeSet<usize> + Send + 'static,
) -> Result<BlueprintView> {
    let joints = ctx.look_ahead().field("joints");
    let detail = match (joints.exists(), joints.field("leftOut").exists()) {
        (false, _) => Detail::Touchpoints,
        (true, false) => Detail::Joints,
        (true, true) => Detail::LeftOut,
    };
    let within = Arc::clone(canvas);
    let seen = caller(ctx)?
        .compute(move |steps| {
            steps.take(within.touchpoints.len())?;
            View::new(&FlowAnalysis::new(&within), &choose(&within), detail, steps)
        })
        .await?;
    Ok(BlueprintView {
        canvas: Arc::clone(canvas),
        seen,
    })
}

/// A journey as its customers may see it: what they do and where, and nothing of who delivers it or how.
#[derive(SimpleObject)]
pub struct CustomerView {
    /// The title, as the persona would say it.
    title: String,
    /// The persona's name.
    persona: String,
    /// The phases, in order of display.
    phases: Listed<CustomerPhase>,
    /// How the steps follow one another, in the order of creation.
    ways: Listed<CustomerWay>,
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
    steps: Listed<CustomerStep>,
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
    channels: Listed<CustomerChannel>,
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
pub async fn customer_view(ctx: &Context<'_>, canvas: &Arc<Canvas>) -> Result<CustomerView> {
    let canvas = Arc::clone(canvas);
    let work = move |steps: &Steps| seen_by_customers(&canvas, steps);
    caller(ctx)?.compute(work).await
}

fn seen_by_customers(canvas: &Canvas, steps: &Steps) -> Result<CustomerView> {
    let kept = view::seen_by_customers(canvas);
    let seen = View::new(&FlowAnalysis::new(canvas), &kept, Detail::Joints, steps)?;
    let phases = canvas.phases.iter().map(|phase| {
        let rows = seen.touchpoints.iter();
        let rows = rows.filter_map(|at| canvas.touchpoints.get(*at));
        let here = rows.filter(|row| row.phase_id == phase.id);
        CustomerPhase {
            name: phase.name.clone(),
            stage: phase.stage,
            customer_goal: phase.customer_goal.clone(),
            steps: listed(here.map(|row| customer_step(canvas, row))),
        }
    });
    let key = |at: Option<usize>| Some(canvas.touchpoints.get(at?)?.key.clone());
    let moves = |joint: &&Arc<view::ViewJoint>| {
        let transition = joint.transition.and_then(|at| canvas.transitions.get(at));
        transition.is_none_or(|transition| transition.kind != TransitionKind::Enables)
    };
    let ways = seen.joints.iter().filter(moves).map(|joint| CustomerWay {
        from: key(joint.from),
        to: key(joint.to),
        end: joint.end,
    });
    Ok(CustomerView {
        title: canvas.blueprint.title.clone(),
        persona: canvas.persona.name.clone(),
        phases: listed(phases),
        ways: listed(ways),
    })
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
        channels: listed(channels.map(|channel| CustomerChannel {
            name: channel.name.clone(),
            medium: channel.medium,
        })),
        emotion: row.emotion,
        expected_minutes: row.expected_minutes,
    }
}
