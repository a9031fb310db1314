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
        view::{self, ComputedViewParts, ReducedCanvas},
    },
    compute::{SEARCH, WorkBudget},
    department::graphql::Department,
    error::Result,
    meter::{BudgetCharged, BudgetChargedList, metered_list},
    number::{CompensatedSum, round_computed},
    payload::caller,
    responsibility::pressure,
    touchpoint::graphql::{Touchpoint, Transition},
};

/// A smaller picture of a blueprint: some of its touchpoints, and the connections between them.
pub(super) struct BlueprintExcerpt {
    canvas: Arc<Canvas>,
    seen: view::ReducedCanvas,
}

/// A phase of a smaller picture.
#[derive(SimpleObject)]
pub(super) struct PhaseView {
    /// The phase.
    phase: Phase,
    /// The touchpoints that stay, in order of display.
    touchpoints: BudgetChargedList<Touchpoint>,
}

/// What joins two places of a smaller picture.
pub(super) struct BlueprintViewArrow {
    canvas: Arc<Canvas>,
    joint: Arc<view::ViewArrow>,
}

fn touchpoint_at(canvas: &Arc<Canvas>, at: usize) -> Option<Touchpoint> {
    let row = canvas.touchpoints.get(at)?;
    Some(Touchpoint::from_canvas(row, canvas))
}

/// A smaller picture of a blueprint: some of its touchpoints, and the connections between them.
#[Object(name = "BlueprintView")]
impl BlueprintExcerpt {
    /// The phases with the touchpoints that stay, in order of display; phases without touchpoints are left out.
    #[graphql(complexity = "10 * child_complexity")]
    async fn phases(&self) -> BudgetChargedList<PhaseView> {
        let canvas = &self.canvas;
        let mut phases = Vec::new();
        for phase in &canvas.phases {
            let here = self.seen.touchpoints.iter().filter(|at| {
                let row = canvas.touchpoints.get(**at);
                row.is_some_and(|row| row.phase_id == phase.id)
            });
            let touchpoints: Vec<Touchpoint> =
                here.filter_map(|at| touchpoint_at(canvas, *at)).collect();
            if !touchpoints.is_empty() {
                phases.push(PhaseView {
                    phase: Phase::from_canvas(phase, canvas),
                    touchpoints: metered_list(touchpoints),
                });
            }
        }
        metered_list(phases)
    }

    /// The connections: first the transitions that stay, in the order of creation, then bridges over touchpoints left
    /// out.
    #[graphql(complexity = "10 * child_complexity")]
    async fn joints(&self) -> BudgetChargedList<BlueprintViewArrow> {
        let joints = self.seen.joints.iter().map(|joint| BlueprintViewArrow {
            canvas: Arc::clone(&self.canvas),
            joint: Arc::clone(joint),
        });
        metered_list(joints)
    }

    /// Number of touchpoints left out.
    async fn left_out(&self) -> usize {
        self.canvas.touchpoints.len() - self.seen.touchpoints.len()
    }
}

/// A connection in a smaller picture: a transition, or a bridge over touchpoints left out.
#[Object(name = "Joint")]
impl BlueprintViewArrow {
    /// The touchpoint that it leads from; null where it comes from an end.
    async fn from(&self) -> Option<Touchpoint> {
        touchpoint_at(&self.canvas, self.joint.from?)
    }

    /// The touchpoint that it leads to; null where it leads to an end.
    async fn to(&self) -> Option<Touchpoint> {
        touchpoint_at(&self.canvas, self.joint.to?)
    }

    /// The end of the journey graph, where `from` or `to` is null.
    async fn end(&self) -> Option<End> {
        self.joint.end
    }

    /// The transition; null for a bridge.
    async fn transition(&self) -> Option<Transition> {
        let row = self.canvas.transitions.get(self.joint.transition?)?;
        Some(Transition::from_canvas(row, &self.canvas))
    }

    /// The touchpoints that a bridge passes over, on the shortest way.
    #[graphql(complexity = "10 * child_complexity")]
    async fn left_out(&self) -> BudgetChargedList<Touchpoint> {
        let left_out = self.joint.left_out.iter();
        let left_out = left_out.filter_map(|at| touchpoint_at(&self.canvas, *at));
        metered_list(left_out)
    }
}

/// The attention that a stage of the journey gets, in touchpoints.
#[derive(SimpleObject)]
pub(super) struct StageAttention {
    /// The stage.
    stage: Stage,
    /// Number of touchpoints in phases of the stage.
    touchpoints: usize,
    /// Share of all touchpoints, from 0 to 1; null without touchpoints.
    share: Option<f64>,
}

/// The share of a blueprint that is somebody's guess.
#[derive(SimpleObject)]
pub(super) struct Assumptions {
    /// Number of touchpoints whose basis is ASSUMED.
    touchpoints: usize,
    /// Share of all touchpoints, from 0 to 1; null without touchpoints.
    share: Option<f64>,
}

fn share_of_touchpoints(part: usize, canvas: &Canvas) -> Option<f64> {
    let all = canvas.touchpoints.len();
    // Far fewer touchpoints than a float counts exactly.
    #[expect(clippy::cast_precision_loss)]
    (all > 0).then(|| round_computed(part as f64 / all as f64))
}

/// The number of contacts a month with a persona, summed over all journeys: of each, over the phase with the most, as
/// a persona is in one phase of it at a time.
#[derive(SimpleObject)]
pub(super) struct ContactPressure {
    /// Contacts a month, by all departments together.
    per_month: f64,
    /// The largest number of contacts a month that the persona tolerates; null if unknown.
    most: Option<i32>,
    /// Whether there are more contacts than the persona tolerates.
    too_much: bool,
    /// The departments that contact the persona, the most frequent first.
    senders: BudgetChargedList<Sender>,
}

/// The number of contacts a month of one department with a persona.
#[derive(SimpleObject)]
pub(super) struct Sender {
    /// The department accountable for the touchpoints with the contacts; null for those where nobody is accountable.
    department: Option<Department>,
    /// Contacts a month.
    per_month: f64,
}

/// Who contacts a persona how often.
pub(super) async fn load_contact_pressure(
    ctx: &Context<'_>,
    persona: &persona::Model,
) -> Result<ContactPressure> {
    let caller = caller(ctx)?;
    caller.budget.spend(SEARCH)?;
    let sending =
        pressure::load_department_contact_rates(caller, caller.connection(), persona.id, None)
            .await?;
    let departments = load_many(ctx, sending.iter().filter_map(|sender| sender.department)).await?;
    let per_month: CompensatedSum = sending.iter().map(|sender| sender.per_month).collect();
    let per_month = per_month.total();
    let most = persona.max_contacts_per_month;
    let mut senders = Vec::with_capacity(sending.len());
    for sender in sending {
        let department = sender.department.and_then(|id| departments.get(&id));
        let department = department.cloned().map(Department::from);
        let per_month = sender.per_month;
        senders.push(BudgetCharged(Sender {
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
pub(super) fn count_touchpoints_by_stage(canvas: &Canvas) -> Vec<StageAttention> {
    let stages = Stage::ALL.iter();
    stages
        .map(|stage| {
            let touchpoints = view::count_touchpoints_in_stage(canvas, *stage);
            StageAttention {
                stage: *stage,
                touchpoints,
                share: share_of_touchpoints(touchpoints, canvas),
            }
        })
        .collect()
}

/// How many touchpoints are somebody's guess.
pub(super) fn count_assumptions(canvas: &Canvas) -> Assumptions {
    let touchpoints = view::count_assumed_touchpoints(canvas);
    Assumptions {
        touchpoints,
        share: share_of_touchpoints(touchpoints, canvas),
    }
}

/// The picture of the touchpoints that a choice keeps, with as much of it as the document asks for.
pub(super) async fn build_view(
    ctx: &Context<'_>,
    canvas: &Arc<Canvas>,
    choose: impl FnOnce(&Canvas) -> BTreeSet<usize> + Send + 'static,
) -> Result<BlueprintExcerpt> {
    let joints = ctx.look_ahead().field("joints");
    let detail = match (joints.exists(), joints.field("leftOut").exists()) {
        (false, _) => ComputedViewParts::Touchpoints,
        (true, false) => ComputedViewParts::Joints,
        (true, true) => ComputedViewParts::LeftOut,
    };
    let within = Arc::clone(canvas);
    let seen = caller(ctx)?
        .run_on_compute_pool(move |steps| {
            steps.spend(within.touchpoints.len())?;
            ReducedCanvas::new(&FlowAnalysis::new(&within), &choose(&within), detail, steps)
        })
        .await?;
    Ok(BlueprintExcerpt {
        canvas: Arc::clone(canvas),
        seen,
    })
}

/// A journey fit to be shown to customers: their actions and channels, and nothing about who delivers it or how.
#[derive(SimpleObject)]
pub(super) struct CustomerView {
    /// The title, as the persona would say it.
    title: String,
    /// The persona's name.
    persona: String,
    /// The phases, in order of display.
    phases: BudgetChargedList<CustomerPhase>,
    /// The connections between the steps, in the order of creation.
    ways: BudgetChargedList<CustomerWay>,
}

/// A phase as customers may see it.
#[derive(SimpleObject)]
pub(super) struct CustomerPhase {
    /// Its name.
    name: String,
    /// Its stage relative to what the customer came for.
    stage: Stage,
    /// The customer's goal in it.
    customer_goal: Option<String>,
    /// The steps in which the customer takes part, in order of display.
    steps: BudgetChargedList<CustomerStep>,
}

/// A step as customers may see it.
#[derive(SimpleObject)]
pub(super) struct CustomerStep {
    /// Its key, by which `ways` names it.
    key: String,
    /// Its name.
    name: String,
    /// Whether the customer acts alone, without the organisation.
    alone: bool,
    /// The customer's action.
    customer_action: Option<String>,
    /// Physical evidence: things that the customer holds or sees, in order.
    evidence: Vec<String>,
    /// Its channels, in order.
    channels: BudgetChargedList<CustomerChannel>,
    /// The customer's emotion, from −2 (worst) to 2 (best).
    emotion: Option<i32>,
    /// Expected duration in minutes.
    expected_minutes: Option<i32>,
}

/// A channel as customers may see it.
#[derive(SimpleObject)]
pub(super) struct CustomerChannel {
    /// The name.
    name: String,
    /// The kind of channel.
    medium: Medium,
}

/// A connection from one step of customers to their next one. Steps that they take no part in are passed over.
#[derive(SimpleObject)]
pub(super) struct CustomerWay {
    /// The key of the step that it leads from; null where it comes from an end.
    from: Option<String>,
    /// The key of the step that it leads to; null where it leads to an end.
    to: Option<String>,
    /// The end of the journey graph, where `from` or `to` is null.
    end: Option<End>,
}

/// The journey as its customers may see it.
pub(super) async fn build_customer_view(
    ctx: &Context<'_>,
    canvas: &Arc<Canvas>,
) -> Result<CustomerView> {
    let canvas = Arc::clone(canvas);
    let work = move |steps: &WorkBudget| compute_customer_view(&canvas, steps);
    caller(ctx)?.run_on_compute_pool(work).await
}

fn compute_customer_view(canvas: &Canvas, steps: &WorkBudget) -> Result<CustomerView> {
    let kept = view::touchpoints_seen_by_customers(canvas);
    let seen = ReducedCanvas::new(
        &FlowAnalysis::new(canvas),
        &kept,
        ComputedViewParts::Joints,
        steps,
    )?;
    let phases = canvas.phases.iter().map(|phase| {
        let rows = seen.touchpoints.iter();
        let rows = rows.filter_map(|at| canvas.touchpoints.get(*at));
        let here = rows.filter(|row| row.phase_id == phase.id);
        CustomerPhase {
            name: phase.name.clone(),
            stage: phase.stage,
            customer_goal: phase.customer_goal.clone(),
            steps: metered_list(here.map(|row| customer_step(canvas, row))),
        }
    });
    let key = |at: Option<usize>| Some(canvas.touchpoints.get(at?)?.key.clone());
    let moves = |joint: &&Arc<view::ViewArrow>| {
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
        phases: metered_list(phases),
        ways: metered_list(ways),
    })
}

fn customer_step(canvas: &Canvas, row: &touchpoint::Model) -> CustomerStep {
    let channels = canvas.channels_of_touchpoint(row.id).iter();
    let evidence = row.evidence.0.iter();
    CustomerStep {
        key: row.key.clone(),
        name: row.name.clone(),
        alone: row.lane == Lane::Customer,
        customer_action: row.customer_action.clone(),
        evidence: evidence.map(|item| item.label.clone()).collect(),
        channels: metered_list(channels.map(|channel| CustomerChannel {
            name: channel.name.clone(),
            medium: channel.medium,
        })),
        emotion: row.emotion,
        expected_minutes: row.expected_minutes,
    }
}
