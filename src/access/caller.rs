//! Who calls, with the roles as they are at this request, and what they may read.

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
    guarded::{Guarded, Keyed},
    reader::Reader,
    writing::Writing,
};
use crate::{
    audit::{self, Actor},
    clock::Clock,
    compute::{self, Budget, Steps},
    database::{Pool, Store, Transaction},
    error::{Error, Forbidden, Result},
    input::{self, By, ByInside, KeyInside},
    policy::{self, Action, Reach, Standing, Ties},
};

/// Who calls, when, and for which request.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The moment of the request. Everything that is written by it carries this moment.
    pub now: DateTime<Utc>,
    /// The day of the request in the deployment's time zone.
    pub today: NaiveDate,
    /// The request's id, for the log and the audit.
    pub request_id: Arc<str>,
    /// What is being done, as the API names it, for the audit.
    pub act: Arc<str>,
    /// The session that one is signed in with.
    pub session: Option<SessionId>,
    /// The service token that one is signed in with.
    pub token: Option<ServiceTokenId>,
    /// What the request may still spend.
    pub budget: Arc<Budget>,
    pub(crate) standing: Arc<Standing>,
    pub(crate) clock: Clock,
    pub(super) store: Store,
    pub(super) writing: Arc<Writing>,
}

impl Caller {
    /// The command line on the server. Made in `main.rs` alone; audited as operator.
    #[must_use]
    pub fn operator(store: Store, clock: Clock, act: &str) -> Self {
        Self::with(store, clock, Standing::Operator, "command line".into()).acting(act)
    }

    pub(super) fn with(
        store: Store,
        clock: Clock,
        standing: Standing,
        request_id: Arc<str>,
    ) -> Self {
        let now = clock.now();
        let budget: Arc<Budget> = match standing {
            Standing::Account(_) => Arc::default(),
            Standing::Operator => Arc::new(Budget::unlimited()),
        };
        Self {
            now,
            today: clock.day(now),
            request_id,
            act: "".into(),
            session: None,
            token: None,
            standing: Arc::new(standing),
            clock,
            store: store.charged(&budget),
            budget,
            writing: Arc::default(),
        }
    }

    /// The same caller, doing this.
    #[must_use]
    pub fn acting(&self, act: &str) -> Self {
        Self {
            act: act.into(),
            ..self.clone()
        }
    }

    /// The same caller, who spends from this budget.
    #[must_use]
    pub fn spending(&self, budget: Budget) -> Self {
        let budget = Arc::new(budget);
        Self {
            store: self.store.charged(&budget),
            budget,
            ..self.clone()
        }
    }

    /// Computes within the request's budget: on the pool, in the caller's turn; under a permit at once, as nobody
    /// waits for its locks while their holder waits for a turn.
    pub async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Steps) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        match self.writing.is_open() {
            true => compute::at_once(&self.budget, work).await,
            false => compute::run(&self.budget, self.account(), work).await,
        }
    }

    /// The moment at which a day ends in the deployment's time zone.
    #[must_use]
    pub fn end_of(&self, day: NaiveDate) -> DateTime<Utc> {
        self.clock.end_of(day)
    }

    /// The moment at which yesterday began, in the deployment's time zone.
    #[must_use]
    pub fn beginning_of_yesterday(&self) -> DateTime<Utc> {
        let yesterday = self.today.pred_opt().unwrap_or(self.today);
        self.end_of(yesterday) - Duration::days(1)
    }

    /// The day of a moment in the deployment's time zone.
    #[must_use]
    pub fn day_of(&self, at: DateTime<Utc>) -> NaiveDate {
        self.clock.day(at)
    }

    /// The account that calls; none for the operator.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        match &*self.standing {
            Standing::Account(standing) => Some(standing.account),
            Standing::Operator => None,
        }
    }

    /// The caller, as the audit log names who acts.
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

    /// The departments that the caller leads, those below included.
    #[must_use]
    pub fn led(&self) -> BTreeSet<DepartmentId> {
        match &*self.standing {
            Standing::Account(standing) => standing
                .departments
                .get(&DepartmentRole::Lead)
                .cloned()
                .unwrap_or_default(),
            Standing::Operator => BTreeSet::new(),
        }
    }

    /// The departments that the caller was made lead of, those below left out.
    #[must_use]
    pub fn leads(&self) -> BTreeSet<DepartmentId> {
        match &*self.standing {
            Standing::Account(standing) => standing.leads.clone(),
            Standing::Operator => BTreeSet::new(),
        }
    }

    /// Whether the caller acts for the organisation's journeys as a whole.
    #[must_use]
    pub fn is_cx_manager(&self) -> bool {
        match &*self.standing {
            Standing::Account(standing) => standing.role == OrganisationRole::CxManager,
            Standing::Operator => true,
        }
    }

    /// How far the caller may go with an action.
    #[must_use]
    pub fn reach(&self, action: Action) -> Reach {
        policy::reach(&self.standing, action)
    }

    /// Whether the caller may do this to a thing with these ties.
    #[must_use]
    pub fn may(&self, action: Action, ties: &Ties) -> bool {
        policy::allows(&self.standing, action, ties)
    }

    /// Refuses where there is nothing at all that the caller could do this to: for roots that need a right
    /// in the organisation.
    pub fn require_somewhere(&self, action: Action) -> Result<Reach> {
        let reach = self.reach(action);
        if reach.is_nothing() {
            Err(Error::forbidden(action))
        } else {
            Ok(reach)
        }
    }

    /// The rows that the caller may see, archived ones included.
    #[must_use]
    pub fn select<E: Guarded>(&self) -> Select<E> {
        E::find().filter(E::readable(self.reader_in_sql()))
    }

    /// What the caller may see of a table, to be used inside a larger statement.
    #[must_use]
    pub fn readable<E: Guarded>(&self) -> Condition {
        E::readable(self.reader_in_sql())
    }

    /// The caller, as conditions on tables ask who reads.
    #[must_use]
    pub fn reader_in_sql(&self) -> Reader<'_> {
        Reader::Standing(&self.standing)
    }

    /// The deployment's time zone.
    #[must_use]
    pub fn zone(&self) -> Tz {
        self.clock.zone()
    }

    /// One row by its id, if the caller may see it.
    pub async fn get<E: Guarded>(&self, id: E::Id) -> Result<Option<E::Model>> {
        Ok(self
            .select::<E>()
            .filter(E::id_column().eq(id))
            .one(self.reader())
            .await?)
    }

    /// The row that is meant, as a condition.
    pub fn which<E: Keyed>(&self, by: &By) -> Result<SimpleExpr> {
        Ok(match by {
            By::Id(id) => E::id_column().eq(input::id::<E::Id>("by.id", id)?),
            By::Key(key) => E::has_key(key),
        })
    }

    /// One row by its id or key, if the caller may see it.
    pub async fn by<E: Keyed>(&self, by: &By) -> Result<Option<E::Model>> {
        Ok(self
            .select::<E>()
            .filter(self.which::<E>(by)?)
            .one(self.reader())
            .await?)
    }

    /// One row inside a blueprint by its id or keys, if the caller may see it.
    pub async fn by_inside<E: Keyed>(&self, by: &ByInside) -> Result<Option<E::Model>> {
        let select = self.select::<E>();
        let select = match by {
            ByInside::Id(id) => select.filter(E::id_column().eq(input::id::<E::Id>("by.id", id)?)),
            ByInside::Key(KeyInside { blueprint, key }) => {
                let inside = blueprint::Entity::find()
                    .select_only()
                    .column(blueprint::Column::Id)
                    .filter(blueprint::Entity::has_key(blueprint));
                let scope = E::key_scope().map(|scope| scope.in_subquery(inside.into_query()));
                select
                    .filter(E::has_key(key))
                    .filter(Condition::all().add_option(scope))
            }
        };
        Ok(select.one(self.reader()).await?)
    }

    /// A connection that can only read. Everything read by it starts from [`Caller::select`] or [`Caller::readable`].
    #[must_use]
    pub fn reader(&self) -> &Pool {
        self.store.reader()
    }

    /// One moment of the truth, for what takes several statements.
    pub async fn snapshot(&self) -> Result<Transaction> {
        Ok(self.store.snapshot().await?)
    }

    /// Begins to write what stays although the act is refused: failed tries of a
    /// password, and nothing else; and what is no act of anybody, since when findings are open.
    pub(crate) async fn begin_bookkeeping(&self) -> Result<Transaction> {
        Ok(self.store.begin().await?)
    }

    /// Returns when what the caller found done by others is on the disk, where it may rest on that: before anything is
    /// answered to who asked for it to be done.
    ///
    /// # Errors
    /// Whether it will stay is not known.
    pub async fn settle(&self) -> Result<()> {
        if self.writing.rests_on_others() {
            self.store.settle().await?;
            self.writing.settled();
        }
        Ok(())
    }

    /// Whether anything was sent to be kept: from then on, who gives up does not know whether it was done.
    #[must_use]
    pub fn has_sent(&self) -> bool {
        self.writing.has_sent()
    }

    /// Notes a refusal in the audit log, after the refused act has been rolled back.
    pub async fn note_refusal(&self, forbidden: &Forbidden) -> Result<()> {
        audit::refusal(self.actor(), &self.store, forbidden).await?;
        self.writing.settled();
        Ok(())
    }
}
