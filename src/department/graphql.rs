//! Departments and memberships in the API: what they show of themselves, and what people do to them.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use entity::{
    department,
    id::{AccountId, DepartmentId},
    membership,
    words::{DepartmentKind, DepartmentRole},
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
};

use super::{
    DepartmentCreateInput, DepartmentMoveInput, DepartmentUpdateInput,
    membership::{MembershipGrantInput, MembershipRevokeInput},
};
use crate::{
    access::Caller,
    account::authorship::Authorship,
    error::Result,
    input::{self, AtVersionInput, By},
    page::{self, ObjectPage, PageArguments},
    payload,
    payload::{caller, into_node, mutation_caller},
};

/// A unit that delivers touchpoints. Departments form a tree.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct Department {
    /// The object's id.
    pub id: ID,
    /// Its key, unique in the organisation.
    pub key: String,
    /// The name.
    pub name: String,
    /// Whether it is part of the organisation or a partner.
    pub kind: DepartmentKind,
    /// Version number: rises with every change of the object. Send it as `expectedVersion`.
    pub version: i32,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
    #[graphql(flatten)]
    pub authorship: Authorship,
    /// Time of archiving; null while it is not archived.
    pub archived_at: Option<DateTime<Utc>>,
    #[graphql(skip)]
    pub row: Arc<department::Model>,
}

impl From<department::Model> for Department {
    fn from(row: department::Model) -> Self {
        Self {
            id: ID(row.id.to_string()),
            key: row.key.clone(),
            name: row.name.clone(),
            kind: row.kind,
            version: row.version,
            created_at: row.created_at,
            authorship: Authorship::of(row.id.0, row.created_at),
            archived_at: row.archived_at,
            row: Arc::new(row),
        }
    }
}

/// An account's role in a department.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct Membership {
    /// The object's id.
    pub id: ID,
    /// The role.
    pub role: DepartmentRole,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
    #[graphql(skip)]
    pub row: membership::Model,
}

impl From<membership::Model> for Membership {
    fn from(row: membership::Model) -> Self {
        Self {
            id: ID(row.id.to_string()),
            role: row.role,
            created_at: row.created_at,
            row,
        }
    }
}

/// Conditions on the departments to list; all that are given must hold.
#[derive(Default, InputObject)]
pub struct DepartmentFilter {
    /// Only of this kind.
    pub kind: Option<DepartmentKind>,
    /// Only departments directly below this one.
    pub parent_id: Option<ID>,
    /// Only departments at the top of the tree.
    #[graphql(default)]
    pub roots: bool,
    /// Also archived ones.
    #[graphql(default)]
    pub include_archived: bool,
}

/// Reading departments.
#[derive(Default)]
pub struct DepartmentQuery;

#[Object]
impl DepartmentQuery {
    /// A department by id or key; null if there is none that you may see.
    async fn department(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object's id or its key.")] by: By,
    ) -> Option<Result<Department>> {
        into_node(async {
            caller(ctx)?
                .get_by_id_or_key::<department::Entity>(&by)
                .await
        })
        .await
    }

    /// Departments, in the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn departments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
        #[graphql(desc = "Conditions that must all hold.")] filter: Option<DepartmentFilter>,
    ) -> Result<ObjectPage<Department>> {
        let filter = filter.unwrap_or_default();
        let mut which = Condition::all();
        if let Some(kind) = filter.kind {
            which = which.add(department::Column::Kind.eq(kind));
        }
        if let Some(parent) = &filter.parent_id {
            let parent: DepartmentId = input::parse_id("filter.parentId", parent)?;
            which = which.add(department::Column::ParentId.eq(parent));
        }
        if filter.roots {
            which = which.add(department::Column::ParentId.is_null());
        }
        if !filter.include_archived {
            which = which.add(department::Column::ArchivedAt.is_null());
        }
        page_of_departments(ctx, which, PageArguments { first, after }).await
    }
}

/// A page of the departments that the condition picks.
pub async fn page_of_departments(
    ctx: &Context<'_>,
    which: Condition,
    page: PageArguments,
) -> Result<ObjectPage<Department>> {
    let caller = caller(ctx)?;
    let select = caller.select::<department::Entity>().filter(which);
    page::page_oldest_first(ctx, select, page, Department::from).await
}

/// A page of the memberships that the condition picks.
pub async fn page_of_memberships(
    ctx: &Context<'_>,
    which: Condition,
    page: PageArguments,
) -> Result<ObjectPage<Membership>> {
    let caller = caller(ctx)?;
    let select = caller.select::<membership::Entity>().filter(which);
    page::page_oldest_first(ctx, select, page, Membership::from).await
}

/// An account's memberships that give rights: those in departments that are not archived.
pub async fn load_memberships_in_live_departments(
    caller: &Caller,
    account: AccountId,
) -> Result<Vec<Membership>> {
    let living = department::Entity::find()
        .select_only()
        .column(department::Column::Id)
        .filter(department::Column::ArchivedAt.is_null());
    let rows = caller
        .select::<membership::Entity>()
        .filter(membership::Column::AccountId.eq(account))
        .filter(membership::Column::DepartmentId.in_subquery(living.into_query()))
        .order_by_asc(membership::Column::CreatedAt)
        .order_by_asc(membership::Column::Id)
        .all(caller.connection())
        .await?;
    Ok(rows.into_iter().map(Membership::from).collect())
}

payload! {
    /// Result of a mutation on a department.
    DepartmentPayload {
        /// The department as it is now.
        department: Department of department::Entity
    }
}

payload! {
    /// Result of a mutation on a membership.
    MembershipPayload {
        /// The membership as it is now; as it was, where it was revoked.
        membership: Membership of membership::Entity
    }
}

/// Changing departments and who belongs to them.
#[derive(Default)]
pub struct DepartmentMutation;

#[Object]
impl DepartmentMutation {
    /// Creates a department. Requires: KEEP_ORGANISATION.
    async fn department_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object to create.")] input: DepartmentCreateInput,
    ) -> Result<DepartmentPayload> {
        let caller = mutation_caller(ctx)?;
        DepartmentPayload::from_result(&caller, super::create(&caller, input).await).await
    }

    /// Changes name or kind of a department. Requires: KEEP_ORGANISATION.
    async fn department_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, the version that you read, and new values.")]
        input: DepartmentUpdateInput,
    ) -> Result<DepartmentPayload> {
        let caller = mutation_caller(ctx)?;
        DepartmentPayload::from_result(&caller, super::update(&caller, input).await).await
    }

    /// Moves a department, with all below it. The leads above its new place lead it too. Requires: KEEP_ORGANISATION.
    async fn department_move(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The department, the version that you read, and its new parent.")]
        input: DepartmentMoveInput,
    ) -> Result<DepartmentPayload> {
        let caller = mutation_caller(ctx)?;
        DepartmentPayload::from_result(&caller, super::relocate(&caller, input).await).await
    }

    /// Unarchives a department. What it handed over stays with its successor. Requires: KEEP_ORGANISATION.
    async fn department_unarchive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<DepartmentPayload> {
        let caller = mutation_caller(ctx)?;
        DepartmentPayload::from_result(&caller, super::unarchive(&caller, &input).await).await
    }

    /// Grants somebody else a role in a department, or replaces the role that they have there. Making or changing a
    /// LEAD requires KEEP_ORGANISATION. Requires: KEEP_MEMBERS.
    async fn membership_grant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The account, the department and the role.")] input: MembershipGrantInput,
    ) -> Result<MembershipPayload> {
        let caller = mutation_caller(ctx)?;
        let result = super::membership::grant(&caller, input).await;
        MembershipPayload::from_result(&caller, result).await
    }

    /// Revokes a membership. Revoking a LEAD's requires KEEP_ORGANISATION. Requires: KEEP_MEMBERS.
    async fn membership_revoke(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The membership to revoke.")] input: MembershipRevokeInput,
    ) -> Result<MembershipPayload> {
        let caller = mutation_caller(ctx)?;
        let result = super::membership::revoke(&caller, &input).await;
        MembershipPayload::from_result(&caller, result).await
    }
}
