//! The lens: the insights of a blueprint in a grid of phase × kind × persona.

use std::{collections::BTreeMap, sync::Arc};

use async_graphql::SimpleObject;
use entity::{id::PersonaId, insight, words::InsightKind};

use crate::{
    blueprint::graphql::Phase,
    canvas::Canvas,
    insight::graphql::Insight,
    meter::{BudgetChargedList, metered_list},
};

/// The insights of one kind, in one phase, about one persona.
#[derive(SimpleObject)]
pub(super) struct LensCell {
    /// The phase; null for insights about the whole blueprint.
    phase: Option<Phase>,
    /// The kind.
    kind: InsightKind,
    /// Id of the persona that they are about; null for all.
    persona_id: Option<async_graphql::ID>,
    /// The insights, in the order of creation.
    insights: BudgetChargedList<Insight>,
}

/// Sorts insights into cells, without the empty ones: by phase in the order of display, then by kind, then by persona.
pub(super) fn sort_into_cells(canvas: &Arc<Canvas>, rows: &[insight::Model]) -> Vec<LensCell> {
    let order: BTreeMap<_, usize> = canvas
        .phases
        .iter()
        .zip(1..)
        .map(|(phase, at)| (phase.id, at))
        .collect();
    let place = |row: &insight::Model| match (row.phase_id, row.touchpoint_id) {
        (Some(phase), _) => order.get(&phase).copied(),
        (None, Some(touchpoint)) => {
            let phase = canvas.touchpoint(touchpoint)?.phase_id;
            order.get(&phase).copied()
        }
        (None, None) => Some(0),
    };
    let mut cells: BTreeMap<(usize, InsightKind, Option<PersonaId>), Vec<Insight>> =
        BTreeMap::new();
    for row in rows {
        if let Some(place) = place(row) {
            let cell = cells.entry((place, row.kind, row.persona_id)).or_default();
            cell.push(row.clone().into());
        }
    }
    let phase = |place: usize| canvas.phases.get(place.checked_sub(1)?);
    cells
        .into_iter()
        .map(|((place, kind, persona), insights)| LensCell {
            phase: phase(place).map(|row| Phase::from_canvas(row, canvas)),
            kind,
            persona_id: persona.map(|id| async_graphql::ID(id.to_string())),
            insights: metered_list(insights),
        })
        .collect()
}
