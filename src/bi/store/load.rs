//! Reads what is not kept yet, from the snapshot of whoever asks: all of what nothing is known of, and only what has
//! come since of what is known.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use entity::{
    id::{BlueprintId, KpiId, PhaseId, TouchpointId},
    read::Cells,
};
use futures_util::TryStreamExt;
use sea_orm::{ConnectionTrait, DbBackend, QueryResult, StreamTrait};

use super::{
    kpi_columns::{DayValue, KpiColumns, SeriesKey, count},
    topology::{Days, Link, LinkTarget, Topology, TopologyPhase, TopologyTouchpoint, days},
};
use crate::{
    access::Caller,
    database::Transaction,
    error::{Error, Result},
    statement::Text,
};

/// How many KPIs or blueprints one statement reads.
const AT_ONCE: usize = 200;

type Come = HashMap<KpiId, BTreeMap<SeriesKey, Vec<DayValue>>>;

/// What was measured of these KPIs at these revisions, which are those that the snapshot sees.
pub async fn measured(
    tx: &Transaction,
    wanted: &[(KpiId, i32)],
    kept: impl Fn(KpiId) -> Option<Arc<KpiColumns>>,
) -> Result<Vec<Arc<KpiColumns>>> {
    let mut all: Vec<Option<Arc<KpiColumns>>> = Vec::with_capacity(wanted.len());
    let (mut unknown, mut older) = (Vec::new(), Vec::new());
    for (id, revision) in wanted {
        // What is newer than the snapshot is of no use to it.
        let known = kept(*id).filter(|known| known.revision <= *revision);
        match &known {
            Some(known) if known.revision == *revision => {}
            Some(known) => older.push((*id, known.revision)),
            None => unknown.push(*id),
        }
        all.push(known);
    }
    let mut come = Come::new();
    for ids in unknown.chunks(AT_ONCE) {
        let text = Text::new(backend(tx), VALUES)
            .then(AT)
            .then("WHERE kpi_id IN ");
        let text = text.list(ids.iter().copied());
        take(tx, text.then(" AND superseded_by_id IS NULL"), &mut come).await?;
    }
    for pairs in older.chunks(AT_ONCE) {
        let pairs = pairs
            .iter()
            .map(|(id, revision)| [(*id).into(), (*revision).into()]);
        let text = Text::new(backend(tx), "WITH known (known_id, known_revision) AS (");
        let text = text.rows(pairs).then(") ").then(VALUES).then(AT).then(
            "JOIN known ON kpi_id = known_id AND series_revision > known_revision \
             WHERE superseded_by_id IS NULL",
        );
        take(tx, text, &mut come).await?;
    }
    let caught_up = wanted
        .iter()
        .zip(all)
        .map(|((id, revision), known)| match known {
            Some(known) if known.revision == *revision => known,
            Some(known) => Arc::new(known.with(*revision, come.remove(id).unwrap_or_default())),
            None => {
                let all = come.remove(id).unwrap_or_default();
                Arc::new(KpiColumns::default().with(*revision, all))
            }
        });
    Ok(caught_up.collect())
}

const VALUES: &str = "\
SELECT kpi_id, touchpoint_id, channel_id, segment_id, blueprint_id, measured_on, value, numerator, denominator, \
    sample_size FROM ";
const AT: &str = "measurement LEFT JOIN touchpoint ON touchpoint.id = touchpoint_id ";

async fn take(tx: &Transaction, text: Text, come: &mut Come) -> Result<()> {
    let mut rows = tx.stream_raw(text.statement()).await?;
    while let Some(row) = rows.try_next().await? {
        let mut cells = Cells::new(&row)?;
        let kpi: KpiId = cells.take()?;
        let point = SeriesKey {
            touchpoint: cells.take()?,
            channel: cells.take()?,
            segment: cells.take()?,
            blueprint: cells.take()?,
        };
        let value = DayValue {
            day: count(cells.take()?),
            value: cells.take()?,
            parts: Option::zip(cells.take()?, cells.take()?),
            sample_size: cells.take()?,
        };
        let points = come.entry(kpi).or_default();
        points.entry(point).or_default().push(value);
    }
    Ok(())
}

fn backend(tx: &Transaction) -> DbBackend {
    ConnectionTrait::get_database_backend(tx)
}

/// What is judged in these blueprints at these revisions, which are those that the snapshot sees.
pub async fn places(
    caller: &Caller,
    tx: &Transaction,
    wanted: &[(BlueprintId, i32)],
    kept: impl Fn(BlueprintId) -> Option<Arc<Topology>>,
) -> Result<Vec<Arc<Topology>>> {
    let mut all: Vec<Option<Arc<Topology>>> = Vec::with_capacity(wanted.len());
    for (id, revision) in wanted {
        all.push(kept(*id).filter(|known| known.revision == *revision));
    }
    let missing: Vec<BlueprintId> = wanted
        .iter()
        .zip(&all)
        .filter(|(_, known)| known.is_none())
        .map(|((id, _), _)| *id)
        .collect();
    let mut read = HashMap::new();
    for ids in missing.chunks(AT_ONCE) {
        read.extend(of_blueprints(caller, tx, ids).await?);
    }
    let all = wanted.iter().zip(all).map(|((id, revision), known)| {
        known.unwrap_or_else(|| {
            let mut places = read.remove(id).unwrap_or_default();
            places.revision = *revision;
            Arc::new(places)
        })
    });
    Ok(all.collect())
}

async fn of_blueprints(
    caller: &Caller,
    tx: &Transaction,
    ids: &[BlueprintId],
) -> Result<HashMap<BlueprintId, Topology>> {
    let mut all = HashMap::new();
    let mut phases: HashMap<PhaseId, usize> = HashMap::new();
    for row in inside(tx, PHASES, ids).await? {
        let mut cells = Cells::new(&row)?;
        let places: &mut Topology = all.entry(cells.take()?).or_default();
        let phase = TopologyPhase {
            id: cells.take()?,
            name: cells.take::<String>()?.into(),
            stage: cells.take()?,
        };
        phases.insert(phase.id, places.phases.len());
        places.phases.push(phase);
    }
    for row in inside(tx, TOUCHPOINTS, ids).await? {
        let mut cells = Cells::new(&row)?;
        let places = all.entry(cells.take()?).or_default();
        let touchpoint = TopologyTouchpoint {
            id: cells.take()?,
            key: cells.take::<String>()?.into(),
            name: cells.take::<String>()?.into(),
        };
        places.add(touchpoint, there(phases.get(&cells.take()?).copied())?);
    }
    for row in inside(tx, HOLDERS, ids).await? {
        let mut cells = Cells::new(&row)?;
        let places = all.entry(cells.take()?).or_default();
        let at = there(places.touchpoint(cells.take()?))?;
        let (id, who) = (cells.take()?, (cells.take()?, cells.take()?));
        let days = held(caller, cells.take()?, cells.take()?);
        places.hold(at, id, who, days);
    }
    for row in inside(tx, LINKS, ids).await? {
        let mut cells = Cells::new(&row)?;
        let places = all.entry(cells.take()?).or_default();
        let (id, kpi) = (cells.take()?, cells.take()?);
        let (phase, touchpoint): (Option<PhaseId>, Option<TouchpointId>) =
            (cells.take()?, cells.take()?);
        let site = match (touchpoint, phase) {
            (Some(id), _) => LinkTarget::Touchpoint(there(places.touchpoint(id))?),
            (None, Some(id)) => LinkTarget::Phase(there(phases.get(&id).copied())?),
            (None, None) => LinkTarget::Blueprint,
        };
        let days = days(cells.take()?, cells.take()?);
        places.links.push(Link {
            id,
            kpi,
            site,
            days,
        });
    }
    Ok(all)
}

/// What a row inside a blueprint refers to lies in the same one.
fn there(at: Option<usize>) -> Result<usize> {
    at.ok_or_else(|| Error::internal("a blueprint refers to what is not in it"))
}

const PHASES: [&str; 2] = [
    "SELECT blueprint_id, id, name, stage FROM phase WHERE blueprint_id IN ",
    " ORDER BY id",
];
const TOUCHPOINTS: [&str; 2] = [
    "SELECT blueprint_id, id, key, name, phase_id FROM touchpoint WHERE blueprint_id IN ",
    " ORDER BY id",
];
const HOLDERS: [&str; 2] = [
    "SELECT blueprint_id, touchpoint_id, id, department_id, role, valid_from, valid_to FROM responsibility
    WHERE status IN ('ACCEPTED', 'ENDED') AND blueprint_id IN ",
    " ORDER BY touchpoint_id, id",
];
const LINKS: [&str; 2] = [
    "SELECT blueprint_id, id, kpi_id, phase_id, touchpoint_id, valid_from, valid_to FROM kpi_link WHERE blueprint_id IN ",
    " ORDER BY kpi_id, id",
];

async fn inside(
    tx: &Transaction,
    [select, order]: [&str; 2],
    ids: &[BlueprintId],
) -> Result<Vec<QueryResult>> {
    let text = Text::new(backend(tx), select).list(ids.iter().copied());
    Ok(tx.query_all_raw(text.then(order).statement()).await?)
}

/// The days at whose end a responsibility was in force. Its first day is the one that it began in, and the day that it
/// ended in is not among them any more.
fn held(caller: &Caller, from: Option<DateTime<Utc>>, to: Option<DateTime<Utc>>) -> Days {
    days(
        from.map(|at| caller.day_of(at)),
        to.map(|at| caller.day_of(at)),
    )
}
