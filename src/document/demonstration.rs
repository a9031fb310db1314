//! The document of a demonstration: an organisation, and the people who sign in to look at it. It is only loaded, all
//! of it or nothing, into a database that holds nothing at all.

use std::collections::HashMap;

use entity::{
    account, department,
    id::{AccountId, DepartmentId},
    membership,
    words::{DepartmentRole, OrganisationRole},
};
use sea_orm::{EntityTrait, PaginatorTrait, Set};
use serde::Deserialize;

use super::{
    catalogue::lower,
    organisation::{self, load_into, refuse_unless_empty},
    read::Kind,
};
use crate::{
    access::{Caller, Permit},
    error::{Error, Result, UserErrorCode},
    id,
    input::Faults,
};

/// An organisation to look at.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Demonstration {
    format: String,
    /// What is shown.
    pub organisation: organisation::Said,
    people: Vec<Person>,
}

/// Somebody, or a service, with the departments they belong to.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Person {
    key: String,
    name: String,
    role: OrganisationRole,
    #[serde(default)]
    service: bool,
    #[serde(default)]
    memberships: Vec<Membership>,
}

/// A role in a department.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Membership {
    department: String,
    role: DepartmentRole,
}

impl Kind for Demonstration {
    const FORMAT: &'static str = "cx-blueprint/demonstration@1";

    fn format(&self) -> &str {
        &self.format
    }
}

/// Loads a demonstration; people get the password whose hash is given, services none.
pub async fn load(caller: &Caller, said: &Demonstration, password_hash: &str) -> Result<()> {
    let mut permit = caller.begin().await?;
    refuse_unless_empty(&permit).await?;
    if account::Entity::find().count(permit.tx()).await? > 0 {
        let message =
            "The database holds something already: accounts. A demonstration brings its own.";
        return Err(Error::fault("", UserErrorCode::Conflict, None, message));
    }
    // Blueprints may name people, and people belong to departments.
    let ids = people(&permit, &said.people, password_hash).await?;
    let mut faults = Faults::default();
    if let Err(error) = load_into(&mut permit, &said.organisation).await {
        faults.take_over("organisation", error.into_user_errors()?);
        faults.check()?;
    }
    memberships(&permit, &said.people, &ids).await?;
    permit.commit().await
}

async fn people(
    permit: &Permit<'_>,
    said: &[Person],
    password_hash: &str,
) -> Result<Vec<AccountId>> {
    let mut faults = Faults::default();
    let mut taken = HashMap::new();
    let mut rows = Vec::with_capacity(said.len());
    let mut ids = Vec::with_capacity(said.len());
    for (at, said) in said.iter().enumerate() {
        let path = format!("people.{at}.key");
        let key = faults.key(&path, &said.key);
        if let Some(first) = taken.insert(lower(&key), at) {
            let message = format!("The key \"{key}\" is taken at people.{first}.");
            faults.add(&path, UserErrorCode::Duplicate, None, message);
        }
        let id = id::new();
        ids.push(id);
        rows.push(account::ActiveModel {
            id: Set(id),
            key: Set(key),
            name: Set(faults.name(&format!("people.{at}.name"), &said.name)),
            service: Set(said.service),
            role: Set(said.role),
            password_hash: Set((!said.service).then(|| password_hash.to_owned())),
            created_at: Set(permit.caller.now),
            archived_at: Set(None),
            version: Set(1),
        });
    }
    faults.check()?;
    permit.insert_all::<account::Entity>(rows).await?;
    Ok(ids)
}

async fn memberships(permit: &Permit<'_>, said: &[Person], ids: &[AccountId]) -> Result<()> {
    let departments = department::Entity::find().all(permit.tx()).await?;
    let departments: HashMap<String, DepartmentId> = departments
        .into_iter()
        .map(|row| (lower(&row.key), row.id))
        .collect();
    let mut faults = Faults::default();
    let mut rows = Vec::new();
    for ((at, said), account) in said.iter().enumerate().zip(ids) {
        for (number, membership) in said.memberships.iter().enumerate() {
            let key = &membership.department;
            let Some(department) = departments.get(&lower(key)) else {
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
    permit.insert_all::<membership::Entity>(rows).await
}
