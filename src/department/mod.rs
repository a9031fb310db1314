//! Departments and their tree: made, changed, moved, brought back. Archiving hands over what a department holds
//! in other slices, and is done in `reorganise`.

pub mod graphql;
pub mod membership;

use std::collections::{BTreeSet, HashMap};

use async_graphql::{ID, InputObject, MaybeUndefined};
use entity::{department, id::DepartmentId, words::DepartmentKind};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QuerySelect, Set,
    Statement,
};

use crate::{
    access::{Caller, Guarded, Permit, expect_version},
    error::{Error, Reason, Result, UserErrorCode},
    input::{self, AtVersionInput, Faults, set_if_given},
    policy::{Action, RowTies},
};

/// A new department.
#[derive(InputObject)]
pub struct DepartmentCreateInput {
    /// Id chosen by the client (a UUID of version 7), so that a retry creates nothing twice.
    pub id: Option<ID>,
    /// Key, unique in the organisation; derived from the name if absent.
    pub key: Option<String>,
    /// The name.
    pub name: String,
    /// Whether it is part of the organisation or a partner.
    #[graphql(default_with = "DepartmentKind::Internal")]
    pub kind: DepartmentKind,
    /// The department directly above it; absent for the top of the tree.
    pub parent_id: Option<ID>,
}

/// Changes to a department. Absent fields stay as they are; null clears, or is REQUIRED where there is always a value.
#[derive(InputObject)]
pub struct DepartmentUpdateInput {
    /// The object's id.
    pub id: ID,
    /// The `version` that you read; any other is a CONFLICT.
    pub expected_version: i32,
    /// The new name.
    pub name: MaybeUndefined<String>,
    /// Whether it is part of the organisation or a partner.
    pub kind: MaybeUndefined<DepartmentKind>,
}

/// The move of a department, with all below it, to another place in the tree.
#[derive(InputObject)]
pub struct DepartmentMoveInput {
    /// The object's id.
    pub id: ID,
    /// The `version` that you read; any other is a CONFLICT.
    pub expected_version: i32,
    /// The new department directly above it; null for the top.
    pub parent_id: MaybeUndefined<ID>,
}

/// Makes a department.
pub async fn create(caller: &Caller, input: DepartmentCreateInput) -> Result<department::Model> {
    let mut faults = Faults::default();
    let id: DepartmentId = faults.parse_or_make_id(input.id.as_ref());
    let name = faults.check_name("name", &input.name);
    let key = input.key.as_deref().map(|key| faults.check_key("key", key));
    let parent_id: Option<DepartmentId> =
        faults.parse_optional_id("parentId", input.parent_id.as_ref());
    faults.check()?;
    let mut permit = caller
        .open_permit(Action::KeepOrganisation, &RowTies::none())
        .await?;
    permit.lock_department_tree().await?;
    if let Some(parent) = parent_id {
        permit
            .read_unarchived_row::<department::Entity>("parentId", parent)
            .await?;
        permit.show_audit_to_leads_of(parent);
    }
    let same = |row: &department::Model| row.name == name;
    if let Some(row) = permit
        .find_already_created::<department::Entity>(input.id.as_ref(), id, same)
        .await?
    {
        return Ok(row);
    }
    let key = permit
        .choose_unique_key::<department::Entity>(key.as_deref(), &name, id, None)
        .await?;
    let row = permit
        .insert::<department::Entity>(department::ActiveModel {
            id: Set(id),
            key: Set(key),
            name: Set(name),
            kind: Set(input.kind),
            parent_id: Set(parent_id),
            successor_id: Set(None),
            created_at: Set(caller.now),
            archived_at: Set(None),
            version: Set(1),
        })
        .await?;
    permit.show_audit_to_leads_of(row.id);
    permit.commit().await?;
    Ok(row)
}

/// Changes name or kind.
pub async fn update(caller: &Caller, input: DepartmentUpdateInput) -> Result<department::Model> {
    let mut faults = Faults::default();
    let id: DepartmentId = faults.parse_id("id", &input.id);
    let name = set_if_given(faults.given("name", &input.name), |name| {
        faults.check_name("name", name)
    });
    let kind = set_if_given(faults.given("kind", &input.kind), |kind| *kind);
    faults.check()?;
    let mut permit = caller.open_permit_without_check().await?;
    let row = permit
        .fetch_at_version::<department::Entity>(
            Action::KeepOrganisation,
            "id",
            id,
            input.expected_version,
        )
        .await?;
    let change = department::ActiveModel {
        name,
        kind,
        ..Default::default()
    };
    let row = permit.update::<department::Entity>(&row, change).await?;
    permit.commit().await?;
    Ok(row)
}

/// Moves a department with all below it. Its leads' rights and those of the leads above move with it.
pub async fn relocate(caller: &Caller, input: DepartmentMoveInput) -> Result<department::Model> {
    let mut faults = Faults::default();
    let id: DepartmentId = faults.parse_id("id", &input.id);
    if input.parent_id.is_undefined() {
        let message = "Name the new parent, or null for the top.";
        faults.add("parentId", UserErrorCode::Required, None, message);
    }
    let parent_id: Option<DepartmentId> =
        faults.parse_optional_id("parentId", input.parent_id.value());
    faults.check()?;
    let mut permit = open_tree_permit(caller, "id", id).await?;
    let row = permit
        .fetch_at_version::<department::Entity>(
            Action::KeepOrganisation,
            "id",
            id,
            input.expected_version,
        )
        .await?;
    if let Some(parent) = parent_id {
        permit
            .read_unarchived_row::<department::Entity>("parentId", parent)
            .await?;
        if is_within(&load_parent_by_department(permit.tx()).await?, parent, id) {
            let message = "A department cannot be moved below itself.";
            return Err(Error::fault(
                "parentId",
                UserErrorCode::Invalid,
                Some(Reason::Cycle),
                message,
            ));
        }
    }
    for concerned in row.parent_id.into_iter().chain(parent_id) {
        permit.show_audit_to_leads_of(concerned);
    }
    let change = department::ActiveModel {
        parent_id: Set(parent_id),
        ..Default::default()
    };
    let row = permit.update::<department::Entity>(&row, change).await?;
    permit.commit().await?;
    Ok(row)
}

/// Opens the door to change a department's place: decides first, so that nobody else can hold up the tree, then
/// takes the tree's lock, which comes before every other.
pub async fn open_tree_permit<'c>(
    caller: &'c Caller,
    field: &str,
    id: DepartmentId,
) -> Result<Permit<'c>> {
    let mut permit = caller.open_permit_without_check().await?;
    let row = permit.get::<department::Entity>(field, id).await?;
    let ties = department::Entity::load_ties(permit.tx(), &row).await?;
    permit.require_permission_on_row::<department::Entity>(
        Action::KeepOrganisation,
        &ties,
        &row,
    )?;
    permit.lock_department_tree().await?;
    Ok(permit)
}

/// Every department with its parent.
pub async fn load_parent_by_department<C: ConnectionTrait>(
    db: &C,
) -> Result<HashMap<DepartmentId, Option<DepartmentId>>> {
    let pairs: Vec<(DepartmentId, Option<DepartmentId>)> = department::Entity::find()
        .select_only()
        .column(department::Column::Id)
        .column(department::Column::ParentId)
        .into_tuple()
        .all(db)
        .await?;
    Ok(pairs.into_iter().collect())
}

/// Whether a department is another one, or lies anywhere below it.
#[must_use]
pub fn is_within(
    parents: &HashMap<DepartmentId, Option<DepartmentId>>,
    department: DepartmentId,
    top: DepartmentId,
) -> bool {
    ancestors_and_self(parents, department).any(|at| at == top)
}

/// A department and those that it lies below, upwards.
pub fn ancestors_and_self(
    parents: &HashMap<DepartmentId, Option<DepartmentId>>,
    department: DepartmentId,
) -> impl Iterator<Item = DepartmentId> {
    let up = |at: &DepartmentId| parents.get(at).copied().flatten();
    // No path is longer than there are departments, should a circle ever have come in.
    std::iter::successors(Some(department), up).take(parents.len() + 1)
}

/// Brings a department back, without what it handed over: that stays with its successor.
pub async fn unarchive(caller: &Caller, input: &AtVersionInput) -> Result<department::Model> {
    let id: DepartmentId = input::parse_id("id", &input.id)?;
    let mut permit = open_tree_permit(caller, "id", id).await?;
    let row = permit
        .fetch_locked::<department::Entity>(Action::KeepOrganisation, "id", id)
        .await?;
    expect_version::<department::Entity>(&row, input.expected_version)?;
    if row.archived_at.is_none() {
        return Ok(row);
    }
    if let Some(parent) = row.parent_id {
        permit
            .read_unarchived_row::<department::Entity>("id", parent)
            .await
            .map_err(with_archived_parent_reason)?;
    }
    let change = department::ActiveModel {
        archived_at: Set(None),
        successor_id: Set(None),
        ..Default::default()
    };
    let row = permit.update::<department::Entity>(&row, change).await?;
    permit.commit().await?;
    Ok(row)
}

fn with_archived_parent_reason(error: Error) -> Error {
    match error {
        Error::Refused(_) => Error::fault(
            "id",
            UserErrorCode::Archived,
            None,
            "The department that it is part of is archived. Unarchive that one first.",
        ),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_department_lies_within_itself_and_all_above_it() {
        let id = |n: u128| DepartmentId::from(Uuid::from_u128(n));
        let tree = HashMap::from([
            (id(1), None),
            (id(2), Some(id(1))),
            (id(3), Some(id(2))),
            (id(4), Some(id(1))),
        ]);
        assert!(is_within(&tree, id(3), id(3)));
        assert!(is_within(&tree, id(3), id(1)));
        assert!(!is_within(&tree, id(1), id(3)));
        assert!(!is_within(&tree, id(3), id(4)));
        let circle = HashMap::from([(id(1), Some(id(2))), (id(2), Some(id(1)))]);
        assert!(!is_within(&circle, id(1), id(9)));
    }
}

#[derive(FromQueryResult)]
struct RootAndDescendant {
    root: DepartmentId,
    id: DepartmentId,
}

/// Departments, and by each of them it and all below it, as far as the caller may see them. Two statements for all.
pub async fn below(
    caller: &Caller,
    roots: &[DepartmentId],
) -> Result<HashMap<DepartmentId, Vec<DepartmentId>>> {
    let db = caller.connection();
    let places: Vec<String> = (1..=roots.len()).map(|at| format!("${at}")).collect();
    let sql = format!(
        "WITH RECURSIVE below (root, id) AS (
    SELECT id, id FROM department WHERE id IN ({})
    UNION
    SELECT below.root, department.id FROM department JOIN below ON department.parent_id = below.id
)
SELECT root, id FROM below",
        places.join(", ")
    );
    let values = roots.iter().map(|id| (*id).into());
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let tree = RootAndDescendant::find_by_statement(statement)
        .all(db)
        .await?;
    let ids: BTreeSet<DepartmentId> = tree.iter().map(|row| row.id).collect();
    let readable: Vec<DepartmentId> = caller
        .select::<department::Entity>()
        .select_only()
        .column(department::Column::Id)
        .filter(department::Column::Id.is_in(ids))
        .into_tuple()
        .all(db)
        .await?;
    let readable: BTreeSet<DepartmentId> = readable.into_iter().collect();
    let mut trees: HashMap<DepartmentId, Vec<DepartmentId>> = HashMap::new();
    for row in tree.into_iter().filter(|row| readable.contains(&row.id)) {
        trees.entry(row.root).or_default().push(row.id);
    }
    Ok(trees)
}
