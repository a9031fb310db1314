//! The verb `import`: brings a document in as the operator, and tells what changed.

use std::io::Read;

use cx_blueprint::{
    access::Caller,
    clock::Clock,
    config::Import,
    document::{
        diff::Change,
        import::{self, How},
        organisation,
        read::{self, Kind},
    },
    error::{Error, UserErrorCode},
};

use super::{Failure, open_current};

/// Largest document that is read, in bytes: many times what the largest blueprint makes, and a large organisation
/// with three years of values.
const LARGEST: u64 = 512 << 20;

pub async fn import(options: Import) -> Result<(), Failure> {
    let text = text(&options)?;
    let store = open_current(&options.database).await?;
    let clock = Clock::new(options.database.time_zone);
    let caller = Caller::operator(store.clone(), clock, "import");
    let result = match read::format_of(&text) {
        Some(format) if format == organisation::Said::FORMAT => {
            load(&caller, &options, &text).await
        }
        _ => bring(&caller, &options, &text).await,
    };
    store.close().await?;
    result.map_err(|error| told(&options.file.display().to_string(), error))
}

/// Brings in a blueprint.
async fn bring(caller: &Caller, options: &Import, text: &str) -> Result<(), Error> {
    let how = How {
        dry_run: options.dry_run,
        prune: options.prune,
        expected_revision: None,
    };
    let done = import::import(caller, read::parse(text)?, how).await?;
    for change in &done.changes {
        println!("{}", line(change));
    }
    let would = if options.dry_run {
        "would change"
    } else {
        "changed"
    };
    eprintln!("{} {would}.", done.changes.len());
    Ok(())
}

/// Loads a whole organisation.
async fn load(caller: &Caller, options: &Import, text: &str) -> Result<(), Error> {
    if options.prune {
        let message =
            "There is nothing to prune: a whole organisation is loaded into an empty database.";
        return Err(Error::fault("", UserErrorCode::Invalid, None, message));
    }
    let said: organisation::Said = read::parse(text)?;
    let how = organisation::How {
        dry_run: options.dry_run,
    };
    organisation::load(caller, &said, how).await?;
    let would = if options.dry_run {
        "would be loaded"
    } else {
        "loaded"
    };
    let (departments, blueprints) = (said.departments.len(), said.blueprints.len());
    eprintln!("{departments} departments and {blueprints} blueprints {would}.");
    Ok(())
}

fn text(options: &Import) -> Result<String, Failure> {
    let mut text = String::new();
    let read = if options.file.as_os_str() == "-" {
        std::io::stdin()
            .lock()
            .take(LARGEST + 1)
            .read_to_string(&mut text)
    } else {
        std::fs::File::open(&options.file)
            .and_then(|file| file.take(LARGEST + 1).read_to_string(&mut text))
    };
    let name = options.file.display();
    let length = read.map_err(|error| format!("{name} cannot be read: {error}."))?;
    if length as u64 > LARGEST {
        return Err(format!("{name} is larger than {} MB.", LARGEST >> 20).into());
    }
    Ok(text)
}

/// A change on a line.
fn line(change: &Change) -> String {
    let mut line = format!("{:?} {} {}", change.kind, change.part, change.identity);
    if let Some(field) = &change.field {
        let value = |value: &Option<serde_json::Value>| {
            value.as_ref().map_or_else(String::new, ToString::to_string)
        };
        line = format!(
            "{line} {field}: {} -> {}",
            value(&change.before),
            value(&change.after)
        );
    }
    line
}

/// Every fault on a line of its own, with its place in the document.
pub fn told(name: &str, error: Error) -> Failure {
    match error.into_user_errors() {
        Ok(faults) => {
            let faults = faults.into_iter().map(|fault| match fault.field.join(".") {
                place if place.is_empty() => fault.message,
                place => format!("{place}: {}", fault.message),
            });
            let faults: Vec<String> = faults.collect();
            format!(
                "{name} was not imported, and nothing was written.\n{}",
                faults.join("\n")
            )
            .into()
        }
        Err(error) => format!("{name} was not imported, and nothing was written: {error}").into(),
    }
}
