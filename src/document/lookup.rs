//! Looks up what a document names outside of its blueprint, as far as the caller may see it.

use std::collections::{BTreeSet, HashMap};

use entity::{account, channel, department, id::PersonaId, kpi, persona, persona_need, segment};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter,
    sea_query::{Expr, ExprTrait, Func},
};

use super::{
    blueprint::Document,
    catalogue::{ReferencedIds, fold_key},
    reference::{ReferenceTarget, ReferencedKeys},
};
use crate::{
    access::{HasKeyColumn, Permit},
    error::Result,
    input::is_valid_key,
};

/// Most keys that one statement looks up, so that no database runs out of parameters.
const KEYS: usize = 5_000;

impl ReferencedIds {
    /// Looks up what a document names: one statement for each table, or two where it names something that may be archived
    /// beside something that may not, as long as it names no more than `KEYS` rows of it. What is `kept` was named here
    /// before, and is found though it was archived since.
    pub async fn load(
        permit: &Permit<'_>,
        document: &Document,
        kept: &ReferencedKeys,
    ) -> Result<Self> {
        let mut named = document.referenced_keys();
        let mut keys = |target: ReferenceTarget| {
            let named = named.remove(&target).unwrap_or_default();
            let is_kept = |key: &String| kept.get(&target).is_some_and(|kept| kept.contains(key));
            named.into_iter().partition(is_kept)
        };

        let live = department::Column::ArchivedAt.is_null().into();
        let departments = keys(ReferenceTarget::Department);
        let departments = load_kept_or::<department::Entity>(permit, departments, live).await?;
        let live = persona::Column::ArchivedAt.is_null().into();
        let personas = keys(ReferenceTarget::Persona);
        let personas = load_kept_or::<persona::Entity>(permit, personas, live).await?;
        let ids: Vec<PersonaId> = personas.iter().map(|row| row.id).collect();
        // All needs of the personas: needs have no keys that could be looked up.
        let needs = persona_need::Entity::find()
            .filter(persona_need::Column::PersonaId.is_in(ids))
            .all(permit.tx())
            .await?;
        let channels = keys(ReferenceTarget::Channel);
        let channels = load_kept_or::<channel::Entity>(permit, channels, Condition::all()).await?;
        let segments = keys(ReferenceTarget::Segment);
        let segments = load_kept_or::<segment::Entity>(permit, segments, Condition::all()).await?;
        // No blueprint shows what an archived KPI hangs on, so that none names it.
        let live = kpi::Column::ArchivedAt.is_null().into();
        let (kept, others) = keys(ReferenceTarget::Kpi);
        let kpis = kept.into_iter().chain(others).collect();
        let kpis = load_visible_by_keys::<kpi::Entity>(permit, kpis, live).await?;
        let live = account::Column::ArchivedAt.is_null().into();
        let people = keys(ReferenceTarget::Account);
        let people = load_kept_or::<account::Entity>(permit, people, live).await?;

        Ok(Self {
            departments: index_by_key(departments, |row| (row.key, row.id)),
            personas: index_by_key(personas, |row| (row.key, (row.id, row.subject))),
            needs: needs
                .into_iter()
                .map(|row| ((row.persona_id, fold_key(&row.text)), row.id))
                .collect(),
            channels: index_by_key(channels, |row| (row.key, row.id)),
            segments: index_by_key(segments, |row| (row.key, row.id)),
            kpis: index_by_key(kpis, |row| (row.key, row.id)),
            people: index_by_key(people, |row| (row.key, row.id)),
        })
    }
}

fn index_by_key<M, T>(rows: Vec<M>, entry: impl Fn(M) -> (String, T)) -> HashMap<String, T> {
    let entries = rows.into_iter().map(entry);
    entries
        .map(|(key, value)| (fold_key(&key), value))
        .collect()
}

/// The rows with keys that are kept, and of the others those that `which` lets through.
async fn load_kept_or<E: HasKeyColumn>(
    permit: &Permit<'_>,
    (kept, others): (BTreeSet<String>, BTreeSet<String>),
    which: Condition,
) -> Result<Vec<E::Model>> {
    let mut found = load_visible_by_keys::<E>(permit, kept, Condition::all()).await?;
    found.extend(load_visible_by_keys::<E>(permit, others, which).await?);
    Ok(found)
}

/// The rows with these keys, in small letters, that the caller may see and `which` lets through.
async fn load_visible_by_keys<E: HasKeyColumn>(
    permit: &Permit<'_>,
    mut keys: BTreeSet<String>,
    which: Condition,
) -> Result<Vec<E::Model>> {
    // What cannot be a key is nobody's, and not every database takes every text.
    keys.retain(|key| is_valid_key(key));
    let keys: Vec<String> = keys.into_iter().collect();
    let mut found = Vec::new();
    for keys in keys.chunks(KEYS) {
        let key = Func::lower(Expr::col(E::key_column().as_column_ref()));
        let select = permit.caller.select::<E>().filter(which.clone());
        let select = select.filter(Expr::expr(key).is_in(keys));
        found.extend(select.all(permit.tx()).await?);
    }
    Ok(found)
}
