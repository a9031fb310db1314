//! Inserts row after row, and keeps what later rows refer to.

use std::time::Duration;

use chrono::{DateTime, NaiveTime, Utc};
use cx_blueprint::{access::Permit, database::Transaction, error::Result};
use entity::{
    id::{ChannelId, DepartmentId, PersonaId, SegmentId},
    words::Subject,
};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};

use super::{
    kpi::KpiProfile,
    progress::Progress,
    random::{IdSequence, Random},
    size::OrganisationSize,
};

/// What was written.
#[derive(Debug)]
pub(crate) struct GenerationSummary {
    /// Rows of all tables.
    pub(crate) rows: usize,
    /// How long it took, the commit not included.
    pub(crate) took: Duration,
}

/// One organisation in the making, in a transaction that is open.
pub(super) struct Generator<'p> {
    permit: &'p Permit<'p>,
    pub(super) size: &'p OrganisationSize,
    pub(super) ids: IdSequence,
    /// The moment that every row carries: the last day at noon, UTC.
    pub(super) made_at: DateTime<Utc>,
    pub(super) progress: Progress,
    pub(super) departments: Vec<DepartmentId>,
    pub(super) channels: Vec<ChannelId>,
    pub(super) segments: Vec<SegmentId>,
    pub(super) personas: Vec<(PersonaId, Subject)>,
    pub(super) kpis: Vec<KpiProfile>,
}

impl<'p> Generator<'p> {
    pub(super) fn new(permit: &'p Permit<'p>, size: &'p OrganisationSize) -> Self {
        let noon = NaiveTime::from_hms_opt(12, 0, 0).unwrap_or_default();
        let made_at = size.until.and_time(noon).and_utc();
        let millisecond = u64::try_from(made_at.timestamp_millis()).unwrap_or_default();
        Self {
            permit,
            size,
            ids: IdSequence::new(size.seed, millisecond),
            made_at,
            progress: Progress::new(size.estimated_rows()),
            departments: Vec::new(),
            channels: Vec::new(),
            segments: Vec::new(),
            personas: Vec::new(),
            kpis: Vec::new(),
        }
    }

    pub(super) fn tx(&self) -> &'p Transaction {
        self.permit.tx()
    }

    /// Notes for PostgreSQL how much there is: without it, it would read all of a table for each of many small questions
    /// about what this transaction has written.
    pub(super) async fn analyze(&self, table: &str) -> Result<()> {
        self.permit
            .execute_if_postgresql(&format!("ANALYZE {table}"))
            .await
    }

    /// The random stream of one purpose: what is drawn for one does not shift what is drawn for another.
    pub(super) fn random_stream(&self, purpose: u64) -> Random {
        Random::new(self.size.seed, purpose)
    }

    pub(super) async fn insert<E>(&mut self, rows: Vec<E::Model>) -> Result<()>
    where
        E: EntityTrait,
        E::Model: IntoActiveModel<E::ActiveModel>,
        E::ActiveModel: ActiveModelTrait<Entity = E> + Send,
    {
        let count = rows.len();
        let rows = rows.into_iter().map(IntoActiveModel::into_active_model);
        self.permit
            .insert_all_unaudited::<E>(rows.collect())
            .await?;
        self.progress.add_rows(count);
        Ok(())
    }
}
