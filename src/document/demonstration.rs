//! The document of a demonstration: an organisation, the people who sign in to look at it, and what its customers have
//! answered. It is only loaded, all of it or nothing, into a database that holds nothing at all.

use std::collections::HashMap;

use chrono::NaiveDate;
use entity::{
    account, blueprint, department,
    id::{AccountId, DepartmentId},
    membership, touchpoint,
    words::{DepartmentRole, FeedbackScale, FollowUpState, OrganisationRole},
};
use sea_orm::{
    ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect, QueryTrait, Set,
};
use serde::Deserialize;

use super::{
    catalogue::fold_key,
    format::DocumentFormat,
    organisation::{self, import_organisation_into, refuse_unless_database_empty},
};
use crate::{
    access::{Caller, HasKeyColumn, Permit},
    error::{Error, Result, UserErrorCode},
    feedback::record::{FeedbackInput, FeedbackWithFollowUp, record_within_permit},
    id,
    input::Faults,
};

/// An organisation to look at.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Demonstration {
    format: String,
    /// What is shown.
    pub organisation: organisation::OrganisationInput,
    people: Vec<DemoPerson>,
    /// What customers answered, oldest first.
    #[serde(default)]
    feedback: Vec<DemoAnswer>,
}

/// An answer at a touchpoint, and how far its follow-up has come.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DemoAnswer {
    blueprint: String,
    touchpoint: String,
    scale: FeedbackScale,
    score: i32,
    answered_on: NaiveDate,
    /// Who answered; absent of one who did not say.
    respondent: Option<String>,
    follow_up: Option<FollowUpState>,
}

/// Somebody, or a service, with the departments they belong to.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DemoPerson {
    key: String,
    name: String,
    role: OrganisationRole,
    #[serde(default)]
    service: bool,
    #[serde(default)]
    memberships: Vec<DemoMembership>,
}

/// A role in a department.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DemoMembership {
    department: String,
    role: DepartmentRole,
}

impl DocumentFormat for Demonstration {
    const FORMAT: &'static str = "cx-blueprint/demonstration@1";

    fn format(&self) -> &str {
        &self.format
    }
}

/// Imports a demonstration; people get the password whose hash is given, services none.
pub async fn import_demonstration(
    caller: &Caller,
    said: &Demonstration,
    password_hash: &str,
) -> Result<()> {
    let mut permit = caller.open_permit_without_check().await?;
    refuse_unless_database_empty(&permit, &said.organisation).await?;
    if account::Entity::find().count(permit.tx()).await? > 0 {
        let message =
            "The database is not empty: it has accounts, and a demonstration brings its own.";
        return Err(Error::fault("", UserErrorCode::Conflict, None, message));
    }
    // Blueprints may name people, and people belong to departments.
    let ids = insert_people(&permit, &said.people, password_hash).await?;
    let mut faults = Faults::default();
    if let Err(error) = import_organisation_into(&mut permit, &said.organisation).await {
        faults.add_under_path("organisation", error.into_user_errors()?);
        faults.check()?;
    }
    insert_memberships(&permit, &said.people, &ids).await?;
    let answers = build_feedback_inputs(&permit, &said.feedback).await?;
    record_within_permit(&mut permit, answers).await?;
    permit.commit().await
}

/// The answers as they are recorded, at the touchpoints that they name.
async fn build_feedback_inputs(
    permit: &Permit<'_>,
    said: &[DemoAnswer],
) -> Result<Vec<FeedbackWithFollowUp>> {
    let mut faults = Faults::default();
    let mut told = Vec::with_capacity(said.len());
    for (at, entry) in said.iter().enumerate() {
        let its = blueprint::Entity::find()
            .select_only()
            .column(blueprint::Column::Id)
            .filter(blueprint::Entity::key_condition(&entry.blueprint));
        let touchpoint = touchpoint::Entity::find()
            .filter(touchpoint::Column::BlueprintId.in_subquery(its.into_query()))
            .filter(touchpoint::Entity::key_condition(&entry.touchpoint))
            .one(permit.tx())
            .await?;
        let Some(touchpoint) = touchpoint else {
            let DemoAnswer {
                blueprint,
                touchpoint,
                ..
            } = entry;
            let message =
                format!("There is no touchpoint \"{touchpoint}\" in a blueprint \"{blueprint}\".");
            let path = format!("feedback.{at}.touchpoint");
            faults.add(&path, UserErrorCode::NotFound, None, message);
            continue;
        };
        told.push(FeedbackWithFollowUp {
            said: FeedbackInput {
                external_id: None,
                scale: entry.scale,
                score: entry.score,
                touchpoint_id: Some(touchpoint.id.to_string().into()),
                blueprint_id: None,
                persona_id: None,
                answered_on: Some(entry.answered_on.into()),
                answered_at: None,
                respondent: entry.respondent.clone(),
                contact: None,
                comment: None,
                channel_id: None,
                segment_id: None,
                met_on: None,
                cause: None,
            },
            follow_up: entry.follow_up.unwrap_or(FollowUpState::Open),
        });
    }
    faults.check()?;
    Ok(told)
}

async fn insert_people(
    permit: &Permit<'_>,
    said: &[DemoPerson],
    password_hash: &str,
) -> Result<Vec<AccountId>> {
    let mut faults = Faults::default();
    let mut taken = HashMap::new();
    let mut rows = Vec::with_capacity(said.len());
    let mut ids = Vec::with_capacity(said.len());
    for (at, entry) in said.iter().enumerate() {
        let path = format!("people.{at}.key");
        let key = faults.check_key(&path, &entry.key);
        if let Some(first) = taken.insert(fold_key(&key), at) {
            let message = format!("The key \"{key}\" is taken at people.{first}.");
            faults.add(&path, UserErrorCode::Duplicate, None, message);
        }
        let id = id::new();
        ids.push(id);
        rows.push(account::ActiveModel {
            id: Set(id),
            key: Set(key),
            name: Set(faults.check_name(&format!("people.{at}.name"), &entry.name)),
            service: Set(entry.service),
            role: Set(entry.role),
            password_hash: Set((!entry.service).then(|| password_hash.to_owned())),
            created_at: Set(permit.caller.now),
            archived_at: Set(None),
            version: Set(1),
        });
    }
    faults.check()?;
    permit.insert_all_unaudited::<account::Entity>(rows).await?;
    Ok(ids)
}

async fn insert_memberships(
    permit: &Permit<'_>,
    said: &[DemoPerson],
    ids: &[AccountId],
) -> Result<()> {
    let departments = department::Entity::find().all(permit.tx()).await?;
    let departments: HashMap<String, DepartmentId> = departments
        .into_iter()
        .map(|row| (fold_key(&row.key), row.id))
        .collect();
    let mut faults = Faults::default();
    let mut rows = Vec::new();
    for ((at, entry), account) in said.iter().enumerate().zip(ids) {
        for (number, membership) in entry.memberships.iter().enumerate() {
            let key = &membership.department;
            let Some(department) = departments.get(&fold_key(key)) else {
                let path = format!("people.{at}.memberships.{number}.department");
                let message = format!("There is no department \"{key}\" in this document.");
                faults.add(&path, UserErrorCode::NotFound, None, message);
                continue;
            };
            rows.push(membership::ActiveModel {
                id: Set(id::new()),
                account_id: Set(*account),
                department_id: Set(*department),
                role: Set(membership.role),
                created_at: Set(permit.caller.now),
            });
        }
    }
    faults.check()?;
    permit
        .insert_all_unaudited::<membership::Entity>(rows)
        .await
}
