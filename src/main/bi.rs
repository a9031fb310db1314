//! The verb `bi`: keeps the views of PostgreSQL and the roles that read them, as the operator. A password that was made
//! is all that goes to standard output, so that it can be led into the place where it is kept.

use std::io::{BufRead, IsTerminal};

use async_graphql::ID;
use cx_blueprint::{
    access::{Caller, Guarded},
    bi::views::{
        self, login,
        role::{self, RoleCreate},
    },
    config::{BiRoleCreate, BiRoleDrop, BiRoleVerb, BiVerb, DatabaseArgs},
    database,
    input::By,
};
use entity::account;

use super::{
    failure::Failure,
    output::{note, say},
    store::open_as_operator,
};

pub(crate) async fn run_bi_verb(verb: BiVerb) -> Result<(), Failure> {
    match verb {
        BiVerb::Role(BiRoleVerb::Create(create)) => create_role(create).await,
        BiVerb::Role(BiRoleVerb::List(database)) => print_logins(database).await,
        BiVerb::Role(BiRoleVerb::Drop(drop)) => drop_role(drop).await,
        BiVerb::Refresh(database) => refresh_views(database).await,
    }
}

async fn open_postgresql_as_operator(
    database: &DatabaseArgs,
    act: &str,
) -> Result<Caller, Failure> {
    if database::sqlite_path(&database.database_url).is_some() {
        return Err(
            "Views and roles for BI need PostgreSQL; on SQLite the same rows come from /bi/v1."
                .into(),
        );
    }
    let (_, caller) = open_as_operator(database, act).await?;
    Ok(caller)
}

async fn create_role(create: BiRoleCreate) -> Result<(), Failure> {
    let caller = open_postgresql_as_operator(&create.database, "biRoleCreate").await?;
    let account = caller
        .get_by_id_or_key::<account::Entity>(&By::Key(create.account.clone()))
        .await?
        .ok_or_else(|| {
            format!(
                "There is no {} with the key {}.",
                account::Entity::NOUN,
                create.account
            )
        })?;
    let given = read_password(&create.name)?;
    let shown = given.is_none();
    let input = RoleCreate {
        name: create.name.clone(),
        account_id: ID(account.id.to_string()),
        statement_timeout: create.statement_timeout,
        password: given,
    };
    let password = role::create_bi_role(&caller, input).await?;
    note!(
        "Made the role {}, which sees in the schema bi what {} may see.",
        create.name,
        account.key
    );
    if shown {
        note!("Its password is shown this once:");
        say!("{password}");
    }
    Ok(())
}

/// The first line of standard input; nothing where it is empty.
fn read_password(name: &str) -> Result<Option<String>, Failure> {
    if std::io::stdin().is_terminal() {
        note!("Password for {name}, then Enter; empty to have one made:");
    }
    let mut password = String::new();
    std::io::stdin().lock().read_line(&mut password)?;
    let password = password.trim_end_matches(['\r', '\n']);
    Ok((!password.is_empty()).then(|| password.to_owned()))
}

async fn print_logins(database: DatabaseArgs) -> Result<(), Failure> {
    let caller = open_postgresql_as_operator(&database, "biRoles").await?;
    for login in login::list_logins(&caller).await? {
        let archived = login
            .archived_at
            .map(|at| format!("archived {}", at.format("%F")));
        let parts = [
            login.name,
            login.account_key,
            format!("made {}", login.created_at.format("%F")),
            archived.unwrap_or_default(),
        ];
        say!("{}", parts.join("\t").trim_end());
    }
    Ok(())
}

async fn drop_role(drop: BiRoleDrop) -> Result<(), Failure> {
    let caller = open_postgresql_as_operator(&drop.database, "biRoleDrop").await?;
    role::drop_bi_role(&caller, &drop.name).await?;
    note!("Dropped the role {}.", drop.name);
    Ok(())
}

async fn refresh_views(database: DatabaseArgs) -> Result<(), Failure> {
    let caller = open_postgresql_as_operator(&database, "biRefresh").await?;
    let made = views::refresh_views(&caller).await?;
    let renewed = login::renew_stale_reaches(&caller).await?;
    let views = if made {
        "made anew"
    } else {
        "as they should be"
    };
    say!("The views are {views}; what roles may see was written down anew for {renewed}.");
    Ok(())
}
