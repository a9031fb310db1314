//! The verb `export`: one blueprint, as the operator sees it, in one of its forms. A form is one arm.

use std::io::Write;

use cx_blueprint::{
    access::{Caller, Keyed},
    canvas::whole::Whole,
    clock::Clock,
    config::{Export, ExportFormat},
    document::blueprint::Document,
    picture,
};
use entity::blueprint;
use sea_orm::Condition;

use super::{Failure, open_current};

pub async fn export(options: Export) -> Result<(), Failure> {
    let store = open_current(&options.database).await?;
    let clock = Clock::new(options.database.time_zone);
    let caller = Caller::operator(store.clone(), clock, "export");
    let day = options.as_of.unwrap_or(caller.today);
    let it = Condition::all().add(blueprint::Entity::has_key(&options.blueprint));
    let whole = Whole::load(&caller, it, day).await?;
    let whole = whole.ok_or_else(|| format!("There is no blueprint \"{}\".", options.blueprint))?;
    let text = match options.format {
        ExportFormat::Json => serde_json::to_string_pretty(&Document::of(&whole))? + "\n",
        ExportFormat::Svg => picture::svg(&whole.canvas, day, options.theme),
        ExportFormat::Html => picture::html(&whole.canvas, day, options.theme),
    };
    store.close().await?;
    match options.output {
        Some(path) => std::fs::write(&path, text)
            .map_err(|error| format!("{} cannot be written: {error}.", path.display()).into()),
        None => Ok(std::io::stdout().lock().write_all(text.as_bytes())?),
    }
}
