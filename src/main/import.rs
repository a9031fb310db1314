//! The verb `import`: brings a document or a sheet in as the operator, and tells what changed.

use std::io::{BufRead, BufReader, Read};

use cx_blueprint::{
    access::Caller,
    config::Import,
    document::{
        diff::DocumentChange,
        format::{self, DocumentFormat},
        import::{self, ImportOptions, ImportReport},
        organisation,
        table::{self, TouchpointTable},
    },
    error::{Error, Result, UserError, UserErrorCode},
    feedback,
    input::By,
    kpi,
    sheet::{SheetSpool, SpooledSheet},
};

use super::{
    failure::{Failure, import_failure},
    output::{note, say},
    store::open_as_operator,
};

/// Largest document that is read, in bytes: many times what the largest blueprint makes.
const LARGEST: u64 = 64 << 20;
/// Largest document of a whole organisation: hundreds of blueprints and millions of values.
const LARGEST_ORGANISATION: u64 = 512 << 20;

/// Longest sheet that is taken from standard input, in bytes: it lies in a file until it has been read.
const LONGEST_SHEET: u64 = 4 << 30;

pub(crate) async fn import(options: Import) -> Result<(), Failure> {
    if options.measurements || options.feedback {
        return record_sheet(options).await;
    }
    let said = ImportFileContent::read(&options)?;
    let (store, caller) = open_as_operator(&options.database, "import").await?;
    let result = said.import(&caller, &options).await;
    store.close().await?;
    let done =
        result.map_err(|error| import_failure(&options.file.display().to_string(), error))?;
    match done {
        Some(done) => print_report(&done, options.dry_run),
        None => Ok(()),
    }
}

/// Records what a sheet of measurements or of feedback says.
async fn record_sheet(options: Import) -> Result<(), Failure> {
    let name = options.file.display().to_string();
    let sheet =
        spool_input(&options).map_err(|error| format!("{name} cannot be read: {error}."))?;
    let (store, caller) = open_as_operator(&options.database, "import").await?;
    let result = record_sheet_and_summarise(&caller, sheet, &options).await;
    store.close().await?;
    let done = result.map_err(|error| import_failure(&name, strip_fault_paths(error)))?;
    let would = if options.dry_run { "Would be: " } else { "" };
    note!("{would}{done}.");
    Ok(())
}

async fn record_sheet_and_summarise(
    caller: &Caller,
    sheet: SpooledSheet,
    options: &Import,
) -> Result<String> {
    if options.feedback {
        let imported = feedback::sheet::import(caller, sheet, options.dry_run).await?;
        let done = imported.done;
        return Ok(format!(
            "{} rows: {} recorded, {} unchanged, {} that nobody looks after",
            imported.rows, done.recorded, done.unchanged, done.unroutable
        ));
    }
    let imported = kpi::sheet::import(caller, sheet, options.dry_run).await?;
    let done = imported.done;
    Ok(format!(
        "{} rows: {} recorded, {} corrected, {} unchanged",
        imported.rows, done.recorded, done.corrected, done.unchanged
    ))
}

/// The sheet in the file, or all that comes from standard input.
fn spool_input(options: &Import) -> std::io::Result<SpooledSheet> {
    if options.file.as_os_str() != "-" {
        return Ok(SpooledSheet::new(std::fs::File::open(&options.file)?));
    }
    let mut spool = SheetSpool::new(LONGEST_SHEET)?;
    if spool.copy_all(std::io::stdin().lock())? {
        Ok(spool.finish(None))
    } else {
        let message = format!("it is larger than {} GB", LONGEST_SHEET >> 30);
        Err(std::io::Error::other(message))
    }
}

/// Tells what changed.
fn print_report(done: &ImportReport, dry_run: bool) -> Result<(), Failure> {
    for change in &done.changes {
        say!("{}", format_change(change));
    }
    let would = if dry_run { "would change" } else { "changed" };
    note!("{} {would}.", done.changes.len());
    Ok(())
}

/// Loads a whole organisation.
async fn import_organisation(caller: &Caller, options: &Import, text: &str) -> Result<()> {
    if options.prune {
        let message =
            "There is nothing to prune: a whole organisation is loaded into an empty database.";
        return Err(Error::fault("", UserErrorCode::Invalid, None, message));
    }
    let said: organisation::OrganisationInput = format::parse_document(text)?;
    let how = organisation::OrganisationImportOptions {
        dry_run: options.dry_run,
    };
    organisation::import_organisation(caller, &said, how).await?;
    let would = if options.dry_run {
        "would be loaded"
    } else {
        "loaded"
    };
    let (departments, blueprints) = (said.departments.len(), said.blueprints.len());
    note!("{departments} departments and {blueprints} blueprints {would}.");
    Ok(())
}

/// Whether what is too large for a blueprint says at its beginning that it is a whole organisation.
fn begins_as_organisation(text: &[u8]) -> bool {
    let beginning = text.get(..1_024).unwrap_or(text);
    let format = organisation::FORMAT.as_bytes();
    beginning
        .windows(format.len())
        .any(|window| window == format)
}

/// What a file says.
enum ImportFileContent {
    Document(String),
    Sheet {
        blueprint: String,
        table: Box<TouchpointTable>,
    },
}

impl ImportFileContent {
    fn read(options: &Import) -> Result<Self, Failure> {
        let name = options.file.display();
        let mut source: Box<dyn BufRead> = if options.file.as_os_str() == "-" {
            Box::new(std::io::stdin().lock())
        } else {
            let file = std::fs::File::open(&options.file);
            let file = file.map_err(|error| format!("{name} cannot be read: {error}."))?;
            Box::new(BufReader::new(file))
        };
        if let Some(blueprint) = options.blueprint.clone() {
            let table = TouchpointTable::read(source).map_err(strip_fault_paths);
            let table = table.map_err(|error| import_failure(&name.to_string(), error))?;
            let table = Box::new(table.treat_roles_as_complete(&options.complete));
            return Ok(Self::Sheet { blueprint, table });
        }
        if options
            .file
            .extension()
            .is_some_and(|end| end.eq_ignore_ascii_case("csv"))
        {
            let message = format!(
                "{name} is a sheet. Say with --blueprint whose touchpoints it holds. Figures go in with --measurements, and answers with --feedback."
            );
            return Err(message.into());
        }
        let mut text = Vec::new();
        let mut read = source.by_ref().take(LARGEST + 1).read_to_end(&mut text);
        let mut largest = LARGEST;
        if text.len() as u64 > LARGEST && begins_as_organisation(&text) {
            largest = LARGEST_ORGANISATION;
            let rest = largest + 1 - text.len() as u64;
            read = source.take(rest).read_to_end(&mut text);
        }
        read.map_err(|error| format!("{name} cannot be read: {error}."))?;
        if text.len() as u64 > largest {
            return Err(format!("{name} is larger than {} MB.", largest >> 20).into());
        }
        let text = String::from_utf8(text);
        let text = text.map_err(|_| format!("{name} cannot be read: it is not UTF-8."))?;
        Ok(Self::Document(text))
    }

    /// Imports it, and reports the changes to a blueprint; none of a whole organisation.
    async fn import(self, caller: &Caller, options: &Import) -> Result<Option<ImportReport>> {
        let how = ImportOptions {
            dry_run: options.dry_run,
            prune: options.prune,
            expected_revision: None,
        };
        let done = match self {
            Self::Document(text) => match format::read_format_field(&text) {
                Some(format) if format == organisation::OrganisationInput::FORMAT => {
                    import_organisation(caller, options, &text).await?;
                    return Ok(None);
                }
                _ => import::import_document(caller, format::parse_document(&text)?, how).await?,
            },
            Self::Sheet { blueprint, table } => {
                let done = table::import_table(caller, &By::Key(blueprint), *table, how).await;
                done.map_err(strip_fault_paths)?
            }
        };
        Ok(Some(done))
    }
}

/// A change on a line.
fn format_change(change: &DocumentChange) -> String {
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

/// A fault in a sheet says itself where it is.
fn strip_fault_paths(error: Error) -> Error {
    match error {
        Error::Refused(faults) => Error::Refused(
            faults
                .into_iter()
                .map(|fault| UserError {
                    field: Vec::new(),
                    ..fault
                })
                .collect(),
        ),
        other => other,
    }
}
