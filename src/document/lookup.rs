//! Looks up what a document names outside of its blueprint, as far as the caller may see it.

use std::collections::BTreeSet;

use entity::{account, channel, department, id::PersonaId, kpi, persona, persona_need, segment};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter,
    sea_query::{Expr, ExprTrait, Func},
};

use super::{
    blueprint::Document,
    catalogue::{Catalogue, lower},
};
use crate::{
    access::{Keyed, Permit},
    error::Result,
    input::is_key,
};

/// Keys a statement looks up at the most, so that no database runs out of parameters.
const KEYS: usize = 5_000;

impl Catalogue {
    /// Looks up what a document names.
    pub async fn load(permit: &Permit<'_>, document: &Document) -> Result<Self> {
        let touchpoints = || document.touchpoints.iter();
        let held = || document.responsibilities.iter();
        let departments = held().map(|held| &held.department);
        let improvements = || document.improvements.iter();
        let departments = departments.chain(improvements().map(|row| &row.owner_department));
        let departments = departments.chain([&document.owner_department]);
        let insights = document.insights.iter();
        let personas = insights.filter_map(|insight| insight.persona.as_ref());
        let personas = personas
            .chain(&document.secondary_personas)
            .chain([&document.persona]);
        let live = department::Column::ArchivedAt.is_null();
        let found = look_up::<department::Entity>(permit, departments, live.into()).await?;
        let departments = found
            .into_iter()
            .map(|row| (lower(&row.key), row.id))
            .collect();
        let live = persona::Column::ArchivedAt.is_null();
        let found = look_up::<persona::Entity>(permit, personas, live.into()).await?;
        let ids: Vec<PersonaId> = found.iter().map(|row| row.id).collect();
        let needs = persona_need::Entity::find()
            .filter(persona_need::Column::PersonaId.is_in(ids))
            .all(permit.tx())
            .await?;
        let personas = found
            .into_iter()
            .map(|row| (lower(&row.key), (row.id, row.subject)));
        let channels = touchpoints().flat_map(|touchpoint| &touchpoint.channels);
        let channels = look_up::<channel::Entity>(permit, channels, Condition::all()).await?;
        let segments = touchpoints().flat_map(|touchpoint| &touchpoint.audience);
        let segments = look_up::<segment::Entity>(permit, segments, Condition::all()).await?;
        let kpis = document.kpi_links.iter().map(|link| &link.kpi);
        let kpis = kpis.chain(improvements().flat_map(|row| &row.kpis));
        let live = kpi::Column::ArchivedAt.is_null();
        let kpis = look_up::<kpi::Entity>(permit, kpis, live.into()).await?;
        let people = held().filter_map(|held| held.person.as_ref());
        let tried = document.evaluations.iter();
        let people = people.chain(tried.filter_map(|tried| tried.by_account.as_ref()));
        let live = account::Column::ArchivedAt.is_null();
        let people = look_up::<account::Entity>(permit, people, live.into()).await?;
        Ok(Self {
            departments,
            needs: needs
                .into_iter()
                .map(|row| ((row.persona_id, lower(&row.text)), row.id))
                .collect(),
            personas: personas.collect(),
            channels: channels
                .into_iter()
                .map(|row| (lower(&row.key), row.id))
                .collect(),
            segments: segments
                .into_iter()
                .map(|row| (lower(&row.key), row.id))
                .collect(),
            kpis: kpis
                .into_iter()
                .map(|row| (lower(&row.key), row.id))
                .collect(),
            people: people
                .into_iter()
                .map(|row| (lower(&row.key), row.id))
                .collect(),
        })
    }
}

async fn look_up<E: Keyed>(
    permit: &Permit<'_>,
    keys: impl Iterator<Item = &String>,
    which: Condition,
) -> Result<Vec<E::Model>> {
    // What cannot be a key is nobody's, and not every database takes every text.
    let keys = keys.map(|key| lower(key)).filter(|key| is_key(key));
    let keys: BTreeSet<String> = keys.collect();
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
