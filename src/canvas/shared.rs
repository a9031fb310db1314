//! The blueprints that one query has read, each once, however many aliases, lists and edges lead to it. Made for each
//! request; a mutation reads anew, as what it has changed may be shown after it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_graphql::{Context, parser::types::OperationType};
use entity::{
    blueprint,
    id::{BlueprintId, Id},
};
use sea_orm::{ColumnTrait, Condition};
use tokio::sync::OnceCell;

use super::model::Canvas;
use crate::{access::Caller, error::Result};

type LazyCanvas = Arc<OnceCell<Option<Arc<Canvas>>>>;

/// The canvases of one request, by the key of what was asked for.
#[derive(Debug, Default)]
pub struct RequestCanvases(Mutex<HashMap<String, LazyCanvas>>);

impl RequestCanvases {
    fn cell(&self, key: String) -> LazyCanvas {
        let mut read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(read.entry(key).or_default())
    }

    async fn find_or_load(
        &self,
        caller: &Caller,
        key: String,
        which: Condition,
    ) -> Result<Option<Arc<Canvas>>> {
        // A cell for each key and not a lock over the map: while one blueprint is read, others can be.
        let cell = self.cell(key);
        let read = cell.get_or_try_init(|| Canvas::find(caller, which, caller.today));
        // A failed read fills no cell: the next field tries again.
        Ok(read.await?.clone())
    }
}

/// The canvas of a blueprint row, as of today; none where the row is gone since.
pub async fn find_canvas_of_row(
    ctx: &Context<'_>,
    caller: &Caller,
    row: &blueprint::Model,
) -> Result<Option<Arc<Canvas>>> {
    // At another revision it is another moment of it.
    let key = canvas_key(row.id, row.revision);
    let which = Condition::all().add(blueprint::Column::Id.eq(row.id));
    find_canvas(ctx, caller, key, which).await
}

/// The canvas of the blueprint that a condition picks, as of today. Equal keys must mean equal conditions.
pub async fn find_canvas(
    ctx: &Context<'_>,
    caller: &Caller,
    key: String,
    which: Condition,
) -> Result<Option<Arc<Canvas>>> {
    let is_query = ctx.query_env.operation.node.ty == OperationType::Query;
    match ctx.data_opt::<RequestCanvases>().filter(|_| is_query) {
        Some(canvases) => {
            let canvas = canvases.find_or_load(caller, key, which).await?;
            if let Some(canvas) = &canvas {
                // Kept under its row too: an edge that leads back to it by the row then reads nothing.
                let row = &canvas.blueprint;
                canvases
                    .cell(canvas_key(row.id, row.revision))
                    .set(Some(Arc::clone(canvas)))
                    // It is set already where the row was asked for first: then both are the same moment of it.
                    .ok();
            }
            Ok(canvas)
        }
        None => Canvas::find(caller, which, caller.today).await,
    }
}

fn canvas_key(id: BlueprintId, revision: i32) -> String {
    format!("{} {revision}", id.uuid())
}
