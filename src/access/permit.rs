//! The permit: the one way to write. A transaction of one caller, in which every row was fetched under its lock, every
//! change was decided by the policy and leaves an audit event.

mod edits;
mod locks;
mod several;
mod writes;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicBool, Ordering},
};

use entity::{
    finding_mark,
    id::{BlueprintId, DepartmentId, Id},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbBackend,
    EntityTrait, IntoActiveModel, Iterable, PaginatorTrait, QueryFilter, QuerySelect, TryIntoModel,
    sea_query::LockType,
};

use self::edits::Edits;
use super::{
    caller::Caller,
    guarded::{Archivable, FindingDependency, Guarded, HasKeyColumn, LockTarget},
    weight,
    writing::OpenPermitGuard,
};
use crate::{
    audit::{self, AuditedChange},
    database::Transaction,
    error::{Error, Reason, Result, UserErrorCode},
    id, index,
    policy::{Action, Relation, RowTies},
    text::make_key_from_name,
};

/// An open transaction of a caller. Dropped without [`Permit::commit`], nothing of it happened.
pub struct Permit<'c> {
    /// The caller that it was opened for.
    pub caller: &'c Caller,
    tx: Transaction,
    /// The blueprints whose lock is taken, and whether each is archived.
    locked: BTreeMap<BlueprintId, bool>,
    /// Departments whose leads may read the act's audit events: those that the fetched rows are tied to.
    audited_for: BTreeSet<DepartmentId>,
    events: Vec<AuditedChange>,
    /// The rows of which a list changed, until their update raises their version.
    lists_changed_of: BTreeSet<uuid::Uuid>,
    /// What was done to rows that people edit.
    edits: Edits,
    /// Number of writing statements that only took a lock. Where no other wrote, the permit may end without an event.
    locking: u64,
    /// Changed rows outside a blueprint whose findings are to be looked at anew.
    finding_dependencies: BTreeSet<FindingDependency>,
    /// Fields whose content is replaced in the audit events by "withheld".
    redacted: &'static [&'static str],
    /// Whether a long text or many rows were written: only then the size of the blueprint is summed up at the commit.
    /// Atomic, as `insert_all_unaudited` takes `&self`.
    weighty: AtomicBool,
    /// Whether personal data was erased, of which the write-ahead log may keep nothing either.
    erases: bool,
    /// Marks the caller as writing until it is dropped: see [`Caller::run_on_compute_pool`].
    _open: OpenPermitGuard,
}

impl Caller {
    /// Opens a permit to change a row: takes its lock, reads it and asks the policy. `field` is the input field that
    /// names the row, for the errors.
    ///
    /// # Errors
    /// NOT_FOUND where it is not there or the caller may not see it, FORBIDDEN where the caller may not do the action.
    pub async fn fetch_locked<E: Guarded>(
        &self,
        action: Action,
        field: &str,
        id: E::Id,
    ) -> Result<(E::Model, Permit<'_>)> {
        let mut permit = self.open_permit_without_check().await?;
        let row = permit.fetch_locked::<E>(action, field, id).await?;
        Ok((row, permit))
    }

    /// Opens a permit to make a thing that is not there yet and will have these ties.
    ///
    /// # Errors
    /// FORBIDDEN where the caller may not do the action to a thing with these ties.
    pub async fn open_permit(&self, action: Action, ties: &RowTies) -> Result<Permit<'_>> {
        let permit = self.open_permit_without_check().await?;
        permit.require(action, ties, None)?;
        Ok(permit)
    }

    /// Opens a permit without a decision: for acts on several rows, each of which [`Permit::fetch_locked`] or
    /// [`Permit::require`] decides.
    pub async fn open_permit_without_check(&self) -> Result<Permit<'_>> {
        Ok(Permit::new(self, self.store.begin().await?))
    }
}

impl<'c> Permit<'c> {
    fn new(caller: &'c Caller, tx: Transaction) -> Self {
        Self {
            _open: caller.writing.register_open_permit(),
            caller,
            tx,
            locked: BTreeMap::new(),
            audited_for: BTreeSet::new(),
            events: Vec::new(),
            locking: 0,
            lists_changed_of: BTreeSet::new(),
            edits: Edits::default(),
            finding_dependencies: BTreeSet::new(),
            redacted: &[],
            weighty: AtomicBool::new(false),
            erases: false,
        }
    }

    /// The transaction, for reading and writing what belongs to the rows fetched.
    #[must_use]
    pub fn tx(&self) -> &Transaction {
        &self.tx
    }

    /// Takes the lock of a row, reads it and asks the policy.
    ///
    /// # Errors
    /// NOT_FOUND, FORBIDDEN, as [`Caller::fetch_locked`].
    pub async fn fetch_locked<E: Guarded>(
        &mut self,
        action: Action,
        field: &str,
        id: E::Id,
    ) -> Result<E::Model> {
        let row = self.lock_and_read_row::<E>(field, id).await?;
        let ties = E::load_ties(&self.tx, &row).await?;
        self.require_permission_on_row::<E>(action, &ties, &row)?;
        Ok(row)
    }

    /// Fetches a row to change it.
    ///
    /// # Errors
    /// Those of [`Permit::fetch_locked`]; ARCHIVED where it or its blueprint is; CONFLICT where its version is not the
    /// `expected`.
    pub async fn fetch_at_version<E: Archivable>(
        &mut self,
        action: Action,
        field: &str,
        id: E::Id,
        expected: i32,
    ) -> Result<E::Model> {
        let row = self.fetch_locked::<E>(action, field, id).await?;
        require_unarchived::<E>(field, &row)?;
        if let Some(blueprint) = E::blueprint_id(&row) {
            self.require_unarchived_blueprint(blueprint)?;
        }
        expect_version::<E>(&row, expected)?;
        Ok(row)
    }

    /// Takes the lock of a row and reads it. The decision is the caller's to ask for, by
    /// [`Permit::require_permission_on_row`]: for rows whose ties the use-case knows better than the table.
    ///
    /// # Errors
    /// NOT_FOUND where it is not there or the caller may not see it.
    pub async fn lock_and_read_row<E: Guarded>(
        &mut self,
        field: &str,
        id: E::Id,
    ) -> Result<E::Model> {
        if E::LOCK == LockTarget::Blueprint
            && let Some(blueprint) = E::blueprint_id_sql(id)
        {
            // Before the row is read, and not by a lock on the row: a reader under READ COMMITTED would otherwise have
            // decided on what the holder of the lock has changed meanwhile.
            self.lock_by_raising_revision(blueprint).await?;
        }
        let mut select = self.caller.select::<E>().filter(E::id_column().eq(id));
        if E::LOCK == LockTarget::Row {
            select = select.lock(LockType::NoKeyUpdate);
        }
        select
            .one(&self.tx)
            .await?
            .ok_or_else(|| Error::not_found(field, E::NOUN))
    }

    /// Asks the policy about a row that [`Permit::lock_and_read_row`] read, with the ties that the use-case knows. The
    /// leads of these departments may then read the act's audit events.
    ///
    /// # Errors
    /// FORBIDDEN where the caller may not do the action.
    pub fn require_permission_on_row<E: Guarded>(
        &mut self,
        action: Action,
        ties: &RowTies,
        row: &E::Model,
    ) -> Result<()> {
        self.audited_for.extend(
            ties.departments
                .iter()
                .filter(|(relation, _)| {
                    // These name who could answer by the rules of the handshake, and not whom the row is about.
                    !matches!(
                        relation,
                        Relation::MayAccept | Relation::MayDecline | Relation::MayEnd
                    )
                })
                .flat_map(|(_, departments)| departments),
        );
        self.require(action, ties, Some((E::TYPE, E::row_id(row))))
    }

    /// The same without showing the act's audit events to the leads of these departments: for acts whose event alone
    /// tells whom they are about.
    pub fn require_permission_hiding_audit<E: Guarded>(
        &self,
        action: Action,
        ties: &RowTies,
        row: &E::Model,
    ) -> Result<()> {
        self.require(action, ties, Some((E::TYPE, E::row_id(row))))
    }

    /// Asks the policy about a thing with these ties; the audit log names a refused `subject` by its API type and id.
    ///
    /// # Errors
    /// FORBIDDEN where the caller may not do the action.
    pub fn require(
        &self,
        action: Action,
        ties: &RowTies,
        subject: Option<(&'static str, uuid::Uuid)>,
    ) -> Result<()> {
        if self.caller.may(action, ties) {
            Ok(())
        } else {
            Err(self.caller.forbidden_error(action, subject))
        }
    }

    /// Reads, without a lock, a row that the act refers to and does not change.
    ///
    /// # Errors
    /// NOT_FOUND where it is not there or the caller may not see it.
    pub async fn get<E: Guarded>(&self, field: &str, id: E::Id) -> Result<E::Model> {
        let select = self.caller.select::<E>().filter(E::id_column().eq(id));
        select
            .one(&self.tx)
            .await?
            .ok_or_else(|| Error::not_found(field, E::NOUN))
    }

    /// Reads, under a share lock, a row that the act refers to: nobody archives it before the act is committed.
    ///
    /// # Errors
    /// NOT_FOUND as [`Permit::get`], ARCHIVED where it is.
    pub async fn read_unarchived_row<E: Archivable>(
        &self,
        field: &str,
        id: E::Id,
    ) -> Result<E::Model> {
        let select = self.caller.select::<E>().filter(E::id_column().eq(id));
        let select = select.lock(LockType::Share);
        let row = select
            .one(&self.tx)
            .await?
            .ok_or_else(|| Error::not_found(field, E::NOUN))?;
        require_unarchived::<E>(field, &row)?;
        Ok(row)
    }

    /// Whether the database is PostgreSQL, where several may write at once.
    #[must_use]
    pub fn is_on_postgresql(&self) -> bool {
        self.tx.get_database_backend() == DbBackend::Postgres
    }

    /// Runs SQL inside the transaction on PostgreSQL, and does nothing on SQLite.
    pub async fn execute_if_postgresql(&self, sql: &str) -> Result<()> {
        if self.is_on_postgresql() {
            self.tx.execute_unprepared(sql).await?;
        }
        Ok(())
    }

    /// The row that an earlier try made with this client-made id, so that a retry makes nothing twice; none where the
    /// id is free or was not `given` by the client. `same` says whether a row is what this try would make.
    ///
    /// # Errors
    /// DUPLICATE where the id belongs to another row. Of a row that the caller may not see nothing else is said.
    pub async fn find_already_created<E: Guarded>(
        &self,
        given: Option<&async_graphql::ID>,
        id: E::Id,
        same: impl FnOnce(&E::Model) -> bool,
    ) -> Result<Option<E::Model>> {
        if given.is_none() {
            return Ok(None);
        }
        let Some(row) = E::find()
            .filter(E::id_column().eq(id))
            .one(&self.tx)
            .await?
        else {
            return Ok(None);
        };
        let own = self.caller.select::<E>().filter(E::id_column().eq(id));
        // Both are asked behind the same sentence: an answer that told the two apart would say that a hidden row
        // exists.
        if same(&row) && own.count(&self.tx).await? > 0 {
            return Ok(Some(row));
        }
        let taken = "This id belongs to something else already.";
        Err(Error::fault(
            "id",
            UserErrorCode::Duplicate,
            Some(Reason::IdTaken),
            taken,
        ))
    }

    /// Whether the caller's account made a row, according to the audit log.
    pub async fn is_created_by_caller<E: Guarded>(&self, row: &E::Model) -> Result<bool> {
        let Some(account) = self.caller.account() else {
            return Ok(false);
        };
        audit::was_created_by(&self.tx, (E::TYPE, E::row_id(row)), account).await
    }

    /// The key that was given, or one made from a name. A key that is taken gets the end of the `id` where it was made
    /// from a name.
    ///
    /// # Errors
    /// DUPLICATE where a given key is taken in the organisation, or `inside` the blueprint; archived rows keep theirs.
    pub async fn choose_unique_key<E: HasKeyColumn>(
        &self,
        given: Option<&str>,
        name: &str,
        id: E::Id,
        inside: Option<BlueprintId>,
    ) -> Result<String> {
        let key = given.map_or_else(|| make_key_from_name(name), str::to_owned);
        let mut taken = E::find().filter(E::key_condition(&key));
        if let (Some(scope), Some(blueprint)) = (E::key_scope_column(), inside) {
            taken = taken.filter(scope.eq(blueprint));
        }
        // Not filtered by what the caller may see: keys are unique among all rows. The unique index decides between
        // two who ask at once.
        if taken.count(&self.tx).await? == 0 {
            return Ok(key);
        }
        match given {
            Some(_) => Err(Error::fault(
                "key",
                UserErrorCode::Duplicate,
                Some(Reason::KeyTaken),
                "This key is taken; keys are never used twice, even after archiving.",
            )),
            // The end of an id is random: enough to tell two things of the same name apart.
            None => Ok(format!("{key}-{}", &id.uuid().simple().to_string()[24..])),
        }
    }

    /// Replaces all events noted so far by one, if there are any: an import is one act, not thousands.
    pub fn replace_events_by_one(&mut self, event: AuditedChange) {
        if !self.events.is_empty() {
            self.events = vec![event];
        }
    }

    /// Notes an audit event besides those of `insert`, `update` and `delete`. It is written at the commit.
    pub fn add_audit_event(&mut self, event: AuditedChange) {
        let has_long_text = weight::has_long_text(event.body_after());
        self.weighty.fetch_or(has_long_text, Ordering::Relaxed);
        self.events.push(event);
    }

    /// Keeps the content of these fields out of every event of the act: the log says that they changed, not from what
    /// to what.
    pub fn redact_in_events(&mut self, fields: &'static [&'static str]) {
        self.redacted = fields;
    }

    /// Marks the findings that depend on this row, which was changed by other ways than `insert`, `update` and
    /// `delete`.
    pub fn invalidate_findings(&mut self, input: FindingDependency) {
        self.finding_dependencies.insert(input);
    }

    /// Lets the leads of this department read the act's audit events.
    pub fn show_audit_to_leads_of(&mut self, department: DepartmentId) {
        self.audited_for.insert(department);
    }

    /// Has the write-ahead log emptied after the commit, so that what the act erases is left nowhere on the disk.
    pub fn empty_wal_on_commit(&mut self) {
        self.erases = true;
    }

    /// Commits every change with its audit events, and returns when they are durable. A commit that has begun is seen
    /// through although its client may go. Where nothing changed, it rolls back, so that no revision rises, and returns
    /// when what it read is durable.
    ///
    /// # Errors
    /// LIMIT_EXCEEDED where a blueprint would hold too much text. `Unknown` where the database failed while it
    /// committed. `Internal`, and nothing is kept, where something was written and no event noted: a fault of ours.
    pub async fn commit(self) -> Result<()> {
        if self.events.is_empty() {
            if self.tx.write_count() > self.locking {
                return Err(Error::internal("a permit wrote and noted no event"));
            }
            // Locks were taken by raising revisions, which must not rise for an act that changed nothing.
            self.tx.rollback().await?;
            return self.caller.await_durable().await;
        }
        if self.weighty.load(Ordering::Relaxed) {
            for blueprint in self.locked.keys() {
                Box::pin(weight::refuse_heavy_blueprint(&self.tx, *blueprint)).await?;
            }
        }
        let redacted_event = |event: AuditedChange| event.with_redacted(self.redacted);
        let events = self.events.into_iter().map(redacted_event).collect();
        // In the same transaction: what a search finds is never older than what was acknowledged.
        index::reindex_stale_rows(&self.tx).await?;
        store_finding_marks(&self.tx, &self.finding_dependencies).await?;
        self.edits.store(&self.tx, self.caller).await?;
        // Last, so that an event is seen by others a moment after it was made: see `audit::position`.
        audit::write_events(self.caller.actor(), &self.tx, events, &self.audited_for).await?;
        let (store, erases) = (self.caller.store.clone(), self.erases);
        // Before it is sent: a deadline from here on cannot say that nothing was done.
        self.caller.writing.note_commit_sent();
        let then = async move {
            store.notify_written();
            if erases {
                store.empty_wal().await;
            }
        };
        self.tx.commit_then(then).await?;
        self.caller.writing.mark_reads_durable();
        Ok(())
    }
}

/// Marks the inputs of findings that were changed; the background's work looks at their blueprints anew. Writers only
/// ever insert marks and never update one, so that no two of them wait for each other.
async fn store_finding_marks(
    tx: &Transaction,
    finding_dependencies: &BTreeSet<FindingDependency>,
) -> Result<()> {
    if finding_dependencies.is_empty() {
        return Ok(());
    }
    let marks = finding_dependencies.iter().map(|input| {
        let (mut kpi, mut persona, mut department, mut blueprint) = (None, None, None, None);
        match input {
            FindingDependency::Kpi(id) => kpi = Some(*id),
            FindingDependency::Persona(id) => persona = Some(*id),
            FindingDependency::Department(id) => department = Some(*id),
            FindingDependency::Blueprint(id) => blueprint = Some(*id),
        }
        finding_mark::ActiveModel {
            id: Set(id::new()),
            kpi_id: Set(kpi),
            persona_id: Set(persona),
            department_id: Set(department),
            blueprint_id: Set(blueprint),
        }
    });
    finding_mark::Entity::insert_many(marks)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// A row with every column marked as set, as an INSERT needs it.
pub fn with_all_columns_set<E: EntityTrait>(row: E::Model) -> E::ActiveModel
where
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    row.into_active_model().reset_all()
}

/// The row after a change, which is not written.
pub fn row_after_change<E: Guarded>(row: &E::Model, change: &E::ActiveModel) -> Result<E::Model>
where
    E::Model: Clone,
    E::ActiveModel: TryIntoModel<E::Model>,
{
    let mut after = row.clone().into_active_model();
    for column in E::Column::iter() {
        if let ActiveValue::Set(value) = change.get(column) {
            after.set(column, value);
        }
    }
    Ok(after.try_into_model()?)
}

fn stale_version_error(id: uuid::Uuid) -> Error {
    Error::conflict(
        "expectedVersion",
        Reason::VersionStale,
        "It has changed since you read it.",
    )
    .with_current(id)
}

/// Refuses a change that builds on another version than the row's.
///
/// # Errors
/// CONFLICT with VERSION_STALE.
pub fn expect_version<E: Guarded>(row: &E::Model, expected: i32) -> Result<()> {
    match E::version(row) {
        Some(version) => expect_count(
            ("expectedVersion", "version", "It has changed"),
            (version, expected),
            E::row_id(row),
        ),
        None => Ok(()),
    }
}

/// Refuses a change that builds on another revision of a blueprint than `revision`.
///
/// # Errors
/// CONFLICT with VERSION_STALE.
pub fn expect_revision(id: BlueprintId, revision: i32, expected: i32) -> Result<()> {
    expect_count(
        (
            "expectedRevision",
            "revision",
            "Something in it has changed",
        ),
        (revision, expected),
        id.0,
    )
}

fn expect_count(
    (field, noun, changed): (&str, &str, &str),
    (now, expected): (i32, i32),
    id: uuid::Uuid,
) -> Result<()> {
    let message = match expected.cmp(&now) {
        std::cmp::Ordering::Equal => return Ok(()),
        std::cmp::Ordering::Less => {
            format!("{changed} since you read it: it is at {noun} {now}, you expected {expected}.")
        }
        std::cmp::Ordering::Greater => {
            format!("It is at {noun} {now} only, you expected {expected}. Read it again.")
        }
    };
    let conflict = Error::conflict(field, Reason::VersionStale, message);
    Err(conflict.with_current(id))
}

/// Refuses to replace a row that the caller does not know of: where no version is expected, one that `is_same` already
/// is a retry, or somebody else's who wanted the same; `there_is` tells of another.
///
/// # Errors
/// CONFLICT.
pub fn expect_known_version<E: Guarded>(
    row: &E::Model,
    expected: Option<i32>,
    is_same: bool,
    there_is: &str,
) -> Result<()> {
    match expected {
        Some(expected) => expect_version::<E>(row, expected),
        None if is_same => Ok(()),
        None => {
            let message =
                format!("{there_is} Read it and send its `version` as `expectedVersion`.");
            let conflict = Error::conflict("expectedVersion", Reason::VersionStale, message);
            Err(conflict.with_current(E::row_id(row)))
        }
    }
}

/// Refuses where the row is archived.
///
/// # Errors
/// ARCHIVED.
pub fn require_unarchived<E: Archivable>(field: &str, row: &E::Model) -> Result<()> {
    match E::archived_at(row) {
        Some(_) => Err(Error::fault(
            field,
            UserErrorCode::Archived,
            None,
            format!("This {} is archived. Unarchive it first.", E::NOUN),
        )),
        None => Ok(()),
    }
}
