//! What the command line takes to keep the views for BI and the roles that read them.

use clap::{Args, Subcommand};

use super::database::DatabaseArgs;

/// Keeping views of PostgreSQL, and the roles with which BI tools read them.
#[derive(Debug, Subcommand)]
pub enum BiVerb {
    /// Keep the roles.
    #[command(subcommand)]
    Role(BiRoleVerb),
    /// Bring the views and what each role may see in them to what holds now. A running server does the latter by
    /// itself, within a minute.
    Refresh(DatabaseArgs),
}

/// Keeping roles of PostgreSQL with which BI tools sign in.
#[derive(Debug, Subcommand)]
pub enum BiRoleVerb {
    /// Make a role that sees in the schema `bi` what an account may see, and nothing else. The password is read from
    /// the first line of standard input; where that is empty, one is made and written to standard output, this once.
    Create(BiRoleCreate),
    /// List the roles with the accounts that they stand for.
    List(DatabaseArgs),
    /// Drop a role.
    Drop(BiRoleDrop),
}

/// A new role.
#[derive(Debug, Args)]
pub struct BiRoleCreate {
    /// Which database; its user has to be a superuser, or its owner with CREATEROLE.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// Its name: small letters, digits and underscores.
    pub name: String,
    /// The key of the account that it stands for.
    #[arg(long)]
    pub account: String,
    /// How long a statement may take, such as 500ms, 60s or 5min, unless the tool sets something else.
    #[arg(long, default_value = "60s", value_parser = milliseconds)]
    pub statement_timeout: u32,
}

/// A role to drop.
#[derive(Debug, Args)]
pub struct BiRoleDrop {
    /// Which database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// Its name.
    pub name: String,
}

fn milliseconds(text: &str) -> Result<u32, String> {
    let (number, unit) = text.split_at(text.bytes().take_while(u8::is_ascii_digit).count());
    let times = match unit {
        "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        _ => 0,
    };
    let number = number.parse::<u32>().unwrap_or_default();
    match number.checked_mul(times) {
        Some(time) if (1..=86_400_000).contains(&time) => Ok(time),
        _ => Err("a time such as 500ms, 60s or 5min, up to a day".to_owned()),
    }
}
