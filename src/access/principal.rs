//! The principal of access conditions: a person whose standing is known when the SQL is built, or the BI login that is
//! connected when a view runs. Either way the reach is the policy's; that of a BI login was stored beforehand, in
//! `bi_reach`, by `bi::views::login`.

use entity::{bi_login, bi_reach, id::AccountId};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, ExprTrait, SelectStatement, SimpleExpr},
};
use uuid::Uuid;

use crate::policy::{self, Action, CallerRoles, Reach, Relation};

/// The principal that a condition asks about.
#[derive(Clone, Copy, Debug)]
pub enum Principal<'r> {
    /// A caller, or the account of a standing that was loaded.
    Standing(&'r CallerRoles),
    /// The account behind the BI login that is connected to PostgreSQL when the statement runs (`session_user`).
    Login,
}

/// The right side of `column IN (…)`: literal ids or a subquery.
#[derive(Clone, Debug)]
pub(super) enum IdsOrSubquery {
    These(Vec<Uuid>),
    Found(Box<SelectStatement>),
}

impl IdsOrSubquery {
    /// The condition `column IN (…)`.
    pub(super) fn contains(&self, column: SimpleExpr) -> SimpleExpr {
        match self {
            Self::These(ids) => column.is_in(ids.iter().copied()),
            Self::Found(select) => column.in_subquery(SelectStatement::clone(select)),
        }
    }

    fn of_account(id: AccountId) -> Self {
        Self::These(vec![id.0])
    }
}

/// A reach as SQL: the policy's [`Reach`] with sets of ids that may be subqueries.
pub(super) struct SqlReach {
    everything: KnownOrSqlCondition,
    /// Things to which one of these departments stands in the relation.
    pub(super) through: Vec<(Relation, IdsOrSubquery)>,
    /// Things granted to this account by name.
    pub(super) granted_to: Option<IdsOrSubquery>,
}

/// Whether something holds: known now, or a condition that the database evaluates.
enum KnownOrSqlCondition {
    Known(bool),
    Sql(SimpleExpr),
}

impl SqlReach {
    /// Whether it is known to be everything.
    pub(super) fn is_everything(&self) -> bool {
        matches!(self.everything, KnownOrSqlCondition::Known(true))
    }

    /// The condition under which it is everything; nothing where it is not.
    pub(super) fn reaches_everything_sql(&self) -> Option<SimpleExpr> {
        match &self.everything {
            KnownOrSqlCondition::Known(false) => None,
            KnownOrSqlCondition::Known(true) => Some(Expr::value(true)),
            KnownOrSqlCondition::Sql(condition) => Some(condition.clone()),
        }
    }
}

impl From<Reach> for SqlReach {
    fn from(reach: Reach) -> Self {
        let through = reach.through.into_iter();
        let through = through.map(|(relation, own)| {
            (
                relation,
                IdsOrSubquery::These(own.into_iter().map(|id| id.0).collect()),
            )
        });
        Self {
            everything: KnownOrSqlCondition::Known(reach.everything),
            through: through.collect(),
            granted_to: reach.granted_to.map(IdsOrSubquery::of_account),
        }
    }
}

impl Principal<'_> {
    pub(super) fn reach(self, action: Action) -> SqlReach {
        match self {
            Self::Standing(standing) => policy::reach(standing, action).into(),
            Self::Login => login_reach_sql(action),
        }
    }

    /// The principal's own account; none for the operator.
    pub(super) fn own_account(self) -> Option<IdsOrSubquery> {
        match self {
            Self::Standing(CallerRoles::Operator) => None,
            Self::Standing(CallerRoles::Account(own)) => {
                Some(IdsOrSubquery::of_account(own.account))
            }
            Self::Login => {
                let account = bi_login::Entity::find()
                    .select_only()
                    .column(bi_login::Column::AccountId)
                    .filter(bi_login::Column::Name.into_expr().eq(session_user_sql()));
                Some(IdsOrSubquery::Found(Box::new(account.into_query())))
            }
        }
    }
}

/// The login of the connection. Not `current_user`, which inside a view is the view's owner.
fn session_user_sql() -> SimpleExpr {
    Expr::cust("CAST(session_user AS text)")
}

/// The stored rows of the connected login's reach with an action.
fn select_stored_reach(action: Action) -> Select<bi_reach::Entity> {
    bi_reach::Entity::find()
        .select_only()
        .filter(bi_reach::Column::Login.into_expr().eq(session_user_sql()))
        .filter(bi_reach::Column::Action.eq(action.as_str()))
}

/// The actions whose reach is stored for BI logins. With any other a login reaches nothing.
pub(crate) const LOGIN_ACTIONS: [Action; 6] = [
    Action::ReadPublished,
    Action::ReadRestricted,
    Action::ReadDraft,
    Action::ReadConfidential,
    Action::PullFlatRows,
    Action::WorkFollowUp,
];

fn login_reach_sql(action: Action) -> SqlReach {
    debug_assert!(
        LOGIN_ACTIONS.contains(&action),
        "a view asks for {action:?}, which is written down for no login"
    );
    let through = policy::possible_relations(action)
        .into_iter()
        .map(|relation| {
            let departments = select_stored_reach(action)
                .filter(bi_reach::Column::Relation.eq(relation.as_str()))
                .column(bi_reach::Column::DepartmentId);
            (
                relation,
                IdsOrSubquery::Found(Box::new(departments.into_query())),
            )
        });
    let granted_to = policy::reaches_grants_by_name(action).then(|| {
        let account = select_stored_reach(action)
            .filter(bi_reach::Column::GrantedAccountId.is_not_null())
            .column(bi_reach::Column::GrantedAccountId);
        IdsOrSubquery::Found(Box::new(account.into_query()))
    });
    SqlReach {
        everything: KnownOrSqlCondition::Sql(Expr::exists(select_if_login_reaches_everything(
            action,
        ))),
        through: through.collect(),
        granted_to,
    }
}

/// A select of one row where the login's reach with an action is everything, and of none where it is not: for EXISTS.
pub(crate) fn select_if_login_reaches_everything(action: Action) -> SelectStatement {
    select_stored_reach(action)
        .column(bi_reach::Column::Position)
        .filter(bi_reach::Column::Everything.eq(true))
        .into_query()
}

/// A select of all rows of the login's reach with an action, empty where it reaches nothing: for EXISTS.
pub(crate) fn select_if_login_reaches_anything(action: Action) -> SelectStatement {
    select_stored_reach(action)
        .column(bi_reach::Column::Position)
        .into_query()
}
