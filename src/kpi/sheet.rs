//! Measurements by the sheet: as many rows as there are, in memory that is bounded. The sheet is read twice: once to
//! find every fault, and then to write. What can be right, and what recording means, is what it is for the batch.
//!
//! On PostgreSQL a sheet is one act: all of its rows are recorded, or none. SQLite has one writer, so there a long
//! sheet goes in as several acts of about a second each, between which others write and sign in.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    io::Read,
    sync::Arc,
    time::{Duration, Instant},
};

use entity::{id::KpiId, kpi, measurement};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, ExprTrait, Query},
};
use tokio::{
    sync::mpsc,
    task::{JoinHandle, spawn_blocking},
    time::sleep,
};

use self::read::MeasurementColumns;
use super::{
    measurement::{
        AT_ONCE, MeasurementBatchResult, MeasurementContent, MeasurementKey,
        MeasurementUpsertContext, MeasurementsRecorded, upsert_batch,
    },
    record::{audit_recorded_measurements, lock_kpis},
    rules::KpiMeasure,
};
use crate::{
    access::{Caller, Permit},
    error::{Error, Result, UserErrorCode},
    input::Faults,
    intake::DuplicateFinder,
    judgement::find_kpis_with_hidden_values,
    sheet::{SheetReader, SpooledSheet},
};

mod read;

pub use self::read::{BOUNDS, SheetReferences};

/// What became of a sheet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MeasurementsImported {
    /// Its rows.
    pub rows: usize,
    /// What became of them.
    pub done: MeasurementsRecorded,
    /// In how many acts they were recorded.
    pub acts: u32,
}

/// A sheet that was read, and the KPIs that it names as they were then.
pub struct CheckedSheetSummary {
    rows: usize,
    kpis: HashMap<KpiId, kpi::Model>,
}

/// How long an act of SQLite may keep others from writing, before the next one begins.
const ACT: Duration = Duration::from_secs(1);
/// How long it lets others write then: another process looks now and then whether it may.
const PAUSE: Duration = Duration::from_millis(100);

/// Records what a sheet says, or tells what would become of it.
///
/// # Errors
/// What is wrong with the sheet is found before anything is written. What stops it later, on SQLite, says how many of
/// its rows are recorded by then.
pub async fn import(
    caller: &Caller,
    sheet: SpooledSheet,
    dry_run: bool,
) -> Result<MeasurementsImported> {
    let (sheet, known) = (
        Arc::new(sheet),
        Arc::new(SheetReferences::load(caller).await?),
    );
    let (checked, faults) = {
        let (sheet, known) = (Arc::clone(&sheet), Arc::clone(&known));
        run_blocking(move || check_sheet(sheet.read(BOUNDS)?, &known)).await?
    };
    let mut writing = MeasurementSheetRecorder {
        caller,
        kpis: checked.kpis,
        checked: Some(SheetWithFaults {
            sheet,
            known,
            faults,
        }),
        batches: SheetBatchReader::default(),
        dry_run,
    };
    let mut imported = MeasurementsImported {
        rows: checked.rows,
        ..MeasurementsImported::default()
    };
    let ended = writing.record_all(&mut imported).await;
    ended.map_err(|error| imported.wrap_error_with_progress(error, dry_run))?;
    Ok(imported)
}

impl MeasurementsImported {
    /// A failure, after what is done already.
    fn wrap_error_with_progress(&self, error: Error, dry_run: bool) -> Error {
        match self.done.row_count() {
            0 => error,
            _ if dry_run => error,
            rows => Error::Stopped {
                rows,
                cause: Box::new(error),
            },
        }
    }
}

/// A checked sheet, with the faults that were found.
struct SheetWithFaults {
    sheet: Arc<SpooledSheet>,
    known: Arc<SheetReferences>,
    faults: Faults,
}

/// Records a checked sheet, act by act.
struct MeasurementSheetRecorder<'c> {
    caller: &'c Caller,
    /// Its KPIs, as they were when it was read.
    kpis: HashMap<KpiId, kpi::Model>,
    /// The checked sheet, until the first act holds the KPIs' locks: only who may record is told its faults.
    checked: Option<SheetWithFaults>,
    batches: SheetBatchReader,
    dry_run: bool,
}

impl MeasurementSheetRecorder<'_> {
    /// Puts all values in force, and says after each act what is done: whatever fails, it failed after that.
    async fn record_all(&mut self, imported: &mut MeasurementsImported) -> Result<()> {
        loop {
            imported.done.add(self.record_next_transaction().await?);
            imported.acts += 1;
            if self.batches.is_at_end().await? {
                return Ok(());
            }
            sleep(PAUSE).await;
        }
    }

    /// Puts values in force: all that are left on PostgreSQL, and on SQLite those of about a second.
    async fn record_next_transaction(&mut self) -> Result<MeasurementsRecorded> {
        let mut permit = self.caller.open_permit_without_check().await?;
        let begun = Instant::now();
        let in_one_act = permit.is_on_postgresql();
        let kpis = lock_kpis(&mut permit, self.kpis.keys().copied().collect()).await?;
        if let Some(checked) = self.checked.take() {
            // After `lock_kpis`: who may not record is told that, and nothing of what is wrong with the sheet.
            checked.faults.check()?;
            self.batches = SheetBatchReader::start_reading(checked.sheet, checked.known);
        }
        // In every act: between two acts of SQLite others may write.
        refuse_changed_kpis(&self.kpis, &kpis)?;
        let mut state = MeasurementUpsertContext {
            dry_run: self.dry_run,
            // Asked under the locks: nobody else can give them values until the commit.
            fresh: find_kpis_without_values(&permit, kpis.keys().copied().collect()).await?,
            hidden: find_kpis_with_hidden_values(permit.caller, permit.tx(), kpis.values()).await?,
            ..MeasurementUpsertContext::default()
        };
        let mut put = MeasurementBatchResult::default();
        while let Some(values) = self.batches.next_batch().await? {
            put.add(upsert_batch(&permit, values, &mut state).await?);
            if state.changed_periods.len() >= SUMS_AT_ONCE {
                state.refresh_period_sums(&permit).await?;
            }
            if !in_one_act && begun.elapsed() > ACT {
                break;
            }
        }
        if !self.dry_run {
            // The checks of millions of corrections come with the commit.
            permit.tx().extend_timeouts().await?;
            state.refresh_period_sums(&permit).await?;
            audit_recorded_measurements(&mut permit, &kpis, &put);
            if put.done.recorded + put.done.corrected >= ANALYZE_FROM_ROWS {
                permit.execute_if_postgresql(ANALYZE_MEASUREMENTS).await?;
            }
            permit.commit().await?;
        }
        tracing::debug!(
            rows = put.done.row_count(),
            "measurements of a sheet put in force"
        );
        Ok(put.done)
    }
}

/// How many sums of periods wait to be brought up to date: the memory that a sheet takes does not grow with its rows.
const SUMS_AT_ONCE: usize = 4_000;

async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    spawn_blocking(work).await.map_err(Error::internal)?
}

/// Reads a sheet for the first time, and finds what is wrong with it.
pub fn check_sheet<R: Read>(
    mut reader: SheetReader<R>,
    known: &SheetReferences,
) -> Result<(CheckedSheetSummary, Faults)> {
    let mut faults = Faults::default();
    let columns = MeasurementColumns::from_header(&reader, &mut faults);
    let (mut rows, mut once, mut named) = (0, DuplicateFinder::default(), BTreeSet::new());
    // Under headings that are wrong everything would be.
    if faults.is_empty() {
        for row in &mut reader {
            let row = match row {
                Ok(row) => row,
                Err(error) => {
                    faults.add_under_path("", error.into_user_errors()?);
                    continue;
                }
            };
            rows += 1;
            let read = columns.read_row(&row, known, &mut faults);
            named.extend(read.kpi);
            if let Some((key, _)) = read.entry {
                once.add_occurrence(&key, u32::try_from(row.place.line).unwrap_or(u32::MAX));
            }
        }
    }
    for (line, first) in once.into_duplicates() {
        let message =
            format!("Line {line}: This is the same KPI, day and place as on line {first}.");
        faults.add(&line.to_string(), UserErrorCode::Duplicate, None, message);
    }
    let kpis = named.into_iter().filter_map(|id| known.kpi(id).cloned());
    let kpis = kpis.map(|kpi| (kpi.id, kpi)).collect();
    Ok((CheckedSheetSummary { rows, kpis }, faults))
}

/// Refuses where a KPI is no longer what the figures were held to.
fn refuse_changed_kpis(
    read: &HashMap<KpiId, kpi::Model>,
    now: &HashMap<KpiId, kpi::Model>,
) -> Result<()> {
    let what = |kpi: &kpi::Model| {
        let closed = (kpi.archived_at.is_some(), kpi.fed_from.is_some());
        (KpiMeasure::from(kpi), closed)
    };
    let changed = read
        .values()
        .find(|kpi| now.get(&kpi.id).map(what) != Some(what(kpi)));
    match changed {
        None => Ok(()),
        Some(kpi) => {
            let message = format!(
                "The KPI {} has changed while the sheet was read. Send the sheet again.",
                kpi.key
            );
            Err(Error::fault("", UserErrorCode::Conflict, None, message))
        }
    }
}

/// From this number of new rows on the planner's statistics of the table are out of date.
const ANALYZE_FROM_ROWS: i32 = 10_000;

/// Has PostgreSQL renew the statistics of a table that has grown by a lot. It would by itself, a minute later: until
/// then it may go through all values to find a thousand, for whoever sends the same sheet again. Where somebody is at
/// it already, or the table is another's, it is left alone.
const ANALYZE_MEASUREMENTS: &str = "ANALYZE (SKIP_LOCKED) measurement";

/// Those of the KPIs that have no values at all.
async fn find_kpis_without_values(permit: &Permit<'_>, ids: Vec<KpiId>) -> Result<HashSet<KpiId>> {
    let any = Query::select()
        .expr(Expr::val(1))
        .from(measurement::Entity)
        .and_where(
            Expr::col((measurement::Entity, measurement::Column::KpiId))
                .equals((kpi::Entity, kpi::Column::Id)),
        )
        .to_owned();
    let ids: Vec<KpiId> = kpi::Entity::find()
        .select_only()
        .column(kpi::Column::Id)
        .filter(kpi::Column::Id.is_in(ids))
        .filter(Expr::exists(any).not())
        .into_tuple()
        .all(permit.tx())
        .await?;
    Ok(ids.into_iter().collect())
}

type Batch = Vec<(MeasurementKey, MeasurementContent)>;

/// The values of a sheet, which is read again beside the database's work.
#[derive(Default)]
struct SheetBatchReader {
    read: Option<mpsc::Receiver<Batch>>,
    reading: Option<JoinHandle<Result<()>>>,
    next: Option<Batch>,
}

impl SheetBatchReader {
    fn start_reading(sheet: Arc<SpooledSheet>, known: Arc<SheetReferences>) -> Self {
        let (sender, read) = mpsc::channel(2);
        let reading = spawn_blocking(move || send_batches(&sheet, &known, &sender));
        Self {
            read: Some(read),
            reading: Some(reading),
            next: None,
        }
    }

    /// The next one; nothing when all have been read.
    async fn next_batch(&mut self) -> Result<Option<Batch>> {
        if let Some(batch) = self.next.take() {
            return Ok(Some(batch));
        }
        let batch = match &mut self.read {
            Some(read) => read.recv().await,
            None => None,
        };
        if batch.is_none()
            && let Some(reading) = self.reading.take()
        {
            reading.await.map_err(Error::internal)??;
        }
        Ok(batch)
    }

    /// Whether all have been read.
    async fn is_at_end(&mut self) -> Result<bool> {
        self.next = self.next_batch().await?;
        Ok(self.next.is_none())
    }
}

/// Reads the sheet for the second time, and gives its values on by the batch; ends early where nobody takes them.
fn send_batches(
    sheet: &SpooledSheet,
    known: &SheetReferences,
    taken: &mpsc::Sender<Batch>,
) -> Result<()> {
    let mut faults = Faults::default();
    let mut reader = sheet.read(BOUNDS)?;
    let columns = MeasurementColumns::from_header(&reader, &mut faults);
    let mut batch = Batch::with_capacity(AT_ONCE);
    for row in &mut reader {
        batch.extend(columns.read_row(&row?, known, &mut faults).entry);
        if batch.len() == AT_ONCE {
            let full = std::mem::replace(&mut batch, Batch::with_capacity(AT_ONCE));
            if taken.blocking_send(full).is_err() {
                return Ok(());
            }
        }
    }
    if !batch.is_empty() {
        taken.blocking_send(batch).ok();
    }
    // There were none when it was read before.
    faults.check()
}
