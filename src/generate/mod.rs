//! Makes a large organisation for benches: the same for the same options, and all of it or nothing. Not for what
//! anybody should read as true: the texts are picked by dice.

mod dice;
mod journey;
mod organisation;
mod progress;
mod texts;
mod values;

pub use self::organisation::accounts;

use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use entity::{
    account, channel, department,
    id::{ChannelId, DepartmentId, PersonaId, SegmentId},
    kpi, persona, segment,
    words::Subject,
};
use sea_orm::{EntityTrait, IntoActiveModel, Iterable, PaginatorTrait};

use self::{
    dice::{Dice, Ids},
    organisation::Measure,
    progress::Progress,
};
use crate::{
    access::{Caller, Permit},
    audit::Event,
    config::Size,
    database::Transaction,
    error::{Error, Result},
};

/// Rows a statement inserts at the most, so that no database runs out of parameters.
const ROWS: usize = 500;

/// Why nothing was made.
#[derive(Debug)]
pub enum GenerateError {
    /// The options contradict one another; a sentence says which.
    Options(String),
    /// The database holds something already.
    NotEmpty,
    /// The database failed.
    Failed(Error),
}

impl std::fmt::Display for GenerateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Options(sentence) => f.write_str(sentence),
            Self::NotEmpty => f.write_str(
                "The database holds something already; an organisation is generated into an empty one only.",
            ),
            Self::Failed(error) => write!(f, "Nothing was generated, and nothing was written: {error}"),
        }
    }
}

impl std::error::Error for GenerateError {}

impl<E: Into<Error>> From<E> for GenerateError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// What was made.
#[derive(Debug)]
pub struct Made {
    /// Rows of all tables.
    pub rows: usize,
    /// How long it took.
    pub took: Duration,
}

/// Makes an organisation of this size in an empty database, in one transaction: whoever is interrupted leaves nothing
/// behind. Its people get the password whose hash is given.
pub async fn generate(
    caller: &Caller,
    size: &Size,
    password_hash: &str,
) -> Result<Made, GenerateError> {
    check(size).map_err(GenerateError::Options)?;
    let mut permit = caller.begin().await?;
    if holds_something(permit.tx()).await? {
        return Err(GenerateError::NotEmpty);
    }
    permit.tx().takes_long().await?;
    permit.on_postgresql(CHECK_AT_ONCE).await?;
    let mut maker = Maker::new(&permit, size);
    maker.everything(password_hash).await?;
    let (rows, took) = maker.progress.finish();
    permit.note(Event::import(serde_json::json!({
        "departments": size.departments,
        "blueprints": size.blueprints,
        "kpis": size.kpis,
        "rows": rows,
    })));
    permit.commit().await?;
    Ok(Made { rows, took })
}

/// Two million checks that were put off to the commit would outlast any patience; they are cheap one by one.
const CHECK_AT_ONCE: &str = "SET CONSTRAINTS ALL IMMEDIATE";

fn check(size: &Size) -> Result<(), String> {
    if size.responsibilities > size.departments {
        return Err(format!(
            "{} responsibilities at a touchpoint need as many departments; there would be {}. Raise --departments.",
            size.responsibilities, size.departments
        ));
    }
    if size.links > size.kpis {
        return Err(format!(
            "{} KPI links at a touchpoint need as many KPIs; there would be {}. Raise --kpis.",
            size.links, size.kpis
        ));
    }
    Ok(())
}

async fn holds_something(tx: &Transaction) -> Result<bool> {
    Ok(account::Entity::find().count(tx).await? > 0
        || department::Entity::find().count(tx).await? > 0
        || channel::Entity::find().count(tx).await? > 0
        || segment::Entity::find().count(tx).await? > 0
        || persona::Entity::find().count(tx).await? > 0
        || kpi::Entity::find().count(tx).await? > 0)
}

/// Makes row after row, and remembers what later rows refer to.
struct Maker<'p> {
    permit: &'p Permit<'p>,
    size: &'p Size,
    ids: Ids,
    /// The moment that every row carries: the last day at noon.
    made_at: DateTime<Utc>,
    progress: Progress,
    departments: Vec<DepartmentId>,
    channels: Vec<ChannelId>,
    segments: Vec<SegmentId>,
    personas: Vec<(PersonaId, Subject)>,
    measures: Vec<Measure>,
}

impl<'p> Maker<'p> {
    fn new(permit: &'p Permit<'p>, size: &'p Size) -> Self {
        let noon = NaiveTime::from_hms_opt(12, 0, 0).unwrap_or_default();
        let made_at = size.until.and_time(noon).and_utc();
        Self {
            permit,
            size,
            ids: Ids::new(
                size.seed,
                u64::try_from(made_at.timestamp_millis()).unwrap_or_default(),
            ),
            made_at,
            progress: Progress::new(about(size)),
            departments: Vec::new(),
            channels: Vec::new(),
            segments: Vec::new(),
            personas: Vec::new(),
            measures: Vec::new(),
        }
    }

    async fn everything(&mut self, password_hash: &str) -> Result<()> {
        self.progress.stage("organisation");
        self.departments().await?;
        self.accounts(password_hash).await?;
        self.channels().await?;
        self.segments().await?;
        self.personas().await?;
        self.kpis().await?;
        self.progress.stage("blueprints");
        for number in 0..self.size.blueprints as usize {
            self.journey(number).await?;
        }
        self.progress.stage("measurements");
        self.values().await
    }

    fn tx(&self) -> &'p Transaction {
        self.permit.tx()
    }

    /// Chance for one purpose: what is made for one does not shift what is made for another.
    fn dice(&self, purpose: u64) -> Dice {
        Dice::new(self.size.seed, purpose)
    }

    fn first_day(&self) -> NaiveDate {
        self.size.until - Days::new(u64::from(self.size.days) - 1)
    }

    fn transitions_a_journey(&self) -> usize {
        self.size.touchpoints as usize * 5 / 2
    }

    async fn insert<E>(&mut self, rows: Vec<E::Model>) -> Result<()>
    where
        E: EntityTrait,
        E::Model: IntoActiveModel<E::ActiveModel>,
        E::ActiveModel: Send,
    {
        debug_assert!(
            ROWS * E::Column::iter().count() < 32_766,
            "SQLite takes no more parameters than that"
        );
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let chunk: Vec<E::Model> = rows.by_ref().take(ROWS).collect();
            let count = chunk.len();
            let insert = E::insert_many(chunk.into_iter().map(IntoActiveModel::into_active_model));
            insert.exec_without_returning(self.tx()).await?;
            self.progress.add(count);
        }
        Ok(())
    }
}

/// About how many rows there will be.
fn about(size: &Size) -> usize {
    let a_touchpoint = 5 + size.responsibilities as usize + size.links as usize * 22 / 10;
    size.blueprints as usize * (7 + size.touchpoints as usize * a_touchpoint)
        + size.kpis as usize * (5 + size.days as usize)
}
