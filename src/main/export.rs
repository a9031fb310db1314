//! The verb `export`: one blueprint, as the operator sees it, in one of its forms, or the whole organisation as a
//! document. A form is one arm.

use cx_blueprint::{
    access::{Caller, HasKeyColumn},
    config::{Export, ExportFormat},
    document::{blueprint::Document, organisation, table},
    picture,
    scalar::Date,
    snapshot::WholeBlueprint,
};
use entity::blueprint;
use sea_orm::Condition;

use super::{failure::Failure, output::write_text, store::open_as_operator};

pub(crate) async fn export(options: Export) -> Result<(), Failure> {
    let (store, caller) = open_as_operator(&options.database, "export").await?;
    let text = match &options.blueprint {
        Some(key) => export_blueprint(&caller, &options, key).await?,
        None => export_organisation(&caller, &options).await?,
    };
    store.close().await?;
    match options.output {
        Some(path) => std::fs::write(&path, text)
            .map_err(|error| format!("{} cannot be written: {error}.", path.display()).into()),
        None => Ok(write_text(&text)?),
    }
}

/// A blueprint in one of its forms.
async fn export_blueprint(caller: &Caller, options: &Export, key: &str) -> Result<String, Failure> {
    let day = caller.day_or_today(options.as_of.map(Date))?;
    let it = Condition::all().add(blueprint::Entity::key_condition(key));
    let snapshot = WholeBlueprint::find(caller, it, day).await?;
    let snapshot = snapshot.ok_or_else(|| format!("There is no blueprint \"{key}\"."))?;
    Ok(match options.format {
        ExportFormat::Json => to_pretty_json(&Document::from_snapshot(&snapshot))?,
        ExportFormat::Csv => {
            table::touchpoint_csv_text(&Document::from_snapshot(&snapshot), options.dialect)?
        }
        ExportFormat::Svg => picture::to_svg(&snapshot.canvas, day, options.theme),
        ExportFormat::Html => picture::to_html(&snapshot.canvas, day, options.theme),
    })
}

/// The whole organisation.
async fn export_organisation(caller: &Caller, options: &Export) -> Result<String, Failure> {
    if options.format != ExportFormat::Json {
        return Err("A picture or a sheet shows one blueprint: say which with --blueprint.".into());
    }
    to_pretty_json(&organisation::export_organisation(caller).await?)
}

fn to_pretty_json(document: &impl serde::Serialize) -> Result<String, Failure> {
    Ok(serde_json::to_string_pretty(document)? + "\n")
}
