//! Rows that every table accepts: a test changes one field and sees whether the table still does.

use chrono::{DateTime, NaiveDate, Utc};
use cx_blueprint::fields;
use entity::{
    account, audit_event, blueprint, channel, department, employee_answer, employee_cell, feedback,
    id::*,
    json::{InsightKinds, StoredTemplatePhase, TemplatePhases, TemplateSubjects, Texts},
    kpi, kpi_link, kpi_target, measurement, persona, phase, responsibility, segment, session,
    template, touchpoint, transition,
    words::*,
};
use std::fmt::Debug;

use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait,
    IntoActiveModel, Iterable, ModelTrait, PrimaryKeyToColumn, QueryFilter,
};
use uuid::Uuid;

use crate::world::World;

/// A row with some fields changed.
macro_rules! but {
    ($row:expr, $($field:ident = $value:expr),+ $(,)?) => {{
        let mut row = $row;
        $(row.$field = $value;)+
        row
    }};
}

/// What a refused change breaks, as both databases say it.
pub const CHECK: &str = "check constraint";
pub const FOREIGN_KEY: &str = "foreign key constraint";
pub const UNIQUE: &str = "unique constraint";

/// The change was refused for breaking that kind of rule, and the error names this one.
#[track_caller]
pub fn refused<T: Debug>(kind: &str, name: &str, result: Result<T, DbErr>) {
    let error = result.expect_err(kind).to_string();
    assert!(
        error.to_lowercase().contains(kind) && error.contains(name),
        "{kind} {name} expected: {error}"
    );
}

pub async fn add<M, A>(db: &impl ConnectionTrait, row: M) -> Result<(), DbErr>
where
    M: ModelTrait + IntoActiveModel<A>,
    A: ActiveModelTrait<Entity = M::Entity>,
{
    let row = row.into_active_model().reset_all();
    M::Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

pub fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[expect(
    clippy::disallowed_methods,
    reason = "rows are stored here past the program"
)]
pub fn new<I: Id>() -> I {
    Uuid::now_v7().into()
}

fn a_key() -> String {
    new::<AccountId>().to_string()
}

/// What is stored already, under the key SEED where there is a key; and further rows that fit to it.
pub struct Seed {
    pub db: DatabaseConnection,
    /// Held, because the database goes with it.
    _world: World,
    pub at: DateTime<Utc>,
    pub day: NaiveDate,
    pub account: AccountId,
    pub session: SessionId,
    pub department: DepartmentId,
    pub second_department: DepartmentId,
    pub segment: SegmentId,
    pub channel: ChannelId,
    pub persona: PersonaId,
    pub blueprint: BlueprintId,
    pub other_blueprint: BlueprintId,
    pub phase: PhaseId,
    pub touchpoint: TouchpointId,
    pub second_touchpoint: TouchpointId,
    pub kpi: KpiId,
}

impl Seed {
    pub async fn plant() -> Self {
        let world = World::new().await;
        let s = Self {
            db: world.db().clone(),
            _world: world,
            at: instant("2025-01-01T09:00:00Z"),
            day: NaiveDate::from_ymd_opt(2025, 1, 31).unwrap(),
            account: new(),
            session: new(),
            department: new(),
            second_department: new(),
            segment: new(),
            channel: new(),
            persona: new(),
            blueprint: new(),
            other_blueprint: new(),
            phase: new(),
            touchpoint: new(),
            second_touchpoint: new(),
            kpi: new(),
        };
        macro_rules! store {
            ($($table:ident = $id:ident, $key:expr;)*) => {
                $(s.takes(but!(s.$table(), id = s.$id, key = $key)).await;)*
            };
        }
        let seed = || "SEED".to_owned();
        store! {
            account = account, seed();
            department = department, seed();
            department = second_department, a_key();
            segment = segment, seed();
            channel = channel, seed();
            persona = persona, seed();
            blueprint = blueprint, seed();
            blueprint = other_blueprint, a_key();
            phase = phase, seed();
            touchpoint = touchpoint, seed();
            touchpoint = second_touchpoint, a_key();
            kpi = kpi, seed();
        }
        s.takes(session::Model {
            id: s.session,
            account_id: s.account,
            user_agent: None,
            created_at: s.at,
            last_used_at: s.at,
            expires_at: s.at,
            ended_at: None,
        })
        .await;
        s
    }

    pub async fn takes<M, A>(&self, row: M)
    where
        M: ModelTrait + IntoActiveModel<A> + Debug,
        A: ActiveModelTrait<Entity = M::Entity>,
    {
        let told = format!("{row:?}");
        add(&self.db, row).await.expect(&told);
    }

    pub async fn breaks_unique<M, A>(&self, name: &str, row: M)
    where
        M: ModelTrait + IntoActiveModel<A>,
        A: ActiveModelTrait<Entity = M::Entity>,
    {
        refused(UNIQUE, name, add(&self.db, row).await);
    }

    pub async fn breaks_check<M, A>(&self, name: &str, row: M)
    where
        M: ModelTrait + IntoActiveModel<A>,
        A: ActiveModelTrait<Entity = M::Entity>,
    {
        refused(CHECK, name, add(&self.db, row).await);
    }

    pub async fn breaks_foreign_key<M, A>(&self, row: M)
    where
        M: ModelTrait + IntoActiveModel<A>,
        A: ActiveModelTrait<Entity = M::Entity>,
    {
        refused(FOREIGN_KEY, "", add(&self.db, row).await);
    }

    pub async fn comes_back<M, A>(&self, row: M)
    where
        M: ModelTrait + IntoActiveModel<A> + PartialEq + Debug,
        M::Entity: EntityTrait<Model = M>,
        A: ActiveModelTrait<Entity = M::Entity>,
    {
        self.takes(row.clone()).await;
        let mut find = M::Entity::find();
        for key in <M::Entity as EntityTrait>::PrimaryKey::iter() {
            let column = key.into_column();
            find = find.filter(column.eq(row.get(column)));
        }
        assert_eq!(find.one(&self.db).await.unwrap(), Some(row));
    }

    pub fn account(&self) -> account::Model {
        account::Model {
            id: new(),
            key: a_key(),
            name: "Ada".to_owned(),
            service: false,
            role: OrganisationRole::Member,
            password_hash: None,
            created_at: self.at,
            archived_at: None,
            version: 1,
        }
    }

    pub fn department(&self) -> department::Model {
        department::Model {
            id: new(),
            key: a_key(),
            name: "Billing".to_owned(),
            kind: DepartmentKind::Internal,
            parent_id: None,
            successor_id: None,
            created_at: self.at,
            archived_at: None,
            version: 1,
        }
    }

    pub fn segment(&self) -> segment::Model {
        segment::Model {
            id: new(),
            key: a_key(),
            dimension: "MARKET".to_owned(),
            value: "North".to_owned(),
            created_at: self.at,
            version: 1,
        }
    }

    pub fn channel(&self) -> channel::Model {
        channel::Model {
            id: new(),
            key: a_key(),
            name: "Hotline".to_owned(),
            medium: Medium::Phone,
            created_at: self.at,
            version: 1,
        }
    }

    pub fn persona(&self) -> persona::Model {
        persona::Model {
            id: new(),
            key: a_key(),
            name: "Newcomer".to_owned(),
            subject: Subject::Customer,
            context: Texts::default(),
            max_contacts_per_month: None,
            created_at: self.at,
            archived_at: None,
            version: 1,
        }
    }

    pub fn blueprint(&self) -> blueprint::Model {
        blueprint::Model {
            template_id: None,
            copied_from_id: None,
            id: new(),
            key: a_key(),
            title: "Moving in".to_owned(),
            subject: Subject::Customer,
            state: BlueprintState::Current,
            status: BlueprintStatus::Draft,
            archived_from: None,
            visibility: Visibility::Organisation,
            persona_id: self.persona,
            owner_department_id: self.department,
            next_review_on: Some(self.day),
            sent_back_reason: None,
            published_number: None,
            published_revision: None,
            created_at: self.at,
            archived_at: None,
            version: 1,
            revision: 1,
        }
    }

    pub fn template(&self) -> template::Model {
        template::Model {
            id: new(),
            key: a_key(),
            name: "Two steps".to_owned(),
            description: None,
            subjects: TemplateSubjects(vec![Subject::Employee]),
            lenses: InsightKinds(vec![InsightKind::Pain, InsightKind::Gain]),
            phases: TemplatePhases(vec![StoredTemplatePhase {
                name: "Grüße".to_owned(),
                stage: Stage::Goal,
                prompt: "\"quoted\"".to_owned(),
                customer_goal: None,
            }]),
            created_at: self.at,
            version: 1,
        }
    }

    pub fn phase(&self) -> phase::Model {
        phase::Model {
            copied_from_id: None,
            id: new(),
            blueprint_id: self.blueprint,
            key: a_key(),
            name: "Arriving".to_owned(),
            position: 1,
            stage: Stage::Before,
            customer_goal: None,
            timing: None,
            prompt: None,
            created_at: self.at,
            archived_at: None,
            version: 1,
        }
    }

    pub fn touchpoint(&self) -> touchpoint::Model {
        touchpoint::Model {
            key: a_key(),
            name: "Welcome letter".to_owned(),
            ..fields::touchpoint::initial_touchpoint(new(), (self.blueprint, self.phase), self.at)
        }
    }

    /// Out of the journey after the first touchpoint.
    pub fn transition(&self) -> transition::Model {
        transition::Model {
            id: new(),
            blueprint_id: self.blueprint,
            kind: TransitionKind::Exit,
            end: Some(End::Exit),
            from_touchpoint_id: Some(self.touchpoint),
            to_touchpoint_id: None,
            condition: None,
            max_wait_minutes: None,
            basis: Basis::Observed,
            created_at: self.at,
            version: 1,
        }
    }

    pub fn responsibility(&self) -> responsibility::Model {
        responsibility::Model {
            id: new(),
            blueprint_id: self.blueprint,
            touchpoint_id: self.touchpoint,
            department_id: self.department,
            role: Role::Responsible,
            status: ResponsibilityStatus::Accepted,
            tasks: Texts(vec!["Writes it".to_owned()]),
            person_id: None,
            note: None,
            proposed_by_department_id: Some(self.department),
            proposed_by_account_id: Some(self.account),
            proposed_from_department_id: None,
            proposed_at: self.at,
            replaces_id: None,
            reason: None,
            decided_at: Some(self.at),
            decided_by_account_id: Some(self.account),
            valid_from: None,
            valid_to: None,
            handed_over_at: None,
            handed_over_by_account_id: None,
            unasked: false,
            resumes_id: None,
            created_at: self.at,
            version: 1,
        }
    }

    pub fn kpi(&self) -> kpi::Model {
        kpi::Model {
            id: new(),
            key: a_key(),
            name: "Satisfaction".to_owned(),
            description: None,
            kpi_type: KpiType::Csat,
            unit: Unit::Percent,
            currency: None,
            decimals: 1,
            direction: Direction::Higher,
            aggregation: Aggregation::Average,
            cadence: Cadence::Monthly,
            owner_department_id: self.department,
            sensitivity: Sensitivity::Open,
            scope: KpiScope::Transactional,
            fed_from: None,
            minimum_sample: None,
            across_parts: AcrossParts::None,
            series_revision: 0,
            created_at: self.at,
            archived_at: None,
            version: 1,
        }
    }

    pub fn kpi_target(&self) -> kpi_target::Model {
        kpi_target::Model {
            id: new(),
            kpi_id: self.kpi,
            channel_id: None,
            segment_id: None,
            valid_from: self.day,
            value: Some(80.0),
            warning: None,
            created_at: self.at,
            version: 1,
        }
    }

    /// To the whole blueprint.
    pub fn kpi_link(&self) -> kpi_link::Model {
        kpi_link::Model {
            id: new(),
            kpi_id: self.kpi,
            blueprint_id: self.blueprint,
            phase_id: None,
            touchpoint_id: None,
            valid_from: None,
            valid_to: None,
            weight: Some(0.3),
            created_at: self.at,
            version: 1,
        }
    }

    pub fn measurement(&self) -> measurement::Model {
        measurement::Model {
            id: new(),
            kpi_id: self.kpi,
            touchpoint_id: None,
            channel_id: None,
            segment_id: None,
            measured_on: self.day,
            value: 6.1,
            numerator: None,
            denominator: None,
            sample_size: None,
            source: None,
            recorded_at: self.at,
            recorded_by_account_id: None,
            superseded_by_id: None,
            series_revision: 0,
        }
    }

    /// Of a customer, at the first touchpoint.
    pub fn feedback(&self) -> feedback::Model {
        feedback::Model {
            id: new(),
            external_id: None,
            subject: Subject::Customer,
            scale: FeedbackScale::Nps,
            score: 10,
            answer_group: FeedbackGroup::Satisfied,
            blueprint_id: Some(self.blueprint),
            touchpoint_id: Some(self.touchpoint),
            persona_id: None,
            channel_id: None,
            segment_id: None,
            answered_at: self.at,
            answered_on: self.day,
            met_on: None,
            cause: None,
            department_id: Some(self.department),
            respondent: Some("customer-17".to_owned()),
            contact: None,
            comment: None,
            erased_at: None,
            recorded_at: self.at,
            recorded_by_account_id: None,
        }
    }

    pub fn employee_answer(&self) -> employee_answer::Model {
        employee_answer::Model {
            id: new::<FeedbackId>().0,
            scale: FeedbackScale::Enps,
            score: 10,
            blueprint_id: Some(self.blueprint),
            touchpoint_id: Some(self.touchpoint),
            received_in: self.day,
        }
    }

    pub fn employee_cell(&self) -> employee_cell::Model {
        employee_cell::Model {
            id: new::<FeedbackId>().0,
            scale: FeedbackScale::Enps,
            blueprint_id: Some(self.blueprint),
            touchpoint_id: Some(self.touchpoint),
            from_day: self.day,
            to_day: self.day + chrono::Months::new(1),
            first_in: self.day,
            satisfied: 3,
            indifferent: 1,
            dissatisfied: 1,
            score_sum: 38,
        }
    }

    pub fn audit_event(&self) -> audit_event::Model {
        audit_event::Model {
            id: new(),
            at: self.at,
            actor_kind: ActorKind::Operator,
            actor_account_id: None,
            actor_token_id: None,
            action: "touchpointRename".to_owned(),
            outcome: AuditOutcome::Done,
            subject_type: None,
            subject_id: None,
            blueprint_id: None,
            before: None,
            after: None,
            request_id: None,
            repeats: 1,
            last_at: self.at,
        }
    }

    /// Into the journey at the first touchpoint.
    pub fn transition_in(&self) -> transition::Model {
        transition::Model {
            kind: TransitionKind::Advance,
            end: Some(End::Start),
            from_touchpoint_id: None,
            to_touchpoint_id: Some(self.touchpoint),
            ..self.transition()
        }
    }
}
