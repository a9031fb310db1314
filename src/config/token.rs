//! What the command line takes to keep service tokens.

use clap::{Args, Subcommand};
use entity::words::TokenScope;

use super::{database::DatabaseArgs, word::parse_known_word};
use crate::token::service::DAYS;

/// Management of service tokens.
#[derive(Debug, Subcommand)]
pub enum TokenVerb {
    /// Create a token and print it to standard output, this once.
    Create(TokenCreate),
    /// List the tokens that are neither expired nor revoked.
    List(TokenList),
    /// Revoke a token, from the next request on.
    Revoke(TokenRevoke),
}

/// A new token.
#[derive(Debug, Args)]
pub struct TokenCreate {
    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// The key of the account as which it acts.
    #[arg(long)]
    pub account: String,
    /// The program that uses it, such as a report or a machine.
    #[arg(long)]
    pub name: String,
    /// Description.
    #[arg(long)]
    pub description: Option<String>,
    /// A scope: READ, BI, MEASUREMENTS or FEEDBACK; may be repeated.
    #[arg(long = "scope", value_parser = parse_scope, required = true)]
    pub scopes: Vec<TokenScope>,
    /// The key of a department to which it is limited, with all below; may be repeated.
    #[arg(long = "department", value_name = "KEY")]
    pub departments: Vec<String>,
    /// Days until it expires, at most 365.
    #[arg(long, default_value_t = DAYS)]
    pub days: i32,
}

/// Options of the list of tokens.
#[derive(Debug, Args)]
pub struct TokenList {
    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// Only those that act as the account with this key.
    #[arg(long)]
    pub account: Option<String>,
    /// Also expired and revoked tokens.
    #[arg(long)]
    pub all: bool,
}

/// A token to revoke.
#[derive(Debug, Args)]
pub struct TokenRevoke {
    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// Its id, as `token list` writes it.
    pub id: String,
}

fn parse_scope(text: &str) -> Result<TokenScope, String> {
    parse_known_word(TokenScope::ALL, TokenScope::as_str, text)
}
