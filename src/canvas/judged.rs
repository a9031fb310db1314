//! What judges KPIs on a day: the value that counts and the target of that value's day, where they are linked and
//! as a whole. Values that the caller may not see do not leave this room; what the two come to is not said here.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;
use entity::{
    id::{BlueprintId, KpiId, KpiLinkId},
    kpi, kpi_grant, kpi_link, kpi_target, measurement,
    read::{self, Cells, Read, Stored},
    words::Sensitivity,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter, QuerySelect,
    QueryTrait, Select, sea_query::SelectStatement,
};

use crate::{
    access::Caller,
    error::Result,
    policy::{Action, Relation, Ties},
    statement::Text,
};

/// What judges a KPI.
#[derive(Clone, Debug, Default)]
pub struct Judgement {
    /// Whether there is anything to judge: not where the link does not hold on the day, nor where the caller may not
    /// see the KPI's values. Then the rest is empty.
    pub told: bool,
    /// The measurement that counts.
    pub latest: Option<measurement::Model>,
    /// The target of its day; of the day asked about where nothing was measured. It has a value.
    pub target: Option<kpi_target::Model>,
}

/// A KPI link with what judges the KPI there.
#[derive(Clone, Debug)]
pub struct Judged {
    pub link: kpi_link::Model,
    pub judgement: Judgement,
}

/// The value that counts and the target of that value's day: at a touchpoint the latest measurement there, else
/// the latest of the KPI as a whole. Measurements of one channel or segment are parts, not the value. `$1` is
/// the day.
const JUDGE: &str = "
LEFT JOIN measurement latest ON latest.id = COALESCE(
    (SELECT id FROM measurement there
     WHERE there.kpi_id = judged.kpi_id AND there.touchpoint_id = judged.touchpoint_id AND there.channel_id IS NULL
     AND there.segment_id IS NULL AND there.superseded_by_id IS NULL AND there.measured_on <= $1
     ORDER BY there.measured_on DESC LIMIT 1),
    (SELECT id FROM measurement wide
     WHERE wide.kpi_id = judged.kpi_id AND wide.touchpoint_id IS NULL AND wide.channel_id IS NULL
     AND wide.segment_id IS NULL AND wide.superseded_by_id IS NULL AND wide.measured_on <= $1
     ORDER BY wide.measured_on DESC LIMIT 1))
LEFT JOIN kpi_target target ON target.id =
    (SELECT id FROM kpi_target of_day
     WHERE of_day.kpi_id = judged.kpi_id AND of_day.valid_from <= COALESCE(latest.measured_on, $1)
     ORDER BY of_day.valid_from DESC LIMIT 1)
WHERE ";

/// The same for PostgreSQL, which otherwise looks up by id again what it has found already.
const JUDGE_LATERAL: &str = "
LEFT JOIN LATERAL (
    (SELECT * FROM measurement there
     WHERE there.kpi_id = judged.kpi_id AND there.touchpoint_id = judged.touchpoint_id AND there.channel_id IS NULL
     AND there.segment_id IS NULL AND there.superseded_by_id IS NULL AND there.measured_on <= $1
     ORDER BY there.measured_on DESC LIMIT 1)
    UNION ALL
    (SELECT * FROM measurement wide
     WHERE wide.kpi_id = judged.kpi_id AND wide.touchpoint_id IS NULL AND wide.channel_id IS NULL
     AND wide.segment_id IS NULL AND wide.superseded_by_id IS NULL AND wide.measured_on <= $1
     ORDER BY wide.measured_on DESC LIMIT 1)
    LIMIT 1) latest ON true
LEFT JOIN LATERAL (SELECT * FROM kpi_target of_day
    WHERE of_day.kpi_id = judged.kpi_id AND of_day.valid_from <= COALESCE(latest.measured_on, $1)
    ORDER BY of_day.valid_from DESC LIMIT 1) target ON true
WHERE ";

/// KPIs as a whole, in the shape of links to nowhere.
const WHOLE: &str =
    "(SELECT id, id AS kpi_id, CAST(NULL AS uuid) AS touchpoint_id, created_at FROM kpi)";

/// Judges the rows of a table, and shows these columns of it before what judges them.
fn judging<C: ConnectionTrait>(db: &C, judged: &str, shown: &str, day: NaiveDate) -> Text {
    let backend = db.get_database_backend();
    let latest = columns::<measurement::Model>("latest");
    let target = columns::<kpi_target::Model>("target");
    let judge = match backend {
        DbBackend::Postgres => JUDGE_LATERAL,
        _ => JUDGE,
    };
    let select = format!("SELECT {shown}, {latest}, {target} FROM {judged} judged");
    Text::new(backend, &select).knowing(day).then(judge)
}

/// A table's columns.
fn columns<R: Stored>(table: &str) -> String {
    let columns = R::COLUMNS.iter().map(|column| format!("{table}.{column}"));
    columns.collect::<Vec<_>>().join(", ")
}

fn judging_links<C: ConnectionTrait>(db: &C, day: NaiveDate) -> Text {
    judging(db, "kpi_link", &columns::<kpi_link::Model>("judged"), day)
}

const IN_ORDER: &str = " ORDER BY judged.created_at, judged.id";

impl Read for Judgement {
    fn read(cells: &mut Cells<'_>) -> Result<Self, DbErr> {
        let latest = cells.joined()?;
        let target = cells.joined::<kpi_target::Model>()?;
        Ok(Self {
            told: true,
            latest,
            // An entry without a value says that there is no target from its day on.
            target: target.filter(|target| target.value.is_some()),
        })
    }
}

impl Read for Judged {
    fn read(cells: &mut Cells<'_>) -> Result<Self, DbErr> {
        Ok(Self {
            link: Read::read(cells)?,
            judgement: Read::read(cells)?,
        })
    }
}

/// Whether a link holds on a day.
#[must_use]
pub fn holds(link: &kpi_link::Model, day: NaiveDate) -> bool {
    link.valid_from.is_none_or(|from| from <= day) && link.valid_to.is_none_or(|to| to > day)
}

/// The links in a blueprint that hold on a day, in the order of creation; those of other KPIs than these are
/// left out.
pub async fn in_blueprint<C: ConnectionTrait>(
    caller: &Caller,
    db: &C,
    blueprint: BlueprintId,
    kpis: &HashMap<KpiId, kpi::Model>,
    day: NaiveDate,
) -> Result<Vec<Judged>> {
    let text = judging_links(db, day)
        .then("judged.blueprint_id = ")
        .value(blueprint)
        .then(" AND (judged.valid_from IS NULL OR judged.valid_from <= $1)")
        .then(" AND (judged.valid_to IS NULL OR judged.valid_to > $1)")
        .then(IN_ORDER);
    let mut links: Vec<Judged> = read::all(db, text.statement()).await?;
    links.retain(|judged| kpis.contains_key(&judged.link.kpi_id));
    let hidden = hidden(caller, db, kpis.values()).await?;
    for judged in &mut links {
        if hidden.contains(&judged.link.kpi_id) {
            judged.judgement = Judgement::default();
        }
    }
    Ok(links)
}

/// These links, in the order of creation; one that does not hold on the day judges nothing.
pub async fn of_links(
    caller: &Caller,
    links: SelectStatement,
    day: NaiveDate,
) -> Result<Vec<(Judged, kpi::Model)>> {
    let db = caller.snapshot().await?;
    let text = judging_links(&db, day)
        .then("judged.id IN (")
        .select(&links)
        .then(")")
        .then(IN_ORDER);
    let judged: Vec<Judged> = read::all(&db, text.statement()).await?;
    let kpis = linked(links);
    let kpis: HashMap<KpiId, kpi::Model> = kpis
        .all(&db)
        .await?
        .into_iter()
        .map(|kpi| (kpi.id, kpi))
        .collect();
    let hidden = hidden(caller, &db, kpis.values()).await?;
    db.commit().await?;
    Ok(judged
        .into_iter()
        .filter_map(|mut judged| {
            let kpi = kpis.get(&judged.link.kpi_id)?.clone();
            if hidden.contains(&kpi.id) || !holds(&judged.link, day) {
                judged.judgement = Judgement::default();
            }
            Some((judged, kpi))
        })
        .collect())
}

/// The KPIs of these links.
fn linked(links: SelectStatement) -> Select<kpi::Entity> {
    let ids = kpi_link::Entity::find()
        .select_only()
        .column(kpi_link::Column::KpiId)
        .filter(kpi_link::Column::Id.in_subquery(links));
    kpi::Entity::find().filter(kpi::Column::Id.in_subquery(ids.into_query()))
}

/// These links by their ids.
pub async fn of_link_ids(
    caller: &Caller,
    ids: &[KpiLinkId],
    day: NaiveDate,
) -> Result<Vec<(Judged, kpi::Model)>> {
    let links = caller
        .select::<kpi_link::Entity>()
        .select_only()
        .column(kpi_link::Column::Id)
        .filter(kpi_link::Column::Id.is_in(ids.iter().copied()));
    of_links(caller, links.into_query(), day).await
}

struct Whole {
    kpi_id: KpiId,
    judgement: Judgement,
}

impl Read for Whole {
    fn read(cells: &mut Cells<'_>) -> Result<Self, DbErr> {
        Ok(Self {
            kpi_id: cells.take()?,
            judgement: Read::read(cells)?,
        })
    }
}

/// What judges these KPIs as a whole.
pub async fn whole(
    caller: &Caller,
    kpis: &[kpi::Model],
    day: NaiveDate,
) -> Result<HashMap<KpiId, Judgement>> {
    let db = caller.snapshot().await?;
    let text = judging(&db, WHOLE, "judged.kpi_id", day)
        .then("judged.id IN ")
        .list(kpis.iter().map(|kpi| kpi.id));
    let rows: Vec<Whole> = read::all(&db, text.statement()).await?;
    let hidden = hidden(caller, &db, kpis).await?;
    db.commit().await?;
    Ok(rows
        .into_iter()
        .map(|row| match hidden.contains(&row.kpi_id) {
            true => (row.kpi_id, Judgement::default()),
            false => (row.kpi_id, row.judgement),
        })
        .collect())
}

/// Those of the KPIs whose values the caller may not see. Asks the database only where a grant by name could
/// matter.
pub async fn hidden<'k, C: ConnectionTrait>(
    caller: &Caller,
    db: &C,
    kpis: impl IntoIterator<Item = &'k kpi::Model>,
) -> Result<BTreeSet<KpiId>> {
    let mut hidden: BTreeSet<KpiId> = kpis
        .into_iter()
        .filter(|kpi| kpi.sensitivity == Sensitivity::Confidential)
        .filter(|kpi| {
            let owner = Ties::none().and(Relation::OwnsKpi, [kpi.owner_department_id]);
            !caller.may(Action::ReadConfidential, &owner)
        })
        .map(|kpi| kpi.id)
        .collect();
    if hidden.is_empty() {
        return Ok(hidden);
    }
    if let Some(account) = caller.reach(Action::ReadConfidential).granted_to {
        let granted: Vec<KpiId> = kpi_grant::Entity::find()
            .select_only()
            .column(kpi_grant::Column::KpiId)
            .filter(kpi_grant::Column::AccountId.eq(account))
            .into_tuple()
            .all(db)
            .await?;
        hidden.retain(|kpi| !granted.contains(kpi));
    }
    Ok(hidden)
}

/// Whether the caller may see a KPI's values.
pub async fn values_visible(caller: &Caller, kpi: &kpi::Model) -> Result<bool> {
    Ok(hidden(caller, caller.reader(), [kpi]).await?.is_empty())
}
