//! The caller of one request: an account with its roles at that moment, what it may read, and its way to a permit.

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, Duration, NaiveDate, Utc};
use chrono_tz::Tz;
use entity::{
    blueprint,
    id::{AccountId, DepartmentId, ServiceTokenId, SessionId},
    words::{DepartmentRole, OrganisationRole},
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Select,
    sea_query::SimpleExpr,
};

use super::{
    guarded::{Guarded, HasKeyColumn},
    principal::Principal,
    writing::WriteProgress,
};
use crate::{
    audit::{self, Actor},
    clock::Clock,
    compute::{self, Budget, WorkBudget},
    database::{Pool, Store, Transaction},
    error::{Error, Forbidden, Result},
    input::{self, By, ByInside, KeyInside},
    policy::{self, Action, CallerRoles, Reach, RowTies},
    scalar::{DAY_OUT_OF_RANGE, Date, is_day_in_range},
};

/// The caller of one request. Cheap to clone: clones share the budget and what is known of the writing.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The moment at which the request began. Every row written by the request carries this moment, however long it
    /// takes.
    pub now: DateTime<Utc>,
    /// The day of the request in the deployment's time zone.
    pub today: NaiveDate,
    /// The request's id, for the log and the audit.
    pub request_id: Arc<str>,
    /// The act's name in the API (`touchpointMove`), for the audit log.
    pub act: Arc<str>,
    /// The session of the access token; none for a service token and for the operator.
    pub session: Option<SessionId>,
    /// The service token that speaks for the account; none for a session and for the operator.
    pub token: Option<ServiceTokenId>,
    /// Steps and bytes that the request may spend; the operator's is unlimited.
    pub budget: Arc<Budget>,
    pub(crate) standing: Arc<CallerRoles>,
    pub(crate) clock: Clock,
    pub(super) store: Store,
    pub(super) writing: Arc<WriteProgress>,
}

impl Caller {
    /// The command line on the server. Made in `main.rs` alone; audited as operator.
    #[must_use]
    pub fn operator(store: Store, clock: Clock, act: &str) -> Self {
        Self::new(store, clock, CallerRoles::Operator, "command line".into()).with_act_name(act)
    }

    pub(super) fn new(
        store: Store,
        clock: Clock,
        standing: CallerRoles,
        request_id: Arc<str>,
    ) -> Self {
        let now = clock.now();
        let budget: Arc<Budget> = match standing {
            CallerRoles::Account(_) => Arc::default(),
            CallerRoles::Operator => Arc::new(Budget::unlimited()),
        };
        Self {
            now,
            today: clock.day_of_moment(now),
            request_id,
            act: "".into(),
            session: None,
            token: None,
            standing: Arc::new(standing),
            clock,
            store: store.charged_to(&budget),
            budget,
            writing: Arc::default(),
        }
    }

    /// The same caller under another act's name.
    #[must_use]
    pub fn with_act_name(&self, act: &str) -> Self {
        Self {
            act: act.into(),
            ..self.clone()
        }
    }

    /// The same caller at the expense of another budget.
    #[must_use]
    pub fn with_budget(&self, budget: Budget) -> Self {
        let budget = Arc::new(budget);
        Self {
            // The reading pool is charged per budget: the old one would let statements be paid by the request that it
            // was cloned from.
            store: self.store.charged_to(&budget),
            budget,
            ..self.clone()
        }
    }

    /// Runs work within the request's budget on the compute pool, where accounts take turns.
    ///
    /// # Errors
    /// `Busy` where too much is waiting, `TooComplex` where the budget is spent.
    pub async fn run_on_compute_pool<T: Send + 'static>(
        &self,
        work: impl FnOnce(&WorkBudget) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        match self.writing.has_open_permit() {
            // Not in a turn: others wait for the locks of this caller's permit, and would wait for its turn as well.
            true => compute::run_beside_pool(&self.budget, work).await,
            false => compute::run(&self.budget, self.account(), work).await,
        }
    }

    /// The first moment after a day, in the deployment's time zone.
    #[must_use]
    pub fn end_of_day(&self, day: NaiveDate) -> DateTime<Utc> {
        self.clock.end_of_day(day)
    }

    /// The first moment of yesterday, in the deployment's time zone.
    #[must_use]
    pub fn beginning_of_yesterday(&self) -> DateTime<Utc> {
        let yesterday = self.today.pred_opt().unwrap_or(self.today);
        // Around a change of the clocks this is an hour off, which does no harm: any moment will do that is the same
        // for a whole day.
        self.end_of_day(yesterday) - Duration::days(1)
    }

    /// The day that a question is about: today, unless it names one.
    ///
    /// # Errors
    /// `BadInput` where the day lies outside the years 1900 to 2999.
    pub fn day_or_today(&self, as_of: Option<Date>) -> Result<NaiveDate> {
        match as_of {
            None => Ok(self.today),
            Some(Date(day)) if is_day_in_range(day) => Ok(day),
            Some(_) => Err(Error::BadInput(DAY_OUT_OF_RANGE.to_owned())),
        }
    }

    /// The day in which a moment lies, in the deployment's time zone.
    #[must_use]
    pub fn local_day_of_moment(&self, at: DateTime<Utc>) -> NaiveDate {
        self.clock.day_of_moment(at)
    }

    /// The caller's account; none for the operator.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        match &*self.standing {
            CallerRoles::Account(standing) => Some(standing.account),
            CallerRoles::Operator => None,
        }
    }

    /// The caller as the actor of an audit event.
    #[must_use]
    pub(super) fn actor(&self) -> Actor<'_> {
        Actor {
            account: self.account(),
            token: self.token,
            request_id: &self.request_id,
            act: &self.act,
            now: self.now,
        }
    }

    /// The departments that the caller leads, including all below them. Empty for the operator.
    #[must_use]
    pub fn led_departments_and_below(&self) -> BTreeSet<DepartmentId> {
        match &*self.standing {
            CallerRoles::Account(standing) => standing
                .departments
                .get(&DepartmentRole::Lead)
                .cloned()
                .unwrap_or_default(),
            CallerRoles::Operator => BTreeSet::new(),
        }
    }

    /// The departments of the caller's own LEAD memberships, without those below. Empty for the operator.
    #[must_use]
    pub fn directly_led_departments(&self) -> BTreeSet<DepartmentId> {
        match &*self.standing {
            CallerRoles::Account(standing) => standing.leads.clone(),
            CallerRoles::Operator => BTreeSet::new(),
        }
    }

    /// Whether the caller's role in the organisation is CX_MANAGER; true for the operator.
    #[must_use]
    pub fn is_cx_manager(&self) -> bool {
        match &*self.standing {
            CallerRoles::Account(standing) => standing.role == OrganisationRole::CxManager,
            CallerRoles::Operator => true,
        }
    }

    /// The policy's answer for an action: everything, some departments' things, or nothing.
    #[must_use]
    pub fn reach(&self, action: Action) -> Reach {
        policy::reach(&self.standing, action)
    }

    /// Whether the caller may do the action to a thing with these ties.
    #[must_use]
    pub fn may(&self, action: Action, ties: &RowTies) -> bool {
        policy::allows(&self.standing, action, ties)
    }

    /// The refusal of an action, and the row that it was refused on, for the audit log.
    #[must_use]
    pub fn forbidden_error(
        &self,
        action: Action,
        subject: Option<(&'static str, uuid::Uuid)>,
    ) -> Error {
        let with_token = match &*self.standing {
            CallerRoles::Account(standing) => standing.token.is_some(),
            CallerRoles::Operator => false,
        };
        Error::Forbidden(Forbidden {
            path: String::new(),
            action,
            subject,
            because: None,
            with_token,
        })
    }

    /// The caller's reach with an action: for root fields that make sense only for whoever reaches something.
    ///
    /// # Errors
    /// FORBIDDEN where the reach is nothing.
    pub fn require_reach(&self, action: Action) -> Result<Reach> {
        let reach = self.reach(action);
        if reach.is_nothing() {
            Err(self.forbidden_error(action, None))
        } else {
            Ok(reach)
        }
    }

    /// A select of the rows that the caller may see, archived ones included.
    #[must_use]
    pub fn select<E: Guarded>(&self) -> Select<E> {
        E::find().filter(E::readable_condition(self.principal()))
    }

    /// The condition under which the caller may see a row of a table; empty where that is every row.
    #[must_use]
    pub fn readable_condition<E: Guarded>(&self) -> Condition {
        E::readable_condition(self.principal())
    }

    /// The caller as the principal of conditions on tables.
    #[must_use]
    pub fn principal(&self) -> Principal<'_> {
        Principal::Standing(&self.standing)
    }

    /// The deployment's time zone.
    #[must_use]
    pub fn zone(&self) -> Tz {
        self.clock.zone()
    }

    /// One row by its id; none where it is not there or the caller may not see it.
    pub async fn get<E: Guarded>(&self, id: E::Id) -> Result<Option<E::Model>> {
        Ok(self
            .select::<E>()
            .filter(E::id_column().eq(id))
            .one(self.connection())
            .await?)
    }

    /// The condition that selects the row with an id or a key.
    ///
    /// # Errors
    /// The id is not one of this table's.
    pub fn id_or_key_condition<E: HasKeyColumn>(&self, by: &By) -> Result<SimpleExpr> {
        Ok(match by {
            By::Id(id) => E::id_column().eq(input::parse_id::<E::Id>("by.id", id)?),
            By::Key(key) => E::key_condition(key),
        })
    }

    /// One row by its id or key; none where it is not there or the caller may not see it.
    pub async fn get_by_id_or_key<E: HasKeyColumn>(&self, by: &By) -> Result<Option<E::Model>> {
        Ok(self
            .select::<E>()
            .filter(self.id_or_key_condition::<E>(by)?)
            .one(self.connection())
            .await?)
    }

    /// One row inside a blueprint by its id, or by its key and the blueprint's; none where it is not there or the
    /// caller may not see it.
    pub async fn get_inside_blueprint<E: HasKeyColumn>(
        &self,
        by: &ByInside,
    ) -> Result<Option<E::Model>> {
        let select = self.select::<E>();
        let select = match by {
            ByInside::Id(id) => {
                select.filter(E::id_column().eq(input::parse_id::<E::Id>("by.id", id)?))
            }
            ByInside::Key(KeyInside { blueprint, key }) => {
                let inside = blueprint::Entity::find()
                    .select_only()
                    .column(blueprint::Column::Id)
                    .filter(blueprint::Entity::key_condition(blueprint));
                let scope =
                    E::key_scope_column().map(|scope| scope.in_subquery(inside.into_query()));
                select
                    .filter(E::key_condition(key))
                    .filter(Condition::all().add_option(scope))
            }
        };
        Ok(select.one(self.connection()).await?)
    }

    /// The connections that can only read, at the expense of the caller's budget. They know no access: every statement
    /// on them starts from [`Caller::select`] or [`Caller::readable_condition`].
    #[must_use]
    pub fn connection(&self) -> &Pool {
        self.store.reader()
    }

    /// A read-only transaction, all of whose statements see the database at one moment.
    pub async fn begin_snapshot(&self) -> Result<Transaction> {
        Ok(self.store.begin_snapshot().await?)
    }

    /// Begins a transaction without a permit, and so without an audit event: for failed tries of a password, which stay
    /// although the act is refused, and for what nobody does (`open_since` of findings). Nothing else may use it.
    pub(crate) async fn begin_unaudited_transaction(&self) -> Result<Transaction> {
        Ok(self.store.begin().await?)
    }

    /// Returns when everything that the caller has read for a change is durable. An act that found nothing to change
    /// (somebody else has just done the same) is answered after this, or a crash could undo what was confirmed.
    ///
    /// # Errors
    /// `Unknown`: whether it will stay is not known.
    pub async fn await_durable(&self) -> Result<()> {
        // Pure queries confirm nothing and need not wait for a sync.
        if self.writing.has_undurable_reads() {
            self.store.await_durable().await?;
            self.writing.mark_reads_durable();
        }
        Ok(())
    }

    /// Whether a commit was sent. Before it a deadline means "nothing was done", after it "nobody knows".
    #[must_use]
    pub fn has_sent_commit(&self) -> bool {
        self.writing.has_sent_commit()
    }

    /// Writes a refusal to the audit log, in a transaction of its own, after the refused act was rolled back.
    pub async fn audit_refusal(&self, forbidden: &Forbidden) -> Result<()> {
        audit::record_refusal(self.actor(), &self.store, forbidden).await?;
        self.writing.mark_reads_durable();
        Ok(())
    }
}
