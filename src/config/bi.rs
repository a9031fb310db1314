//! What the command line takes to keep the views for BI and the roles that read them.

use clap::{Args, Subcommand};

use super::database::DatabaseArgs;

/// Management of the PostgreSQL views, and of the roles with which BI tools read them.
#[derive(Debug, Subcommand)]
pub enum BiVerb {
    /// Manage the roles.
    #[command(subcommand)]
    Role(BiRoleVerb),
    /// Recreate the views, and refresh what each role may see in them. A running server does the latter by itself,
    /// within a minute.
    Refresh(DatabaseArgs),
}

/// Management of the PostgreSQL roles with which BI tools sign in.
#[derive(Debug, Subcommand)]
pub enum BiRoleVerb {
    /// Create a role that sees in the schema `bi` what an account may see, and nothing else. The password is read from
    /// the first line of standard input; if that is empty, one is generated and printed this once.
    Create(BiRoleCreate),
    /// List the roles, with the account of each.
    List(DatabaseArgs),
    /// Drop a role.
    Drop(BiRoleDrop),
}

/// A new role.
#[derive(Debug, Args)]
pub struct BiRoleCreate {
    /// The database; its user must be a superuser, or the database's owner with CREATEROLE.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// The role's name: lower-case letters, digits and underscores.
    pub name: String,
    /// The key of the account as which it acts.
    #[arg(long)]
    pub account: String,
    /// Time limit of a statement, such as 500ms, 60s or 5min, unless the tool sets another.
    #[arg(long, default_value = "60s", value_parser = parse_milliseconds)]
    pub statement_timeout: u32,
}

/// A role to drop.
#[derive(Debug, Args)]
pub struct BiRoleDrop {
    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// The role's name.
    pub name: String,
}

fn parse_milliseconds(text: &str) -> Result<u32, String> {
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
