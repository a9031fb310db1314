//! What the command line takes to keep service tokens.

use clap::{Args, Subcommand};
use entity::words::TokenScope;

use super::{database::DatabaseArgs, word::parse_word};
use crate::token::service::DAYS;

/// Keeping service tokens.
#[derive(Debug, Subcommand)]
pub enum TokenVerb {
    /// Make a token and write it to standard output, this once.
    Create(TokenCreate),
    /// List the tokens that are good for something.
    List(TokenList),
    /// Revoke a token, from the next request on.
    Revoke(TokenRevoke),
}

/// A new token.
#[derive(Debug, Args)]
pub struct TokenCreate {
    /// Which database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// The key of the account that it stands for.
    #[arg(long)]
    pub account: String,
    /// What uses it.
    #[arg(long)]
    pub name: String,
    /// What else there is to say about it.
    #[arg(long)]
    pub description: Option<String>,
    /// What it is for: READ, BI, MEASUREMENTS or FEEDBACK; may be repeated.
    #[arg(long = "scope", value_parser = scope, required = true)]
    pub scopes: Vec<TokenScope>,
    /// The key of a department to limit it to, with all below; may be repeated.
    #[arg(long = "department", value_name = "KEY")]
    pub departments: Vec<String>,
    /// In how many days it expires, 365 at the most.
    #[arg(long, default_value_t = DAYS)]
    pub days: i32,
}

/// Which tokens to list.
#[derive(Debug, Args)]
pub struct TokenList {
    /// Which database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// Only those that stand for the account with this key.
    #[arg(long)]
    pub account: Option<String>,
    /// Expired and revoked ones too.
    #[arg(long)]
    pub all: bool,
}

/// A token to revoke.
#[derive(Debug, Args)]
pub struct TokenRevoke {
    /// Which database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// Its id, as `token list` writes it.
    pub id: String,
}

fn scope(text: &str) -> Result<TokenScope, String> {
    parse_word(TokenScope::ALL, TokenScope::as_str, text)
}
