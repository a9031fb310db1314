//! What is there when a document arrives: a journey of the demo with something in every list and something archived,
//! and all that documents may name, read once from a database of their own.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use cx_blueprint::{
    access::Caller,
    database::Store,
    document::{
        blueprint::Document,
        catalogue::{ReferencedIds, fold_key},
        format::parse_document,
        import::{self, ImportOptions},
        target::CurrentBlueprint,
    },
    id,
    snapshot::WholeBlueprint,
};
use entity::{
    account, blueprint, channel, department, id::BlueprintId, kpi, persona, persona_need, phase,
    segment, touchpoint,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter};

use crate::demo;

/// More of one journey of the demo.
const KNOWN: &str = include_str!("../seeds/document/known.json");
/// The same without some of it.
const PRUNED: &str = include_str!("../seeds/document/pruned.json");

/// A blueprint that is there, and what lies around it.
pub struct There {
    pub document: Document,
    pub before: CurrentBlueprint,
    pub catalogue: ReferencedIds,
    /// The id of a blueprint that is not there yet.
    pub new_id: BlueprintId,
}

impl There {
    /// Read by the first who asks.
    pub fn get() -> &'static Self {
        static THERE: OnceLock<There> = OnceLock::new();
        THERE.get_or_init(|| demo::once(Self::read))
    }

    async fn read(caller: &Caller, store: &Store) -> Self {
        for (text, prune) in [(KNOWN, false), (PRUNED, true)] {
            let said = parse_document(text).expect("a document");
            let how = ImportOptions {
                prune,
                ..ImportOptions::default()
            };
            import::import_document(caller, said, how)
                .await
                .expect("it is imported");
        }
        let rental = Condition::all().add(blueprint::Column::Key.eq("bp-rental"));
        let snapshot = WholeBlueprint::find(caller, rental, caller.today).await;
        let snapshot = snapshot.expect("it loads").expect("it is there");
        let there = Self {
            document: Document::from_snapshot(&snapshot),
            before: before(store, snapshot).await,
            catalogue: catalogue(store).await,
            new_id: id::new(),
        };
        assert!(
            !there.before.archived_touchpoints.is_empty(),
            "something is archived"
        );
        there
    }
}

async fn before(store: &Store, snapshot: Arc<WholeBlueprint>) -> CurrentBlueprint {
    let id = snapshot.canvas.blueprint.id;
    let phases = phase::Entity::find()
        .filter(phase::Column::BlueprintId.eq(id))
        .filter(phase::Column::ArchivedAt.is_not_null());
    let touchpoints = touchpoint::Entity::find()
        .filter(touchpoint::Column::BlueprintId.eq(id))
        .filter(touchpoint::Column::ArchivedAt.is_not_null());
    CurrentBlueprint {
        snapshot,
        archived_phases: phases.all(store.reader()).await.expect("phases"),
        archived_touchpoints: touchpoints.all(store.reader()).await.expect("touchpoints"),
    }
}

/// Everything that can be named, by key.
async fn catalogue(store: &Store) -> ReferencedIds {
    macro_rules! all {
        ($entity:ident, $row:ident => $value:expr) => {{
            let rows = $entity::Entity::find()
                .all(store.reader())
                .await
                .expect("rows");
            rows.into_iter()
                .map(|$row| $value)
                .collect::<HashMap<_, _>>()
        }};
    }
    ReferencedIds {
        departments: all!(department, row => (fold_key(&row.key), row.id)),
        personas: all!(persona, row => (fold_key(&row.key), (row.id, row.subject))),
        channels: all!(channel, row => (fold_key(&row.key), row.id)),
        segments: all!(segment, row => (fold_key(&row.key), row.id)),
        kpis: all!(kpi, row => (fold_key(&row.key), row.id)),
        people: all!(account, row => (fold_key(&row.key), row.id)),
        needs: all!(persona_need, row => ((row.persona_id, fold_key(&row.text)), row.id)),
    }
}
