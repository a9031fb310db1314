//! The verb `token`: makes, lists and revokes service tokens as the operator. A new one is all that goes to standard
//! output, so that it can be led into the place where it is kept.

use std::collections::BTreeMap;

use async_graphql::ID;
use cx_blueprint::{
    access::{Caller, HasKeyColumn},
    account::service_token::{self, ServiceTokenCreateInput, ServiceTokenRevokeInput},
    config::{TokenCreate, TokenList, TokenRevoke, TokenVerb},
    input::By,
};
use entity::{account, department, service_token as token};
use sea_orm::QueryOrder;

use super::{
    failure::Failure,
    output::{note, say},
    store::open_as_operator,
};

pub(crate) async fn run_token_verb(verb: TokenVerb) -> Result<(), Failure> {
    match verb {
        TokenVerb::Create(create) => create_token(create).await,
        TokenVerb::List(list) => print_tokens(list).await,
        TokenVerb::Revoke(revoke) => revoke_token(revoke).await,
    }
}

/// The id of what has this key.
async fn find_id_by_key<E: HasKeyColumn>(caller: &Caller, key: &str) -> Result<E::Id, Failure> {
    let row = caller
        .get_by_id_or_key::<E>(&By::Key(key.to_owned()))
        .await?;
    let row = row.ok_or_else(|| format!("There is no {} with the key {key}.", E::NOUN))?;
    Ok(E::id(&row))
}

async fn create_token(create: TokenCreate) -> Result<(), Failure> {
    let (_, caller) = open_as_operator(&create.database, "serviceTokenCreate").await?;
    let account = find_id_by_key::<account::Entity>(&caller, &create.account).await?;
    let mut departments = Vec::new();
    for key in &create.departments {
        let id = find_id_by_key::<department::Entity>(&caller, key).await?;
        departments.push(ID(id.to_string()));
    }
    let input = ServiceTokenCreateInput {
        id: None,
        account_id: ID(account.to_string()),
        name: create.name,
        description: create.description,
        scopes: create.scopes,
        department_ids: departments,
        expires_in_days: create.days,
    };
    let (row, secret) = service_token::create(&caller, input).await?;
    note!(
        "Made {} for {}, good until {}. It is shown this once:",
        row.id,
        create.account,
        row.expires_at.format("%F")
    );
    if let Some(secret) = secret {
        say!("{}", secret.into_text());
    }
    Ok(())
}

async fn print_tokens(list: TokenList) -> Result<(), Failure> {
    let (_, caller) = open_as_operator(&list.database, "serviceTokens").await?;
    let of = match &list.account {
        Some(key) => Some(find_id_by_key::<account::Entity>(&caller, key).await?),
        None => None,
    };
    let rows = service_token::select_tokens(&caller, of, list.all)
        .order_by_asc(token::Column::CreatedAt)
        .order_by_asc(token::Column::Id)
        .all(caller.connection())
        .await?;
    let accounts = caller.select::<account::Entity>();
    let accounts = accounts.all(caller.connection()).await?.into_iter();
    let keys: BTreeMap<_, _> = accounts.map(|row| (row.id, row.key)).collect();
    for row in rows {
        let account = keys.get(&row.account_id).map_or("", String::as_str);
        say!("{}", format_token(&row, account));
    }
    Ok(())
}

/// A token on a line, its parts set apart by tabs.
fn format_token(row: &token::Model, account: &str) -> String {
    let scopes = row.scopes.0.iter().map(|scope| scope.as_str());
    let scopes: Vec<&str> = scopes.collect();
    let used = row.last_used_at.map_or_else(
        || "never used".to_owned(),
        |at| format!("used {}", at.format("%F %H:%M")),
    );
    let until = match row.revoked_at {
        Some(at) => format!("revoked {}", at.format("%F")),
        None => format!("until {}", row.expires_at.format("%F")),
    };
    let parts = [
        row.id.to_string(),
        account.to_owned(),
        scopes.join(","),
        until,
        used,
        row.name.clone(),
    ];
    parts.join("\t")
}

async fn revoke_token(revoke: TokenRevoke) -> Result<(), Failure> {
    let (_, caller) = open_as_operator(&revoke.database, "serviceTokenRevoke").await?;
    let input = ServiceTokenRevokeInput { id: ID(revoke.id) };
    let row = service_token::revoke(&caller, &input).await?;
    caller.await_durable().await?;
    note!("Revoked {} ({}).", row.id, row.name);
    Ok(())
}
