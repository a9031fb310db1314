//! Who pays for statements: each is charged to the budget of the request that it is run for, before it runs, by the
//! rows that it gives, and on SQLite by the work that it does meanwhile. It runs nothing.

use std::sync::Arc;

use sea_orm::DbErr;

use crate::{
    compute::{Budget, LOADED, STATEMENT},
    error::database::{carry, code},
};

/// Steps of the budget for each look of SQLite at its signal: what passes between two of them takes about 50
/// microseconds.
const LOOK: u64 = 1_000;

/// SQLite was told to stop.
const INTERRUPTED: &str = "9";

/// The budget that pays; none for signing in, for what is written, and for what the server does by itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Charge(Option<Arc<Budget>>);

impl Charge {
    /// To this budget.
    pub(super) fn to(budget: &Arc<Budget>) -> Self {
        Self(Some(Arc::clone(budget)))
    }

    /// Pays for a statement that is to run.
    pub(super) fn statement(&self) -> Result<(), DbErr> {
        self.spend(STATEMENT)
    }

    /// Pays for rows that came.
    pub(super) fn rows(&self, rows: usize) -> Result<(), DbErr> {
        self.spend(LOADED.saturating_mul(rows as u64))
    }

    /// Pays for a stretch of SQLite's work; whether there is enough for it.
    pub(super) fn look(&self) -> bool {
        self.spend(LOOK).is_ok()
    }

    /// Why a statement failed: one that was stopped because the budget is spent says so.
    pub(super) fn explain(&self, error: DbErr) -> DbErr {
        match code(&error).as_deref() {
            Some(INTERRUPTED) => self.spend(0).err().unwrap_or(error),
            _ => error,
        }
    }

    fn spend(&self, steps: u64) -> Result<(), DbErr> {
        self.0
            .as_ref()
            .map_or(Ok(()), |budget| budget.spend(steps).map_err(carry))
    }
}
