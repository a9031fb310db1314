//! The blueprints that one query has read, each once, however many aliases, lists and edges lead to it. Made for each
//! request; a mutation reads anew, as what it has changed may be shown behind it.

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

type Read = Arc<OnceCell<Option<Arc<Canvas>>>>;

/// What was read, by what was asked for.
#[derive(Debug, Default)]
pub struct Canvases(Mutex<HashMap<String, Read>>);

impl Canvases {
    fn place(&self, asked: String) -> Read {
        let mut read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(read.entry(asked).or_default())
    }

    async fn get(
        &self,
        caller: &Caller,
        asked: String,
        which: Condition,
    ) -> Result<Option<Arc<Canvas>>> {
        let place = self.place(asked);
        let read = place.get_or_try_init(|| Canvas::find(caller, which, caller.today));
        Ok(read.await?.clone())
    }
}

/// The whole blueprint of a row, as of today; nothing where it is gone since.
pub async fn of_row(
    ctx: &Context<'_>,
    caller: &Caller,
    row: &blueprint::Model,
) -> Result<Option<Arc<Canvas>>> {
    // At another revision it is another moment of it.
    let asked = named(row.id, row.revision);
    let which = Condition::all().add(blueprint::Column::Id.eq(row.id));
    picked(ctx, caller, asked, which).await
}

/// The whole blueprint that a condition picks, as of today; `asked` says the same in words.
pub async fn picked(
    ctx: &Context<'_>,
    caller: &Caller,
    asked: String,
    which: Condition,
) -> Result<Option<Arc<Canvas>>> {
    let is_query = ctx.query_env.operation.node.ty == OperationType::Query;
    match ctx.data_opt::<Canvases>().filter(|_| is_query) {
        Some(canvases) => {
            let canvas = canvases.get(caller, asked, which).await?;
            if let Some(canvas) = &canvas {
                let row = &canvas.blueprint;
                canvases
                    .place(named(row.id, row.revision))
                    .set(Some(Arc::clone(canvas)))
                    .ok();
            }
            Ok(canvas)
        }
        None => Canvas::find(caller, which, caller.today).await,
    }
}

fn named(id: BlueprintId, revision: i32) -> String {
    format!("{} {revision}", id.uuid())
}
