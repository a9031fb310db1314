//! Templates: what blueprints can begin with, kept as data. A blueprint keeps the phases that it began with whatever
//! becomes of its template.

pub mod begin;
pub mod graphql;

use async_graphql::{ID, InputObject, MaybeUndefined};
use chrono::{DateTime, Utc};
use entity::{
    blueprint,
    id::TemplateId,
    json::{InsightKinds, StoredTemplatePhase, TemplatePhases, TemplateSubjects},
    template,
    words::{InsightKind, Stage, Subject},
};
use sea_orm::{
    ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter,
    sea_query::{Expr, ExprTrait, SimpleExpr},
};

use crate::{
    access::{Caller, Permit, expect_version, with_all_columns_set},
    blueprint::MOST_PHASES,
    error::{Error, Reason, Result, UserErrorCode},
    input::{self, AtVersionInput, Faults, list_if_given, set_if_given, set_or_clear},
    policy::{Action, RowTies},
};

/// The key of the template that every database begins with.
pub const BUILT_IN: &str = "six-phases";

/// One phase of a template, in its place in the list.
#[derive(InputObject)]
pub struct TemplatePhaseInput {
    /// Its name.
    pub name: String,
    /// Its stage relative to what the customer came for.
    pub stage: Stage,
    /// The question to ask there.
    pub prompt: String,
    /// The customer's goal in it.
    pub customer_goal: Option<String>,
}

/// A new template.
#[derive(InputObject)]
pub struct TemplateCreateInput {
    /// Id chosen by the client (a UUID of version 7), so that a retry creates nothing twice.
    pub id: Option<ID>,
    /// Key, unique in the organisation; derived from the name if absent.
    pub key: Option<String>,
    /// The name.
    pub name: String,
    /// Description of its purpose.
    pub description: Option<String>,
    /// The subjects of the journeys that it is for; at least one.
    pub subjects: Vec<Subject>,
    /// The kinds of insight to look at, in order.
    #[graphql(default)]
    pub lenses: Vec<InsightKind>,
    /// The phases of a new blueprint, in order: 1 to 30.
    pub phases: Vec<TemplatePhaseInput>,
}

/// Changes to a template; blueprints created from it stay as they are. Absent fields stay as they are; null clears, or
/// is REQUIRED where there is always a value.
#[derive(InputObject)]
pub struct TemplateUpdateInput {
    /// The object's id.
    pub id: ID,
    /// The `version` that you read; any other is a CONFLICT.
    pub expected_version: i32,
    /// The new name.
    pub name: MaybeUndefined<String>,
    /// Description of its purpose.
    pub description: MaybeUndefined<String>,
    /// The subjects of the journeys that it is for; at least one; replaces the list.
    pub subjects: MaybeUndefined<Vec<Subject>>,
    /// The kinds of insight to look at, in order; replaces the list.
    pub lenses: MaybeUndefined<Vec<InsightKind>>,
    /// The phases of a new blueprint, in order: 1 to 30; replaces the list.
    pub phases: MaybeUndefined<Vec<TemplatePhaseInput>>,
}

/// What a template says, unchecked.
pub struct TemplateContent<'c> {
    pub name: &'c str,
    pub description: Option<&'c str>,
    pub subjects: &'c [Subject],
    pub lenses: &'c [InsightKind],
    pub phases: &'c [TemplatePhaseInput],
}

impl TemplateContent<'_> {
    /// The row of a new template with this content; its faults are added.
    pub fn to_row(
        &self,
        (id, key): (TemplateId, String),
        created_at: DateTime<Utc>,
        faults: &mut Faults,
    ) -> template::Model {
        template::Model {
            id,
            key,
            name: faults.check_name("name", self.name),
            description: faults.check_optional_text("description", self.description),
            subjects: parse_subject_inputs(faults, self.subjects),
            lenses: InsightKinds(without_repeats(self.lenses)),
            phases: parse_phase_inputs(faults, self.phases),
            created_at,
            version: 1,
        }
    }
}

fn parse_subject_inputs(faults: &mut Faults, input: &[Subject]) -> TemplateSubjects {
    add_empty_list_fault(faults, "subjects", input);
    TemplateSubjects(without_repeats(input))
}

fn parse_phase_inputs(faults: &mut Faults, input: &[TemplatePhaseInput]) -> TemplatePhases {
    add_empty_list_fault(faults, "phases", input);
    if input.len() as u64 > MOST_PHASES {
        let message = format!("A blueprint has at most {MOST_PHASES} phases.");
        faults.add("phases", UserErrorCode::LimitExceeded, None, message);
    }
    let read = |(phase, at): (&TemplatePhaseInput, u64)| {
        let path = |field: &str| format!("phases.{at}.{field}");
        StoredTemplatePhase {
            name: faults.check_name(&path("name"), &phase.name),
            stage: phase.stage,
            prompt: faults.check_required_text(&path("prompt"), &phase.prompt),
            customer_goal: faults
                .check_optional_text(&path("customerGoal"), phase.customer_goal.as_deref()),
        }
    };
    TemplatePhases(input.iter().zip(0..MOST_PHASES).map(read).collect())
}

fn add_empty_list_fault<T>(faults: &mut Faults, path: &str, list: &[T]) {
    if list.is_empty() {
        let message = "At least one is required.";
        faults.add(path, UserErrorCode::Required, None, message);
    }
}

fn without_repeats<T: Copy + PartialEq>(list: &[T]) -> Vec<T> {
    let mut once = Vec::new();
    for one in list {
        if !once.contains(one) {
            once.push(*one);
        }
    }
    once
}

/// Templates for journeys of this subject. In the list, which is kept as JSON, nothing else is spelled so.
#[must_use]
pub fn for_subject_condition(subject: Subject) -> SimpleExpr {
    Expr::col(template::Column::Subjects)
        .cast_as("text")
        .like(format!("%\"{}\"%", subject.as_str()))
}

/// Makes a template.
pub async fn create(caller: &Caller, input: TemplateCreateInput) -> Result<template::Model> {
    let mut faults = Faults::default();
    let id: TemplateId = faults.parse_or_make_id(input.id.as_ref());
    let key = input.key.as_deref().map(|key| faults.check_key("key", key));
    let content = TemplateContent {
        name: &input.name,
        description: input.description.as_deref(),
        subjects: &input.subjects,
        lenses: &input.lenses,
        phases: &input.phases,
    };
    let mut new = content.to_row((id, String::new()), caller.now, &mut faults);
    faults.check()?;
    let mut permit = caller
        .open_permit(Action::KeepCatalogue, &RowTies::none())
        .await?;
    let same = |row: &template::Model| row.name == new.name && row.phases == new.phases;
    if let Some(row) = permit
        .find_already_created::<template::Entity>(input.id.as_ref(), id, same)
        .await?
    {
        return Ok(row);
    }
    new.key = permit
        .choose_unique_key::<template::Entity>(key.as_deref(), &new.name, id, None)
        .await?;
    let row = permit
        .insert::<template::Entity>(with_all_columns_set::<template::Entity>(new))
        .await?;
    permit.commit().await?;
    Ok(row)
}

/// Changes name, description, subjects, lenses or phases.
pub async fn update(caller: &Caller, input: TemplateUpdateInput) -> Result<template::Model> {
    let mut faults = Faults::default();
    let id: TemplateId = faults.parse_id("id", &input.id);
    let change = template::ActiveModel {
        name: set_if_given(faults.given("name", &input.name), |name| {
            faults.check_name("name", name)
        }),
        description: set_or_clear(&input.description, |text| {
            faults.check_optional_text("description", text.map(String::as_str))
        }),
        subjects: set_if_given(list_if_given(&input.subjects), |list| {
            parse_subject_inputs(&mut faults, list)
        }),
        lenses: set_if_given(list_if_given(&input.lenses), |list| {
            InsightKinds(without_repeats(list))
        }),
        phases: set_if_given(list_if_given(&input.phases), |list| {
            parse_phase_inputs(&mut faults, list)
        }),
        ..Default::default()
    };
    faults.check()?;
    let (row, mut permit) = fetch_template_at_version(caller, id, input.expected_version).await?;
    let row = permit.update::<template::Entity>(&row, change).await?;
    permit.commit().await?;
    Ok(row)
}

/// Deletes a template that no blueprint began with.
pub async fn delete(caller: &Caller, input: &AtVersionInput) -> Result<template::Model> {
    let id: TemplateId = input::parse_id("id", &input.id)?;
    let (row, mut permit) = fetch_template_at_version(caller, id, input.expected_version).await?;
    refuse_if_used(&permit, &row).await?;
    permit.delete::<template::Entity>(&row).await?;
    permit.commit().await?;
    Ok(row)
}

async fn fetch_template_at_version(
    caller: &Caller,
    id: TemplateId,
    expected_version: i32,
) -> Result<(template::Model, Permit<'_>)> {
    let (row, permit) = caller
        .fetch_locked::<template::Entity>(Action::KeepCatalogue, "id", id)
        .await?;
    expect_version::<template::Entity>(&row, expected_version)?;
    Ok((row, permit))
}

async fn refuse_if_used(permit: &Permit<'_>, row: &template::Model) -> Result<()> {
    let blueprints = blueprint::Entity::find()
        .filter(blueprint::Column::TemplateId.eq(row.id))
        .count(permit.tx())
        .await?;
    if blueprints == 0 {
        return Ok(());
    }
    let message = format!("{blueprints} blueprints were created from it and show its lenses.");
    Err(Error::conflict("id", Reason::InUse, message).with_current(row.id.0))
}
