//! One journey: a blueprint with its phases, touchpoints, transitions, responsibilities and KPI links.

use std::collections::HashSet;

use entity::{
    blueprint,
    id::{BlueprintId, TouchpointId, TransitionId},
    json::{Evidence, EvidenceList, Texts},
    kpi_link, measurement, phase, responsibility, touchpoint, touchpoint_channel,
    touchpoint_segment, transition,
    words::{
        Basis, BlueprintState, BlueprintStatus, End, Initiator, Lane, ResponsibilityStatus, Role,
        Subject, TransitionKind, Usage, Visibility,
    },
};

use super::{Maker, dice::Dice, texts};
use crate::{error::Result, fields};

/// One in so many links has values of its own at the touchpoint, one a month.
const MEASURED_THERE: usize = 10;
/// How many of those.
const MONTHS: u32 = 12;

impl Maker<'_> {
    pub(super) async fn journey(&mut self, number: usize) -> Result<()> {
        let mut dice = self.dice(1_000 + number as u64);
        let blueprint = self.blueprint(&mut dice, number);
        let id = blueprint.id;
        let phases = self.phases(id);
        let touchpoints = self.touchpoints(&mut dice, &phases);
        let steps: Vec<TouchpointId> = touchpoints.iter().map(|row| row.id).collect();
        let (channels, audience) = self.parts(&mut dice, &steps);
        let transitions = self.transitions(&mut dice, id, &touchpoints);
        let responsibilities = self.responsibilities(&mut dice, &touchpoints);
        let (links, measurements) = self.links(&mut dice, id, &steps);
        self.insert::<blueprint::Entity>(vec![blueprint]).await?;
        self.insert::<phase::Entity>(phases).await?;
        self.insert::<touchpoint::Entity>(touchpoints).await?;
        self.insert::<touchpoint_channel::Entity>(channels).await?;
        self.insert::<touchpoint_segment::Entity>(audience).await?;
        self.insert::<transition::Entity>(transitions).await?;
        self.insert::<responsibility::Entity>(responsibilities)
            .await?;
        self.insert::<kpi_link::Entity>(links).await?;
        self.insert::<measurement::Entity>(measurements).await
    }

    fn blueprint(&mut self, dice: &mut Dice, number: usize) -> blueprint::Model {
        let persona = dice.pick(&self.personas);
        let title = match persona.1 {
            Subject::Customer => dice.pick(&texts::JOURNEYS),
            Subject::Employee => "The first hundred days",
        };
        blueprint::Model {
            id: self.ids.next(),
            key: format!("blueprint-{:04}", number + 1),
            title: format!("{title}, {}", dice.pick(&texts::PLACES)),
            subject: persona.1,
            state: BlueprintState::Current,
            status: BlueprintStatus::Published,
            archived_from: None,
            visibility: Visibility::Organisation,
            persona_id: persona.0,
            owner_department_id: dice.pick(&self.departments),
            next_review_on: None,
            published_number: Some(1),
            published_revision: Some(1),
            created_at: self.made_at,
            template_id: None,
            copied_from_id: None,
            archived_at: None,
            version: 1,
            // One in four was changed since it was published.
            revision: if number % 4 == 3 { 2 } else { 1 },
        }
    }

    fn phases(&mut self, blueprint: BlueprintId) -> Vec<phase::Model> {
        let count = texts::PHASES.len().min(self.size.touchpoints as usize);
        let of_phase = |(name, stage, goal): &(&str, _, &str), position: i32, id| phase::Model {
            id,
            blueprint_id: blueprint,
            key: format!("phase-{position}"),
            name: (*name).to_owned(),
            position,
            stage: *stage,
            customer_goal: Some((*goal).to_owned()),
            prompt: None,
            created_at: self.made_at,
            copied_from_id: None,
            archived_at: None,
            version: 1,
        };
        let named = texts::PHASES.iter().take(count).zip(1..);
        named
            .map(|(phase, position)| of_phase(phase, position, self.ids.next()))
            .collect()
    }

    fn touchpoints(&mut self, dice: &mut Dice, phases: &[phase::Model]) -> Vec<touchpoint::Model> {
        let count = self.size.touchpoints as usize;
        let mut rows: Vec<touchpoint::Model> = Vec::with_capacity(count);
        for at in 0..count {
            let phase = &phases[at * phases.len() / count];
            let position = rows
                .last()
                .filter(|last| last.phase_id == phase.id)
                .map_or(1, |last| last.position + 1);
            rows.push(self.touchpoint(dice, at, phase, position));
        }
        rows
    }

    fn touchpoint(
        &mut self,
        dice: &mut Dice,
        at: usize,
        phase: &phase::Model,
        position: i32,
    ) -> touchpoint::Model {
        let lane = match dice.below(20) {
            0..3 => Lane::Customer,
            3..11 => Lane::Frontstage,
            11..17 => Lane::Backstage,
            _ => Lane::Support,
        };
        let meets = matches!(lane, Lane::Customer | Lane::Frontstage);
        let usage = match dice.below(20) {
            0..16 => Usage::Used,
            16 => Usage::NotUsed,
            17 => Usage::Abandoned,
            _ => Usage::Unknown,
        };
        let length = dice.below(5);
        let id = self.ids.next();
        touchpoint::Model {
            key: format!("touchpoint-{:03}", at + 1),
            name: texts::step(dice),
            position,
            lane,
            customer_action: meets.then(|| texts::step(dice)),
            initiator: dice
                .chance(80)
                .then(|| dice.pick(&[Initiator::Customer, Initiator::Organisation])),
            contacts_per_month: dice
                .chance(40)
                .then(|| f64::from(dice.between(1, 40)) / 4.0),
            emotion: (meets && dice.chance(85)).then(|| dice.between(-2, 2)),
            employee_emotion: dice.chance(40).then(|| dice.between(-2, 2)),
            importance_customer: dice.chance(90).then(|| dice.between(1, 5)),
            importance_organisation: dice.chance(90).then(|| dice.between(1, 5)),
            usage,
            usage_reason: (usage != Usage::Used).then(|| texts::sentences(dice, 1)),
            moment_of_truth: dice.chance(6),
            essential: dice.chance(35),
            expected_minutes: dice.chance(50).then(|| dice.between(1, 90)),
            basis: if dice.chance(55) {
                Basis::Observed
            } else {
                Basis::Assumed
            },
            evidence: self.evidence(dice),
            systems: Texts(
                dice.several(at % 3, texts::SYSTEMS.len())
                    .into_iter()
                    .map(system)
                    .collect(),
            ),
            note: (length > 0).then(|| texts::sentences(dice, length)),
            ..fields::touchpoint::start(id, (phase.blueprint_id, phase.id), self.made_at)
        }
    }

    fn evidence(&self, dice: &mut Dice) -> EvidenceList {
        let count = dice.below(3);
        let shown = dice
            .several(count, texts::EVIDENCE.len())
            .into_iter()
            .map(|at| Evidence {
                label: texts::EVIDENCE[at].to_owned(),
                link: dice
                    .chance(30)
                    .then(|| format!("https://intranet.example/evidence/{at}")),
            });
        EvidenceList(shown.collect())
    }

    fn parts(
        &self,
        dice: &mut Dice,
        steps: &[TouchpointId],
    ) -> (
        Vec<touchpoint_channel::Model>,
        Vec<touchpoint_segment::Model>,
    ) {
        let (mut channels, mut audience) = (Vec::new(), Vec::new());
        for (at, step) in steps.iter().enumerate() {
            for (channel, position) in dice
                .several(1 + at % 2, self.channels.len())
                .into_iter()
                .zip(1..)
            {
                let channel_id = self.channels[channel];
                channels.push(touchpoint_channel::Model {
                    touchpoint_id: *step,
                    channel_id,
                    position,
                });
            }
            for (segment, position) in dice
                .several(usize::from(at % 10 == 0), self.segments.len())
                .into_iter()
                .zip(1..)
            {
                let segment_id = self.segments[segment];
                audience.push(touchpoint_segment::Model {
                    touchpoint_id: *step,
                    segment_id,
                    position,
                });
            }
        }
        (channels, audience)
    }

    /// In at the first step, through all of them, out after the last; the rest by chance. No edge twice.
    fn transitions(
        &mut self,
        dice: &mut Dice,
        blueprint: BlueprintId,
        touchpoints: &[touchpoint::Model],
    ) -> Vec<transition::Model> {
        let count = self.transitions_a_journey();
        let last = touchpoints.len() - 1;
        let mut edges: Vec<Edge> = vec![(TransitionKind::Advance, Some(End::Start), None, Some(0))];
        edges.extend((0..last).map(|at| (TransitionKind::Advance, None, Some(at), Some(at + 1))));
        edges.push((TransitionKind::Exit, Some(End::Exit), Some(last), None));
        let mut known: HashSet<Edge> = edges.iter().copied().collect();
        // A small journey has not room for every edge that was asked for.
        for _ in 0..count * 4 {
            if edges.len() >= count {
                break;
            }
            let edge = some_edge(dice, touchpoints);
            if edge.2 != edge.3 && known.insert(edge) {
                edges.push(edge);
            }
        }
        let id_of = |at: Option<usize>| at.map(|at| touchpoints[at].id);
        edges
            .into_iter()
            .map(|(kind, end, from, to)| transition::Model {
                id: self.ids.next::<TransitionId>(),
                blueprint_id: blueprint,
                kind,
                end,
                from_touchpoint_id: id_of(from),
                to_touchpoint_id: id_of(to),
                condition: dice.chance(25).then(|| texts::sentences(dice, 1)),
                max_wait_minutes: dice.chance(20).then(|| dice.between(5, 2_880)),
                basis: if dice.chance(60) {
                    Basis::Observed
                } else {
                    Basis::Assumed
                },
                created_at: self.made_at,
                version: 1,
            })
            .collect()
    }

    /// Exactly one ACCOUNTABLE, then RESPONSIBLE, then those who are asked or told, some of them only offered.
    fn responsibilities(
        &mut self,
        dice: &mut Dice,
        touchpoints: &[touchpoint::Model],
    ) -> Vec<responsibility::Model> {
        let count = self.size.responsibilities as usize;
        let mut rows = Vec::with_capacity(count * touchpoints.len());
        for touchpoint in touchpoints {
            let departments = dice.several(count, self.departments.len());
            for (at, department) in departments.into_iter().enumerate() {
                let (role, status) = match at {
                    0 => (Role::Accountable, ResponsibilityStatus::Accepted),
                    1 => (Role::Responsible, ResponsibilityStatus::Accepted),
                    _ if dice.chance(10) => (Role::Responsible, ResponsibilityStatus::Proposed),
                    _ => (
                        dice.pick(&[Role::Consulted, Role::Informed]),
                        ResponsibilityStatus::Accepted,
                    ),
                };
                rows.push(self.responsibility(dice, touchpoint, department, role, status));
            }
        }
        rows
    }

    fn responsibility(
        &mut self,
        dice: &mut Dice,
        touchpoint: &touchpoint::Model,
        department: usize,
        role: Role,
        status: ResponsibilityStatus,
    ) -> responsibility::Model {
        let accepted = status == ResponsibilityStatus::Accepted;
        let delivers = matches!(role, Role::Accountable | Role::Responsible);
        let count = if delivers { dice.below(4) } else { 0 };
        responsibility::Model {
            id: self.ids.next(),
            blueprint_id: touchpoint.blueprint_id,
            touchpoint_id: touchpoint.id,
            department_id: self.departments[department],
            role,
            status,
            tasks: Texts(texts::tasks(dice, count)),
            person_id: None,
            note: (!accepted).then(|| texts::sentences(dice, 1)),
            proposed_by_department_id: None,
            proposed_by_account_id: None,
            proposed_from_department_id: None,
            proposed_at: self.made_at,
            replaces_id: None,
            reason: None,
            decided_at: accepted.then_some(self.made_at),
            decided_by_account_id: None,
            valid_from: None,
            valid_to: None,
            handed_over_at: None,
            handed_over_by_account_id: None,
            unasked: false,
            resumes_id: None,
            created_at: self.made_at,
            version: 1,
        }
    }

    fn links(
        &mut self,
        dice: &mut Dice,
        blueprint: BlueprintId,
        steps: &[TouchpointId],
    ) -> (Vec<kpi_link::Model>, Vec<measurement::Model>) {
        let (mut links, mut measurements) = (Vec::new(), Vec::new());
        for step in steps {
            for at in dice.several(self.size.links as usize, self.measures.len()) {
                let measure = self.measures[at].clone();
                links.push(kpi_link::Model {
                    id: self.ids.next(),
                    kpi_id: measure.kpi,
                    blueprint_id: blueprint,
                    phase_id: None,
                    touchpoint_id: Some(*step),
                    valid_from: None,
                    valid_to: None,
                    weight: dice
                        .chance(30)
                        .then(|| f64::from(dice.between(1, 20)) / 10.0),
                    created_at: self.made_at,
                    version: 1,
                });
                if links.len() % MEASURED_THERE == 0 {
                    measurements.extend(self.measured_at(dice, &measure, *step, MONTHS));
                }
            }
        }
        (links, measurements)
    }
}

/// What it does, which end of the graph it touches, and from which to which step.
type Edge = (TransitionKind, Option<End>, Option<usize>, Option<usize>);

fn some_edge(dice: &mut Dice, touchpoints: &[touchpoint::Model]) -> Edge {
    let steps = touchpoints.len();
    let from = dice.below(steps);
    let ahead = (from + 1 + dice.below(8)).min(steps - 1);
    let back = from.saturating_sub(1 + dice.below(12));
    match dice.below(20) {
        0..7 => (TransitionKind::Branch, None, Some(from), Some(ahead)),
        7..10 => (
            TransitionKind::Skip,
            None,
            Some(from),
            Some((ahead + 1).min(steps - 1)),
        ),
        10..13 => (TransitionKind::Loop, None, Some(from), Some(back)),
        13..15 => (TransitionKind::Backtrack, None, Some(from), Some(back)),
        15 => (TransitionKind::Exit, Some(End::Exit), Some(from), None),
        16 => (
            TransitionKind::Exit,
            Some(End::Competitor),
            Some(from),
            None,
        ),
        17 => (
            TransitionKind::Reentry,
            Some(End::Competitor),
            None,
            Some(from),
        ),
        _ if matches!(touchpoints[from].lane, Lane::Backstage | Lane::Support) => (
            TransitionKind::Enables,
            None,
            Some(from),
            Some(dice.below(steps)),
        ),
        _ => (TransitionKind::Advance, None, Some(from), Some(ahead)),
    }
}

fn system(at: usize) -> String {
    texts::SYSTEMS[at].to_owned()
}
