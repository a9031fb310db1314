//! One blueprint with its phases, touchpoints, transitions, responsibilities and KPI links.

use cx_blueprint::{error::Result, fields};
use entity::{
    blueprint,
    id::{BlueprintId, TouchpointId},
    json::{Evidence, EvidenceList, Texts},
    kpi_link, measurement, phase, responsibility, touchpoint, touchpoint_channel,
    touchpoint_segment, transition,
    words::{
        Basis, BlueprintState, BlueprintStatus, Initiator, Lane, ResponsibilityStatus, Role,
        Subject, Usage, Visibility,
    },
};

use super::{generator::Generator, random::Random, texts};

/// Every tenth link has monthly measurements of its touchpoint.
const MEASURED_THERE: usize = 10;
/// Measurements of such a link.
const MONTHS: u32 = 12;

impl Generator<'_> {
    pub(super) async fn generate_blueprint(&mut self, number: usize) -> Result<()> {
        let mut random = self.random_stream(1_000 + number as u64);
        let blueprint = self.make_blueprint(&mut random, number);
        let id = blueprint.id;
        let phases = self.make_phases(id);
        let touchpoints = self.make_touchpoints(&mut random, &phases);
        let steps: Vec<TouchpointId> = touchpoints.iter().map(|row| row.id).collect();
        let (channels, audience) = self.make_channels_and_segments(&mut random, &steps);
        let transitions = self.make_transitions(&mut random, id, &touchpoints);
        let responsibilities = self.make_responsibilities(&mut random, &touchpoints);
        let (links, measurements) = self.make_kpi_links_and_values(&mut random, id, &steps);
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

    fn make_blueprint(&mut self, random: &mut Random, number: usize) -> blueprint::Model {
        let persona = random.pick(&self.personas);
        let title = match persona.1 {
            Subject::Customer => random.pick(&texts::JOURNEYS),
            Subject::Employee => "The first hundred days",
        };
        blueprint::Model {
            sent_back_reason: None,
            id: self.ids.next(),
            key: format!("blueprint-{:04}", number + 1),
            title: format!("{title}, {}", random.pick(&texts::PLACES)),
            subject: persona.1,
            state: BlueprintState::Current,
            status: BlueprintStatus::Published,
            archived_from: None,
            visibility: Visibility::Organisation,
            persona_id: persona.0,
            owner_department_id: random.pick(&self.departments),
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

    fn make_phases(&mut self, blueprint: BlueprintId) -> Vec<phase::Model> {
        let count = texts::PHASES.len().min(self.size.touchpoints as usize);
        let phase_row = |(name, stage, goal): &(&str, _, &str), position: i32, id| phase::Model {
            timing: None,
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
            .map(|(phase, position)| phase_row(phase, position, self.ids.next()))
            .collect()
    }

    fn make_touchpoints(
        &mut self,
        random: &mut Random,
        phases: &[phase::Model],
    ) -> Vec<touchpoint::Model> {
        let count = self.size.touchpoints as usize;
        let mut rows: Vec<touchpoint::Model> = Vec::with_capacity(count);
        for at in 0..count {
            let phase = &phases[at * phases.len() / count];
            let position = rows
                .last()
                .filter(|last| last.phase_id == phase.id)
                .map_or(1, |last| last.position + 1);
            rows.push(self.make_touchpoint(random, at, phase, position));
        }
        rows
    }

    fn make_touchpoint(
        &mut self,
        random: &mut Random,
        at: usize,
        phase: &phase::Model,
        position: i32,
    ) -> touchpoint::Model {
        let lane = match random.below(20) {
            0..3 => Lane::Customer,
            3..11 => Lane::Frontstage,
            11..17 => Lane::Backstage,
            _ => Lane::Support,
        };
        let meets = matches!(lane, Lane::Customer | Lane::Frontstage);
        let usage = match random.below(20) {
            0..16 => Usage::Used,
            16 => Usage::NotUsed,
            17 => Usage::Abandoned,
            _ => Usage::Unknown,
        };
        let length = random.below(5);
        let id = self.ids.next();
        touchpoint::Model {
            key: format!("touchpoint-{:03}", at + 1),
            name: texts::random_step_name(random),
            position,
            lane,
            customer_action: meets.then(|| texts::random_step_name(random)),
            initiator: random
                .chance(80)
                .then(|| random.pick(&[Initiator::Customer, Initiator::Organisation])),
            contacts_per_month: random
                .chance(40)
                .then(|| f64::from(random.between(1, 40)) / 4.0),
            emotion: (meets && random.chance(85)).then(|| random.between(-2, 2)),
            employee_emotion: random.chance(40).then(|| random.between(-2, 2)),
            importance_customer: random.chance(90).then(|| random.between(1, 5)),
            importance_organisation: random.chance(90).then(|| random.between(1, 5)),
            usage,
            usage_reason: (usage != Usage::Used).then(|| texts::random_sentences(random, 1)),
            moment_of_truth: random.chance(6),
            essential: random.chance(35),
            expected_minutes: random.chance(50).then(|| random.between(1, 90)),
            basis: if random.chance(55) {
                Basis::Observed
            } else {
                Basis::Assumed
            },
            evidence: self.make_evidence(random),
            systems: Texts(
                random
                    .pick_indices(at % 3, texts::SYSTEMS.len())
                    .into_iter()
                    .map(system_name)
                    .collect(),
            ),
            note: (length > 0).then(|| texts::random_sentences(random, length)),
            ..fields::touchpoint::initial_touchpoint(
                id,
                (phase.blueprint_id, phase.id),
                self.made_at,
            )
        }
    }

    fn make_evidence(&self, random: &mut Random) -> EvidenceList {
        let count = random.below(3);
        let shown = random
            .pick_indices(count, texts::EVIDENCE.len())
            .into_iter()
            .map(|at| Evidence {
                label: texts::EVIDENCE[at].to_owned(),
                link: random
                    .chance(30)
                    .then(|| format!("https://intranet.example/evidence/{at}")),
            });
        EvidenceList(shown.collect())
    }

    /// The channels and the segments of each touchpoint.
    fn make_channels_and_segments(
        &self,
        random: &mut Random,
        steps: &[TouchpointId],
    ) -> (
        Vec<touchpoint_channel::Model>,
        Vec<touchpoint_segment::Model>,
    ) {
        let (mut channels, mut audience) = (Vec::new(), Vec::new());
        for (at, step) in steps.iter().enumerate() {
            for (channel, position) in random
                .pick_indices(1 + at % 2, self.channels.len())
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
            for (segment, position) in random
                .pick_indices(usize::from(at % 10 == 0), self.segments.len())
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

    /// At each touchpoint exactly one ACCOUNTABLE, one RESPONSIBLE, then CONSULTED and INFORMED; some are only
    /// proposed.
    fn make_responsibilities(
        &mut self,
        random: &mut Random,
        touchpoints: &[touchpoint::Model],
    ) -> Vec<responsibility::Model> {
        let count = self.size.responsibilities as usize;
        let mut rows = Vec::with_capacity(count * touchpoints.len());
        for touchpoint in touchpoints {
            let departments = random.pick_indices(count, self.departments.len());
            for (at, department) in departments.into_iter().enumerate() {
                let (role, status) = match at {
                    0 => (Role::Accountable, ResponsibilityStatus::Accepted),
                    1 => (Role::Responsible, ResponsibilityStatus::Accepted),
                    _ if random.chance(10) => (Role::Responsible, ResponsibilityStatus::Proposed),
                    _ => (
                        random.pick(&[Role::Consulted, Role::Informed]),
                        ResponsibilityStatus::Accepted,
                    ),
                };
                rows.push(self.make_responsibility(random, touchpoint, department, role, status));
            }
        }
        rows
    }

    fn make_responsibility(
        &mut self,
        random: &mut Random,
        touchpoint: &touchpoint::Model,
        department: usize,
        role: Role,
        status: ResponsibilityStatus,
    ) -> responsibility::Model {
        let accepted = status == ResponsibilityStatus::Accepted;
        let delivers = matches!(role, Role::Accountable | Role::Responsible);
        let count = if delivers { random.below(4) } else { 0 };
        responsibility::Model {
            id: self.ids.next(),
            blueprint_id: touchpoint.blueprint_id,
            touchpoint_id: touchpoint.id,
            department_id: self.departments[department],
            role,
            status,
            tasks: Texts(texts::random_tasks(random, count)),
            person_id: None,
            note: (!accepted).then(|| texts::random_sentences(random, 1)),
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

    fn make_kpi_links_and_values(
        &mut self,
        random: &mut Random,
        blueprint: BlueprintId,
        steps: &[TouchpointId],
    ) -> (Vec<kpi_link::Model>, Vec<measurement::Model>) {
        let (mut links, mut measurements) = (Vec::new(), Vec::new());
        for step in steps {
            for at in random.pick_indices(self.size.links as usize, self.kpis.len()) {
                let kpi = self.kpis[at];
                links.push(kpi_link::Model {
                    id: self.ids.next(),
                    kpi_id: kpi.id,
                    blueprint_id: blueprint,
                    phase_id: None,
                    touchpoint_id: Some(*step),
                    valid_from: None,
                    valid_to: None,
                    weight: random
                        .chance(30)
                        .then(|| f64::from(random.between(1, 20)) / 10.0),
                    created_at: self.made_at,
                    version: 1,
                });
                if links.len() % MEASURED_THERE == 0 {
                    measurements
                        .extend(self.generate_touchpoint_values(random, &kpi, *step, MONTHS));
                }
            }
        }
        (links, measurements)
    }
}

fn system_name(at: usize) -> String {
    texts::SYSTEMS[at].to_owned()
}
