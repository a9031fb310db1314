//! The command `generate`: fills an empty database with a large organisation for benches.

mod organisation;

use std::process::ExitCode;

use clap::Parser;
use cx_blueprint::config::DatabaseArgs;

use self::organisation::{
    fill::{PASSWORD, fill_database},
    master::ACCOUNTS,
    size::OrganisationSize,
};

/// Fill an empty database with a large organisation for benches, the same for the same options.
#[derive(Debug, Parser)]
#[command(name = "generate", version)]
struct GenerateOptions {
    /// Which database.
    #[command(flatten)]
    database: DatabaseArgs,
    /// How large.
    #[command(flatten)]
    size: OrganisationSize,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = GenerateOptions::parse();
    match fill_database(&options.database, &options.size).await {
        Ok(filled) => {
            let keys: Vec<&str> = ACCOUNTS.iter().map(|account| account.key).collect();
            println!(
                "Generated {} rows in {} seconds. Sign in as {}, each with the password {PASSWORD}.",
                filled.rows,
                filled.took.as_secs(),
                keys.join(", ")
            );
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("generate: {error}");
            ExitCode::FAILURE
        }
    }
}
