//! The tables behind the door: each states its API name, its lock, who may see its rows and what ties them to
//! departments.

use std::future::Future;

use entity::{
    account, audit_event, blueprint, channel, department, evaluation, feedback, follow_up,
    id::{self, BlueprintId, Id},
    improvement, insight, kpi, kpi_grant, kpi_link, kpi_target, measurement, membership, persona,
    phase, playbook, promise, publication, responsibility, routing_rule, scenario, segment,
    service_token, session, source, template, touchpoint, transition,
};
use sea_orm::{
    ColumnTrait, Condition, DbErr, EntityTrait, IntoActiveModel, QuerySelect, QueryTrait,
    sea_query::{Expr, ExprTrait, Func, SimpleExpr},
};
use serde::Serialize;

use super::{principal::Principal, scope, ties};
use crate::{
    audit::{ACCOUNT, AuditSubject},
    database::Transaction,
    policy::RowTies,
};

/// The lock that guards a row: taken before it is read, so that what is read stays true until the commit.
/// Always in this order: the department tree, blueprints, KPIs, everything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockTarget {
    /// `SELECT … FOR NO KEY UPDATE` of the row itself.
    Row,
    /// The blueprint it lies in: every change inside a blueprint raises its revision first, which is the lock.
    Blueprint,
}

/// An input of findings outside the content of a blueprint: a change of this row can open or close findings of
/// blueprints whose revision does not rise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingDependency {
    Kpi(id::KpiId),
    Persona(id::PersonaId),
    Department(id::DepartmentId),
    /// Rows that belong to a blueprint without changing its revision: answers of its customers.
    Blueprint(id::BlueprintId),
}

/// A table behind the door: what the permit and the conditions of access need to know of its rows.
pub trait Guarded:
    AuditSubject + EntityTrait<Model: Serialize + IntoActiveModel<Self::ActiveModel> + Send + Sync>
{
    /// The type of its id.
    type Id: Id + Into<sea_orm::Value>;
    /// The word for one of its rows in error sentences ("There is no such …").
    const NOUN: &'static str;
    /// The lock that guards a row.
    const LOCK: LockTarget;

    /// The column of the id.
    fn id_column() -> Self::Column;
    /// The id of a row.
    fn id(row: &Self::Model) -> Self::Id;
    /// The version of a row, where it has one.
    fn version(row: &Self::Model) -> Option<i32>;
    /// The column of the version, where it has one.
    fn version_column() -> Option<Self::Column>;
    /// The column of the moment it was made: lists come in this order.
    fn created_at_column() -> Self::Column;
    /// When it was made.
    fn created_at(row: &Self::Model) -> sea_orm::prelude::DateTimeUtc;
    /// The policy as a condition on this table: the rows that a principal may see. Empty where that is every row.
    fn readable_condition(principal: Principal<'_>) -> Condition;
    /// The ties of a row to departments and accounts, loaded for a decision in at most a few statements.
    fn load_ties(
        tx: &Transaction,
        row: &Self::Model,
    ) -> impl Future<Output = Result<RowTies, DbErr>> + Send;

    /// The findings' input that a change of this row changes. None for rows inside a blueprint: their change raises its
    /// revision, from which findings follow.
    fn finding_dependency(row: &Self::Model) -> Option<FindingDependency>;

    /// An SQL expression of the id of the blueprint in which the row with this id lies; none for tables outside
    /// blueprints.
    fn blueprint_id_sql(id: Self::Id) -> Option<SimpleExpr>;
}

/// A table whose rows can be archived.
pub trait Archivable: Guarded {
    /// The column of the moment of archiving, null while a row is live.
    fn archived_at_column() -> Self::Column;
    /// The moment at which a row was archived; none while it is live.
    fn archived_at(row: &Self::Model) -> Option<sea_orm::prelude::DateTimeUtc>;
}

/// A table whose rows have a key that people type: unique in the organisation, or in a blueprint.
pub trait HasKeyColumn: Guarded {
    /// The column of the key.
    fn key_column() -> Self::Column;
    /// The column of the blueprint in which keys are unique; none where they are in the organisation.
    fn key_scope_column() -> Option<Self::Column>;
    /// Rows with this key, however its letters are cased.
    #[must_use]
    fn key_condition(key: &str) -> SimpleExpr {
        Expr::expr(Func::lower(Expr::col(Self::key_column().as_column_ref())))
            .eq(key.to_ascii_lowercase())
    }
}

macro_rules! keyed {
    ($($module:ident $($scope:ident)?),*) => {
        $(impl HasKeyColumn for $module::Entity {
            fn key_column() -> Self::Column {
                $module::Column::Key
            }

            fn key_scope_column() -> Option<Self::Column> {
                [$($module::Column::$scope)?].into_iter().next()
            }
        })*
    };
}

keyed!(account, department, persona, segment, channel, template, kpi, blueprint, phase BlueprintId, touchpoint BlueprintId, insight BlueprintId, promise BlueprintId, improvement BlueprintId);

macro_rules! guarded {
    ($module:ident: $id:ident, $noun:literal, $api:expr, $lock:ident, blueprint: $blueprint:expr,
     blueprint_sql: $blueprint_sql:expr, $(created_at: $column:ident $field:ident,)? version: $version:tt,
     archives: $archives:tt, readable: $readable:path, ties: $ties:expr
     $(, finding_dependency: $input:ident $input_id:ident)?) => {
        impl AuditSubject for $module::Entity {
            const TYPE: &'static str = $api;

            fn row_id(row: &Self::Model) -> sea_orm::prelude::Uuid {
                row.id.0
            }

            fn blueprint_id(row: &Self::Model) -> Option<BlueprintId> {
                let blueprint: fn(&$module::Model) -> Option<BlueprintId> = $blueprint;
                blueprint(row)
            }
        }

        impl Guarded for $module::Entity {
            type Id = id::$id;
            const NOUN: &'static str = $noun;
            const LOCK: LockTarget = LockTarget::$lock;

            fn id_column() -> Self::Column {
                $module::Column::Id
            }

            fn id(row: &Self::Model) -> Self::Id {
                row.id
            }

            guarded!(@version $module $version);
            guarded!(@made $module $($column $field)?);

            fn readable_condition(principal: Principal<'_>) -> Condition {
                $readable(principal)
            }

            async fn load_ties(tx: &Transaction, row: &Self::Model) -> Result<RowTies, DbErr> {
                $ties(tx, row).await
            }

            fn finding_dependency(_row: &Self::Model) -> Option<FindingDependency> {
                [$(FindingDependency::$input(_row.$input_id))?].into_iter().next()
            }

            fn blueprint_id_sql(id: Self::Id) -> Option<SimpleExpr> {
                let blueprint_sql: fn(id::$id) -> Option<SimpleExpr> = $blueprint_sql;
                blueprint_sql(id)
            }
        }

        guarded!(@archives $module $archives);
    };
    (@made $module:ident) => {
        guarded!(@made $module CreatedAt created_at);
    };
    (@made $module:ident $column:ident $field:ident) => {
        fn created_at_column() -> Self::Column {
            $module::Column::$column
        }

        fn created_at(row: &Self::Model) -> sea_orm::prelude::DateTimeUtc {
            row.$field
        }
    };
    (@version $module:ident yes) => {
        fn version(row: &Self::Model) -> Option<i32> {
            Some(row.version)
        }

        fn version_column() -> Option<Self::Column> {
            Some($module::Column::Version)
        }
    };
    (@version $module:ident no) => {
        fn version(_: &Self::Model) -> Option<i32> {
            None
        }

        fn version_column() -> Option<Self::Column> {
            None
        }
    };
    (@archives $module:ident yes) => {
        impl Archivable for $module::Entity {
            fn archived_at_column() -> Self::Column {
                $module::Column::ArchivedAt
            }

            fn archived_at(row: &Self::Model) -> Option<sea_orm::prelude::DateTimeUtc> {
                row.archived_at
            }
        }
    };
    (@archives $module:ident no) => {};
}

/// Of a table inside blueprints: the blueprint of the row with an id, looked up in the table itself.
macro_rules! inside {
    ($module:ident) => {
        |id| {
            let row = $module::Entity::find_by_id(id)
                .select_only()
                .column($module::Column::BlueprintId);
            Some(
                Expr::expr(SimpleExpr::SubQuery(
                    None,
                    Box::new(row.into_query().into()),
                ))
                .into(),
            )
        }
    };
}

guarded!(account: AccountId, "account", ACCOUNT, Row, blueprint: |_| None, blueprint_sql: |_| None,
    version: yes, archives: yes, readable: scope::accounts_condition, ties: ties::no_ties);
guarded!(session: SessionId, "session", "Session", Row, blueprint: |_| None, blueprint_sql: |_| None,
    version: no, archives: no, readable: scope::sessions_condition, ties: ties::no_ties);
guarded!(service_token: ServiceTokenId, "service token", "ServiceToken", Row, blueprint: |_| None,
    blueprint_sql: |_| None,
    version: no, archives: no, readable: scope::service_tokens_condition, ties: ties::no_ties);
guarded!(membership: MembershipId, "membership", "Membership", Row, blueprint: |_| None, blueprint_sql: |_| None,
    version: no, archives: no, readable: scope::memberships_condition, ties: ties::membership_ties);
guarded!(department: DepartmentId, "department", "Department", Row, blueprint: |_| None, blueprint_sql: |_| None,
    version: yes, archives: yes, readable: scope::departments_condition, ties: ties::department_ties,
    finding_dependency: Department id);
guarded!(persona: PersonaId, "persona", "Persona", Row, blueprint: |_| None, blueprint_sql: |_| None,
    version: yes, archives: yes, readable: scope::personas_condition, ties: ties::no_ties, finding_dependency: Persona id);
guarded!(segment: SegmentId, "segment", "Segment", Row, blueprint: |_| None, blueprint_sql: |_| None,
    version: yes, archives: no, readable: scope::all_rows_condition, ties: ties::no_ties);
guarded!(channel: ChannelId, "channel", "Channel", Row, blueprint: |_| None, blueprint_sql: |_| None,
    version: yes, archives: no, readable: scope::all_rows_condition, ties: ties::no_ties);
guarded!(template: TemplateId, "template", "Template", Row, blueprint: |_| None, blueprint_sql: |_| None,
    version: yes, archives: no, readable: scope::all_rows_condition, ties: ties::no_ties);
guarded!(blueprint: BlueprintId, "blueprint", "Blueprint", Blueprint, blueprint: |row| Some(row.id),
    blueprint_sql: |id| Some(Expr::value(id)), version: yes, archives: yes, readable: scope::blueprints_condition,
    ties: ties::blueprint_ties);
guarded!(phase: PhaseId, "phase", "Phase", Blueprint, blueprint: |row| Some(row.blueprint_id),
    blueprint_sql: inside!(phase),
    version: yes, archives: yes, readable: scope::phases_condition, ties: ties::phase_ties);
guarded!(touchpoint: TouchpointId, "touchpoint", "Touchpoint", Blueprint, blueprint: |row| Some(row.blueprint_id),
    blueprint_sql: inside!(touchpoint), version: yes, archives: yes, readable: scope::touchpoints_condition,
    ties: ties::touchpoint_ties);
guarded!(transition: TransitionId, "transition", "Transition", Blueprint, blueprint: |row| Some(row.blueprint_id),
    blueprint_sql: inside!(transition), version: yes, archives: no, readable: scope::transitions_condition,
    ties: ties::transition_ties);
guarded!(scenario: ScenarioId, "scenario", "Scenario", Blueprint, blueprint: |row| Some(row.blueprint_id),
    blueprint_sql: inside!(scenario), version: yes, archives: no, readable: scope::scenarios_condition,
    ties: ties::scenario_ties);
guarded!(source: SourceId, "source", "Source", Blueprint, blueprint: |row| Some(row.blueprint_id),
    blueprint_sql: inside!(source), version: yes, archives: no, readable: scope::insight_sources_condition,
    ties: ties::source_ties);
guarded!(insight: InsightId, "insight", "Insight", Blueprint, blueprint: |row| Some(row.blueprint_id),
    blueprint_sql: inside!(insight), version: yes, archives: no, readable: scope::insights_condition,
    ties: ties::insight_ties);
guarded!(publication: PublicationId, "publication", "Publication", Blueprint, blueprint: |row| Some(row.blueprint_id),
    blueprint_sql: inside!(publication), version: no, archives: no, readable: scope::publications_condition,
    ties: ties::publication_ties);
guarded!(promise: PromiseId, "promise", "Promise", Blueprint, blueprint: |row| Some(row.blueprint_id),
    blueprint_sql: inside!(promise), version: yes, archives: no, readable: scope::promises_condition,
    ties: ties::promise_ties);
guarded!(evaluation: EvaluationId, "evaluation", "Evaluation", Blueprint, blueprint: |row| Some(row.blueprint_id),
    blueprint_sql: inside!(evaluation), version: yes, archives: no, readable: scope::evaluations_condition,
    ties: ties::evaluation_ties);
guarded!(improvement: ImprovementId, "improvement", "Improvement", Blueprint, blueprint: |row| Some(row.blueprint_id),
    blueprint_sql: inside!(improvement), version: yes, archives: no, readable: scope::improvements_condition,
    ties: ties::improvement_ties);
guarded!(responsibility: ResponsibilityId, "responsibility", "Responsibility", Blueprint,
    blueprint: |row| Some(row.blueprint_id), blueprint_sql: inside!(responsibility), version: yes, archives: no,
    readable: scope::responsibilities_condition, ties: ties::responsibility_ties);
guarded!(kpi: KpiId, "KPI", "Kpi", Row, blueprint: |_| None, blueprint_sql: |_| None,
    version: yes, archives: yes, readable: scope::kpis_condition, ties: ties::kpi_ties, finding_dependency: Kpi id);
guarded!(kpi_target: KpiTargetId, "target", "KpiTarget", Row, blueprint: |_| None, blueprint_sql: |_| None,
    version: yes, archives: no, readable: scope::kpi_targets_condition, ties: ties::kpi_target_ties,
    finding_dependency: Kpi kpi_id);
guarded!(kpi_link: KpiLinkId, "KPI link", "KpiLink", Blueprint, blueprint: |row| Some(row.blueprint_id),
    blueprint_sql: inside!(kpi_link), version: yes, archives: no, readable: scope::kpi_links_condition,
    ties: ties::kpi_link_ties);
guarded!(kpi_grant: KpiGrantId, "grant", "KpiGrant", Row, blueprint: |_| None, blueprint_sql: |_| None,
    version: no, archives: no, readable: scope::kpi_grants_condition, ties: ties::kpi_grant_ties);
guarded!(measurement: MeasurementId, "measurement", "Measurement", Row, blueprint: |_| None, blueprint_sql: |_| None,
    created_at: RecordedAt recorded_at, version: no, archives: no, readable: scope::measurements_condition,
    ties: ties::measurement_ties);
guarded!(feedback: FeedbackId, "feedback", "Feedback", Row, blueprint: |row| row.blueprint_id, blueprint_sql: |_| None,
    created_at: RecordedAt recorded_at, version: no, archives: no, readable: scope::feedback_condition,
    ties: ties::feedback_ties);
guarded!(follow_up: FollowUpId, "follow-up", "FollowUp", Row, blueprint: |_| None, blueprint_sql: |_| None,
    version: yes, archives: no, readable: scope::follow_ups_condition, ties: ties::follow_up_ties);
guarded!(playbook: PlaybookId, "playbook", "Playbook", Row, blueprint: |_| None, blueprint_sql: |_| None,
    version: yes, archives: no, readable: scope::all_rows_condition, ties: ties::no_ties);
guarded!(routing_rule: RoutingRuleId, "routing rule", "RoutingRule", Row, blueprint: |_| None,
    blueprint_sql: |_| None, version: yes, archives: no, readable: scope::all_rows_condition, ties: ties::no_ties);
guarded!(audit_event: AuditEventId, "audit event", "AuditEvent", Row, blueprint: |row| row.blueprint_id,
    blueprint_sql: |_| None,
    created_at: At at, version: no, archives: no, readable: scope::audit_events_condition, ties: ties::no_ties);
